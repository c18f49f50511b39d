/** Makes sandboxes for runtimes: bare ones, and ones whose runtime has booted and knows no function. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { limits } from '../model/limits.ts';
import type { ForkKind, SandboxDriver, SandboxLimits } from '../sandbox/sandbox.ts';
import type { BootedRuntime } from './boot-pool.ts';
import type { RuntimeTransports } from './runtime-port.ts';
import { RuntimeSandbox } from './runtime-sandbox.ts';
import type { InstalledRuntime, RuntimeCatalog } from './runtimes.ts';

/** What the worker has from outside. */
export interface WorkerDependencies {
  readonly driver: SandboxDriver;
  readonly catalog: RuntimeCatalog;
  readonly transports: RuntimeTransports;
}

/** Limits of a sandbox that is booted in advance, until it is bound. */
export const bootLimits: SandboxLimits = {
  memoryMb: limits.memorySizeMbDefault,
  cpus: null,
  temporaryStorageMb: limits.ephemeralStorageMbDefault,
};

/** A runtime that takes longer to boot than Init may take is broken. */
const bootMsMax = limits.initDurationMsMax;

export class SandboxMaker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #dependencies: WorkerDependencies;
  /** Sandboxes whose runtimes are booting. */
  readonly #booting = new Set<RuntimeSandbox>();
  #closed = false;

  constructor(clock: Clock, random: Random, log: Log, dependencies: WorkerDependencies) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
    this.#dependencies = dependencies;
  }

  /** Whether a sandbox's process can be a copy of another's. */
  get forks(): ForkKind {
    return this.#dependencies.driver.forks;
  }

  /** Throws when this host does not have it. */
  runtime(runtimeId: string): InstalledRuntime {
    const found = this.#dependencies.catalog.find(runtimeId);
    if (!found.available) throw new Error(found.reason);
    return found.runtime;
  }

  /** Rejects when the host cannot make it. */
  create(
    runtime: InstalledRuntime,
    sandboxLimits: SandboxLimits,
    startsAsCopy = false,
  ): Promise<RuntimeSandbox> {
    const { driver, transports } = this.#dependencies;
    const id = `${runtime.language}-${this.#random.hex(8)}`;
    const options = { id, runtime, limits: sandboxLimits, startsAsCopy };
    return RuntimeSandbox.create(driver, transports, options);
  }

  /** Rejects when the runtime is not there or does not boot in time. */
  async boot(runtimeId: string): Promise<BootedRuntime> {
    const runtimeSandbox = await this.create(this.runtime(runtimeId), bootLimits);
    this.#booting.add(runtimeSandbox);
    // Without its sandbox the runtime ends, and so does the waiting for it.
    const timer = this.#clock.schedule(bootMsMax, () => this.#abandon(runtimeSandbox));
    try {
      if (this.#closed) throw new Error('the worker is closed');
      return { runtimeSandbox, running: await runtimeSandbox.boot() };
    } catch (error) {
      await runtimeSandbox.destroy();
      throw error;
    } finally {
      timer.cancel();
      this.#booting.delete(runtimeSandbox);
    }
  }

  /** Ends what is booting. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(Array.from(this.#booting, (sandbox) => sandbox.destroy()));
  }

  #abandon(runtimeSandbox: RuntimeSandbox): void {
    runtimeSandbox.destroy().catch((error: unknown) => {
      this.#log.error({ error }, 'could not remove a sandbox whose runtime did not boot');
    });
  }
}
