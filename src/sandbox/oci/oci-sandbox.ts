/**
 * One sandbox of the OCI driver: a box on the host and the container of its main process, one after the
 * other. The box may come with a container that waits for the first command (blank-box.ts).
 */
import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { Server } from 'node:net';
import { assert } from '../../base/assert.ts';
import { MIB } from '../../model/limits.ts';
import { inNetworkNamespace, listenTcp } from '../native.ts';
import {
  SandboxStartError,
  type ProcessExit,
  type Sandbox,
  type SandboxBinding,
  type SandboxCommand,
  type SandboxLimits,
  type SandboxPaths,
  type SandboxProcess,
  type SandboxSpec,
} from '../sandbox.ts';
import type { BlankBox } from './blank-box.ts';
import { Box } from './box.ts';
import { Container, type ContainerEnd } from './container.ts';
import type { OciParts } from './oci-parts.ts';

/** Where every sandbox's Runtime API listens, in its own network namespace. */
const SERVE_ADDRESS = '127.0.0.1';
const SERVE_PORT = 9001;

/** What the driver wants to know of a sandbox. */
export interface SandboxEvents {
  readonly onStart: () => void;
  readonly onDestroyed: () => void;
}

/** The container that runs the sandbox's command. */
interface Running {
  readonly container: Container;
  readonly exited: Promise<ProcessExit>;
}

export class OciSandbox implements Sandbox {
  readonly id: string;
  readonly paths: SandboxPaths;
  readonly #parts: OciParts;
  readonly #box: Box;
  readonly #events: SandboxEvents;
  /** Its container waits for the first command; null when there is none, or it has got it. */
  #blank: BlankBox | null;
  #limits: SandboxLimits;
  #isBound = false;
  #isStarting = false;
  #running: Running | null = null;
  #server: Server | null = null;
  #memoryPeakBytes = 0;
  /** What must have ended before the sandbox can be taken down: a start, a bind, a cleaning up. */
  readonly #pending = new Set<Promise<unknown>>();
  #destroyed: Promise<void> | null = null;

  private constructor(
    spec: SandboxSpec,
    parts: OciParts,
    events: SandboxEvents,
    origin: { readonly box: Box; readonly blank: BlankBox | null },
  ) {
    this.id = spec.id;
    this.#parts = parts;
    this.#box = origin.box;
    this.#blank = origin.blank;
    this.#events = events;
    this.#limits = spec.limits;
    this.paths = {
      taskRoot: '/var/task',
      optRoot: '/opt',
      runtimeDir: '/var/runtime',
      languageDir: spec.languageDir === null ? null : '/var/lang',
      temporaryDir: '/tmp',
    };
  }

  /** In the box of `blank`, which is its own from now on, or in a new one. */
  static async create(
    spec: SandboxSpec,
    parts: OciParts,
    events: SandboxEvents,
    blank: BlankBox | null,
  ): Promise<OciSandbox> {
    const sizeMb = spec.limits.temporaryStorageMb;
    const box = blank?.box ?? (await Box.create(parts, spec.id, sizeMb));
    const sandbox = new OciSandbox(spec, parts, events, { box, blank });
    try {
      box.mountReadOnly(spec.runtimeDir, '/var/runtime');
      if (spec.languageDir !== null) box.mountReadOnly(spec.languageDir, '/var/lang');
      blank?.container.limit(spec.limits);
      await box.sizeTemporary(sizeMb);
      return sandbox;
    } catch (error) {
      await sandbox.destroy();
      throw error;
    }
  }

