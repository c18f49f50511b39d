/**
 * Starts the environments of all provisioned pools of this host, a few at a time and at most so many
 * per minute, and again when one of them ends (guide pages 008, 019).
 */
import type { Clock, Timer } from '../base/clock.ts';
import { RateBucket } from '../base/rate-bucket.ts';
import { limits } from '../model/limits.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import { nothingProvisioned, ProvisionedPool, type ProvisionedState } from './provisioned-pool.ts';
import type { Resident } from './resident.ts';

/** What is to be kept ready under a name. */
export interface ProvisionedWish {
  readonly version: RunnableVersion;
  /** At least 1. */
  readonly requested: number;
  /** Called with the state whenever it may have changed after that. */
  readonly onState: (state: ProvisionedState) => void;
}

/** An environment whose Init has succeeded, or why there is none. */
export type ProvisionedStart =
  | { readonly type: 'started'; readonly resident: Resident }
  | { readonly type: 'failed'; readonly reason: string };

export interface ProvisionedOptions {
  readonly freezeAfterMs: number;
  /** Never rejects. */
  readonly start: (version: RunnableVersion) => Promise<ProvisionedStart>;
  /** Whether the host could hold so many environments of so much memory together, and nothing else. */
  readonly canHold: (count: number, memoryMb: number) => boolean;
}

/** Of all pools together: Init has the whole CPU. */
export const startsAtOnceMax = 4;
/** Until the allocation rate is looked at again. */
const rateDelayMs = 10;

interface Entry {
  readonly pool: ProvisionedPool;
  onState: (state: ProvisionedState) => void;
}

export class ProvisionedEnvironments {
  readonly #clock: Clock;
  readonly #options: ProvisionedOptions;
  readonly #entries = new Map<string, Entry>();
  /** Environments begun, by function. */
  readonly #rates = new Map<string, RateBucket>();
  #startingCount = 0;
  #tendTimer: Timer | null = null;
  #isClosed = false;

  constructor(clock: Clock, options: ProvisionedOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /**
   * Keeps as many environments as the wish says, in place of what the name stood for. Those of the
   * same version stay, and what had failed is tried again. Gives the state as it is now.
   */
  provide(name: string, { version, requested, onState }: ProvisionedWish): ProvisionedState {
    if (this.#isClosed) return nothingProvisioned;
    let entry = this.#entries.get(name);
    if (entry?.pool.version.key !== version.key) {
      entry?.pool.close();
      const { freezeAfterMs } = this.#options;
      const pool = new ProvisionedPool(this.#clock, {
        ...{ version, requested, freezeAfterMs },
        onChange: () => this.#onChange(name, pool),
      });
      entry = { pool, onState };
      this.#entries.set(name, entry);
    }
    entry.onState = onState;
    if (this.#fits(entry.pool, requested)) {
      entry.pool.request(requested);
    } else {
      const size = `${requested} environments of ${version.memoryMb} MB`;
      entry.pool.giveUp(`The host has no room for ${size} beside those provisioned already.`);
    }
    return entry.pool.state;
  }

  /** Gives back what the name stands for. */
  withdraw(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    entry.pool.close();
    const { functionName } = entry.pool.version;
    const others = [...this.#entries.values()].map(({ pool }) => pool.version.functionName);
    if (!others.includes(functionName)) this.#rates.delete(functionName);
  }

  /** An idle environment and the pool to give it back to. */
  take(name: string): { readonly resident: Resident; readonly pool: ProvisionedPool } | undefined {
    const pool = this.#entries.get(name)?.pool;
    const resident = pool?.take();
    return pool === undefined || resident === undefined ? undefined : { resident, pool };
  }

  /** Starts nothing any more; whoever made the environments stops them. */
  close(): void {
    this.#isClosed = true;
    this.#tendTimer?.cancel();
    for (const { pool } of this.#entries.values()) pool.close();
    this.#entries.clear();
  }

  /** The host could hold so many of this pool and all of the others. */
  #fits(pool: ProvisionedPool, requested: number): boolean {
    let count = 0;
    let memoryMb = 0;
    for (const { pool: other } of this.#entries.values()) {
      const otherCount = other === pool ? requested : other.requestedCount;
      count += otherCount;
      memoryMb += otherCount * other.version.memoryMb;
    }
    return this.#options.canHold(count, memoryMb);
  }

  #onChange(name: string, pool: ProvisionedPool): void {
    const entry = this.#entries.get(name);
    if (entry?.pool === pool) queueMicrotask(() => this.#tell(name, pool));
    this.#startMissing();
  }

  #tell(name: string, pool: ProvisionedPool): void {
    const entry = this.#entries.get(name);
    if (entry?.pool === pool) entry.onState(pool.state);
  }

  /** Pools take turns. */
  #startMissing(): void {
    for (let isAnyStarted = true; isAnyStarted;) {
      isAnyStarted = false;
      for (const { pool } of this.#entries.values()) {
        if (this.#startingCount >= startsAtOnceMax) return;
        if (pool.missingCount === 0) continue;
        if (!this.#takeRate(pool.version.functionName)) {
          this.#startLater();
          continue;
        }
        isAnyStarted = true;
        void this.#start(pool);
      }
    }
  }

  #takeRate(functionName: string): boolean {
    const rate = this.#rates.get(functionName) ?? new RateBucket();
    this.#rates.set(functionName, rate);
    const perMinute = limits.provisionedStartsPerMinute;
    if (!rate.hasToken(this.#clock.monotonicMs(), perMinute, 60_000)) return false;
    rate.take();
    return true;
  }

  #startLater(): void {
    this.#tendTimer ??= this.#clock.schedule(rateDelayMs, () => {
      this.#tendTimer = null;
      this.#startMissing();
    });
  }

  async #start(pool: ProvisionedPool): Promise<void> {
    this.#startingCount += 1;
    pool.begin();
    const start = await this.#options.start(pool.version);
    this.#startingCount -= 1;
    if (start.type === 'started') pool.join(start.resident);
    else pool.fail(start.reason);
    this.#startMissing();
  }
}
