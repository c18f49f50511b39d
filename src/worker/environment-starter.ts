/**
 * Starts environments in room that was taken already, and knows all of them until they have stopped:
 * opens the code, takes a sandbox that was booted in advance or makes one, binds it and runs Init.
 */
import type { Clock } from '../base/clock.ts';
import { deferred, type Deferred } from '../base/deferred.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { limits } from '../model/limits.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { SandboxLimits } from '../sandbox/sandbox.ts';
import { EnvironmentTelemetry } from '../telemetry/environment-telemetry.ts';
import type { ColdStartKind, EnvironmentListener } from '../telemetry/environment-listener.ts';
import type { InitializationType } from '../telemetry/platform-event.ts';
import { LogStream, type LogSink } from '../telemetry/log-stream.ts';
import type { BootedRuntime, BootPool } from './boot-pool.ts';
import { functionEnvironment, type Credentials } from './environment-variables.ts';
import type { EnvironmentSetup } from './environment-setup.ts';
import { ExecutionEnvironment } from './environment.ts';
import { environmentStates, type EnvironmentState } from './environment-states.ts';
import type { HeldRuntime } from './held-runtime.ts';
import type { HostRoom } from './host-room.ts';
import { openVersion, type CodeOpener, type OpenVersion } from './open-version.ts';
import { Resident } from './resident.ts';
import type { RunningRuntime, RuntimeSandbox } from './runtime-sandbox.ts';
import { needsOwnStart, type InstalledRuntime } from './runtimes.ts';
import { bootLimits, type SandboxMaker } from './sandbox-maker.ts';
import { SnapshotTemplate } from './snapshot-template.ts';
import { requireReady, Snapshots, type Preparation, type TemplateParts } from './snapshots.ts';
import type { Tenancy } from './tenancy.ts';

export interface StarterOptions {
  readonly region: string;
  readonly credentials: Credentials;
  readonly openCode: CodeOpener;
  readonly logSink: LogSink;
  /** Hears what happens to environments. */
  readonly listener?: EnvironmentListener;
  /** An environment that is older takes no further invocation; most end somewhat earlier. */
  readonly lifetimeMsMax: number;
}

export interface StarterParts {
  readonly sandboxes: SandboxMaker;
  readonly bootPool: BootPool;
  readonly room: HostRoom;
}

/** The making of an environment, until there is a Resident. */
interface Start {
  readonly tenancy: Tenancy;
  readonly initializationType: InitializationType;
  isRetired: boolean;
  readonly ended: Deferred<void>;
}

/** From the end of a cold start to booting the next sandbox in advance: the answer goes first. */
const refillDelayMs = 20;

/** Lifetimes differ by up to this share of the longest, so that what began together does not end together. */
const lifetimeJitter = 0.25;

export class EnvironmentStarter {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #parts: StarterParts;
  readonly #options: StarterOptions;
  readonly #residents = new Map<Resident, InitializationType>();
  readonly #starts = new Set<Start>();
  readonly #snapshots: Snapshots;
  #closed = false;

