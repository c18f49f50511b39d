/**
 * What admission must do, kept by counting alone: stands between the invoker and Concurrency, counts
 * permits for itself, and throws when one is given that no limit allows or refused without a cause.
 */
import assert from 'node:assert/strict';
import type { SimClock } from '../../src/testing/sim-clock.ts';
import type { Concurrency, Permit } from '../../src/invoke/concurrency.ts';

export class AdmissionModel {
  readonly #clock: SimClock;
  readonly #concurrency: Concurrency;
  readonly #accountMax: number;
  readonly #newEnvironmentsMax: number;
  readonly #inFlight = new Map<string, number>();
  readonly #reserves = new Map<string, number>();
  readonly #starts = new Map<string, number[]>();
  readonly #deletedAtMs = new Map<string, number>();
  #grantedAtMs: number[] = [];
  #total = 0;
  readonly refusals = new Map<string, number>();

  constructor(
    clock: SimClock,
    concurrency: Concurrency,
    options: { readonly accountMax: number; readonly newEnvironmentsMax: number },
  ) {
    this.#clock = clock;
    this.#concurrency = concurrency;
    this.#accountMax = options.accountMax;
    this.#newEnvironmentsMax = options.newEnvironmentsMax;
  }

  get reservedTotal(): number {
    return sum(this.#reserves.values());
  }

  /** As Concurrency does, watched. */
  acquire(name: string, version: string): ReturnType<Concurrency['acquire']> {
    const acquired = this.#concurrency.acquire(name, version);
    if (typeof acquired === 'string') {
      this.#checkRefusal(name, acquired);
      this.refusals.set(acquired, (this.refusals.get(acquired) ?? 0) + 1);
      return acquired;
    }
    this.#count(name, 1);
    this.#checkGrant(name);
    return this.#watch(name, acquired);
  }

  setReserved(name: string, reserved: number | undefined): void {
    if (reserved === undefined) this.#reserves.delete(name);
    else this.#reserves.set(name, reserved);
    this.#concurrency.setReserved(name, reserved);
  }

  forget(name: string): void {
    this.#reserves.delete(name);
    this.#starts.delete(name);
    this.#deletedAtMs.set(name, this.#clock.monotonicMs());
    this.#concurrency.forget(name);
  }

  /** Permits are conserved: what it says is in flight is what was given and is not back. */
  check(): void {
    assert.equal(this.#concurrency.inFlight, this.#total, 'permits are conserved');
  }

  checkIdle(): void {
    this.check();
    assert.equal(this.#total, 0, 'every permit came back');
  }

  #watch(name: string, permit: Permit): Permit {
    let isHeld = true;
    let startedAtMs: number | undefined;
    return {
      provisionedFor: permit.provisionedFor,
      release: () => {
        if (isHeld) this.#count(name, -1);
        if (isHeld && startedAtMs !== undefined) this.#checkStarts(name, startedAtMs);
        isHeld = false;
        permit.release();
      },
      takeStart: () => {
        const isTaken = permit.takeStart();
        if (isTaken) startedAtMs = this.#clock.monotonicMs();
        return isTaken;
      },
      returnStart: () => {
        startedAtMs = undefined;
        permit.returnStart();
      },
    };
  }

  #count(name: string, by: number): void {
    this.#inFlight.set(name, (this.#inFlight.get(name) ?? 0) + by);
    this.#total += by;
  }

  get #unreserved(): number {
    const names = [...this.#inFlight.keys()].filter((name) => !this.#reserves.has(name));
    return sum(names.map((name) => this.#inFlight.get(name) ?? 0));
  }

  #checkGrant(name: string): void {
    const { reservedTotal } = this;
    const reserved = this.#reserves.get(name);
    assert(this.#total <= this.#accountMax, `${this.#total} of ${this.#accountMax} in flight`);
    if (reserved !== undefined) {
      const used = this.#inFlight.get(name) ?? 0;
      assert(used <= reserved, `${used} of ${reserved} reserved for ${name} in flight`);
    } else {
      const max = this.#accountMax - reservedTotal;
      assert(this.#unreserved <= max, `${this.#unreserved} of ${max} unreserved in flight`);
    }
    const nowMs = this.#clock.monotonicMs();
    this.#grantedAtMs = this.#grantedAtMs.filter((atMs) => nowMs - atMs < 1000);
    this.#grantedAtMs.push(nowMs);
    // A full bucket and what comes back meanwhile.
    const max = 2 * 10 * this.#accountMax;
    assert(this.#grantedAtMs.length <= max, `${this.#grantedAtMs.length} requests in one second`);
  }

  #checkRefusal(name: string, reason: string): void {
    const reserved = this.#reserves.get(name);
    const used = this.#inFlight.get(name) ?? 0;
    switch (reason) {
      case 'ReservedFunctionConcurrentInvocationLimitExceeded':
        assert(reserved !== undefined && used >= reserved, `${name} refused within its reserve`);
        break;
      case 'ConcurrentInvocationLimitExceeded': {
        const isFull = this.#total >= this.#accountMax;
        const isUnreservedFull = this.#unreserved >= this.#accountMax - this.reservedTotal;
        assert(isFull || (reserved === undefined && isUnreservedFull), `${name} refused: not full`);
        break;
      }
      default:
        assert(/RateLimitExceeded$/.test(reason), reason);
        assert.equal(reason.startsWith('Reserved') && reserved === undefined, false, reason);
    }
  }

  /** Of starts not returned: a full bucket and what comes back in ten seconds are the most. */
  #checkStarts(name: string, atMs: number): void {
    // One that is made again under the name is another function.
    if (atMs <= (this.#deletedAtMs.get(name) ?? 0)) return;
    const starts = [...(this.#starts.get(name) ?? []), atMs].sort((a, b) => a - b).slice(-200);
    this.#starts.set(name, starts);
    for (const fromMs of starts) {
      const count = starts.filter((at) => at >= fromMs && at < fromMs + 10_000).length;
      const max = 2 * this.#newEnvironmentsMax;
      assert(count <= max, `${count} environments of ${name} begun in 10 s`);
    }
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
