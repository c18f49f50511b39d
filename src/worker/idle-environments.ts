/**
 * Environments that wait for an invocation, by the tenancy they serve. After a moment they are
 * frozen, after a long time they are given up.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { HeldRoom, MakesWay } from './makes-way.ts';
import type { Resident } from './resident.ts';
import type { Tenancy } from './tenancy.ts';

export interface IdleOptions {
  /** An environment idle for longer is frozen. */
  readonly freezeAfterMs: number;
  /** An environment idle for longer is given up, and any at the end of its lifetime. */
  readonly idleMsMax: number;
  /** It is no longer among the idle; whoever gets it stops it. */
  readonly onExpired: (resident: Resident) => void;
}

interface Waiting {
  readonly sinceMs: number;
  readonly freeze: Timer;
  readonly expire: Timer;
}

export class IdleEnvironments implements MakesWay {
  readonly #clock: Clock;
  readonly #options: IdleOptions;
  /** By the key of their tenancy, the most recently used last. */
  readonly #byTenancy = new Map<string, Resident[]>();
  /** All of them, the one idle for longest first. */
  readonly #waiting = new Map<Resident, Waiting>();

  constructor(clock: Clock, options: IdleOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  put(resident: Resident): void {
    const { freezeAfterMs, idleMsMax, onExpired } = this.#options;
    const { environment } = resident;
    const { key } = environment.tenancy;
    const others = this.#byTenancy.get(key);
    if (others === undefined) this.#byTenancy.set(key, [resident]);
    else others.push(resident);
    const freeze = this.#clock.schedule(freezeAfterMs, () => environment.freeze());
    const sinceMs = this.#clock.monotonicMs();
    const leftMs = resident.expiresAtMs - sinceMs;
    const expire = this.#clock.schedule(Math.min(idleMsMax, leftMs), () => {
      if (this.remove(resident)) onExpired(resident);
    });
    this.#waiting.set(resident, { sinceMs, freeze, expire });
  }

  /** The one used last; those that have become useless meanwhile are given up. */
  take({ key }: Tenancy): Resident | undefined {
    for (;;) {
      const resident = this.#byTenancy.get(key)?.at(-1);
      if (resident === undefined) return undefined;
      this.remove(resident);
      if (!resident.environment.isSpent) return resident;
      this.#options.onExpired(resident);
    }
  }

  /** Since when the one is that is idle for longest; undefined when none is. */
  get idleSinceMs(): number | undefined {
    for (const { sinceMs } of this.#waiting.values()) return sinceMs;
    return undefined;
  }

  get idleRoom(): HeldRoom {
    let memoryMb = 0;
    for (const { environment } of this.#waiting.keys()) memoryMb += environment.version.memoryMb;
    return { count: this.#waiting.size, memoryMb };
  }

  /** The one idle for longest stops. */
  makeWay(): void {
    for (const resident of this.#waiting.keys()) {
      this.remove(resident);
      void resident.stop();
      return;
    }
  }

  /** Of all tenants of a version. */
  takeAll(versionKey: string): readonly Resident[] {
    const idle = [...this.#waiting.keys()];
    const all = idle.filter(({ environment }) => environment.version.key === versionKey);
    for (const resident of all) this.remove(resident);
    return all;
  }

  /** False if it is not among them. */
  remove(resident: Resident): boolean {
    const waiting = this.#waiting.get(resident);
    if (waiting === undefined) return false;
    waiting.freeze.cancel();
    waiting.expire.cancel();
    this.#waiting.delete(resident);
    const { key } = resident.environment.tenancy;
    const others = this.#byTenancy.get(key) ?? [];
    others.splice(others.lastIndexOf(resident), 1);
    if (others.length === 0) this.#byTenancy.delete(key);
    return true;
  }

  clear(): void {
    for (const resident of [...this.#waiting.keys()]) this.remove(resident);
  }
}
