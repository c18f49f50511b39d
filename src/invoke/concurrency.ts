/**
 * Admission: which invocations may run now, decided synchronously on in-memory state by the one
 * owner of a function (ADR 0008). A function with a reserve has exactly that; the others share what
 * is not reserved. Provisioned units are taken out of either and serve one version only; what goes
 * beyond them runs on demand in what is left. Guide page 008 has the rules and figures.
 */
import type { Clock } from '../base/clock.ts';
import { RateBucket } from '../base/rate-bucket.ts';
import type { ThrottleReason } from '../model/generated/api-types.ts';
import { limits } from '../model/limits.ts';
import type { AccountMetrics, ProvisionedMetrics } from '../telemetry/metric-sources.ts';
import { ProvisionedUnits } from './provisioned-units.ts';

export interface ConcurrencyOptions {
  /** Invocations of the account at once. */
  readonly accountMax: number;
  /** New environments of one function in limits.scalingWindowMs. */
  readonly newEnvironmentsMax: number;
}

export interface Permit {
  /** The version or alias whose provisioned unit this is; undefined when it is on demand. */
  readonly provisionedFor: string | undefined;
  /** Gives the permit back; only the first call counts. */
  release(): void;
  /** Whether the function may begin another environment now; if so, it is counted. */
  takeStart(): boolean;
  /** No environment was begun after all. */
  returnStart(): void;
}

/** What is counted for one function, from its first invocation or reserve on. */
interface FunctionUse {
  readonly name: string;
  /** All of its invocations, on provisioned units or on demand. */
  inFlight: number;
  reserved: number | undefined;
  /** By version or alias. */
  readonly provisioned: Map<string, ProvisionedUnits>;
  /** Deleted: kept only until its last permit is back. */
  isGone: boolean;
  /** Invocations on demand, while there is a reserve. */
  readonly requests: RateBucket;
  readonly starts: RateBucket;
}

const requestsPerUnit = limits.requestsPerSecondPerConcurrency;

export class Concurrency {
  readonly #clock: Clock;
  readonly #accountMax: number;
  readonly #newEnvironmentsMax: number;
  readonly #functions = new Map<string, FunctionUse>();
  readonly #accountRequests = new RateBucket();
  readonly #unreservedRequests = new RateBucket();
  #inFlight = 0;
  #reservedTotal = 0;
  /** On demand, of functions without a reserve. */
  #unreservedInFlight = 0;
  /** Provisioned units of functions without a reserve. */
  #unreservedUnits = 0;

