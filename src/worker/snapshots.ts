/**
 * The snapshots of one host: initialised templates of SnapStart versions, and the runtimes of restored
 * environments that come from them. A template is a process and does not outlive the server, so it is
 * made when the version is published and again when it is missed (ADR 0015).
 */
import type { Log } from '../base/log.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { OpenVersion } from './open-version.ts';
import type { RunningRuntime, RuntimeSandbox } from './runtime-sandbox.ts';
import { RestoreFailure, type HeldRuntime } from './held-runtime.ts';
import {
  TemplateGoneError,
  type SnapshotOutcome,
  type SnapshotTemplate,
} from './snapshot-template.ts';

/** A template and what is held for it. */
export interface TemplateParts {
  readonly template: SnapshotTemplate;
  /** A runtime process of its sandbox that waits to be given the function; null when none was started. */
  readonly booted: RunningRuntime | null;
  readonly code: OpenVersion;
}

/** A version's template, from the moment it is asked for. */
interface Entry {
  readonly versionKey: string;
  /** Resolves when Init has begun. */
  readonly made: Promise<TemplateParts & { readonly outcome: Promise<SnapshotOutcome> }>;
  dropped: Promise<void> | null;
}

/** Templates at once: each is a process that holds what its function's Init has loaded. */
export const templatesMax = 16;

export class Snapshots {
  readonly #log: Log;
  readonly #isCopied: (version: RunnableVersion, code: OpenVersion) => boolean;
  readonly #createTemplate: (version: RunnableVersion) => Promise<TemplateParts>;
  /** By version key; the one used last is last. */
  readonly #entries = new Map<string, Entry>();
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;

  /** `createTemplate` makes it in a bound sandbox of its own, Init not yet begun. */
  constructor(
    log: Log,
    options: {
      /** Whether a version's template can be copied; else it serves only to find out whether Init works. */
      readonly isCopied: (version: RunnableVersion, code: OpenVersion) => boolean;
      readonly createTemplate: (version: RunnableVersion) => Promise<TemplateParts>;
    },
  ) {
    this.#log = log;
    this.#isCopied = options.isCopied;
    this.#createTemplate = options.createTemplate;
  }

  /** Templates there are or that are being made. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Runs Init of a version to its snapshot point, as publishing does, and keeps the template if it can
   * be copied. Rejects when the host cannot.
   */
  async prepare(version: RunnableVersion): Promise<SnapshotOutcome> {
    const entry = this.#entry(version);
    const { code, outcome } = await entry.made;
    const reached = await outcome;
    if (reached.type === 'ready' && !this.#isCopied(version, code)) await this.#drop(entry);
    return reached;
  }

  /** A copy of the version's template for a bound sandbox. Rejects with RestoreFailure or a host's error. */
  async copy(version: RunnableVersion, into: RuntimeSandbox): Promise<HeldRuntime> {
    try {
      return await this.#copy(version, into);
    } catch (error) {
      if (!(error instanceof TemplateGoneError)) throw error;
      return this.#copy(version, into); // it went while others were copied
    }
  }

  async #copy(version: RunnableVersion, into: RuntimeSandbox): Promise<HeldRuntime> {
    const entry = this.#entry(version);
    const { template, outcome } = await entry.made;
    requireReady(await outcome);
    try {
      return await template.fork(into);
    } catch (error) {
      void this.#drop(entry); // it died, or is stuck: the next one is new; its copies may live for long
      throw error;
    }
  }

  /** The version is out of date or gone. */
  retire(versionKey: string): void {
    const entry = this.#entries.get(versionKey);
    if (entry !== undefined) void this.#drop(entry);
  }

  /** Stops every template. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const entry of this.#entries.values()) void this.#drop(entry);
    await Promise.all(this.#leaving);
  }

  #entry(version: RunnableVersion): Entry {
    const { key } = version;
    const entry = this.#entries.get(key) ?? this.#create(version);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > templatesMax && oldest !== undefined) this.retire(oldest);
    return entry;
  }

  #create(version: RunnableVersion): Entry {
    const made = this.#make(version);
    const entry: Entry = { versionKey: version.key, made, dropped: null };
    made.then(
      ({ template, outcome }) => void this.#watch(entry, template, outcome),
      () => this.#drop(entry),
    );
    return entry;
  }

  async #make(version: RunnableVersion): Entry['made'] {
    if (this.#closed) throw new Error('the worker is closed');
    const parts = await this.#createTemplate(version);
    return { ...parts, outcome: parts.template.start(parts.booted) };
  }

  /** A template that failed or died is of no use: the next restore makes a new one. */
  async #watch(
    entry: Entry,
    template: SnapshotTemplate,
    outcome: Promise<SnapshotOutcome>,
  ): Promise<void> {
    if ((await outcome).type === 'ready') {
      template.freeze();
      await template.ended();
    }
    await this.#drop(entry);
  }

  /** Once, however often it is asked for; resolves when nothing of it is left. */
  #drop(entry: Entry): Promise<void> {
    if (this.#entries.get(entry.versionKey) === entry) this.#entries.delete(entry.versionKey);
    if (entry.dropped === null) {
      const dropped = this.#stop(entry);
      entry.dropped = dropped;
      this.#leaving.add(dropped);
      void dropped.then(() => this.#leaving.delete(dropped));
    }
    return entry.dropped;
  }

  async #stop({ made }: Entry): Promise<void> {
    const parts = await made.catch(() => null); // what could not be made has left nothing
    if (parts === null) return;
    try {
      await parts.template.stop();
    } catch (error) {
      this.#log.error({ error }, 'could not stop a SnapStart template');
    }
    parts.code.release();
  }
}

/** Throws what keeps a version from being restored. */
export function requireReady(outcome: SnapshotOutcome): void {
  if (outcome.type === 'ready') return;
  if (outcome.type === 'failed' && outcome.fault.type === 'host') throw outcome.fault.cause;
  throw new RestoreFailure('init');
}
