/**
 * The environments provisioned for one version or alias (guide pages 008, 019): which are there, how
 * many are missing, whether they may be used. Starts nothing by itself (provisioned-environments.ts).
 *
 *   IN_PROGRESS --all are up--> READY (one that ends is replaced) --more are wanted--> IN_PROGRESS
 *        |                        |
 *        `-- keeps failing -------`--> FAILED (nothing is kept) --wanted anew--> IN_PROGRESS
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import { IdleEnvironments } from './idle-environments.ts';
import type { Resident } from './resident.ts';
import { tenancyOf } from './tenancy.ts';

export interface ProvisionedState {
  readonly status: 'IN_PROGRESS' | 'READY' | 'FAILED';
  /** With FAILED. */
  readonly statusReason?: string;
  /** Environments that are initialized and kept. */
  readonly allocated: number;
  /** Of these, those that invocations may use: none before all are up. */
  readonly available: number;
  /** Invocations that may run on them at once; one whose environment is being replaced starts another. */
  readonly units: number;
}

export interface ProvisionedPoolOptions {
  readonly version: RunnableVersion;
  readonly requested: number;
  /** An environment idle for longer is frozen. */
  readonly freezeAfterMs: number;
  /** The state may be another one, or something is missing. */
  readonly onChange: () => void;
}

/** Before anything was begun. */
export const nothingProvisioned: ProvisionedState = {
  ...{ status: 'IN_PROGRESS', allocated: 0, available: 0, units: 0 },
};

/** As the service words it. */
export const initFailureReason = 'FUNCTION_ERROR_INIT_FAILURE';

/** After so many failures it is given up, unless it was full for `calmMs` meanwhile. */
export const failuresMax = 3;
export const calmMs = 60_000;
/** From a failure to the next try. */
export const retryDelayMs = 1000;
/** A replacement is started so long before an environment's lifetime ends: longer than any Init. */
export const renewalLeadMs = 20 * 60_000;
/** Of its remaining lifetime, at most: short lifetimes have no place for the whole lead. */
const renewalLeadShareMax = 0.5;

export class ProvisionedPool {
  readonly version: RunnableVersion;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #idle: IdleEnvironments;
  /** Idle or busy, with the timer of their renewal. */
  readonly #members = new Map<Resident, Timer>();
  /** Members that go as soon as there is another one for them. */
  readonly #outgoing = new Set<Resident>();
  #requested: number;
  #startingCount = 0;
  /** Members that invocations may use. */
  #units = 0;
  /** As many as requested have been up. */
  #isComplete = false;
  #failure: string | null = null;
  #failureCount = 0;
  /** Since when as many as requested have been up. */
  #fullSinceMs: number | null = null;
  #retryTimer: Timer | null = null;
  #isClosed = false;

