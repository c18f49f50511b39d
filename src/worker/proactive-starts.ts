/**
 * Proactive initialization (guide page 045: a gap between Init and the first invocation is normal):
 * when an environment's lifetime ends while its tenancy has needed more of late than are left, another
 * one is started ahead of the next invocation. Only in room that nobody else wants, a few at a time.
 */
import type { Clock } from '../base/clock.ts';
import { RecentPeak } from '../base/recent-peak.ts';
import type { Tenancy } from './tenancy.ts';

export interface ProactiveOptions {
  /** Environments of the tenancy that are there or being made. */
  readonly count: (tenancy: Tenancy) => number;
  /** Starts one, if there is room, and puts it with the idle; never rejects. */
  readonly start: (tenancy: Tenancy) => Promise<void>;
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
  /** By the key of the tenancy, the one last taken last: only busy ones and those of the window stay. */
  readonly #demands = new Map<string, Demand>();
  #startingCount = 0;

  constructor(clock: Clock, options: ProactiveOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Tenancies that anything is kept for. */
  get demandCount(): number {
    return this.#demands.size;
  }

  /** An environment of the tenancy is held by an invocation. */
  noteTaken({ key }: Tenancy): void {
    const demand = this.#demands.get(key) ?? this.#newDemand();
    demand.busyCount += 1;
    demand.peak.note(this.#clock.monotonicMs(), demand.busyCount);
    // Also when it is there already: it becomes the last.
    this.#demands.delete(key);
    this.#demands.set(key, demand);
  }

  /** It is free again, or gone. */
  noteReturned({ key }: Tenancy): void {
    const demand = this.#demands.get(key);
    if (demand !== undefined) demand.busyCount -= 1;
  }

  /** After an environment of the tenancy has ended. */
  async replace(tenancy: Tenancy): Promise<void> {
    if (this.#startingCount >= proactiveStartsMax) return;
    const peak = this.#demands.get(tenancy.key)?.peak.at(this.#clock.monotonicMs()) ?? 0;
    if (this.#options.count(tenancy) >= peak) return;
    this.#startingCount += 1;
    await this.#options.start(tenancy);
    this.#startingCount -= 1;
  }

  /** In place of those that say nothing any more: versions and tenants come and go. */
  #newDemand(): Demand {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { busyCount, peak }] of this.#demands) {
      if (peak.at(nowMs) > 0) break;
      if (busyCount === 0) this.#demands.delete(key);
    }
    return { busyCount: 0, peak: new RecentPeak(demandWindowMs) };
  }
}
