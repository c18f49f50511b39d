/**
 * One sandbox of the OCI driver: a box on the host and the container of its processes, one after the other.
 * A container may wait for the main process (waiting-shell.ts): one that the box came with (blank-box.ts),
 * or one that was started for processes beside it.
 */
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { Socket, type Server } from 'node:net';
import { assert } from '../../base/assert.ts';
import { delay } from '../../base/clock.ts';
import { MIB } from '../../model/limits.ts';
import { requireRoomBeside } from '../beside.ts';
import { LoopbackConnections } from '../loopback-connections.ts';
import { createTcpSocket, inNetworkNamespace, listenTcp } from '../native.ts';
import {
  ForkSourceGoneError,
  SandboxStartError,
  type ForkSource,
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
import { Container } from './container.ts';
import type { ContainerEnd, ContainerProcess } from './container-process.ts';
import { CopyOwner, helperName } from './copy-owner.ts';
import { ForkedContainer } from './forked-container.ts';
import type { OciParts } from './oci-parts.ts';
import { untilReading } from './traced-steps.ts';
import { WaitingShell } from './waiting-shell.ts';
import { WorkSet } from '../../base/work-set.ts';

/** Where every sandbox's Runtime API listens, in its own network namespace. */
const SERVE_ADDRESS = '127.0.0.1';
const SERVE_PORT = 9001;
/** Descriptor of the channel in a sandbox. */
const CHANNEL = 3;

/** The kernel may have much to write before /tmp of an ended copy is free; until then its room is not given back. */
export const heldMsMax = 10_000;
const HELD_PAUSE_MS = 10;

/** What the driver wants to know of a sandbox. */
export interface SandboxEvents {
  readonly onStart: () => void;
  readonly onDestroyed: () => void;
}

export class OciSandbox implements Sandbox {
  readonly id: string;
  readonly isFromStandby: boolean;
  readonly paths: SandboxPaths;
  readonly #parts: OciParts;
  readonly #box: Box;
  readonly #events: SandboxEvents;
  readonly #connections: LoopbackConnections;
  /** It waits for the main process; null when there is none, or it has got it. */
  #shell: WaitingShell | null;
  #limits: SandboxLimits;
  #isBound = false;
  readonly #startsAsCopy: boolean;
  /** Where something of the sandbox runs, or is about to: perhaps that of the shell. */
  #container: Container | ForkedContainer | null = null;
  /** Of its main process, if that can be copied. */
  #copyOwner: CopyOwner | null = null;
  /** Copies of its main process in other sandboxes, which end with its container at the latest. */
  readonly #copies = new WorkSet();
  /** Memory of copies that have ended, which its container or other copies hold on to. */
  #leftBytes = 0;
  /** Its main process and all copies of it are killed for what those have left. */
  #isGivenUp = false;
  /** What its main process was copied from. */
  #origin: OciSandbox | null = null;
  /** Ends when nobody is choosing or starting the container. */
  #turn: Promise<unknown> = Promise.resolve();
  #hasMain = false;
  /** It did while others were beside it: they have to be killed before anything can start. */
  #hasMainEnded = false;
  /** Processes beside the main one that run or are being started. */
  #besideCount = 0;
  #isFrozen = false;
  #server: Server | null = null;
  #memoryPeakBytes = 0;
  readonly #starts = new WorkSet();
  /** Ends of processes. */
  readonly #ends = new WorkSet();
  /** What else must have ended before the sandbox can be taken down: a bind, a cleaning up. */
  readonly #pending = new WorkSet();
  #killsUnderWay = 0;
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
    this.isFromStandby = origin.blank !== null;
    this.#shell = origin.blank?.shell ?? null;
    this.#events = events;
    this.#connections = new LoopbackConnections(parts.clock, () => {
      const fd = inNetworkNamespace(this.#box.network.fd, createTcpSocket);
      return new Socket({ fd });
    });
    this.#limits = spec.limits;
    this.#startsAsCopy = spec.startsAsCopy ?? false;
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
      blank?.shell.container.limit(spec.limits);
      await box.sizeTemporary(sizeMb);
      return sandbox;
    } catch (error) {
      await sandbox.destroy();
      throw error;
    }
  }

  bind(binding: SandboxBinding): Promise<void> {
    return this.#pending.add(this.#bind(binding));
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
    const container = this.#container ?? this.#shell?.container;
    container?.limit(this.#limits);
  }

  start(command: SandboxCommand): Promise<SandboxProcess> {
    return this.#starts.add(this.#start(command));
  }

  async #start(command: SandboxCommand): Promise<SandboxProcess> {
    assert(!this.#hasMain, `sandbox ${this.id} runs one main process`);
    this.#requireStartable(command);
    this.#hasMain = true;
    try {
      const main = await this.#inTurn(() => this.#startMain(command));
      const onEnd = (): void => {
        this.#hasMain = false;
        this.#hasMainEnded = this.#container !== null;
      };
      return this.#present(main, command, onEnd);
    } catch (error) {
      this.#hasMain = false;
      throw error;
    }
  }

  startBeside(command: SandboxCommand): Promise<SandboxProcess> {
    return this.#starts.add(this.#startBeside(command));
  }

  async #startBeside(command: SandboxCommand): Promise<SandboxProcess> {
    this.#requireStartable(command);
    requireRoomBeside(command, this.#besideCount);
    this.#besideCount += 1;
    try {
      const container = await this.#inTurn(() => this.#sharedContainer());
      const beside = await container.exec(command);
      return this.#present(beside, command, () => (this.#besideCount -= 1));
    } catch (error) {
      this.#besideCount -= 1;
      throw error;
    }
  }

  #requireStartable(command: SandboxCommand): void {
    assert(this.#destroyed === null, `sandbox ${this.id} is not destroyed`);
    if (this.#hasMainEnded) throw new SandboxStartError('cannot start: the main process has ended');
    this.#events.onStart();
    this.#requireExecutable(command.argv[0] ?? '');
    this.#requireFolder(command.cwd);
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

  async #startMain(command: SandboxCommand): Promise<ContainerProcess> {
    await this.#listenIn(this.#box.network.fd);
    const shell = this.#shell;
    this.#shell = null;
    if (shell?.run(command)) {
      this.#adopt(shell.container);
      return shell.container.first;
    }
    // The shell could not become the command; where others run beside it, it waits on for nothing.
    if (this.#container?.hasOthers === true) return this.#container.exec(command);
    this.#container = null;
    if (shell !== null) void this.#pending.add(shell.end());
    const options = { limits: this.#limits, command };
    const container = await Container.start(this.#parts, this.#box, options);
    this.#adopt(container);
    return container.first;
  }

  prepareFork(): Promise<void> {
    return this.#pending.add(this.#prepareFork());
  }

  async #prepareFork(): Promise<void> {
    const container = this.#container;
    const isEarly = !this.#isBound && container !== null && this.#copyOwner === null;
    assert(isEarly, `sandbox ${this.id} has a main process, and no function yet`);
    const { clock, cgroups, instanceId, lifeLine, reaper } = this.#parts;
    const { pid } = container.first;
    const options = { pid, name: helperName(instanceId, container.name), lifeLine };
    try {
      await untilReading(clock, pid, CHANNEL);
      // Any other would have power over the copies (copy-owner.ts).
      if (cgroups.processes(container.name).length !== 1) throw new Error('it is not alone');
      this.#copyOwner = await reaper.sparing(pid, () => CopyOwner.prepare(clock, options));
    } catch (error) {
      container.kill();
      throw new SandboxStartError(`cannot be copied: ${String(error)}`, { cause: error });
    }
  }

  startFork(source: ForkSource): Promise<SandboxProcess> {
    return this.#starts.add(this.#startFork(source));
  }

  async #startFork(source: ForkSource): Promise<SandboxProcess> {
    assert(!this.#hasMain && this.#isBound, `sandbox ${this.id} is bound and has no main process`);
    assert(this.#destroyed === null, `sandbox ${this.id} is not destroyed`);
    assert(source.sandbox instanceof OciSandbox, 'the other sandbox is of this driver, too');
    if (this.#hasMainEnded) throw new SandboxStartError('cannot start: the main process has ended');
    this.#hasMain = true;
    try {
      const container = await this.#inTurn(() =>
        this.#copyFrom(source.sandbox as OciSandbox, source),
      );
      const onEnd = (): void => {
        this.#hasMain = false;
        this.#hasMainEnded = this.#container !== null;
      };
      return this.#present(container.first, { channel: true }, onEnd);
    } catch (error) {
      this.#hasMain = false;
      throw error;
    }
  }

  async #copyFrom(origin: OciSandbox, source: ForkSource): Promise<ForkedContainer> {
    const from = origin.#container?.name;
    const owner = origin.#copyOwner;
    if (from === undefined || origin.#isGivenUp) throw new ForkSourceGoneError('it has ended');
    if (owner === null) throw new SandboxStartError('there is nothing that can be copied');
    this.#origin = origin;
    try {
      this.#box.inheritTemporary(origin.#box);
      const onLeft = (bytes: number): void => origin.#noteLeft(bytes);
      const options = { limits: this.#limits, source, from, owner, onLeft };
      const container = await ForkedContainer.start(this.#parts, this.#box, options);
      void origin.#copies.add(container.forgotten);
      this.#adopt(container);
      await this.#listenIn(container.network.fd);
      return container;
    } catch (error) {
      this.#container?.kill();
      await this.#container?.ended;
      await this.#box.renewTemporary();
      throw error;
    }
  }

  /**
   * What ended copies have left to processes beside them counts for nobody any more. It goes with the
   * container, in which all of those are.
   */
  #noteLeft(bytes: number): void {
    this.#leftBytes += bytes;
    if (this.#leftBytes <= this.#limits.memoryMb * MIB) return;
    this.#giveUp('memory');
  }

  #giveUp(what: string): void {
    if (this.#container === null || this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#parts.log.warn({ sandbox: this.id, what }, 'copies of a process leave too much behind');
    this.#container.kill();
  }

  /** Its disk is free again; else what holds it is killed, which is among the copies or what they were made of. */
  async #untilReleased(): Promise<void> {
    const { clock } = this.#parts;
    const startedAtMs = clock.monotonicMs();
    while (this.#box.isHeld) {
      if (clock.monotonicMs() - startedAtMs >= heldMsMax) {
        if (this.#origin !== null) this.#origin.#giveUp('disk');
        return;
      }
      await delay(clock, HELD_PAUSE_MS);
    }
  }

  /** The container of the main process, or one that waits for it. */
  async #sharedContainer(): Promise<Container | ForkedContainer> {
    if (this.#container !== null) return this.#container;
    if (this.#shell?.container.first.isRunning !== true) {
      if (this.#shell !== null) void this.#pending.add(this.#shell.end());
      this.#shell = null;
      this.#shell = await WaitingShell.start(this.#parts, this.#box, this.#limits);
    }
    this.#adopt(this.#shell.container);
    return this.#shell.container;
  }

  /** One after the other: who comes later finds the container of who came first. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** From now on it is the sandbox's. */
  #adopt(container: Container | ForkedContainer): void {
    if (this.#container === container) return;
    this.#container = container;
    const leave = (): void => this.#leave(container);
    container.ended.then(leave, leave);
    void this.#pending.add(container.forgotten);
    container.limit(this.#limits); // bound while the runtime worked
    if (this.#killsUnderWay > 0 || this.#destroyed !== null) container.kill(); // meanwhile
  }

  #leave(container: Container | ForkedContainer): void {
    if (this.#container !== container) return;
    this.#container = null;
    this.#hasMainEnded = false;
    this.#isFrozen = false;
    if (this.#shell?.container === container) this.#shell = null;
  }

  #present(
    started: ContainerProcess,
    command: Pick<SandboxCommand, 'channel'>,
    onEnd: () => void,
  ): SandboxProcess {
    const { streams } = started;
    const container = this.#container;
    if (this.#isFrozen) container?.freeze(); // meanwhile
    const ended = this.#ends.add(started.ended.finally(onEnd));
    const exited = ended.then((end) => this.#exitOf(end));
    return {
      channel: command.channel ? streams.channel : null,
      output: streams.output,
      drainOutput: () => streams.drainOutput(),
      sendDescriptors: (bytes, descriptors) => streams.sendDescriptors(bytes, descriptors),
      exited,
      signal: (signal) => started.signal(signal),
      kill: () => {
        if (container?.first === started && !container.hasOthers) container.kill();
        else started.kill();
        return exited;
      },
    };
  }

  #exitOf({ status, outOfMemory }: ContainerEnd): ProcessExit {
    this.#notePeak(status?.residentPeakBytes ?? 0);
    if (outOfMemory) this.#notePeak(this.#limits.memoryMb * MIB);
    return { code: status?.code ?? null, signal: status?.signal ?? null, outOfMemory };
  }

  async serve(server: Server): Promise<string> {
    assert(this.#server === null, `sandbox ${this.id} serves one server`);
    this.#server = server;
    // A copied process will have a network namespace of its own.
    if (!this.#startsAsCopy) await this.#listenIn(this.#box.network.fd);
    return `${SERVE_ADDRESS}:${SERVE_PORT}`;
  }

  /** Unless it does so already. */
  async #listenIn(networkFd: number): Promise<void> {
    const server = this.#server;
    if (server === null || server.listening) return;
    const fd = inNetworkNamespace(networkFd, () => listenTcp(SERVE_ADDRESS, SERVE_PORT));
    server.listen({ fd });
    await once(server, 'listening');
  }

  connect(port: number): Promise<Socket> {
    return this.#connections.open(port);
  }

  async setCpus(cpus: number | null): Promise<void> {
    this.#limits = { ...this.#limits, cpus };
    this.#applyLimits();
  }

  freeze(): void {
    if (this.#container === null && this.#starts.isEmpty) return; // nothing to stop
    this.#isFrozen = true;
    this.#container?.freeze();
  }

  thaw(): void {
    this.#isFrozen = false;
    this.#container?.thaw();
  }

  /**
   * Resident memory, as the real service reports, not the group's own peak: that one counts every file
   * page written to /tmp, which the kernel would give back. Of processes that came and went between two
   * looks only those that the main process waited for are seen, when it ends.
   */
  memoryPeakBytes(): number {
    if (this.#container !== null) this.#notePeak(this.#container.memoryPeakBytes());
    return this.#memoryPeakBytes;
  }

  #notePeak(bytes: number): void {
    const bounded = Math.min(bytes, this.#limits.memoryMb * MIB);
    this.#memoryPeakBytes = Math.max(this.#memoryPeakBytes, bounded);
  }

  async kill(): Promise<void> {
    this.#killsUnderWay += 1;
    try {
      await this.#end();
    } finally {
      this.#killsUnderWay -= 1;
    }
  }

  /** A start that is under way ends what it started, because it sees that the sandbox is going. */
  async #end(): Promise<void> {
    while (this.#container !== null || !this.#starts.isEmpty) {
      this.#container?.kill();
      await Promise.allSettled([this.#starts.settled(), this.#container?.ended]);
    }
    await this.#ends.settled();
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    // They are in its container's pid namespace and have its mounts.
    await this.#copies.settled();
    await this.#end();
    if (this.#shell !== null) await this.#shell.end();
    await this.#pending.settled();
    this.#copyOwner?.close();
    this.#connections.close();
    this.#server?.close();
    this.#box.remove();
    if (this.#origin !== null) await this.#untilReleased();
    this.#events.onDestroyed();
  }
}
