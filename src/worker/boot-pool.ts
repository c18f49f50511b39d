/**
 * Booted sandboxes waiting to be bound, per runtime: cold starts paid in advance (ADR 0004).
 *
 * A shelf follows the demand for its runtime: it holds as many as cold starts came at once of late, one
 * while functions of the runtime were used or deployed lately, none when nobody has them. What is
 * taken is replaced in the background when `refill` is called; a sandbox that is taken is bound to one
 * function version and never comes back. Environments come first: for their memory `shed` empties shelves.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { RecentPeak } from '../base/recent-peak.ts';
import type { RunningRuntime, RuntimeSandbox } from './runtime-sandbox.ts';

export interface BootedRuntime {
  readonly runtimeSandbox: RuntimeSandbox;
  readonly running: RunningRuntime;
}

export interface BootPoolOptions {
  /** Sandboxes held per runtime at most; 0 holds none. */
  readonly sizeMax: number;
  /** Makes one booted sandbox of a runtime. */
  readonly boot: (runtimeId: string) => Promise<BootedRuntime>;
  /** Memory for one more; false when environments have it. */
  readonly takeMemory: () => boolean;
  /** One has ended, or has become an environment, which has room of its own. */
  readonly returnMemory: () => void;
  /** Whether environments of the runtime are there. */
  readonly isInUse: (runtimeId: string) => boolean;
}

/** Of all runtimes together: booting takes a whole CPU. */
export const bootsAtOnceMax = 2;
/** Cold starts within so short a time count as a burst: about what booting takes. */
export const burstMs = 1000;
/** A burst is expected to come again for so long. */
export const demandWindowMs = 5 * 60_000;
/** So long after the last cold start or deployment a runtime without environments is given up. */
export const recentMs = 60 * 60_000;
/** How often shelves are looked at without a cause. */
export const tendEveryMs = 30_000;
/**
 * After this many sandboxes in a row that did not boot, or died before anyone took them, a runtime is
 * no longer kept warm until it is wanted anew.
 */
const failuresMax = 3;

interface Shelf {
  readonly runtimeId: string;
  readonly booted: BootedRuntime[];
  /** Keys of the versions that may be invoked. */
  readonly users: Set<string>;
  readonly demand: RecentPeak;
  /** When cold starts of the present burst were. */
  burst: number[];
  /** Of a cold start or a deployment. */
  usedAtMs: number;
  bootingCount: number;
  failures: number;
  /** Is to be filled up. */
  isDue: boolean;
}

export class BootPool {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: BootPoolOptions;
  readonly #shelves = new Map<string, Shelf>();
  /** Runtime ids by version key. */
  readonly #runtimeOf = new Map<string, string>();
  readonly #boots = new Set<Promise<void>>();
  readonly #leaving = new Set<Promise<void>>();
  #tendTimer: Timer | null = null;
  #closed = false;

  constructor(clock: Clock, log: Log, options: BootPoolOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#options = options;
  }

