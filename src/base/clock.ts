/**
 * Time as a passed interface (ADR 0009): the only file that may read the wall clock or set timers,
 * so that a simulation can run the platform without real time.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Monotonic time in milliseconds, with a fraction; only differences mean anything. */
  monotonicMs(): number;
  /** Calls `callback` once, `delayMs` from now, unless cancelled. Keeps the process alive until then. */
  schedule(delayMs: number, callback: () => void): Timer;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `delayMs` of the given clock. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(delayMs, resolve);
  });
}

/** Resolves when `work` has settled, or `msMax` later. */
export async function within(clock: Clock, msMax: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = clock.schedule(msMax, resolve);
  await Promise.race([work, late]);
  timer.cancel();
}
