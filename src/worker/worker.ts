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
import { LogStream, type LogSink } from '../telemetry/log-stream.ts';
import { BootPool, type BootedRuntime } from './boot-pool.ts';
import { functionEnvironment, type Credentials } from './environment-variables.ts';
import { ExecutionEnvironment, type Attempt } from './environment.ts';
import type { Invocation, RuntimeTransports } from './runtime-port.ts';
import { RuntimeSandbox } from './runtime-sandbox.ts';
import { startEnvironment, type InstalledRuntime, type RuntimeCatalog } from './runtimes.ts';

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
  /** The unpacked code of a hash, kept until released; rejects when it cannot be had. */
  readonly openCode: (codeHash: string) => Promise<OpenCode>;
  readonly logSink: LogSink;
}

/** A folder of unpacked code that stays where it is until it is released. */
export interface OpenCode {
  readonly folder: string;
  release(): void;
}

/** An environment held by one invocation. */
export interface Lease {
  readonly environment: ExecutionEnvironment;
  /** Gives the environment back by itself; `onReleased` is called once, at that moment. */
  invoke(invocation: Invocation, onReleased: () => void): Attempt;
}

export type AcquireResult =
  | { readonly type: 'lease'; readonly lease: Lease }
  /** No room on this host, and none came in time. */
  | { readonly type: 'noCapacity' }
  /** The function's runtime cannot run on this host. */
  | { readonly type: 'runtimeUnavailable'; readonly reason: string }
  | { readonly type: 'failed'; readonly cause: Error };

interface Waiter {
  readonly room: Deferred<boolean>;
  readonly timer: Timer;
}