  /** A version of this runtime was deployed. */
  want(runtimeId: string, versionKey: string): void {
    if (this.#closed || this.#options.sizeMax === 0) return;
    const shelf = this.#shelves.get(runtimeId) ?? this.#addShelf(runtimeId);
    shelf.users.add(versionKey);
    this.#runtimeOf.set(versionKey, runtimeId);
    shelf.failures = 0;
    shelf.usedAtMs = this.#clock.monotonicMs();
    this.#fillLater(shelf);
  }

  /** The version is gone. A runtime without any is given up at the next look: another may follow. */
  unwant(versionKey: string): void {
    const runtimeId = this.#runtimeOf.get(versionKey);
    if (runtimeId === undefined) return;
    this.#runtimeOf.delete(versionKey);
    this.#shelves.get(runtimeId)?.users.delete(versionKey);
  }

  /** A booted sandbox that is still alive, or undefined: then the caller starts one itself. */
  take(runtimeId: string): BootedRuntime | undefined {
    const shelf = this.#shelves.get(runtimeId);
    if (shelf === undefined) return undefined;
    this.#noteDemand(shelf);
    const taken = shelf.booted.pop();
    if (taken === undefined) return undefined;
    shelf.failures = 0;
    this.#options.returnMemory();
    return taken;
  }

  /**
   * Replaces what was taken. Not a part of `take`: starting a process holds up the cold start that
   * the taken one is for.
   */
  refill(runtimeId: string): void {
    const shelf = this.#shelves.get(runtimeId);
    if (shelf !== undefined) this.#fillLater(shelf);
  }

  /** Ends waiting sandboxes, of the fullest shelves first, while `isShort` says that memory is missing. */
  shed(isShort: () => boolean): void {
    while (isShort()) {
      const [fullest] = [...this.#shelves.values()].sort(
        (a, b) => b.booted.length - a.booted.length,
      );
      if (fullest === undefined || fullest.booted.length === 0) return;
      this.#cut(fullest, fullest.booted.length - 1);
    }
  }

  /** Sandboxes that wait now, by runtime. */
  sizes(): ReadonlyMap<string, number> {
    return new Map(
      Array.from(this.#shelves.values(), ({ runtimeId, booted }) => [runtimeId, booted.length]),
    );
  }

  /** Resolves once every shelf is as full as it gets; for tests, benchmarks and a quiet start. */
  async settled(): Promise<void> {
    while (this.#boots.size > 0) await Promise.all(this.#boots);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#tendTimer?.cancel();
    await this.settled();
    for (const shelf of this.#shelves.values()) this.#cut(shelf, 0);
    await Promise.all(this.#leaving);
  }

  #addShelf(runtimeId: string): Shelf {
    const shelf: Shelf = {
      ...{ runtimeId, booted: [], users: new Set(), demand: new RecentPeak(demandWindowMs) },
      ...{ burst: [], usedAtMs: 0, bootingCount: 0, failures: 0, isDue: false },
    };
    this.#shelves.set(runtimeId, shelf);
    if (this.#tendTimer === null) this.#tendLater();
    return shelf;
  }

  #noteDemand(shelf: Shelf): void {
    const nowMs = this.#clock.monotonicMs();
    const burst = [...shelf.burst.filter((atMs) => atMs > nowMs - burstMs), nowMs];
    shelf.burst = burst.slice(-this.#options.sizeMax);
    shelf.usedAtMs = nowMs;
    shelf.demand.note(nowMs, shelf.burst.length);
  }

  #target({ runtimeId, users, usedAtMs, demand }: Shelf): number {
    if (users.size === 0) return 0;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - usedAtMs > recentMs && !this.#options.isInUse(runtimeId)) return 0;
    return Math.min(this.#options.sizeMax, Math.max(1, demand.at(nowMs)));
  }

  #isShort(shelf: Shelf): boolean {
    const { booted, bootingCount, failures } = shelf;
    return failures < failuresMax && booted.length + bootingCount < this.#target(shelf);
  }

  /** Demand falls with time alone, and memory becomes free without a word. */
  #tendLater(): void {
    this.#tendTimer = this.#clock.schedule(tendEveryMs, () => {
      for (const shelf of this.#shelves.values()) {
        this.#cut(shelf, this.#target(shelf));
        if (shelf.users.size === 0) this.#shelves.delete(shelf.runtimeId);
        shelf.isDue = true;
      }
      this.#fill();
      this.#tendLater();
    });
  }

  #fillLater(shelf: Shelf): void {
    shelf.isDue = true;
    this.#fill();
  }

  #fill(): void {
    for (const shelf of this.#shelves.values()) {
      while (!this.#closed && shelf.isDue && this.#boots.size < bootsAtOnceMax) {
        shelf.isDue = this.#isShort(shelf) && this.#options.takeMemory();
        if (!shelf.isDue) break;
        const booting = this.#boot(shelf).finally(() => {
          this.#boots.delete(booting);
          this.#fill();
        });
        this.#boots.add(booting);
      }
    }
  }

  async #boot(shelf: Shelf): Promise<void> {
    shelf.bootingCount += 1;
    try {
      this.#put(shelf, await this.#options.boot(shelf.runtimeId));
    } catch (error) {
      shelf.failures += 1;
      shelf.isDue = true;
      this.#options.returnMemory();
      this.#log.warn({ error, runtime: shelf.runtimeId }, 'could not boot a sandbox in advance');
    }
    shelf.bootingCount -= 1;
  }

  #put(shelf: Shelf, booted: BootedRuntime): void {
    shelf.booted.push(booted);
    const onEnd = (): void => this.#discard(shelf, booted);
    booted.running.process.exited.then(onEnd, onEnd);
    if (this.#shelves.get(shelf.runtimeId) !== shelf) this.#cut(shelf, 0);
  }

  /** A booted process died on the shelf. */
  #discard(shelf: Shelf, booted: BootedRuntime): void {
    const index = shelf.booted.indexOf(booted);
    if (index === -1) return;
    shelf.booted.splice(index, 1);
    shelf.failures += 1;
    this.#log.warn({ runtime: shelf.runtimeId }, 'a sandbox that was booted in advance has died');
    this.#remove(booted);
    this.#fillLater(shelf);
  }

  /** Keeps at most so many. */
  #cut(shelf: Shelf, sizeMax: number): void {
    for (const booted of shelf.booted.splice(sizeMax)) this.#remove(booted);
  }

  #remove(booted: BootedRuntime): void {
    this.#options.returnMemory();
    const leaving = this.#destroy(booted).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #destroy({ runtimeSandbox }: BootedRuntime): Promise<void> {
    try {
      await runtimeSandbox.destroy();
    } catch (error) {
      this.#log.error({ error }, 'could not remove a sandbox that was booted in advance');
    }
  }
}
