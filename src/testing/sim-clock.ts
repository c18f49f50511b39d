/** A clock that stands still until told: for tests that must see what lies between two moments. */
import type { Clock, Timer } from '../base/clock.ts';

interface Scheduled {
  readonly atMs: number;
  readonly callback: () => void;
}

export class SimClock implements Clock {
  #nowMs: number;
  readonly #scheduled = new Set<Scheduled>();

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const scheduled = { atMs: this.#nowMs + delayMs, callback };
    this.#scheduled.add(scheduled);
    return { cancel: () => void this.#scheduled.delete(scheduled) };
  }

  /** Nothing is to come. */
  get isQuiet(): boolean {
    return this.#scheduled.size === 0;
  }

  /** Moves time on, calling what comes due in its order; what that schedules is not waited for. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const due = [...this.#scheduled].filter(({ atMs }) => atMs <= untilMs);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#scheduled.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}
