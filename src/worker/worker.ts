/**
 * Worker: the execution environments of one host. Gives an environment to each invocation (a warm
 * one when there is one, else a new one), takes it back, stops what is idle or out of date, and keeps
 * all of them within the host's bounds. Holds no database handle: it is the part that can move to
 * other hosts (house style 2.2).
 */
import type { Clock, Timer } from '../base/clock.ts';
import { deferred, type Deferred } from '../base/deferred.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { limits } from '../model/limits.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { SandboxDriver, SandboxLimits } from '../sandbox/sandbox.ts';
import { EnvironmentTelemetry } from '../telemetry/environment-telemetry.ts';
import { LogStream, type LogSink } from '../telemetry/log-stream.ts';
import { BootPool, type BootedRuntime } from './boot-pool.ts';
import { functionEnvironment, type Credentials } from './environment-variables.ts';
import { ExecutionEnvironment, type Attempt } from './environment.ts';
import { FairQueue } from './fair-queue.ts';
import { openVersion, type CodeOpener, type OpenVersion } from './open-version.ts';
import type { Invocation, RuntimeTransports } from './runtime-port.ts';
import { RuntimeSandbox, type RunningRuntime } from './runtime-sandbox.ts';
import { needsOwnStart, type InstalledRuntime, type RuntimeCatalog } from './runtimes.ts';

export interface WorkerOptions {
  readonly region: string;
  readonly credentials: Credentials;
  /** Sum of the memory sizes of all environments that are bound to a function. */
  readonly memoryBudgetMb: number;
  /** Environments at once, whatever their size. */
  readonly environmentsMax: number;
  /** Callers that may wait for room on the host. */
  readonly waitersMax: number;
  /** How long one of them waits. */
  readonly waitMsMax: number;
  /** An environment idle for longer is stopped. */
  readonly idleMsMax: number;
  /** An environment idle for longer is frozen. */
  readonly freezeAfterMs: number;
  /** Sandboxes booted in advance, per runtime. */
  readonly poolSize: number;
  readonly openCode: CodeOpener;
  readonly logSink: LogSink;
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
  | { readonly type: 'failed'; readonly cause: Error };

/** What a caller got: a warm environment, room for a new one, or neither in time. */
type Grant = Lease | 'room' | 'none';

interface Waiter {
  readonly version: RunnableVersion;
  readonly granted: Deferred<Grant>;
  readonly timer: Timer;
}

/** The making of an environment, until there is a Resident. */
interface Start {
  readonly versionKey: string;
  retired: boolean;
  readonly ended: Deferred<void>;
}

interface Resident {
  readonly environment: ExecutionEnvironment;
  readonly code: OpenVersion;
  idleTimer: Timer | null;
  freezeTimer: Timer | null;
  /** Its version is out of date or gone: it takes no further invocation. */
  retired: boolean;
  /** Once stopping has begun. */
  stopped: Promise<void> | null;
}

/** A runtime that takes longer to boot than Init may take is broken. */
const bootMsMax = limits.initDurationMsMax;

/** From the end of a cold start to booting the next sandbox in advance: the answer goes first. */
const refillDelayMs = 20;

const bootLimits: SandboxLimits = {
  memoryMb: limits.memorySizeMbDefault,
  cpus: null,
  temporaryStorageMb: limits.ephemeralStorageMbDefault,
};

export class Worker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #driver: SandboxDriver;
  readonly #catalog: RuntimeCatalog;
  readonly #transports: RuntimeTransports;
  readonly #options: WorkerOptions;
  readonly #bootPool: BootPool;
  /** Idle environments by version key, the most recently used last. */
  readonly #idle = new Map<string, Resident[]>();
  readonly #residents = new Set<Resident>();
  readonly #starts = new Set<Start>();
  /** Sandboxes for the pool whose runtimes are booting. */
  readonly #booting = new Set<RuntimeSandbox>();
  /** For room on the host: functions take turns. */
  readonly #waiters: FairQueue<Waiter>;
  #memoryUsedMb = 0;
  /** Environments that are being stopped: their room will be free. */
  #stoppingCount = 0;
  /** Environments that hold room: being made, resident, or being stopped. */
  #environmentCount = 0;
  #closed = false;