  constructor(
    clock: Clock,
    random: Random,
    log: Log,
    parts: StarterParts,
    options: StarterOptions,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
    this.#parts = parts;
    this.#options = options;
    this.#snapshots = new Snapshots(clock, log, parts.room, {
      isCopied: (version, code) => this.#isCopied(version, code),
      createTemplate: (version) => this.#createTemplate(version),
    });
    parts.room.alsoMakesWay(this.#snapshots);
  }

  /**
   * Runs Init of a SnapStart version that is being published. Rejects when the host cannot; what the
   * function did wrong is an outcome.
   */
  prepareSnapshot(version: RunnableVersion): Promise<Preparation> {
    return this.#snapshots.prepare(version);
  }

  /**
   * Rejects when the host failed, or with RestoreFailure when the function did while it was restored;
   * the room is given back then.
   */
  async start(
    tenancy: Tenancy,
    runtime: InstalledRuntime,
    how: Pick<Start, 'initializationType' | 'isRetired'>,
  ): Promise<Resident> {
    const start = { tenancy, ...how, ended: deferred<void>() };
    this.#starts.add(start);
    try {
      const { resident, running } = await this.#createResident(runtime, start);
      try {
        await resident.environment.start(running);
        return resident;
      } catch (error) {
        await resident.stop();
        throw error;
      }
    } finally {
      this.#starts.delete(start);
      start.ended.resolve();
      const { bootPool } = this.#parts;
      this.#clock.schedule(refillDelayMs, () => bootPool.refill(tenancy.version.runtime));
    }
  }

  /** Room for an environment of this version is asked for. */
  expectStart(versionKey: string): void {
    this.#snapshots.expectCopy(versionKey);
  }

  /** Environments of this version, there or being made, take no further invocation. */
  retire(versionKey: string): void {
    this.#snapshots.retire(versionKey);
    for (const start of this.#starts) {
      if (start.tenancy.version.key === versionKey) start.isRetired = true;
    }
    for (const resident of this.#residents.keys()) {
      if (resident.environment.version.key === versionKey) resident.isRetired = true;
    }
  }

  /** Environments on demand of this tenancy that are there, or being made. */
  countOnDemand({ key }: Tenancy): number {
    let count = 0;
    for (const { tenancy, initializationType } of this.#starts) {
      if (tenancy.key === key && initializationType === 'on-demand') count += 1;
    }
    for (const [{ environment, isStopping }, initializationType] of this.#residents) {
      const isCounted = initializationType === 'on-demand' && !isStopping;
      if (isCounted && environment.tenancy.key === key) count += 1;
    }
    return count;
  }

  /** How many are in each state. */
  countByState(): Record<EnvironmentState, number> {
    const counts = Object.fromEntries(environmentStates.map((state) => [state, 0]));
    for (const { environment } of this.#residents.keys()) counts[environment.state]! += 1;
    return counts as Record<EnvironmentState, number>;
  }

  /** Environments of this runtime are there. */
  hasEnvironments(runtimeId: string): boolean {
    for (const { environment } of this.#residents.keys()) {
      if (environment.version.runtime === runtimeId) return true;
    }
    return false;
  }

  /** Stops all. */
  async close(): Promise<void> {
    this.#closed = true;
    const snapshots = this.#snapshots.close();
    await Promise.all(Array.from(this.#residents.keys(), (resident) => resident.stop()));
    await Promise.all(Array.from(this.#starts, ({ ended }) => ended.promise));
    await snapshots;
  }

  async #createResident(
    runtime: InstalledRuntime,
    start: Start,
  ): Promise<{ resident: Resident; running: RunningRuntime | null }> {
    const { version } = start.tenancy;
    let code: OpenVersion | undefined;
    try {
      code = await openVersion(version, this.#options.openCode);
      const isCopied = version.snapStart && this.#isCopied(version, code);
      // A copied process brings itself.
      const isPoolable = !isCopied && canBeBooted(version, code, runtime);
      const { sandboxes, bootPool, room } = this.#parts;
      const booted = isPoolable ? bootPool.take(version.runtime) : undefined;
      bootPool.shed(() => room.isOverdrawn);
      const runtimeSandbox =
        booted?.runtimeSandbox ?? (await sandboxes.create(runtime, limitsOf(version), isCopied));
      if (!isCopied) {
        const kind = boxKind(booted, runtimeSandbox);
        this.#noteColdStart(start, kind, isPoolable && booted === undefined);
      }
      const resident = this.#addResident(start, runtimeSandbox, code);
      return { resident, running: booted?.running ?? null };
    } catch (error) {
      code?.release();
      this.#parts.room.giveBack(version.memoryMb);
      throw error;
    }
  }

  /** From here on stopping it is what gives back its code and its room. */
  #addResident(start: Start, runtimeSandbox: RuntimeSandbox, code: OpenVersion): Resident {
    const { tenancy, initializationType, isRetired } = start;
    const { version, tenantId } = tenancy;
    const { room } = this.#parts;
    const parts = this.#environmentParts(version, runtimeSandbox, { code, initializationType });
    const obtainRestored = async (booted: RunningRuntime | null): Promise<HeldRuntime> => {
      if (this.#isCopied(version, code)) {
        const mayBeMade = (): boolean => !resident.isRetired;
        const copied = await this.#snapshots.copy(version, runtimeSandbox, mayBeMade);
        const kind = copied === null ? boxKind(undefined, runtimeSandbox) : 'snapshot';
        this.#noteColdStart(start, kind, false);
        if (copied !== null) return copied;
      }
      const template = new SnapshotTemplate(this.#clock, runtimeSandbox, parts);
      requireReady(await template.start(booted));
      environment.attach();
      return template.release();
    };
    const setup = { ...parts.setup, tenantId, ...(version.snapStart && { obtainRestored }) };
    const environment = new ExecutionEnvironment(
      ...([this.#clock, this.#random, this.#log, runtimeSandbox] as const),
      { setup, telemetry: parts.telemetry },
    );
    const resident = new Resident(this.#log, environment, {
      ...{ runtimeSandbox, code, isRetired, expiresAtMs: this.#expiry() },
      onStopping: () => room.beginLeaving(),
      onStopped: () => {
        this.#residents.delete(resident);
        room.endLeaving(version.memoryMb);
      },
    });
    this.#residents.set(resident, initializationType);
    // Closing has counted its residents already.
    if (this.#closed) void resident.stop();
    return resident;
  }

  /**
   * Whether environments of a SnapStart version are copies of its template. Extensions would have to get to
   * where a copy is. What the driver has to prepare must have booted without the function.
   */
  #isCopied(version: RunnableVersion, code: OpenVersion): boolean {
    const { sandboxes } = this.#parts;
    if (code.extensions.length > 0) return false;
    if (sandboxes.forks !== 'prepared') return sandboxes.forks === 'any';
    return canBeBooted(version, code, sandboxes.runtime(version.runtime));
  }

  /** In a bound sandbox of its own, Init not yet begun. */
  async #createTemplate(version: RunnableVersion): Promise<TemplateParts> {
    const code = await openVersion(version, this.#options.openCode);
    let runtimeSandbox: RuntimeSandbox | null = null;
    try {
      const made = await this.#createTemplateSandbox(version, code);
      ({ runtimeSandbox } = made);
      const options = { code, initializationType: 'snap-start' } as const;
      const parts = this.#environmentParts(version, runtimeSandbox, options);
      this.#parts.bootPool.shed(() => this.#parts.room.isOverdrawn);
      await runtimeSandbox.bind(parts.setup.binding);
      const template = new SnapshotTemplate(this.#clock, runtimeSandbox, parts);
      return { template, code, booted: made.running };
    } catch (error) {
      await runtimeSandbox?.destroy();
      code.release();
      throw error;
    }
  }

  /** What is to be prepared for copies is, before anything of the function is there. */
  async #createTemplateSandbox(
    version: RunnableVersion,
    code: OpenVersion,
  ): Promise<{ runtimeSandbox: RuntimeSandbox; running: RunningRuntime | null }> {
    const { sandboxes, bootPool } = this.#parts;
    if (sandboxes.forks !== 'prepared' || !this.#isCopied(version, code)) {
      const runtime = sandboxes.runtime(version.runtime);
      const runtimeSandbox = await sandboxes.create(runtime, limitsOf(version));
      return { runtimeSandbox, running: null };
    }
    const booted = bootPool.take(version.runtime) ?? (await sandboxes.boot(version.runtime));
    try {
      await booted.runtimeSandbox.prepareFork();
      return booted;
    } catch (error) {
      await booted.runtimeSandbox.destroy();
      throw error;
    } finally {
      this.#clock.schedule(refillDelayMs, () => bootPool.refill(version.runtime));
    }
  }

  #environmentParts(
    version: RunnableVersion,
    runtimeSandbox: RuntimeSandbox,
    options: { readonly code: OpenVersion; readonly initializationType: InitializationType },
  ): { setup: EnvironmentSetup; telemetry: EnvironmentTelemetry } {
    const initializationType = shownType(version, options.initializationType);
    const setup = this.#setup(version, runtimeSandbox, { ...options, initializationType });
    return { setup, telemetry: this.#telemetry(setup, runtimeSandbox) };
  }

  #expiry(): number {
    const share = 1 - lifetimeJitter * this.#random.fraction();
    return this.#clock.monotonicMs() + this.#options.lifetimeMsMax * share;
  }

  #setup(
    version: RunnableVersion,
    { runtime, runtimeApiAddress }: RuntimeSandbox,
    options: { readonly code: OpenVersion; readonly initializationType: InitializationType },
  ): EnvironmentSetup & { readonly logStream: string } {
    const { code, initializationType } = options;
    const { codeDir, layerDirs, extensions } = code;
    const { region, credentials } = this.#options;
    const logStream = this.#logStreamName(version);
    return {
      ...{ version, logStream, extensions, initializationType },
      binding: { codeDir, layerDirs, limits: limitsOf(version) },
      variables: (paths) =>
        functionEnvironment({
          ...{ version, runtime, paths, region, logStream, runtimeApiAddress },
          ...{ initializationType, credentials },
        }),
      initMsMax: initMsMaxOf(version, initializationType),
      runtimeVersionName: runtimeVersionName(runtime),
    };
  }

  #telemetry(
    { version, logStream }: { readonly version: RunnableVersion; readonly logStream: string },
    { sandbox }: RuntimeSandbox,
  ): EnvironmentTelemetry {
    const { logGroup, logFormat, systemLogLevel } = version;
    const { logSink, listener } = this.#options;
    const tail = { bytesMax: limits.logTailBytesMax, isOfRecords: logFormat === 'JSON' };
    const log = new LogStream({ logGroup, logStream }, logSink, tail);
    return new EnvironmentTelemetry(this.#clock, this.#log, log, {
      ...{ logFormat, systemLogLevel },
      connect: (port) => sandbox.connect(port),
      ...(listener && { onEvent: (event) => listener.onPlatformEvent(version, event) }),
    });
  }

  #noteColdStart({ tenancy, ...start }: Start, kind: ColdStartKind, isPoolMiss: boolean): void {
    const { version } = tenancy;
    const { runtime } = version;
    const initializationType = shownType(version, start.initializationType);
    this.#options.listener?.onColdStart({ runtime, initializationType, kind, isPoolMiss });
  }

  #logStreamName(version: RunnableVersion): string {
    const day = new Date(this.#clock.nowMs()).toISOString().slice(0, 10).replaceAll('-', '/');
    return `${day}/[${version.version}]${this.#random.hex(16)}`;
  }
}

/** Whether this version may be bound to a sandbox booted in advance. Extensions are there before the runtime is. */
function canBeBooted(
  version: RunnableVersion,
  code: OpenVersion,
  runtime: InstalledRuntime,
): boolean {
  if (code.hasSharedLibraries || code.extensions.length > 0) return false;
  if (runtime.kind !== 'managed') return false;
  if (version.temporaryStorageMb !== bootLimits.temporaryStorageMb) return false;
  return !needsOwnStart(runtime.language, version.environment);
}

/** What functions, logs and metrics are told. */
function shownType({ snapStart }: RunnableVersion, type: InitializationType): InitializationType {
  return snapStart ? 'snap-start' : type;
}

function boxKind(booted: BootedRuntime | undefined, { sandbox }: RuntimeSandbox): ColdStartKind {
  if (booted !== undefined) return 'pool_hit';
  return sandbox.isFromStandby ? 'blank_box' : 'new_box';
}

/** Guide page 045: what is prepared in advance may take longer. */
function initMsMaxOf({ timeoutMs }: RunnableVersion, type: InitializationType): number {
  if (type === 'on-demand') return limits.initDurationMsMax;
  return Math.max(limits.initDurationMsProvisioned, timeoutMs);
}

function limitsOf({ memoryMb, temporaryStorageMb }: RunnableVersion): SandboxLimits {
  return { memoryMb, cpus: null, temporaryStorageMb };
}

/** As INIT_START names it: 'nodejs:22.v22.23.3' for nodejs22.x. */
function runtimeVersionName(runtime: InstalledRuntime): string {
  const [, language = '', release = ''] = /^([a-z]+)\.?(.*?)(?:\.x)?$/.exec(runtime.id) ?? [];
  return `${language}:${release}.v${runtime.version || '1'}`;
}
