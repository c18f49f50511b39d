/**
 * Proactive initialization (guide page 045: a gap between Init and the first invocation is normal):
 * when an environment's lifetime ends while its version has needed more of late than are left, another
 * one is started ahead of the next invocation. Only in room that nobody else wants, a few at a time.
 */
import type { Clock } from '../base/clock.ts';
import { RecentPeak } from '../base/recent-peak.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';

export interface ProactiveOptions {
  /** Environments of the version that are there or being made. */
  readonly count: (versionKey: string) => number;
  /** Starts one, if there is room, and puts it with the idle; never rejects. */
  readonly start: (version: RunnableVersion) => Promise<void>;
}

/** Invocations at once within this time are expected to come again. */
export const demandWindowMs = 60_000;
export const proactiveStartsMax = 2;

interface Demand {
  busyCount: number;
  readonly peak: RecentPeak;
}

export class ProactiveStarts {
  readonly #clock: Clock;
  readonly #options: ProactiveOptions;
  /** By version key. */
  readonly #demands = new Map<string, Demand>();
  #startingCount = 0;

  constructor(clock: Clock, options: ProactiveOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** An environment of the version is held by an invocation. */
  noteTaken(versionKey: string): void {
    let demand = this.#demands.get(versionKey);
    if (demand === undefined) {
      demand = { busyCount: 0, peak: new RecentPeak(demandWindowMs) };
      this.#demands.set(versionKey, demand);
    }
    demand.busyCount += 1;
    demand.peak.note(this.#clock.monotonicMs(), demand.busyCount);
  }

  /** It is free again, or gone. */
  noteReturned(versionKey: string): void {
    const demand = this.#demands.get(versionKey);
    if (demand !== undefined) demand.busyCount -= 1;
  }

  /** The version takes no more invocations. */
  forget(versionKey: string): void {
    this.#demands.delete(versionKey);
  }

  /** After an environment of the version has ended. */
  async replace(version: RunnableVersion): Promise<void> {
    if (this.#startingCount >= proactiveStartsMax) return;
    const peak = this.#demands.get(version.key)?.peak.at(this.#clock.monotonicMs()) ?? 0;
    if (this.#options.count(version.key) >= peak) return;
    this.#startingCount += 1;
    await this.#options.start(version);
    this.#startingCount -= 1;
  }
}