  constructor(
    clock: Clock,
    random: Random,
    log: Log,
    dependencies: { driver: SandboxDriver; catalog: RuntimeCatalog; transports: RuntimeTransports },
    options: WorkerOptions,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
    this.#driver = dependencies.driver;
    this.#catalog = dependencies.catalog;
    this.#transports = dependencies.transports;
    this.#options = options;
    this.#waiters = new FairQueue(options.waitersMax);
    this.#bootPool = new BootPool(log, {
      size: options.poolSize,
      boot: (runtimeId) => this.#boot(runtimeId),
    });
  }

  /** Functions of this runtime exist: keep booted sandboxes for it. */
  expectRuntime(runtimeId: string): void {
    const found = this.#catalog.find(runtimeId);
    if (found.available && found.runtime.kind === 'managed') this.#bootPool.want(runtimeId);
  }

  /** Resolves once the sandboxes booted in advance are there. */
  poolSettled(): Promise<void> {
    return this.#bootPool.settled();
  }

  /** A warm environment of this version, or undefined; takes no time. */
  acquireWarm(version: RunnableVersion): Lease | undefined {
    const resident = this.#idle.get(version.key)?.pop();
    if (resident === undefined) return undefined;
    this.#cancelTimers(resident);
    return this.#lease(resident);
  }

  /** An environment of this version, a new one when no warm one is idle. */
  async acquire(version: RunnableVersion): Promise<AcquireResult> {
    const found = this.#catalog.find(version.runtime);
    if (!found.available) return { type: 'runtimeUnavailable', reason: found.reason };
    const granted = this.#grantAtOnce(version) ?? (await this.#waitForRoom(version));
    if (granted === 'none') return { type: 'noCapacity' };
    if (granted !== 'room') return { type: 'lease', lease: granted, isNew: false };
    try {
      const resident = await this.#startEnvironment(version, found.runtime);
      return { type: 'lease', lease: this.#lease(resident), isNew: true };
    } catch (error) {
      return { type: 'failed', cause: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  /** The version is out of date or gone: no new invocation comes, idle environments stop. */
  retire(versionKey: string): void {
    for (const start of this.#starts) {
      if (start.versionKey === versionKey) start.retired = true;
    }
    for (const resident of this.#residents) {
      if (resident.environment.version.key === versionKey) resident.retired = true;
    }
    const idle = this.#idle.get(versionKey) ?? [];
    this.#idle.delete(versionKey);
    for (const resident of idle) void this.#stop(resident);
  }

  /** Stops every environment. Invocations in flight end with a fault. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiters.clear()) answerWaiter(waiter, 'none');
    this.#idle.clear();
    const pool = this.#bootPool.close();
    await Promise.allSettled(Array.from(this.#booting, (sandbox) => sandbox.destroy()));
    await Promise.all(Array.from(this.#residents, (resident) => this.#stop(resident)));
    await Promise.all(Array.from(this.#starts, ({ ended }) => ended.promise));
    await pool;
  }

  // ---- room on the host ----

  #takeRoom(memoryMb: number): boolean {
    const { memoryBudgetMb, environmentsMax } = this.#options;
    const fits = this.#memoryUsedMb + memoryMb <= memoryBudgetMb || this.#environmentCount === 0;
    if (this.#closed || !fits || this.#environmentCount >= environmentsMax) return false;
    this.#memoryUsedMb += memoryMb;
    this.#environmentCount += 1;
    return true;
  }

  #releaseRoom(memoryMb: number): void {
    this.#memoryUsedMb -= memoryMb;
    this.#environmentCount -= 1;
    this.#serveWaiters();
  }

  /** Stops the environment that has been idle longest; its room is free once it has stopped. */
  #evictOldestIdle(): void {
    for (const resident of this.#residents) {
      if (!this.#takeFromIdle(resident)) continue;
      void this.#stop(resident);
      return;
    }
  }

  #takeFromIdle(resident: Resident): boolean {
    const idle = this.#idle.get(resident.environment.version.key);
    const index = idle?.indexOf(resident) ?? -1;
    idle?.splice(index, index === -1 ? 0 : 1);
    return index !== -1;
  }

  /** Nobody overtakes those who wait, unless with an environment that only they could use. */
  #grantAtOnce(version: RunnableVersion): Grant | undefined {
    return this.#waiters.size === 0 ? this.#grant(version) : this.acquireWarm(version);
  }

  #grant(version: RunnableVersion): Grant | undefined {
    return this.acquireWarm(version) ?? (this.#takeRoom(version.memoryMb) ? 'room' : undefined);
  }

  #waitForRoom(version: RunnableVersion): Promise<Grant> {
    if (this.#closed) return Promise.resolve('none');
    const granted = deferred<Grant>();
    const timer = this.#clock.schedule(this.#options.waitMsMax, () => {
      this.#waiters.remove(version.functionName, waiter);
      granted.resolve('none');
      this.#serveWaiters(); // the next one may need less
    });
    const waiter: Waiter = { version, granted, timer };
    const refused = this.#waiters.add(version.functionName, waiter);
    if (refused !== undefined) answerWaiter(refused, 'none');
    if (refused !== waiter) this.#evictOldestIdle();
    return granted.promise;
  }

  /** Something may have become free. The first who cannot be served keeps its place, and the others theirs. */
  #serveWaiters(): void {
    for (let first = this.#waiters.first(); first !== undefined; first = this.#waiters.first()) {
      const granted = this.#grant(first.version);
      if (granted === undefined) {
        if (this.#stoppingCount === 0) this.#evictOldestIdle();
        return;
      }
      this.#waiters.removeFirst();
      answerWaiter(first, granted);
    }
  }

  /**
   * An environment that is idle still, as room is being made for those before, goes to who waits for
   * its version: else the next caller would take it and overtake them.
   */
  #offer({ version }: ExecutionEnvironment): void {
    const { functionName, key } = version;
    const waiter = this.#waiters.find(functionName, (other) => other.version.key === key);
    const lease = waiter === undefined ? undefined : this.acquireWarm(version);
    if (waiter === undefined || lease === undefined) return;
    this.#waiters.remove(functionName, waiter);
    answerWaiter(waiter, lease);
  }

  // ---- environments ----

  /** In room that was taken already; what fails gives it back. */
  async #startEnvironment(version: RunnableVersion, runtime: InstalledRuntime): Promise<Resident> {
    const start: Start = { versionKey: version.key, retired: false, ended: deferred() };
    this.#starts.add(start);
    try {
      const { resident, running } = await this.#createResident(version, runtime, start);
      try {
        await resident.environment.start(running);
        return resident;
      } catch (error) {
        await this.#stop(resident);
        throw error;
      }
    } finally {
      this.#starts.delete(start);
      start.ended.resolve();
      this.#clock.schedule(refillDelayMs, () => this.#bootPool.refill(version.runtime));
    }
  }

  async #createResident(
    version: RunnableVersion,
    runtime: InstalledRuntime,
    start: Start,
  ): Promise<{ resident: Resident; running: RunningRuntime | null }> {
    let code: OpenVersion | undefined;
    try {
      code = await openVersion(version, this.#options.openCode);
      // Extensions are there before the runtime is.
      const isBootable = !code.hasSharedLibraries && code.extensions.length === 0;
      const booted = isBootable ? this.#takeBooted(version, runtime) : undefined;
      const runtimeSandbox =
        booted?.runtimeSandbox ?? (await this.#createSandbox(runtime, limitsOf(version)));
      const environment = this.#createEnvironment(version, runtimeSandbox, code);
      const { retired } = start;
      const resident = { environment, code, idleTimer: null, freezeTimer: null, retired };
      return { resident: this.#addResident(resident), running: booted?.running ?? null };
    } catch (error) {
      code?.release();
      this.#releaseRoom(version.memoryMb);
      throw error;
    }
  }

  /** From here on stopping it is what gives back its code and its room. */
  #addResident(members: Omit<Resident, 'stopped'>): Resident {
    const resident: Resident = { ...members, stopped: null };
    this.#residents.add(resident);
    // Closing has counted its residents already.
    if (this.#closed) void this.#stop(resident);
    return resident;
  }

  #createEnvironment(
    version: RunnableVersion,
    runtimeSandbox: RuntimeSandbox,
    { codeDir, layerDirs, extensions }: OpenVersion,
  ): ExecutionEnvironment {
    const { runtime, runtimeApiAddress } = runtimeSandbox;
    const { region, credentials, logSink } = this.#options;
    const { logGroup } = version;
    const logStream = this.#logStreamName(version);
    const initializationType = 'on-demand';
    return new ExecutionEnvironment(this.#clock, this.#random, this.#log, runtimeSandbox, {
      telemetry: new EnvironmentTelemetry(
        this.#clock,
        this.#log,
        new LogStream({ logGroup, logStream }, logSink, limits.logTailBytesMax),
        {
          logFormat: version.logFormat,
          systemLogLevel: version.systemLogLevel,
          connect: (port) => runtimeSandbox.sandbox.connect(port),
        },
      ),
      setup: {
        version,
        binding: { codeDir, layerDirs, limits: limitsOf(version) },
        variables: (paths) =>
          functionEnvironment({
            ...{ version, runtime, paths, region, logStream, runtimeApiAddress },
            ...{ initializationType, credentials },
          }),
        extensions,
        initializationType,
        initMsMax: limits.initDurationMsMax,
        runtimeVersionName: runtimeVersionName(runtime),
      },
    });
  }

  /** A sandbox booted in advance, if this version may be bound to one. */
  #takeBooted(version: RunnableVersion, runtime: InstalledRuntime): BootedRuntime | undefined {
    if (runtime.kind !== 'managed') return undefined;
    if (version.temporaryStorageMb !== bootLimits.temporaryStorageMb) return undefined;
    if (needsOwnStart(runtime.language, version.environment)) return undefined;
    return this.#bootPool.take(version.runtime);
  }

  async #boot(runtimeId: string): Promise<BootedRuntime> {
    const found = this.#catalog.find(runtimeId);
    if (!found.available) throw new Error(found.reason);
    const runtimeSandbox = await this.#createSandbox(found.runtime, bootLimits);
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

  #abandon(runtimeSandbox: RuntimeSandbox): void {
    runtimeSandbox.destroy().catch((error: unknown) => {
      this.#log.error({ error }, 'could not remove a sandbox whose runtime did not boot');
    });
  }

  #createSandbox(runtime: InstalledRuntime, sandboxLimits: SandboxLimits): Promise<RuntimeSandbox> {
    const id = `${runtime.language}-${this.#random.hex(8)}`;
    return RuntimeSandbox.create(this.#driver, this.#transports, {
      id,
      runtime,
      limits: sandboxLimits,
    });
  }

  #logStreamName(version: RunnableVersion): string {
    const day = new Date(this.#clock.nowMs()).toISOString().slice(0, 10).replaceAll('-', '/');
    return `${day}/[${version.version}]${this.#random.hex(16)}`;
  }

  #lease(resident: Resident): Lease {
    const { environment } = resident;
    return {
      environment,
      invoke: (invocation, onReleased) => {
        try {
          return environment.invoke(invocation, () => {
            this.#release(resident);
            onReleased();
          });
        } catch (error) {
          // Nobody will hear that it is over: an environment that cannot take an event is of no use.
          void this.#stop(resident);
          throw error;
        }
      },
    };
  }

  #release(resident: Resident): void {
    const { environment } = resident;
    if (this.#closed || environment.state !== 'Ready' || resident.retired) {
      void this.#stop(resident);
      return;
    }
    const { key } = environment.version;
    // Kept in the order of last use, so that the first idle one is the oldest.
    this.#residents.delete(resident);
    this.#residents.add(resident);
    const idle = this.#idle.get(key);
    if (idle === undefined) this.#idle.set(key, [resident]);
    else idle.push(resident);
    resident.freezeTimer = this.#clock.schedule(this.#options.freezeAfterMs, () =>
      environment.freeze(),
    );
    resident.idleTimer = this.#clock.schedule(this.#options.idleMsMax, () =>
      this.#expire(resident),
    );
    this.#serveWaiters();
    this.#offer(environment);
  }

  #expire(resident: Resident): void {
    if (this.#takeFromIdle(resident)) void this.#stop(resident);
  }

  /** Takes it apart once, however often it is asked for; resolves, too, when that fails. */
  #stop(resident: Resident): Promise<void> {
    if (resident.stopped === null) {
      // Set before stopping begins: what stopping sets off may ask to stop once more.
      const stopped = deferred<void>();
      resident.stopped = stopped.promise;
      void this.#takeApart(resident).then(stopped.resolve);
    }
    return resident.stopped;
  }

  async #takeApart(resident: Resident): Promise<void> {
    const { environment, code } = resident;
    this.#cancelTimers(resident);
    this.#stoppingCount += 1;
    try {
      await environment.stop();
    } catch (error) {
      this.#log.error({ error, sandbox: environment.id }, 'could not stop an environment');
    }
    this.#stoppingCount -= 1;
    this.#residents.delete(resident);
    code.release();
    this.#releaseRoom(environment.version.memoryMb);
  }

  #cancelTimers(resident: Resident): void {
    resident.freezeTimer?.cancel();
    resident.idleTimer?.cancel();
    resident.freezeTimer = null;
    resident.idleTimer = null;
  }
}

function answerWaiter(waiter: Waiter, granted: Grant): void {
  waiter.timer.cancel();
  waiter.granted.resolve(granted);
}

function limitsOf({ memoryMb, temporaryStorageMb }: RunnableVersion): SandboxLimits {
  return { memoryMb, cpus: null, temporaryStorageMb };
}

/** As INIT_START names it: 'nodejs:22.v22.23.3' for nodejs22.x. */
function runtimeVersionName(runtime: InstalledRuntime): string {
  const [, language = '', release = ''] = /^([a-z]+)\.?(.*?)(?:\.x)?$/.exec(runtime.id) ?? [];
  return `${language}:${release}.v${runtime.version || '1'}`;
}
