/**
 * What admission must do, kept by counting alone: stands between the invoker and Concurrency, counts
 * permits for itself, and throws when one is given that no limit allows or refused without a cause.
 */
import assert from 'node:assert/strict';
import type { SimClock } from '../../src/testing/sim-clock.ts';
import type { Concurrency, Permit } from '../../src/invoke/concurrency.ts';

/** Provisioned units of one qualifier. */
interface Units {
  version: string;
  count: number;
  inFlight: number;
  lastGrantAtMs: number;
}

export class AdmissionModel {
  readonly #clock: SimClock;
  readonly #concurrency: Concurrency;
  readonly #accountMax: number;
  readonly #newEnvironmentsMax: number;
  readonly #inFlight = new Map<string, number>();
  readonly #reserves = new Map<string, number>();
  /** By function and qualifier. */
  readonly #units = new Map<string, Map<string, Units>>();
  readonly #starts = new Map<string, number[]>();
  readonly #deletedAtMs = new Map<string, number>();
  #grantedAtMs: number[] = [];
  #total = 0;
  /** Permits for provisioned units so far. */
  provisionedCount = 0;
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
      this.#checkRefusal(name, version, acquired);
      this.refusals.set(acquired, (this.refusals.get(acquired) ?? 0) + 1);
      return acquired;
    }
    const units = this.#unitsOf(name).get(acquired.provisionedFor ?? '');
    this.#count(name, 1);
    if (units !== undefined) this.#checkUnit(units, version);
    else this.#checkOnDemand(name);
    this.#checkGrant(name);
    return this.#watch(name, acquired, units);
  }

  setReserved(name: string, reserved: number | undefined): void {
    if (reserved === undefined) this.#reserves.delete(name);
    else this.#reserves.set(name, reserved);
    this.#concurrency.setReserved(name, reserved);
  }

  setProvisioned(
    name: string,
    qualifier: string,
    wanted: { readonly version: string; readonly count: number },
  ): void {
    const units = this.#unitsOf(name).get(qualifier) ?? { inFlight: 0, lastGrantAtMs: 0 };
    this.#unitsOf(name).set(qualifier, Object.assign(units, wanted));
    this.#concurrency.setProvisioned(name, qualifier, wanted);
  }

  removeProvisioned(name: string, qualifier: string): void {
    const units = this.#unitsOf(name).get(qualifier);
    if (units !== undefined) units.count = 0;
    this.#concurrency.removeProvisioned(name, qualifier);
  }

  forget(name: string): void {
    this.#reserves.delete(name);
    for (const units of this.#unitsOf(name).values()) units.count = 0;
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

  #unitsOf(name: string): Map<string, Units> {
    const known = this.#units.get(name);
    if (known !== undefined) return known;
    const units = new Map<string, Units>();
    this.#units.set(name, units);
    return units;
  }

  #watch(name: string, permit: Permit, units: Units | undefined): Permit {
    let isHeld = true;
    let startedAtMs: number | undefined;
    return {
      provisionedFor: permit.provisionedFor,
      release: () => {
        if (isHeld) this.#count(name, -1);
        if (isHeld && units !== undefined) units.inFlight -= 1;
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

  /** On demand, of functions without a reserve. */
  get #unreserved(): number {
    const names = [...this.#inFlight.keys()].filter((name) => !this.#reserves.has(name));
    return sum(names.map((name) => this.#onDemand(name)));
  }

  get #unreservedMax(): number {
    const names = [...this.#units.keys()].filter((name) => !this.#reserves.has(name));
    const units = names.flatMap((name) => [...this.#unitsOf(name).values()]);
    const provisioned = sum(units.map(({ count }) => count));
    return Math.max(0, this.#accountMax - this.reservedTotal - provisioned);
  }

  /** In flight beyond the provisioned units. */
  #onDemand(name: string): number {
    const units = [...this.#unitsOf(name).values()];
    const onUnits = sum(units.map(({ inFlight, count }) => Math.min(inFlight, count)));
    return (this.#inFlight.get(name) ?? 0) - onUnits;
  }

  #checkUnit(units: Units, version: string): void {
    units.inFlight += 1;
    units.lastGrantAtMs = this.#clock.monotonicMs();
    this.provisionedCount += 1;
    const { inFlight, count } = units;
    assert.equal(units.version, version, 'a provisioned unit of another version');
    assert(inFlight <= count, `${inFlight} of ${count} provisioned units in flight`);
  }

  #checkOnDemand(name: string): void {
    const reserved = this.#reserves.get(name);
    if (reserved === undefined) {
      const max = this.#unreservedMax;
      assert(this.#unreserved <= max, `${this.#unreserved} of ${max} unreserved in flight`);
      return;
    }
    const max = reserved - sum([...this.#unitsOf(name).values()].map(({ count }) => count));
    const used = this.#onDemand(name);
    assert(used <= max, `${used} of ${max} not provisioned for ${name} in flight`);
  }

  #checkGrant(name: string): void {
    const reserved = this.#reserves.get(name);
    assert(this.#total <= this.#accountMax, `${this.#total} of ${this.#accountMax} in flight`);
    if (reserved !== undefined) {
      const used = this.#inFlight.get(name) ?? 0;
      assert(used <= reserved, `${used} of ${reserved} reserved for ${name} in flight`);
    }
    const nowMs = this.#clock.monotonicMs();
    this.#grantedAtMs = this.#grantedAtMs.filter((atMs) => nowMs - atMs < 1000);
    this.#grantedAtMs.push(nowMs);
    // A full bucket and what comes back meanwhile.
    const max = 2 * 10 * this.#accountMax;
    assert(this.#grantedAtMs.length <= max, `${this.#grantedAtMs.length} requests in one second`);
  }

  #checkRefusal(name: string, version: string, reason: string): void {
    const reserved = this.#reserves.get(name);
    const used = this.#inFlight.get(name) ?? 0;
    const isFull = this.#total >= this.#accountMax || used >= (reserved ?? Infinity);
    const isAccountRate = reason === 'CallerRateLimitExceeded';
    assert(
      isFull || isAccountRate || !this.#hasFreeUnit(name, version),
      `${name} refused with free units`,
    );
    switch (reason) {
      case 'ReservedFunctionConcurrentInvocationLimitExceeded': {
        const units = sum([...this.#unitsOf(name).values()].map(({ count }) => count));
        const isUsedUp = this.#onDemand(name) >= Math.max(0, (reserved ?? Infinity) - units);
        assert(isUsedUp, `${name} refused within its reserve`);
        break;
      }
      case 'ConcurrentInvocationLimitExceeded': {
        const isUnreservedFull = this.#unreserved >= this.#unreservedMax;
        assert(isFull || (reserved === undefined && isUnreservedFull), `${name} refused: not full`);
        break;
      }
      default:
        assert(/RateLimitExceeded$/.test(reason), reason);
        assert.equal(reason.startsWith('Reserved') && reserved === undefined, false, reason);
    }
  }

  /** One that its own rate cannot have used up. */
  #hasFreeUnit(name: string, version: string): boolean {
    const sinceMs = this.#clock.monotonicMs() - 1000;
    return [...this.#unitsOf(name).values()].some(
      (units) =>
        units.version === version && units.inFlight < units.count && units.lastGrantAtMs < sinceMs,
    );
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
