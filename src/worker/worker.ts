/**
 * Worker: the execution environments of one host. Gives an environment to each invocation (a warm
 * one when there is one, else a new one), takes it back, stops what is idle or out of date, and keeps
 * all of them within the host's bounds. Holds no database handle: it is the part that can move to
 * other hosts (house style 2.2). The parts: idle-environments.ts, host-room.ts, environment-starter.ts,
 * provisioned-environments.ts; docs/internals/worker.md says how they play together.
 */
import { asError } from '../base/as-error.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { HostMetrics } from '../telemetry/metric-sources.ts';
import { BootPool } from './boot-pool.ts';
import { EnvironmentStarter, type StarterOptions } from './environment-starter.ts';
import type { Attempt, ExecutionEnvironment } from './environment.ts';
import { isRestoreFailure, type RestoreFailure } from './held-runtime.ts';
import { HostRoom, type Grant, type RoomOptions, type Wanted } from './host-room.ts';
import { IdleEnvironments } from './idle-environments.ts';
import { ProactiveStarts } from './proactive-starts.ts';
import {
  ProvisionedEnvironments,
  type ProvisionedStart,
  type ProvisionedWish,
} from './provisioned-environments.ts';
import { initFailureReason, type ProvisionedState } from './provisioned-pool.ts';
import type { Resident } from './resident.ts';
import type { Invocation } from './runtime-port.ts';
import type { RuntimeAvailability, RuntimeCatalog } from './runtimes.ts';
import { bootLimits, SandboxMaker, type WorkerDependencies } from './sandbox-maker.ts';
import type { Preparation } from './snapshots.ts';
import { tenancyOf, type Tenancy } from './tenancy.ts';

export interface WorkerOptions extends RoomOptions, StarterOptions {
  /** An environment idle for longer is stopped. */
  readonly idleMsMax: number;
  /** An environment idle for longer is frozen. */
  readonly freezeAfterMs: number;
  /** Sandboxes booted in advance, per runtime, at most. */
  readonly poolSize: number;
}

/** An environment held by one invocation. */
export interface Lease {
  readonly environment: ExecutionEnvironment;
  /** Gives the environment back by itself; `onReleased` is called once, at that moment. */
  invoke(invocation: Invocation, onReleased: () => void): Attempt;
}

export type AcquireResult =
  /** `isNew` if the environment was made for this caller. */
  | { readonly type: 'lease'; readonly lease: Lease; readonly isNew: boolean }
  /** No room on this host, and none came in time. */
  | { readonly type: 'noCapacity' }
  /** The function's runtime cannot run on this host. */
  | { readonly type: 'runtimeUnavailable'; readonly reason: string }
  /** SnapStart: the environment could not be restored, and that is the function's doing. */
  | { readonly type: 'restoreFailed'; readonly failure: RestoreFailure }
  | { readonly type: 'failed'; readonly cause: Error };

export class Worker {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #catalog: RuntimeCatalog;
  readonly #sandboxes: SandboxMaker;
  readonly #bootPool: BootPool;
  readonly #idle: IdleEnvironments;
  readonly #room: HostRoom;
  readonly #starter: EnvironmentStarter;
  readonly #proactive: ProactiveStarts;
  readonly #provisioned: ProvisionedEnvironments;
  /** Who waits for room. */
  readonly #asking = new Set<{ readonly versionKey: string; isRetired: boolean }>();
  #closed = false;

