/**
 * The snapshots of one host: initialised templates of SnapStart versions, and the runtimes of restored
 * environments that come from them. A template is a process and does not outlive the server, so it is
 * made when the version is published and again when it is missed (ADR 0015).
 */
import type { Clock } from '../base/clock.ts';
import { deferred, type Deferred } from '../base/deferred.ts';
import type { Log } from '../base/log.ts';
import { WorkSet } from '../base/work-set.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { Grant, HostRoom } from './host-room.ts';
import type { HeldRoom, MakesWay } from './makes-way.ts';
import type { OpenVersion } from './open-version.ts';
import type { RunningRuntime, RuntimeSandbox } from './runtime-sandbox.ts';
import { isRestoreFailure, RestoreFailure, type HeldRuntime } from './held-runtime.ts';
import {
  TemplateGoneError,
  type SnapshotOutcome,
  type SnapshotTemplate,
} from './snapshot-template.ts';
import { tenancyOf } from './tenancy.ts';

/** What preparing a snapshot came to; without room for its template on the host nothing did. */
export type Preparation = SnapshotOutcome | { readonly type: 'noRoom' };

/** A template and what is held for it. */
export interface TemplateParts {
  readonly template: SnapshotTemplate;
  /** A runtime process of its sandbox that waits to be given the function; null when none was started. */
  readonly booted: RunningRuntime | null;
  readonly code: OpenVersion;
}

type MadeTemplate = TemplateParts & { readonly outcome: Promise<SnapshotOutcome> };

/** A version's template, from the moment it is asked for. */
interface Entry {
  readonly version: RunnableVersion;
  /** Resolves when Init has begun. */
  readonly made: Promise<MadeTemplate>;
  /** Once it is made. */
  parts: TemplateParts | null;
  /** Copies that are asked for: it stays until they are made, whatever happens to its version. */
  readonly copying: WorkSet;
  /** Copies that run. */
  readonly copies: WorkSet;
  /** Init has ended well. */
  isReady: boolean;
  /** Since when nobody needs it, then. */
  idleSinceMs: number;
  /** Nobody is to get it any more. */
  readonly unwanted: Deferred<void>;
  dropped: Promise<void> | null;
}

/** Templates that can be copied at once, whatever room there is. */
export const templatesMax = 16;
/** Templates that are tried for one copy. */
const copyAttemptsMax = 2;

class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}

export class Snapshots implements MakesWay {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #room: HostRoom;
  readonly #isCopied: (version: RunnableVersion, code: OpenVersion) => boolean;
  readonly #createTemplate: (version: RunnableVersion) => Promise<TemplateParts>;
  /** By version key; the one used last is last. */
  readonly #entries = new Map<string, Entry>();
  readonly #leaving = new WorkSet();
  readonly #closed = deferred<void>();
  #isClosed = false;

  /** `createTemplate` makes it in a bound sandbox of its own, Init not yet begun; it has room already. */
  constructor(
    clock: Clock,
    log: Log,
    room: HostRoom,
    options: {
      /** Whether a version's template can be copied; else it serves only to find out whether Init works. */
      readonly isCopied: (version: RunnableVersion, code: OpenVersion) => boolean;
      readonly createTemplate: (version: RunnableVersion) => Promise<TemplateParts>;
    },
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#room = room;
    this.#isCopied = options.isCopied;
    this.#createTemplate = options.createTemplate;
  }

  /**
   * Runs Init of a version to its snapshot point, as publishing does, and keeps the template if it can
   * be copied. Waits for room that no caller wants. Rejects when the host cannot.
   */
  async prepare(version: RunnableVersion): Promise<Preparation> {
    const entry = this.#entries.get(version.key) ?? this.#addInTurn(version);
    try {
      const { code, outcome } = await entry.made;
      const reached = await outcome;
      if (reached.type === 'ready' && !this.#isCopied(version, code)) await this.#drop(entry);
      return reached;
    } catch (error) {
      if (error instanceof NoRoomError) return { type: 'noRoom' };
      throw error;
    }
  }

  /**
   * A copy of the version's template for a bound sandbox. Null, and the sandbox is as it was, when there is
   * none to be had: no template is there and none `mayBeMade`, there is no room for one, or it died.
   * Rejects with RestoreFailure when its Init fails.
   */
  async copy(
    version: RunnableVersion,
    into: RuntimeSandbox,
    mayBeMade: () => boolean,
  ): Promise<HeldRuntime | null> {
    for (let attempt = 1; attempt <= copyAttemptsMax; attempt += 1) {
      const entry = this.#used(version.key) ?? (mayBeMade() ? this.#addAtOnce(version) : undefined);
      if (entry === undefined) return null;
      try {
        return await entry.copying.add(this.#copy(entry, into));
      } catch (error) {
        if (isRestoreFailure(error)) throw error;
        this.#log.warn({ error, version: version.key }, 'a SnapStart template could not be copied');
        if (!(error instanceof TemplateGoneError)) return null;
        // It went while others were copied: the next one may do better.
      }
    }
    return null;
  }

  async #copy(entry: Entry, into: RuntimeSandbox): Promise<HeldRuntime> {
    const { template, outcome } = await entry.made;
    requireReady(await outcome);
    try {
      const held = await template.fork(into);
      const onEnd = (): void => this.#noteUse(entry);
      entry.copies.add(held.running.process.exited).then(onEnd, onEnd);
      return held;
    } catch (error) {
      void this.#drop(entry); // it died, or is stuck: the next one is new; its copies may live for long
      throw error;
    }
  }

  /** Room for a copy is asked for: what else is idle makes way first. */
  expectCopy(versionKey: string): void {
    const entry = this.#entries.get(versionKey);
    if (entry !== undefined) entry.idleSinceMs = this.#clock.monotonicMs();
  }

  /** The version is out of date or gone. Copies that are asked for already are made still. */
  retire(versionKey: string): void {
    const entry = this.#entries.get(versionKey);
    if (entry !== undefined) void this.#drop(entry);
  }

  /** Stops every template. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closed.resolve();
    for (const entry of this.#entries.values()) void this.#drop(entry);
    await this.#leaving.settled();
  }

  get idleSinceMs(): number | undefined {
    return this.#idleForLongest()?.idleSinceMs;
  }

  makeWay(): void {
    const entry = this.#idleForLongest();
    if (entry !== undefined) void this.#drop(entry);
  }

  get idleRoom(): HeldRoom {
    const idle = this.#idle();
    const memoryMb = idle.reduce((sum, { version }) => sum + version.memoryMb, 0);
    return { count: idle.length, memoryMb };
  }

  #idleForLongest(): Entry | undefined {
    return this.#idle().sort((one, other) => one.idleSinceMs - other.idleSinceMs)[0];
  }

  #idle(): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.isReady && isUnused(entry));
  }

  #used(versionKey: string): Entry | undefined {
    const entry = this.#entries.get(versionKey);
    if (entry === undefined) return undefined;
    this.#entries.delete(versionKey);
    this.#entries.set(versionKey, entry);
    return entry;
  }

  /** Only in room that is free: who asks holds some already, and must not wait for more. */
  #addAtOnce(version: RunnableVersion): Entry | undefined {
    return this.#room.takeUnclaimed(version.memoryMb) ? this.#add(version, 'room') : undefined;
  }

