/**
 * One sandbox of the OCI driver: its folders and mounts on the host, its network namespace, and the
 * container of its main process, one after the other.
 *
 * On the host it is a folder in the driver's shared mount with three mount points: what is mounted there
 * appears inside at /var/task, /opt and /tmp, also while the container runs (late binding).
 */
import { once } from 'node:events';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { Server } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { assert } from '../../base/assert.ts';
import { delay } from '../../base/clock.ts';
import { MIB } from '../../model/limits.ts';
import type { ChildStatus } from '../native.ts';
import { inNetworkNamespace, listenTcp, mount, mountFlags, unmount } from '../native.ts';
import { PeakMemory } from '../peak-memory.ts';
import { createProcessStreams, discardStreams, type ProcessStreams } from '../process-streams.ts';
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
import { containerConfig } from './container-config.ts';
import type { OciParts } from './oci-parts.ts';
import type { SandboxNetwork } from './network.ts';
import { PidNamespace } from './pid-namespace.ts';
import { bindReadOnly } from './root-filesystem.ts';

/** Where every sandbox's Runtime API listens, in its own network namespace. */
const SERVE_ADDRESS = '127.0.0.1';
const SERVE_PORT = 9001;

/** Links followed when looking for an executable, as the kernel's bound. */
const LINKS_MAX = 40;

/** Between looks for what a failed start left behind. */
const STRAY_PAUSE_MS = 10;

/** The container that runs now. */
interface Running {
  readonly container: string;
  readonly pids: PidNamespace;
  readonly exited: Promise<ProcessExit>;
  readonly memory: PeakMemory;
}

export class OciSandbox implements Sandbox {
  readonly id: string;
  readonly paths: SandboxPaths;
  readonly #spec: SandboxSpec;
  readonly #parts: OciParts;
  readonly #network: SandboxNetwork;
  readonly #onDestroyed: () => void;
  readonly #folder: string;
  #limits: SandboxLimits;
  #isBound = false;
  #starts = 0;
  #isStarting = false;
  #running: Running | null = null;
  #isFrozen = false;
  #server: Server | null = null;
  #memoryPeakBytes = 0;
  /** What must have ended before the sandbox can be taken down: a start, a bind, a cleaning up. */
  readonly #pending = new Set<Promise<unknown>>();
  #destroyed: Promise<void> | null = null;

  private constructor(
    spec: SandboxSpec,
    parts: OciParts,
    network: SandboxNetwork,
    onDestroyed: () => void,
  ) {
    this.id = spec.id;
    this.#spec = spec;
    this.#parts = parts;
    this.#network = network;
    this.#onDestroyed = onDestroyed;
    this.#limits = spec.limits;
    this.#folder = join(parts.folders.boxes, spec.id);
    this.paths = {
      taskRoot: '/var/task',
      optRoot: '/opt',
      runtimeDir: '/var/runtime',
      languageDir: spec.languageDir === null ? null : '/var/lang',
      temporaryDir: '/tmp',
    };
  }

