/**
 * Things in a state that does not last, waiting to be settled: each after its delay, a few at once,
 * and again a little later when settling fails. What is left at the end is settled after the next
 * start: the change feed begins with it.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';

/** After a failure that may pass, such as a full disk. */
const RETRY_DELAY_MS = 1_000;
/** Settled at once: a restart may find very many. */
export const SETTLED_AT_ONCE_MAX = 8;

export interface SettleQueueOptions {
  /** What is settled, for the log: 'a function'. */
  readonly what: string;
  /** From the change to its settling; 0 is as soon as the change's caller has had a turn. */
  readonly delayMs: number;
  /** Rejects for what may succeed later. */
  readonly settle: (name: string) => Promise<void>;
}

export class SettleQueue {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: SettleQueueOptions;
  /** Names whose time has not come, so that one turn serves all changes of before. */
  readonly #waiting = new Map<string, Timer>();
  /** Names whose time has come, in that order. */
  readonly #due = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  constructor(clock: Clock, log: Log, options: SettleQueueOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#options = options;
  }

  /** Something of this name is unsettled. */
  settleSoon(name: string, delayMs = this.#options.delayMs): void {
    if (this.#isClosed || this.#waiting.has(name)) return;
    const timer = this.#clock.schedule(delayMs, () => {
      this.#waiting.delete(name);
      this.#due.add(name);
      this.#runDue();
    });
    this.#waiting.set(name, timer);
  }

  /** Stops; resolves once nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
    await Promise.all(this.#running);
  }

  #runDue(): void {
    for (const name of this.#due) {
      if (this.#isClosed || this.#running.size >= SETTLED_AT_ONCE_MAX) return;
      this.#due.delete(name);
      const run = this.#options
        .settle(name)
        .catch((error: unknown) => {
          this.#log.warn({ err: error, name }, `could not settle ${this.#options.what} yet`);
          this.settleSoon(name, RETRY_DELAY_MS);
        })
        .finally(() => {
          this.#running.delete(run);
          this.#runDue();
        });
      this.#running.add(run);
    }
  }
}
