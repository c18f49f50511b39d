/**
 * Admission: which invocations may run now, decided synchronously on in-memory state by the one
 * owner of a function (ADR 0008). A function with a reserve has exactly that; the others share what
 * is not reserved. Guide page 008 has the rules and figures.
 */
import type { Clock } from '../base/clock.ts';
import type { ThrottleReason } from '../model/generated/api-types.ts';
import { limits } from '../model/limits.ts';
import { RateBucket } from './rate-bucket.ts';

export interface ConcurrencyOptions {
  /** Invocations of the account at once. */
  readonly accountMax: number;
  /** New environments of one function in limits.scalingWindowMs. */
  readonly newEnvironmentsMax: number;
}

export interface Permit {
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
  inFlight: number;
  reserved: number | undefined;
  /** Deleted: kept only until its last permit is back. */
  isGone: boolean;
  /** Invocations, while there is a reserve. */
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
  /** Of functions without a reserve. */
  #unreservedInFlight = 0;
  #reservedTotal = 0;

  constructor(clock: Clock, { accountMax, newEnvironmentsMax }: ConcurrencyOptions) {
    this.#clock = clock;
    this.#accountMax = accountMax;
    this.#newEnvironmentsMax = newEnvironmentsMax;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Functions that anything is kept for. */
  get functionCount(): number {
    return this.#functions.size;
  }

  /** A permit for one invocation, or why there is none. */
  acquire(functionName: string): Permit | ThrottleReason {
    const use = this.#use(functionName);
    const nowMs = this.#clock.monotonicMs();
    const refusal = this.#concurrencyRefusal(use) ?? this.#rateRefusal(use, nowMs);
    if (refusal !== undefined) return refusal;
    this.#accountRequests.take();
    this.#inFlight += 1;
    use.inFlight += 1;
    if (use.reserved === undefined) {
      this.#unreservedRequests.take();
      this.#unreservedInFlight += 1;
    } else use.requests.take();
    return this.#permit(use);
  }

  /**
   * The function has this reserve from now on, or none. Permits that are out stay valid and count on
   * the new side: until they are back, fewer are given than the limit says, never more.
   */
  setReserved(functionName: string, reserved: number | undefined): void {
    if (reserved === undefined && !this.#functions.has(functionName)) return;
    const use = this.#use(functionName);
    use.isGone = false;
    this.#changeReserve(use, reserved);
  }

  /** The function is deleted. Permits that are out count as unreserved. */
  forget(functionName: string): void {
    const use = this.#functions.get(functionName);
    if (use === undefined) return;
    use.isGone = true;
    this.#changeReserve(use, undefined);
    this.#dropIfUnused(use);
  }

  #changeReserve(use: FunctionUse, reserved: number | undefined): void {
    this.#reservedTotal += (reserved ?? 0) - (use.reserved ?? 0);
    if (use.reserved === undefined) this.#unreservedInFlight -= use.inFlight;
    if (reserved === undefined) this.#unreservedInFlight += use.inFlight;
    use.reserved = reserved;
  }

  #concurrencyRefusal({ inFlight, reserved }: FunctionUse): ThrottleReason | undefined {
    if (reserved !== undefined && inFlight >= reserved) {
      return 'ReservedFunctionConcurrentInvocationLimitExceeded';
    }
    // With a reserve, too: others may not have given back yet what was free before it was reserved.
    if (this.#inFlight >= this.#accountMax) return 'ConcurrentInvocationLimitExceeded';
    if (reserved === undefined && this.#unreservedInFlight >= this.#unreservedMax) {
      return 'ConcurrentInvocationLimitExceeded';
    }
    return undefined;
  }

  #rateRefusal({ reserved, requests }: FunctionUse, nowMs: number): ThrottleReason | undefined {
    const bucket = reserved === undefined ? this.#unreservedRequests : requests;
    const capacity = requestsPerUnit * (reserved ?? this.#unreservedMax);
    if (!bucket.hasToken(nowMs, capacity, 1000)) {
      return reserved === undefined
        ? 'FunctionInvocationRateLimitExceeded'
        : 'ReservedFunctionInvocationRateLimitExceeded';
    }
    const accountCapacity = requestsPerUnit * this.#accountMax;
    return this.#accountRequests.hasToken(nowMs, accountCapacity, 1000)
      ? undefined
      : 'CallerRateLimitExceeded';
  }

  get #unreservedMax(): number {
    return Math.max(0, this.#accountMax - this.#reservedTotal);
  }

  #permit(use: FunctionUse): Permit {
    let isHeld = true;
    return {
      release: () => {
        if (isHeld) this.#release(use);
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

  #release(use: FunctionUse): void {
    this.#inFlight -= 1;
    use.inFlight -= 1;
    if (use.reserved === undefined) this.#unreservedInFlight -= 1;
    this.#dropIfUnused(use);
  }

  #use(name: string): FunctionUse {
    const known = this.#functions.get(name);
    if (known !== undefined) return known;
    const fresh = { requests: new RateBucket(), starts: new RateBucket() };
    const use: FunctionUse = { name, inFlight: 0, reserved: undefined, isGone: false, ...fresh };
    this.#functions.set(name, use);
    return use;
  }

  #dropIfUnused(use: FunctionUse): void {
    if (use.isGone && use.inFlight === 0) this.#functions.delete(use.name);
  }
}