  constructor(clock: Clock, { accountMax, newEnvironmentsMax }: ConcurrencyOptions) {
    this.#clock = clock;
    this.#accountMax = accountMax;
    this.#newEnvironmentsMax = newEnvironmentsMax;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Invocations now, by function. */
  *executions(): Generator<readonly [functionName: string, count: number]> {
    for (const { name, inFlight } of this.#functions.values()) yield [name, inFlight];
  }

  /** Provisioned units of a function with a reserve are a part of the reserve. */
  accountMetrics(): AccountMetrics {
    const unreserved = this.#unreservedInFlight;
    return {
      UnreservedConcurrentExecutions: unreserved,
      ClaimedAccountConcurrency: unreserved + this.#reservedTotal + this.#unreservedUnits,
    };
  }

  /** Functions that anything is kept for. */
  get functionCount(): number {
    return this.#functions.size;
  }

  /** A permit for one invocation of a version ('$LATEST' or a number), or why there is none. */
  acquire(functionName: string, version: string): Permit | ThrottleReason {
    const use = this.#use(functionName);
    const nowMs = this.#clock.monotonicMs();
    const units = findFreeUnits(use, version, nowMs);
    const refusal =
      units === undefined ? this.#onDemandRefusal(use, nowMs) : this.#accountRefusal(nowMs);
    if (refusal !== undefined) return refusal;
    this.#accountRequests.take();
    this.#inFlight += 1;
    this.#uncount(use);
    use.inFlight += 1;
    units?.take();
    this.#count(use);
    if (units === undefined) this.#takeOnDemand(use, version);
    return this.#permit(use, units);
  }

  /**
   * The function has this reserve from now on, or none. Permits that are out stay valid and count on
   * the new side: until they are back, fewer are given than the limit says, never more.
   */
  setReserved(functionName: string, reserved: number | undefined): void {
    if (reserved === undefined && !this.#functions.has(functionName)) return;
    const use = this.#use(functionName);
    use.isGone = false;
    this.#uncount(use);
    use.reserved = reserved;
    this.#count(use);
  }

  /**
   * So many units may be used by invocations of this version from now on. Permits that are out stay
   * valid; those beyond the units count as on demand.
   */
  setProvisioned(
    functionName: string,
    qualifier: string,
    { version, count }: { readonly version: string; readonly count: number },
  ): void {
    const use = this.#use(functionName);
    const units = use.provisioned.get(qualifier) ?? new ProvisionedUnits(qualifier);
    this.#uncount(use);
    use.provisioned.set(qualifier, units);
    Object.assign(units, { version, count, isGone: false });
    this.#count(use);
  }

  /** Nothing is provisioned for this version or alias any more. */
  removeProvisioned(functionName: string, qualifier: string): void {
    const use = this.#functions.get(functionName);
    const units = use?.provisioned.get(qualifier);
    if (use === undefined || units === undefined) return;
    this.#uncount(use);
    units.count = 0;
    this.#count(use);
    units.isGone = true;
    dropIfUnused(use, units);
  }

  /** The function is deleted. Permits that are out count as unreserved. */
  forget(functionName: string): void {
    const use = this.#functions.get(functionName);
    if (use === undefined) return;
    for (const qualifier of [...use.provisioned.keys()]) {
      this.removeProvisioned(functionName, qualifier);
    }
    this.#uncount(use);
    use.reserved = undefined;
    this.#count(use);
    use.isGone = true;
    this.#dropIfUnused(use);
  }

  /** One for each version or alias that has units. */
  provisionedMetrics(): readonly ProvisionedMetrics[] {
    return [...this.#functions.values()].flatMap(({ name, provisioned }) =>
      Array.from(provisioned.values(), (units) => units.metrics(name)),
    );
  }

  #onDemandRefusal(use: FunctionUse, nowMs: number): ThrottleReason | undefined {
    return (
      this.#concurrencyRefusal(use) ?? this.#rateRefusal(use, nowMs) ?? this.#accountRefusal(nowMs)
    );
  }

  #concurrencyRefusal(use: FunctionUse): ThrottleReason | undefined {
    const max = this.#onDemandMax(use);
    if (use.reserved !== undefined) {
      return onDemandInFlight(use) >= max
        ? 'ReservedFunctionConcurrentInvocationLimitExceeded'
        : undefined;
    }
    return this.#unreservedInFlight >= max ? 'ConcurrentInvocationLimitExceeded' : undefined;
  }

  #rateRefusal(use: FunctionUse, nowMs: number): ThrottleReason | undefined {
    const isReserved = use.reserved !== undefined;
    const bucket = isReserved ? use.requests : this.#unreservedRequests;
    if (bucket.hasToken(nowMs, requestsPerUnit * this.#onDemandMax(use), 1000)) return undefined;
    return isReserved
      ? 'ReservedFunctionInvocationRateLimitExceeded'
      : 'FunctionInvocationRateLimitExceeded';
  }

  /** What is guaranteed, too, has to wait while others have not given back what was theirs before. */
  #accountRefusal(nowMs: number): ThrottleReason | undefined {
    if (this.#inFlight >= this.#accountMax) return 'ConcurrentInvocationLimitExceeded';
    const capacity = requestsPerUnit * this.#accountMax;
    return this.#accountRequests.hasToken(nowMs, capacity, 1000)
      ? undefined
      : 'CallerRateLimitExceeded';
  }

  /** Invocations on demand at once: of the function if it has a reserve, else of all without one. */
  #onDemandMax(use: FunctionUse): number {
    const max =
      use.reserved === undefined
        ? this.#accountMax - this.#reservedTotal - this.#unreservedUnits
        : use.reserved - unitsOf(use);
    return Math.max(0, max);
  }

  #takeOnDemand(use: FunctionUse, version: string): void {
    (use.reserved === undefined ? this.#unreservedRequests : use.requests).take();
    for (const units of use.provisioned.values()) {
      if (units.version === version && units.count > 0) units.spillovers += 1;
    }
  }

  #permit(use: FunctionUse, units: ProvisionedUnits | undefined): Permit {
    let isHeld = true;
    return {
      provisionedFor: units?.qualifier,
      release: () => {
        if (isHeld) this.#release(use, units);
        isHeld = false;
      },
      takeStart: () => {
        const nowMs = this.#clock.monotonicMs();
        const max = this.#newEnvironmentsMax;
        if (!use.starts.hasToken(nowMs, max, limits.scalingWindowMs)) return false;
        use.starts.take();
        return true;
      },
      returnStart: () => use.starts.giveBack(),
    };
  }

  #release(use: FunctionUse, units: ProvisionedUnits | undefined): void {
    this.#inFlight -= 1;
    this.#uncount(use);
    use.inFlight -= 1;
    if (units !== undefined) units.inFlight -= 1;
    this.#count(use);
    if (units !== undefined) dropIfUnused(use, units);
    this.#dropIfUnused(use);
  }

  /** Takes a function's share out of the totals, before it changes. */
  #uncount(use: FunctionUse): void {
    this.#add(use, -1);
  }

  #count(use: FunctionUse): void {
    this.#add(use, 1);
  }

  #add(use: FunctionUse, sign: 1 | -1): void {
    if (use.reserved !== undefined) {
      this.#reservedTotal += sign * use.reserved;
      return;
    }
    this.#unreservedInFlight += sign * onDemandInFlight(use);
    this.#unreservedUnits += sign * unitsOf(use);
  }

  #use(name: string): FunctionUse {
    const known = this.#functions.get(name);
    if (known !== undefined) return known;
    const use: FunctionUse = {
      ...{ name, inFlight: 0, reserved: undefined, isGone: false },
      ...{ provisioned: new Map(), requests: new RateBucket(), starts: new RateBucket() },
    };
    this.#functions.set(name, use);
    return use;
  }

  #dropIfUnused(use: FunctionUse): void {
    if (use.isGone && use.inFlight === 0) this.#functions.delete(use.name);
  }
}

/** None when the function's reserve is used up: units count into it. */
function findFreeUnits(
  { inFlight, reserved, provisioned }: FunctionUse,
  version: string,
  nowMs: number,
): ProvisionedUnits | undefined {
  if (provisioned.size === 0 || (reserved !== undefined && inFlight >= reserved)) return undefined;
  for (const units of provisioned.values()) if (units.hasFree(version, nowMs)) return units;
  return undefined;
}

function onDemandInFlight({ inFlight, provisioned }: FunctionUse): number {
  let onDemand = inFlight;
  for (const units of provisioned.values()) onDemand -= units.inUse;
  return onDemand;
}

function unitsOf({ provisioned }: FunctionUse): number {
  let total = 0;
  for (const units of provisioned.values()) total += units.count;
  return total;
}

function dropIfUnused(use: FunctionUse, units: ProvisionedUnits): void {
  if (units.isGone && units.inFlight === 0) use.provisioned.delete(units.qualifier);
}
