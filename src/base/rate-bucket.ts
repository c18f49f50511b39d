/**
 * Token bucket: at most `capacity` at once, and as many again per window, evenly. Capacity is given
 * with each call, as it follows settings that change; time is given, so that it needs no clock.
 */
export class RateBucket {
  // More than any capacity: the first refill makes it full.
  #tokens = Number.POSITIVE_INFINITY;
  #refilledAtMs = 0;

  /** Whether there is a token, at a moment not before that of the last call. */
  hasToken(nowMs: number, capacity: number, windowMs: number): boolean {
    const refilled = this.#tokens + ((nowMs - this.#refilledAtMs) * capacity) / windowMs;
    this.#tokens = Math.min(capacity, refilled);
    this.#refilledAtMs = nowMs;
    return this.#tokens >= wholeToken;
  }

  /** After `hasToken` said so. */
  take(): void {
    this.#tokens -= 1;
  }

  giveBack(): void {
    this.#tokens += 1;
  }
}

/** Refilling in fractions adds up to a little less than one. */
const wholeToken = 1 - 1e-6;