  constructor(
    clock: Clock,
    random: Random,
    log: Log,
    dependencies: WorkerDependencies,
    options: WorkerOptions,
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#catalog = dependencies.catalog;
    this.#sandboxes = new SandboxMaker(clock, random, log, dependencies);
    const { freezeAfterMs, idleMsMax } = options;
    this.#idle = new IdleEnvironments(clock, {
      ...{ freezeAfterMs, idleMsMax },
      onExpired: (resident) => this.#end(resident),
    });
    const memoryBudgetMb = options.memoryBudgetMb - dependencies.driver.standbyMemoryMb;
    this.#room = new HostRoom(clock, this.#idle, { ...options, memoryBudgetMb });
    this.#bootPool = this.#createBootPool(options.poolSize);
    const parts = { sandboxes: this.#sandboxes, bootPool: this.#bootPool, room: this.#room };
    this.#starter = new EnvironmentStarter(clock, random, log, parts, options);
    this.#proactive = new ProactiveStarts(clock, {
      count: (tenancy) => this.#starter.countOnDemand(tenancy),
      start: (tenancy) => this.#startAhead(tenancy),
    });
    this.#provisioned = new ProvisionedEnvironments(clock, {
      freezeAfterMs,
      start: (version) => this.#startProvisioned(version),
      canHold: (count, memoryMb) => this.#room.canHold(count, memoryMb),
    });
  }

  /** This version may be invoked: keep booted sandboxes for its runtime. */
  expectVersion({ key, runtime }: Pick<RunnableVersion, 'key' | 'runtime'>): void {
    const found = this.#catalog.find(runtime);
    if (found.available && found.runtime.kind === 'managed') this.#bootPool.want(runtime, key);
  }

  /** Resolves once the sandboxes booted in advance are there. */
  poolSettled(): Promise<void> {
    return this.#bootPool.settled();
  }

  /**
   * Runs Init of a SnapStart version that is being published. Rejects when the host cannot; what the
   * function did wrong is an outcome.
   */
  prepareSnapshot(version: RunnableVersion): Promise<Preparation> {
    return this.#starter.prepareSnapshot(version);
  }

  /** A warm environment of this version, with tenant isolation of this tenant; or undefined. Takes no time. */
  acquireWarm(version: RunnableVersion, tenantId?: string): Lease | undefined {
    const resident = this.#idle.take(tenancyOf(version, tenantId));
    return resident && this.#leaseOnDemand(resident);
  }

  /** An environment of this version (and tenant), a new one when no warm one is idle. */
  async acquire(version: RunnableVersion, tenantId?: string): Promise<AcquireResult> {
    const tenancy = tenancyOf(version, tenantId);
    const found = this.#findRuntime(version);
    if (!found.available) return { type: 'runtimeUnavailable', reason: found.reason };
    const { granted, isRetired } = await this.#askRoom(tenancy, 'environment');
    if (granted === 'none') return { type: 'noCapacity' };
    if (granted !== 'room') {
      return { type: 'lease', lease: this.#leaseOnDemand(granted), isNew: false };
    }
    try {
      const how = { initializationType: 'on-demand', isRetired } as const;
      const resident = await this.#starter.start(tenancy, found.runtime, how);
      return { type: 'lease', lease: this.#leaseOnDemand(resident), isNew: true };
    } catch (error) {
      if (isRestoreFailure(error)) return { type: 'restoreFailed', failure: error };
      return { type: 'failed', cause: asError(error) };
    }
  }

  /**
   * Keeps initialized environments under a name, started in the background. They count in the host's
   * bounds and are not stopped for being idle. Gives the state as it is now; the wish's `onState` is
   * called when it changes.
   */
  provide(name: string, wish: ProvisionedWish): ProvisionedState {
    return this.#provisioned.provide(name, wish);
  }

  /** Gives back what is kept under a name; what is busy ends with its invocation. */
  withdraw(name: string): void {
    this.#provisioned.withdraw(name);
  }

  /** An environment kept under a name, or undefined when none is free; takes no time. */
  acquireProvisioned(name: string): Lease | undefined {
    const taken = this.#provisioned.take(name);
    return taken && this.#lease(taken.resident, () => taken.pool.giveBack(taken.resident));
  }

  /** What this host holds now. */
  metrics(): HostMetrics {
    const environments = this.#starter.countByState();
    return { environments, booted: this.#bootPool.sizes(), ...this.#room.metrics() };
  }

  /** The version is out of date or gone: no new invocation comes, idle environments stop. */
  retire(versionKey: string): void {
    for (const asking of this.#asking) {
      if (asking.versionKey === versionKey) asking.isRetired = true;
    }
    this.#starter.retire(versionKey);
    this.#bootPool.unwant(versionKey);
    for (const resident of this.#idle.takeAll(versionKey)) void resident.stop();
  }

  /** Stops every environment. Invocations in flight end with a fault. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#room.close();
    this.#idle.clear();
    this.#provisioned.close();
    const pool = this.#bootPool.close();
    await this.#sandboxes.close();
    await this.#starter.close();
    await pool;
  }

  /** Meanwhile the version may have been retired: who asked is served still, and nobody after that. */
  async #askRoom(tenancy: Tenancy, wants: Wanted): Promise<{ granted: Grant; isRetired: boolean }> {
    const versionKey = tenancy.version.key;
    const asking = { versionKey, isRetired: false };
    this.#asking.add(asking);
    this.#starter.expectStart(versionKey);
    const granted = await this.#room.ask(tenancy, wants);
    this.#asking.delete(asking);
    return { granted, isRetired: asking.isRetired };
  }

  #createBootPool(sizeMax: number): BootPool {
    return new BootPool(this.#clock, this.#log, {
      sizeMax,
      boot: (runtimeId) => this.#sandboxes.boot(runtimeId),
      takeMemory: () => this.#room.takeSpare(bootLimits.memoryMb),
      returnMemory: () => this.#room.returnSpare(bootLimits.memoryMb),
      isInUse: (runtimeId) => this.#starter.hasEnvironments(runtimeId),
    });
  }

  #leaseOnDemand(resident: Resident): Lease {
    this.#proactive.noteTaken(resident.environment.tenancy);
    return this.#lease(resident, () => this.#release(resident));
  }

  #lease(resident: Resident, release: () => void): Lease {
    const { environment } = resident;
    return {
      environment,
      invoke: (invocation, onReleased) => {
        try {
          return environment.invoke(invocation, () => {
            release();
            onReleased();
          });
        } catch (error) {
          // Nobody will hear that it is over: an environment that cannot take an event is of no use.
          void resident.stop();
          release();
          throw error;
        }
      },
    };
  }

  #release(resident: Resident): void {
    this.#proactive.noteReturned(resident.environment.tenancy);
    if (this.#closed || !resident.canGoOn(this.#clock.monotonicMs())) this.#end(resident);
    else this.#rest(resident);
  }

  #rest(resident: Resident): void {
    this.#idle.put(resident);
    this.#room.serve();
    this.#room.offer(resident.environment.tenancy);
  }

  /** Stops an environment on demand; of one whose lifetime is over another may take the place. */
  #end(resident: Resident): void {
    const stopped = resident.stop();
    const hasExpired = this.#clock.monotonicMs() >= resident.expiresAtMs;
    if (resident.isRetired || this.#closed || !hasExpired) return;
    void stopped.then(() => this.#proactive.replace(resident.environment.tenancy));
  }

  /** What is to run a version, or why nothing here can. */
  #findRuntime({ isImage, runtime }: RunnableVersion): RuntimeAvailability {
    if (isImage) return { available: false, reason: 'container images cannot run here yet' };
    return this.#catalog.find(runtime);
  }

  async #startAhead(tenancy: Tenancy): Promise<void> {
    const { version } = tenancy;
    const found = this.#findRuntime(version);
    if (!found.available || !this.#room.takeUnclaimed(version.memoryMb)) return;
    try {
      const how = { initializationType: 'on-demand', isRetired: false } as const;
      const resident = await this.#starter.start(tenancy, found.runtime, how);
      if (resident.canGoOn(this.#clock.monotonicMs())) this.#rest(resident);
      else await resident.stop();
    } catch (error) {
      this.#log.warn({ error }, 'could not start an environment ahead of its invocation');
    }
  }

  async #startProvisioned(version: RunnableVersion): Promise<ProvisionedStart> {
    const failed = (reason: string): ProvisionedStart => ({ type: 'failed', reason });
    const tenancy = tenancyOf(version);
    const found = this.#findRuntime(version);
    if (!found.available) return failed(found.reason);
    const { granted, isRetired } = await this.#askRoom(tenancy, 'room');
    if (granted === 'none') return failed('The host has no room for the environments.');
    try {
      const how = { initializationType: 'provisioned-concurrency', isRetired } as const;
      const resident = await this.#starter.start(tenancy, found.runtime, how);
      if (resident.isInitialized) return { type: 'started', resident };
      await resident.stop();
      return failed(initFailureReason);
    } catch (error) {
      this.#log.warn({ error }, 'could not start a provisioned environment');
      return failed('The host could not start the environments.');
    }
  }
}