  static async create(
    spec: SandboxSpec,
    parts: OciParts,
    onDestroyed: () => void,
  ): Promise<OciSandbox> {
    const network = await parts.network.acquire();
    const sandbox = new OciSandbox(spec, parts, network, onDestroyed);
    try {
      for (const name of ['task', 'opt', 'tmp', 'bundle']) {
        mkdirSync(join(sandbox.#folder, name), { recursive: true });
      }
      await parts.storage.mountAt(sandbox.#at('tmp'), spec.limits.temporaryStorageMb);
      return sandbox;
    } catch (error) {
      await sandbox.destroy();
      throw error;
    }
  }

  #at(name: 'task' | 'opt' | 'tmp' | 'bundle'): string {
    return join(this.#folder, name);
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
    const { temporaryStorageMb } = this.#limits;
    this.#limits = binding.limits;
    if (temporaryStorageMb !== binding.limits.temporaryStorageMb) {
      // Over the empty one: nothing of the function has run, and what covers it appears inside.
      await this.#parts.storage.mountAt(this.#at('tmp'), binding.limits.temporaryStorageMb);
    }
    this.#mountReadOnly(binding.codeDir, this.#at('task'));
    this.#mountLayers(binding.layerDirs);
    this.#applyLimits();
  }

  /**
   * A mount that becomes read-only after it appeared inside would stay writable there. So it is made
   * and protected in a private place first, and then moved to the shared one as it is.
   */
  #mountReadOnly(source: string, target: string): void {
    const { staging } = this.#parts.folders;
    bindReadOnly(source, staging);
    this.#moveFromStaging(target);
  }

  #moveFromStaging(target: string): void {
    const { staging } = this.#parts.folders;
    try {
      mount(staging, target, null, mountFlags.move);
    } catch (error) {
      unmount(staging);
      throw error;
    }
  }

  #mountLayers(layerDirs: readonly string[]): void {
    const [first, ...others] = layerDirs;
    if (first === undefined) return;
    if (others.length === 0) {
      this.#mountReadOnly(first, this.#at('opt'));
      return;
    }
    // Highest first, and by descriptor: a path may hold the characters that separate overlay options.
    const descriptors = layerDirs.toReversed().map((layerDir) => openSync(layerDir, 'r'));
    try {
      const lower = descriptors.map((fd) => `/proc/self/fd/${fd}`).join(':');
      const flags = mountFlags.readOnly | mountFlags.noSuid | mountFlags.noDevices;
      mount('overlay', this.#at('opt'), 'overlay', flags, `lowerdir=${lower}`);
    } finally {
      for (const fd of descriptors) closeSync(fd);
    }
  }

  #applyLimits(): void {
    if (this.#running === null) return; // config.json has them at the next start
    const { container } = this.#running;
    this.#parts.cgroups.setMemoryLimit(container, this.#limits.memoryMb * MIB);
    this.#parts.cgroups.setCpus(container, this.#limits.cpus);
  }

  start(command: SandboxCommand): Promise<SandboxProcess> {
    return this.#track(this.#start(command));
  }

  async #start(command: SandboxCommand): Promise<SandboxProcess> {
    assert(this.#destroyed === null, `sandbox ${this.id} is not destroyed`);
    assert(this.#running === null && !this.#isStarting, `sandbox ${this.id} runs one process`);
    this.#requireExecutable(command.argv[0] ?? '');
    this.#isStarting = true;
    this.#starts += 1;
    const container = `${this.id}.${this.#starts}`;
    const streams = createProcessStreams(command.channel);
    const pids = new PidNamespace(
      this.#parts.lifeLine,
      `hearth-init ${this.#parts.instanceId} ${container}`,
    );
    try {
      return await this.#launch(container, command, streams, pids);
    } catch (error) {
      discardStreams(streams);
      await this.#endContainer(container, pids);
      throw error;
    } finally {
      this.#isStarting = false;
    }
  }

  /** Says so at once, instead of starting a container that ends with status 127. */
  #requireExecutable(path: string): void {
    const stat = statSync(this.#hostPathOf(path), { throwIfNoEntry: false });
    if (stat === undefined) throw new SandboxStartError(`cannot start ${path}: no such file`);
    if (!stat.isFile() || (stat.mode & 0o111) === 0) {
      throw new SandboxStartError(`cannot start ${path}: not an executable file`);
    }
  }

  /** Where a path inside is on the host; follows links of the last component as they point inside. */
  #hostPathOf(path: string): string {
    const places = [
      ['/var/task', this.#at('task')],
      ['/opt', this.#at('opt')],
      ['/tmp', this.#at('tmp')],
      ['/var/runtime', this.#spec.runtimeDir],
      ['/var/lang', this.#spec.languageDir ?? ''],
      ['', this.#parts.folders.root],
    ] as const;
    let inside = resolve('/', path);
    for (let links = 0; links < LINKS_MAX; links += 1) {
      const [place, folder] = places.find(([start]) => inside.startsWith(`${start}/`))!;
      const host = join(folder, inside.slice(place.length));
      if (!lstatSync(host, { throwIfNoEntry: false })?.isSymbolicLink()) return host;
      inside = resolve(dirname(inside), readlinkSync(host));
    }
    throw new SandboxStartError(`cannot start ${path}: too many links`);
  }

  async #launch(
    container: string,
    command: SandboxCommand,
    streams: ProcessStreams,
    pids: PidNamespace,
  ): Promise<SandboxProcess> {
    if (pids.path === null || pids.pid === null) {
      throw new SandboxStartError('/bin/sh cannot be started');
    }
    void this.#parts.cgroups.adoptInit(pids.pid);
    const config = containerConfig({
      rootFolder: this.#parts.folders.root,
      taskFolder: this.#at('task'),
      optFolder: this.#at('opt'),
      temporaryFolder: this.#at('tmp'),
      runtimeDir: this.#spec.runtimeDir,
      languageDir: this.#spec.languageDir,
      networkPath: this.#network.path,
      pidPath: pids.path,
      cgroupPath: this.#parts.cgroups.containerPath(container),
      limits: this.#limits,
      seccomp: this.#parts.seccomp,
      command,
    });
    writeFileSync(join(this.#at('bundle'), 'config.json'), JSON.stringify(config));
    const before = this.#limits;
    const { pid } = await this.#parts.runtime.run(container, this.#at('bundle'), streams);
    const status = this.#parts.reaper.wait(pid);
    const exited = this.#exitOf(container, pids, status);
    const memory = new PeakMemory(this.#parts.clock, pid, () =>
      this.#parts.cgroups.processes(container),
    );
    this.#running = { container, pids, exited, memory };
    if (this.#limits !== before) this.#applyLimits(); // bound while the runtime worked
    if (this.#destroyed !== null) this.#killAll(); // meanwhile
    return this.#handle(pid, status, exited, streams);
  }

  #handle(
    pid: number,
    status: Promise<ChildStatus | null>,
    exited: Promise<ProcessExit>,
    streams: ProcessStreams,
  ): SandboxProcess {
    let isRunning = true;
    // The pid is ours until we reap it: a signal sent while `isRunning` cannot hit a stranger.
    status.then(
      () => (isRunning = false),
      () => {},
    );
    return {
      channel: streams.channel,
      output: streams.output,
      drainOutput: () => streams.drainOutput(),
      exited,
      signal: (signal) => {
        if (isRunning) process.kill(pid, signal);
      },
      kill: () => {
        if (isRunning) this.#killAll();
        return exited;
      },
    };
  }

  #killAll(): void {
    if (this.#running === null) return;
    this.#running.pids.kill();
    this.thaw(); // version 1 does not let frozen processes die
  }

  /** The main process is gone: end the rest, learn why, clean up in the background. */
  async #exitOf(
    container: string,
    pids: PidNamespace,
    status: Promise<ChildStatus | null>,
  ): Promise<ProcessExit> {
    const ended = await status;
    this.#parts.cgroups.thaw(container);
    pids.kill();
    await pids.ended;
    const outOfMemory = this.#parts.cgroups.oomKills(container) > 0;
    this.#notePeak(ended?.residentPeakBytes ?? 0);
    if (outOfMemory) this.#notePeak(this.#limits.memoryMb * MIB);
    this.#running?.memory.close();
    this.#running = null;
    this.#isFrozen = false;
    this.#cleanUp(container);
    return { code: ended?.code ?? null, signal: ended?.signal ?? null, outOfMemory };
  }

  #cleanUp(container: string): void {
    const cleanup = this.#forget(container).catch((error: unknown) => {
      this.#parts.log.error({ container, error: String(error) }, 'container left behind');
    });
    void this.#track(cleanup);
  }

  async #forget(container: string): Promise<void> {
    await this.#parts.runtime.delete(container);
    await this.#parts.cgroups.remove(container);
  }

  /** After a start that failed at any point. */
  async #endContainer(container: string, pids: PidNamespace): Promise<void> {
    pids.kill();
    let isEnded = false;
    const ended = pids.ended.then(() => (isEnded = true));
    while (!isEnded) {
      this.#parts.reaper.reapStrays();
      await Promise.race([ended, delay(this.#parts.clock, STRAY_PAUSE_MS)]);
    }
    this.#cleanUp(container);
  }

  async serve(server: Server): Promise<string> {
    assert(this.#server === null, `sandbox ${this.id} serves one server`);
    this.#server = server;
    const fd = inNetworkNamespace(this.#network.fd, () => listenTcp(SERVE_ADDRESS, SERVE_PORT));
    server.listen({ fd });
    await once(server, 'listening');
    return `${SERVE_ADDRESS}:${SERVE_PORT}`;
  }

  async setCpus(cpus: number | null): Promise<void> {
    this.#limits = { ...this.#limits, cpus };
    if (this.#running !== null) this.#parts.cgroups.setCpus(this.#running.container, cpus);
  }

  freeze(): void {
    if (this.#isFrozen || this.#running === null) return;
    this.#isFrozen = true;
    this.#parts.cgroups.freeze(this.#running.container);
  }

  thaw(): void {
    if (!this.#isFrozen || this.#running === null) return;
    this.#isFrozen = false;
    this.#parts.cgroups.thaw(this.#running.container);
  }

  /**
   * Resident memory, as the real service reports, not the group's own peak: that one counts every file
   * page written to /tmp, which the kernel would give back. Of processes that came and went between two
   * looks only those that the main process waited for are seen, when it ends.
   */
  memoryPeakBytes(): number {
    if (this.#running !== null) this.#notePeak(this.#running.memory.read());
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
    this.#killAll();
    // A start that is under way ends what it started, because it sees that the sandbox is going.
    while (this.#pending.size > 0)
      await Promise.allSettled([...this.#pending, this.#running?.exited]);
    await this.#running?.exited;
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    this.#server?.close();
    this.#parts.network.release(this.#network);
    for (const name of ['task', 'opt', 'tmp'] as const) {
      while (unmount(this.#at(name))); // /tmp may have two, one over the other
      removeFolder(this.#at(name));
    }
    rmSync(this.#at('bundle'), { recursive: true, force: true });
    removeFolder(this.#folder);
    this.#onDestroyed();
  }
}

/** Removes an empty folder: never more, for a function's code may have been mounted there. */
function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