  /** Makes `destroy` wait for it, however it ends. */
  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const forget = (): void => void this.#pending.delete(work);
    work.then(forget, forget);
    return work;
  }

  bind(binding: SandboxBinding): Promise<void> {
    return this.#track(this.#bind(binding));
  }

  async #bind(binding: SandboxBinding): Promise<void> {
    assert(!this.#isBound, `sandbox ${this.id} is bound once`);
    assert(this.#destroyed === null, `sandbox ${this.id} is not destroyed`);
    this.#isBound = true;
    this.#limits = binding.limits;
    // Nothing of the function has run yet, so its /tmp is still empty.
    await this.#box.sizeTemporary(binding.limits.temporaryStorageMb);
    this.#box.mountReadOnly(binding.codeDir, '/var/task');
    this.#box.mountLayers(binding.layerDirs);
    this.#applyLimits();
  }

  /** To the container there is; a later one starts with them. */
  #applyLimits(): void {
    const container = this.#running?.container ?? this.#blank?.container;
    container?.limit(this.#limits);
  }

  start(command: SandboxCommand): Promise<SandboxProcess> {
    return this.#track(this.#start(command));
  }

  async #start(command: SandboxCommand): Promise<SandboxProcess> {
    assert(this.#destroyed === null, `sandbox ${this.id} is not destroyed`);
    assert(this.#running === null && !this.#isStarting, `sandbox ${this.id} runs one process`);
    this.#events.onStart();
    this.#requireExecutable(command.argv[0] ?? '');
    this.#requireFolder(command.cwd);
    this.#isStarting = true;
    try {
      const container = this.#startInBlank(command) ?? (await this.#startContainer(command));
      return this.#run(container, command.channel);
    } finally {
      this.#isStarting = false;
    }
  }

  /** Says so at once, instead of starting a container that ends with status 127. */
  #requireExecutable(path: string): void {
    const stat = statSync(this.#box.hostPathOf(path), { throwIfNoEntry: false });
    if (stat === undefined) throw new SandboxStartError(`cannot start ${path}: no such file`);
    if (!stat.isFile() || (stat.mode & 0o111) === 0) {
      throw new SandboxStartError(`cannot start ${path}: not an executable file`);
    }
  }

  /** Runtimes make a working folder that is missing, and in the root that all sandboxes share. */
  #requireFolder(path: string): void {
    const stat = statSync(this.#box.hostPathOf(path), { throwIfNoEntry: false });
    if (stat?.isDirectory() !== true) {
      throw new SandboxStartError(`cannot start in ${path}: no such folder`);
    }
  }

  #startInBlank(command: SandboxCommand): Container | null {
    const blank = this.#blank;
    if (blank === null) return null;
    this.#blank = null;
    if (blank.run(command)) return blank.container;
    void this.#track(blank.endContainer());
    return null;
  }

  async #startContainer(command: SandboxCommand): Promise<Container> {
    const options = { limits: this.#limits, command };
    return Container.start(this.#parts, this.#box, options);
  }

  #run(container: Container, withChannel: boolean): SandboxProcess {
    const { streams } = container;
    const exited = container.ended.then((end) => this.#onEnd(end));
    this.#running = { container, exited };
    void this.#track(container.forgotten);
    container.limit(this.#limits); // bound while the runtime worked
    if (this.#destroyed !== null) container.kill(); // meanwhile
    return {
      channel: withChannel ? streams.channel : null,
      output: streams.output,
      drainOutput: () => streams.drainOutput(),
      exited,
      signal: (signal) => container.signal(signal),
      kill: () => {
        if (container.isRunning) container.kill();
        return exited;
      },
    };
  }

  #onEnd({ status, outOfMemory }: ContainerEnd): ProcessExit {
    this.#notePeak(status?.residentPeakBytes ?? 0);
    if (outOfMemory) this.#notePeak(this.#limits.memoryMb * MIB);
    this.#running = null;
    return { code: status?.code ?? null, signal: status?.signal ?? null, outOfMemory };
  }

  async serve(server: Server): Promise<string> {
    assert(this.#server === null, `sandbox ${this.id} serves one server`);
    this.#server = server;
    const fd = inNetworkNamespace(this.#box.network.fd, () => listenTcp(SERVE_ADDRESS, SERVE_PORT));
    server.listen({ fd });
    await once(server, 'listening');
    return `${SERVE_ADDRESS}:${SERVE_PORT}`;
  }

  async setCpus(cpus: number | null): Promise<void> {
    this.#limits = { ...this.#limits, cpus };
    this.#applyLimits();
  }

  freeze(): void {
    this.#running?.container.freeze();
  }

  thaw(): void {
    this.#running?.container.thaw();
  }

  /**
   * Resident memory, as the real service reports, not the group's own peak: that one counts every file
   * page written to /tmp, which the kernel would give back. Of processes that came and went between two
   * looks only those that the main process waited for are seen, when it ends.
   */
  memoryPeakBytes(): number {
    if (this.#running !== null) this.#notePeak(this.#running.container.memoryPeakBytes());
    return this.#memoryPeakBytes;
  }

  #notePeak(bytes: number): void {
    const bounded = Math.min(bytes, this.#limits.memoryMb * MIB);
    this.#memoryPeakBytes = Math.max(this.#memoryPeakBytes, bounded);
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    this.#running?.container.kill();
    // A start that is under way ends what it started, because it sees that the sandbox is going.
    while (this.#pending.size > 0)
      await Promise.allSettled([...this.#pending, this.#running?.exited]);
    await this.#running?.exited;
    if (this.#blank !== null) await this.#blank.endContainer();
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    this.#server?.close();
    this.#box.remove();
    this.#events.onDestroyed();
  }
}
