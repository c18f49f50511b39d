/**
 * Worker: the execution environments of one host. Gives an environment to each invocation (a warm
 * one when there is one, else a new one), takes it back, stops what is idle or out of date, and keeps
 * all of them within the host's bounds. Holds no database handle: it is the part that can move to
 * other hosts (house style 2.2). The parts: idle-environments.ts, host-room.ts, environment-starter.ts.
 */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import { BootPool } from './boot-pool.ts';
import { EnvironmentStarter, type StarterOptions } from './environment-starter.ts';
import type { Attempt, ExecutionEnvironment } from './environment.ts';
import { HostRoom, type RoomOptions } from './host-room.ts';
import { IdleEnvironments } from './idle-environments.ts';
import type { Resident } from './resident.ts';
import type { Invocation } from './runtime-port.ts';
import type { RuntimeCatalog } from './runtimes.ts';
import { SandboxMaker, type WorkerDependencies } from './sandbox-maker.ts';

export interface WorkerOptions extends RoomOptions, StarterOptions {
  /** An environment idle for longer is stopped. */
  readonly idleMsMax: number;
  /** An environment idle for longer is frozen. */
  readonly freezeAfterMs: number;
  /** Sandboxes booted in advance, per runtime. */
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
  | { readonly type: 'failed'; readonly cause: Error };

export class Worker {
  readonly #catalog: RuntimeCatalog;
  readonly #sandboxes: SandboxMaker;
  readonly #bootPool: BootPool;
  readonly #idle: IdleEnvironments;
  readonly #room: HostRoom;
  readonly #starter: EnvironmentStarter;
  #closed = false;

  constructor(
    clock: Clock,
    random: Random,
    log: Log,
    dependencies: WorkerDependencies,
    options: WorkerOptions,
  ) {
    this.#catalog = dependencies.catalog;
    this.#sandboxes = new SandboxMaker(clock, random, log, dependencies);
    this.#bootPool = new BootPool(log, {
      size: options.poolSize,
      boot: (runtimeId) => this.#sandboxes.boot(runtimeId),
    });
    const { freezeAfterMs, idleMsMax } = options;
    const onExpired = (resident: Resident): void => void resident.stop();
    this.#idle = new IdleEnvironments(clock, { freezeAfterMs, idleMsMax, onExpired });
    this.#room = new HostRoom(clock, this.#idle, options);
    const parts = { sandboxes: this.#sandboxes, bootPool: this.#bootPool, room: this.#room };
    this.#starter = new EnvironmentStarter(clock, random, log, parts, options);
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
    const resident = this.#idle.take(version.key);
    return resident && this.#lease(resident);
  }

  /** An environment of this version, a new one when no warm one is idle. */
  async acquire(version: RunnableVersion): Promise<AcquireResult> {
    const found = this.#catalog.find(version.runtime);
    if (!found.available) return { type: 'runtimeUnavailable', reason: found.reason };
    const granted = await this.#room.ask(version);
    if (granted === 'none') return { type: 'noCapacity' };
    if (granted !== 'room') return { type: 'lease', lease: this.#lease(granted), isNew: false };
    try {
      const resident = await this.#starter.start(version, found.runtime);
      return { type: 'lease', lease: this.#lease(resident), isNew: true };
    } catch (error) {
      return { type: 'failed', cause: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  /** The version is out of date or gone: no new invocation comes, idle environments stop. */
  retire(versionKey: string): void {
    this.#starter.retire(versionKey);
    for (const resident of this.#idle.takeAll(versionKey)) void resident.stop();
  }

  /** Stops every environment. Invocations in flight end with a fault. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#room.close();
    this.#idle.clear();
    const pool = this.#bootPool.close();
    await this.#sandboxes.close();
    await this.#starter.close();
    await pool;
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
          void resident.stop();
          throw error;
        }
      },
    };
  }

  #release(resident: Resident): void {
    const { environment } = resident;
    if (this.#closed || environment.state !== 'Ready' || resident.retired) {
      void resident.stop();
      return;
    }
    this.#idle.put(resident);
    this.#room.serve();
    this.#room.offer(environment.version);
  }
}