  constructor(clock: Clock, options: ProvisionedPoolOptions) {
    const { version, requested, freezeAfterMs, onChange } = options;
    this.#clock = clock;
    this.version = version;
    this.#requested = requested;
    this.#onChange = onChange;
    this.#idle = new IdleEnvironments(clock, {
      freezeAfterMs,
      idleMsMax: Infinity,
      onExpired: (resident) => this.#leave(resident),
    });
  }

  get state(): ProvisionedState {
    const allocated = Math.min(this.#members.size, this.#requested);
    const numbers = { allocated, available: Math.min(allocated, this.#units), units: this.#units };
    if (this.#failure !== null) {
      return { status: 'FAILED', statusReason: this.#failure, ...numbers };
    }
    return { status: this.#isComplete ? 'READY' : 'IN_PROGRESS', ...numbers };
  }

  /** Environments that it is to hold. */
  get requestedCount(): number {
    return this.#failure === null ? this.#requested : 0;
  }

  /** How many may be started now. */
  get missingCount(): number {
    if (this.#isClosed || this.#failure !== null || this.#retryTimer !== null) return 0;
    // One at a time is replaced before it goes.
    const wanted = this.#requested + Math.min(1, this.#outgoing.size);
    return Math.max(0, wanted - this.#members.size - this.#startingCount);
  }

  /** So many are wanted from now on; what failed before is tried again. */
  request(requested: number): void {
    this.#failure = null;
    this.#failureCount = 0;
    this.#isComplete &&= requested <= this.#requested;
    this.#requested = requested;
    this.#units = this.#isComplete ? requested : Math.min(this.#units, requested);
    this.#settle();
  }

  /** A start that is counted until `join` or `fail`. */
  begin(): void {
    this.#startingCount += 1;
  }

  /** An environment that was started for it. */
  join(resident: Resident): void {
    this.#startingCount -= 1;
    if (this.#isClosed || this.#failure !== null || resident.isRetired) {
      void resident.stop();
      return;
    }
    const { expiresAtMs } = resident;
    const leftMs = expiresAtMs - this.#clock.monotonicMs();
    const leadMs = Math.min(renewalLeadMs, leftMs * renewalLeadShareMax);
    const renewal = this.#clock.schedule(leftMs - leadMs, () => this.#renew(resident));
    this.#members.set(resident, renewal);
    resident.onRuntimeEnded(() => this.#onRuntimeEnded(resident));
    this.#idle.put(resident);
    this.#settle();
  }

  /** A start came to nothing. */
  fail(reason: string): void {
    this.#startingCount -= 1;
    this.#noteFailure(reason);
  }

  /** Nothing is kept until it is wanted anew. */
  giveUp(reason: string): void {
    this.#failure = reason;
    this.#units = 0;
    this.#isComplete = false;
    this.#clear();
    this.#onChange();
  }

  /** An idle one, if there is any. */
  take(): Resident | undefined {
    return this.#idle.take(tenancyOf(this.version));
  }

  /** After its invocation. One that needs Init, or whose time has come, is replaced. */
  giveBack(resident: Resident): void {
    const canStay = resident.canGoOn(this.#clock.monotonicMs()) && resident.isInitialized;
    if (!this.#members.has(resident)) {
      void resident.stop();
    } else if (canStay) {
      this.#idle.put(resident);
      this.#settle();
    } else {
      this.#leave(resident);
    }
  }

  /** Gives back all; those that are busy end with their invocation. */
  close(): void {
    this.#isClosed = true;
    this.#clear();
  }

  #clear(): void {
    this.#retryTimer?.cancel();
    this.#retryTimer = null;
    for (const resident of [...this.#members.keys()]) this.#remove(resident);
  }

  /** As many as are wanted, the outgoing ones going first; complete once all are there. */
  #settle(): void {
    while (this.#members.size > this.#requested) {
      const [surplus] = [...this.#outgoing, ...this.#members.keys()];
      if (surplus !== undefined) this.#remove(surplus);
    }
    if (this.#members.size === this.#requested) {
      this.#isComplete = true;
      this.#units = this.#requested;
      this.#fullSinceMs ??= this.#clock.monotonicMs();
    }
    this.#onChange();
  }

  #renew(resident: Resident): void {
    this.#outgoing.add(resident);
    this.#onChange();
  }

  #onRuntimeEnded(resident: Resident): void {
    // While it is busy, its environment says what that comes to.
    if (!this.#idle.remove(resident)) return;
    this.#remove(resident);
    void resident.stop();
    this.#noteFailure('An environment ended while it was idle.');
  }

  #leave(resident: Resident): void {
    this.#remove(resident);
    void resident.stop();
    this.#onChange();
  }

  /** Stops it unless it is busy: then giving it back does. */
  #remove(resident: Resident): void {
    this.#members.get(resident)?.cancel();
    this.#members.delete(resident);
    this.#outgoing.delete(resident);
    if (this.#members.size < this.#requested) this.#endFull();
    resident.onRuntimeEnded(() => undefined);
    if (this.#idle.remove(resident)) void resident.stop();
  }

  #endFull(): void {
    const sinceMs = this.#fullSinceMs ?? Infinity;
    if (this.#clock.monotonicMs() - sinceMs >= calmMs) this.#failureCount = 0;
    this.#fullSinceMs = null;
  }

  /** Failures at the same time count once; beside a full set they cost nothing but the next try. */
  #noteFailure(reason: string): void {
    if (this.#isClosed || this.#failure !== null) return;
    const isCounted = this.#retryTimer === null && this.#members.size < this.#requested;
    if (isCounted) this.#failureCount += 1;
    if (this.#failureCount >= failuresMax) {
      this.giveUp(reason);
      return;
    }
    this.#retryTimer ??= this.#clock.schedule(retryDelayMs, () => {
      this.#retryTimer = null;
      this.#onChange();
    });
    this.#onChange();
  }
}