  /** In room that is waited for, unless the version goes meanwhile. */
  #addInTurn(version: RunnableVersion): Entry {
    const unwanted = deferred<void>();
    const granted = this.#room.askPatiently(tenancyOf(version), unwanted.promise);
    return this.#add(version, granted, unwanted);
  }

  #add(
    version: RunnableVersion,
    granted: Grant | Promise<Grant>,
    unwanted = deferred<void>(),
  ): Entry {
    const made = this.#make(version, granted);
    const entry: Entry = {
      ...{ version, made, parts: null, copying: new WorkSet(), copies: new WorkSet() },
      ...{ isReady: false, idleSinceMs: Infinity, unwanted, dropped: null },
    };
    made.then(
      (parts) => void this.#watch(entry, parts),
      () => this.#drop(entry),
    );
    this.#entries.set(version.key, entry);
    if (this.#entries.size > templatesMax) {
      const oldest = [...this.#entries.values()].find(({ isReady }) => isReady);
      if (oldest !== undefined) void this.#drop(oldest);
    }
    return entry;
  }

  async #make(version: RunnableVersion, granted: Grant | Promise<Grant>): Promise<MadeTemplate> {
    if ((await granted) !== 'room') throw this.#isClosed ? closed() : new NoRoomError();
    try {
      if (this.#isClosed) throw closed();
      const parts = await this.#createTemplate(version);
      return { ...parts, outcome: parts.template.start(parts.booted) };
    } catch (error) {
      this.#room.giveBack(version.memoryMb);
      throw error;
    }
  }

  /** A template that failed or died is of no use: the next restore makes a new one. */
  async #watch(entry: Entry, parts: MadeTemplate): Promise<void> {
    const { template, outcome } = parts;
    entry.parts = parts;
    if ((await outcome).type === 'ready') {
      entry.isReady = true;
      template.freeze();
      this.#noteUse(entry);
      await template.ended();
    }
    await this.#drop(entry);
  }

  /** Who needed it does so no longer: it may make way for who waits. */
  #noteUse(entry: Entry): void {
    entry.idleSinceMs = this.#clock.monotonicMs();
    this.#room.serve();
  }

  /** Once, however often it is asked for; resolves when nothing of it is left. */
  #drop(entry: Entry): Promise<void> {
    const { key } = entry.version;
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    entry.unwanted.resolve();
    entry.dropped ??= this.#leaving.add(this.#leave(entry));
    return entry.dropped;
  }

  async #leave(entry: Entry): Promise<void> {
    const parts = entry.parts ?? (await entry.made.catch(() => null));
    if (parts === null) return; // what could not be made has left nothing
    const { template, code } = parts;
    if (!isUnused(entry)) {
      await Promise.race([untilUnused(entry, template), this.#closed.promise]);
    }
    this.#room.beginLeaving();
    try {
      await template.stop();
    } catch (error) {
      this.#log.error({ error }, 'could not stop a SnapStart template');
    }
    code.release();
    this.#room.endLeaving(entry.version.memoryMb);
  }
}

function isUnused({ copying, copies }: Entry): boolean {
  return copying.isEmpty && copies.isEmpty;
}

/** Copies outlive the process that they are of, where they can at all. */
async function untilUnused(entry: Entry, template: SnapshotTemplate): Promise<void> {
  await entry.copying.settled();
  if (entry.isReady) await Promise.race([entry.copies.settled(), template.ended()]);
}

function closed(): Error {
  return new Error('the worker is closed');
}

/** Throws what keeps a version from being restored. */
export function requireReady(outcome: SnapshotOutcome): void {
  if (outcome.type === 'ready') return;
  if (outcome.type === 'failed' && outcome.fault.type === 'host') throw outcome.fault.cause;
  throw new RestoreFailure('init');
}
