/**
 * Concurrency permits, decided synchronously on in-memory state by the one owner of a function
 * (ADR 0008). Today the account's limit; reserved and provisioned concurrency join here.
 */

export interface Permit {
  /** Gives the permit back; only the first call counts. */
  release(): void;
}

export class Concurrency {
  readonly #accountMax: number;
  #inFlight = 0;

  constructor(accountMax: number) {
    this.#accountMax = accountMax;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A permit for one invocation, or undefined when the account's limit is reached. */
  acquire(): Permit | undefined {
    if (this.#inFlight >= this.#accountMax) return undefined;
    this.#inFlight += 1;
    let held = true;
    return {
      release: () => {
        if (held) this.#inFlight -= 1;
        held = false;
      },
    };
  }
}