interface Resident {
  readonly environment: ExecutionEnvironment;
  readonly code: OpenCode;
  idleTimer: Timer | null;
  freezeTimer: Timer | null;
  /** Its version is out of date or gone: it takes no further invocation. */
  retired: boolean;
}

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
  readonly #waiters: Waiter[] = [];
  #memoryUsedMb = 0;
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
    for (;;) {
      const warm = this.acquireWarm(version);
      if (warm !== undefined) return { type: 'lease', lease: warm };
      if (this.#takeRoom(version.memoryMb)) break;
      this.#evictOldestIdle();
      if (!(await this.#waitForRoom())) return { type: 'noCapacity' };
    }
    try {
      const resident = await this.#startEnvironment(version, found.runtime);
      return { type: 'lease', lease: this.#lease(resident) };
    } catch (error) {
      this.#releaseRoom(version.memoryMb);
      return { type: 'failed', cause: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  /** The version is out of date or gone: no new invocation comes, idle environments stop. */
  retire(versionKey: string): void {
    for (const resident of this.#residents) {
      if (resident.environment.version.key === versionKey) resident.retired = true;
    }
    const idle = this.#idle.get(versionKey) ?? [];
    this.#idle.delete(versionKey);
    for (const resident of idle) this.#stop(resident);
  }

  /** Stops every environment. Invocations in flight end with a fault. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) this.#answerWaiter(waiter, false);
    await this.#bootPool.close();
    const residents = Array.from(this.#residents);
    for (const resident of residents) this.#cancelTimers(resident);
    await Promise.all(residents.map(({ environment }) => environment.stop()));
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
    this.#wakeWaiter();
  }

  /** Stops the environment that has been idle longest; its room is free once it has stopped. */
  #evictOldestIdle(): void {
    for (const resident of this.#residents) {
      if (!this.#takeFromIdle(resident)) continue;
      this.#stop(resident);
      return;
    }
  }

  #takeFromIdle(resident: Resident): boolean {
    const idle = this.#idle.get(resident.environment.version.key);
    const index = idle?.indexOf(resident) ?? -1;
    idle?.splice(index, index === -1 ? 0 : 1);
    return index !== -1;
  }

  #waitForRoom(): Promise<boolean> {
    if (this.#closed || this.#waiters.length >= this.#options.waitersMax)
      return Promise.resolve(false);
    const room = deferred<boolean>();
    const waiter: Waiter = {
      room,
      timer: this.#clock.schedule(this.#options.waitMsMax, () => {
        const index = this.#waiters.indexOf(waiter);
        if (index !== -1) this.#waiters.splice(index, 1);
        room.resolve(false);
      }),
    };
    this.#waiters.push(waiter);
    return room.promise;
  }

  #wakeWaiter(): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) this.#answerWaiter(waiter, true);
  }

  #answerWaiter(waiter: Waiter, room: boolean): void {
    waiter.timer.cancel();
    waiter.room.resolve(room);
  }

  // ---- environments ----

  async #startEnvironment(version: RunnableVersion, runtime: InstalledRuntime): Promise<Resident> {
    const code = await this.#options.openCode(version.codeHash);
    let resident: Resident | undefined;
    try {
      const booted = this.#takeBooted(version, runtime);
      const runtimeSandbox =
        booted?.runtimeSandbox ?? (await this.#createSandbox(runtime, limitsOf(version)));
      const environment = this.#createEnvironment(version, runtimeSandbox, code);
      resident = { environment, code, idleTimer: null, freezeTimer: null, retired: false };
      this.#residents.add(resident);
      await environment.start(booted?.running ?? null);
      return resident;
    } catch (error) {
      if (resident !== undefined) {
        this.#residents.delete(resident);
        await resident.environment.stop();
      }
      code.release();
      throw error;
    } finally {
      this.#clock.schedule(refillDelayMs, () => this.#bootPool.refill(version.runtime));
    }
  }

  #createEnvironment(
    version: RunnableVersion,
    runtimeSandbox: RuntimeSandbox,
    code: OpenCode,
  ): ExecutionEnvironment {
    const { runtime, runtimeApiAddress } = runtimeSandbox;
    const { region, credentials, logSink } = this.#options;
    const { logGroup } = version;
    const logStream = this.#logStreamName(version);
    const initializationType = 'on-demand';
    return new ExecutionEnvironment(this.#clock, this.#log, runtimeSandbox, {
      logStream: new LogStream({ logGroup, logStream }, logSink, limits.logTailBytesMax),
      setup: {
        version,
        binding: { codeDir: code.folder, layerDirs: [], limits: limitsOf(version) },
        variables: (paths) =>
          functionEnvironment({
            ...{ version, runtime, paths, region, logStream, runtimeApiAddress },
            ...{ initializationType, credentials },
          }),
        initializationType,
        runtimeVersionName: runtimeVersionName(runtime),
      },
    });
  }

  /** A sandbox booted in advance, if this version may be bound to one. */
  #takeBooted(version: RunnableVersion, runtime: InstalledRuntime): BootedRuntime | undefined {
    if (runtime.kind !== 'managed') return undefined;
    if (version.temporaryStorageMb !== bootLimits.temporaryStorageMb) return undefined;
    if (needsOwnStart(version, runtime)) return undefined;
    return this.#bootPool.take(version.runtime);
  }

  async #boot(runtimeId: string): Promise<BootedRuntime> {
    const found = this.#catalog.find(runtimeId);
    if (!found.available) throw new Error(found.reason);
    const runtimeSandbox = await this.#createSandbox(found.runtime, bootLimits);
    try {
      const running = await runtimeSandbox.boot();
      return { runtimeSandbox, running };
    } catch (error) {
      await runtimeSandbox.destroy();
      throw error;
    }
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
      invoke: (invocation, onReleased) =>
        environment.invoke(invocation, () => {
          this.#release(resident);
          onReleased();
        }),
    };
  }

  #release(resident: Resident): void {
    const { environment } = resident;
    if (this.#closed || environment.state !== 'Ready' || resident.retired) {
      this.#stop(resident);
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
    this.#wakeWaiter();
  }

  #expire(resident: Resident): void {
    if (this.#takeFromIdle(resident)) this.#stop(resident);
  }

  #stop(resident: Resident): void {
    this.#cancelTimers(resident);
    const { environment } = resident;
    environment
      .stop()
      .catch((error: unknown) => {
        this.#log.error({ error, sandbox: environment.id }, 'could not stop an environment');
      })
      .finally(() => {
        if (!this.#residents.delete(resident)) return;
        resident.code.release();
        this.#releaseRoom(environment.version.memoryMb);
      });
  }

  #cancelTimers(resident: Resident): void {
    resident.freezeTimer?.cancel();
    resident.idleTimer?.cancel();
    resident.freezeTimer = null;
    resident.idleTimer = null;
  }
}

function limitsOf({ memoryMb, temporaryStorageMb }: RunnableVersion): SandboxLimits {
  return { memoryMb, cpus: null, temporaryStorageMb };
}

/** Its language reads some of the function's variables only when the process starts. */
function needsOwnStart({ environment }: RunnableVersion, { language }: InstalledRuntime): boolean {
  return Object.keys(startEnvironment(language, environment)).length > 0;
}

/** As INIT_START names it: 'nodejs:22.v22.23.3' for nodejs22.x. */
function runtimeVersionName(runtime: InstalledRuntime): string {
  const [, language = '', release = ''] = /^([a-z]+)\.?(.*?)(?:\.x)?$/.exec(runtime.id) ?? [];
  return `${language}:${release}.v${runtime.version}`;
}
