/**
 * Environments that wait for an invocation, by the tenancy they serve. After a moment they are
 * frozen, after a long time they are given up.
 */
import type { Clock, Timer } from '../base/clock.ts';
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

interface Timers {
  readonly freeze: Timer;
  readonly expire: Timer;
}

export class IdleEnvironments {
  readonly #clock: Clock;
  readonly #options: IdleOptions;
  /** By the key of their tenancy, the most recently used last. */
  readonly #byTenancy = new Map<string, Resident[]>();
  /** All of them, the one idle for longest first. */
  readonly #timers = new Map<Resident, Timers>();

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
    const leftMs = resident.expiresAtMs - this.#clock.monotonicMs();
    const expire = this.#clock.schedule(Math.min(idleMsMax, leftMs), () => {
      if (this.remove(resident)) onExpired(resident);
    });
    this.#timers.set(resident, { freeze, expire });
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

  /** The one idle for longest. */
  takeOldest(): Resident | undefined {
    for (const resident of this.#timers.keys()) {
      this.remove(resident);
      return resident;
    }
    return undefined;
  }

  /** Of all tenants of a version. */
  takeAll(versionKey: string): readonly Resident[] {
    const idle = [...this.#timers.keys()];
    const all = idle.filter(({ environment }) => environment.version.key === versionKey);
    for (const resident of all) this.remove(resident);
    return all;
  }

  /** False if it is not among them. */
  remove(resident: Resident): boolean {
    const timers = this.#timers.get(resident);
    if (timers === undefined) return false;
    timers.freeze.cancel();
    timers.expire.cancel();
    this.#timers.delete(resident);
    const { key } = resident.environment.tenancy;
    const others = this.#byTenancy.get(key) ?? [];
    others.splice(others.lastIndexOf(resident), 1);
    if (others.length === 0) this.#byTenancy.delete(key);
    return true;
  }

  clear(): void {
    for (const resident of [...this.#timers.keys()]) this.remove(resident);
  }
}
