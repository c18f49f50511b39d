/** One sandbox of the process driver: process groups, a temporary folder, and nothing else. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { Socket, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { requireRoomBeside } from '../beside.ts';
import { askForCopy, type ForkedProcess } from '../forked-process.ts';
import { LoopbackConnections } from '../loopback-connections.ts';
import { isLinux, setMark, withInheritedMark } from '../native.ts';
import { createProcessStreams, discardStreams, type ProcessStreams } from '../process-streams.ts';
import {
  SandboxStartError,
  type ForkSource,
  type ProcessExit,
  type Sandbox,
  type SandboxBinding,
  type SandboxCommand,
  type SandboxPaths,
  type SandboxProcess,
  type SandboxSpec,
} from '../sandbox.ts';
import { mergeLayers } from './merge-layers.ts';
import { sendSignal } from '../send-signal.ts';
import { killMarked } from './process-mark.ts';
import { PeakMemory } from '../peak-memory.ts';
import { processTree } from './process-table.ts';
import { WorkSet } from '../../base/work-set.ts';

export interface ProcessSandboxParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The sandbox's own folder; removed on destroy. */
  readonly folder: string;
  /** What its processes carry (see process-mark.ts). */
  readonly mark: bigint;
  onDestroyed(): void;
}

/** A process that was started here: the leader of a group of its own. */
interface Running {
  readonly pid: number;
  readonly memory: PeakMemory;
}

export class ProcessSandbox implements Sandbox {
  readonly id: string;
  readonly isFromStandby = false;
  /** Where the copy of a process can be found by its mark. */
  readonly startFork?: (source: ForkSource) => Promise<SandboxProcess>;
  readonly #spec: SandboxSpec;
  readonly #parts: ProcessSandboxParts;
  #binding: SandboxBinding | null = null;
  #optRoot: string;
  readonly #connections: LoopbackConnections;
  readonly #running = new Set<Running>();
  #hasMain = false;
  /** Something was started beside the main process since the last time that nothing ran. */
  #hasBeside = false;
  /** Processes beside the main one that run or are being started. */
  #besideCount = 0;
  /** It did while others were beside it: they have to be killed before anything can start. */
  #hasMainEnded = false;
  readonly #binds = new WorkSet();
  readonly #starts = new WorkSet();
  /** Ends of processes, which may take others with them. */
  readonly #ends = new WorkSet();
  #killsUnderWay = 0;
  #frozen = false;
  #server: Server | null = null;
  #memoryPeakBytes = 0;
  #destroyed: Promise<void> | null = null;

  constructor(spec: SandboxSpec, parts: ProcessSandboxParts) {
    this.id = spec.id;
    this.#spec = spec;
    this.#parts = parts;
    this.#optRoot = join(parts.folder, 'opt');
    this.#connections = new LoopbackConnections(parts.clock, () => new Socket());
    if (isLinux) this.startFork = (source) => this.#starts.add(this.#startFork(source));
  }

  get paths(): SandboxPaths {
    return {
      taskRoot: this.#binding?.codeDir ?? '',
      optRoot: this.#optRoot,
      runtimeDir: this.#spec.runtimeDir,
      languageDir: this.#spec.languageDir,
      temporaryDir: join(this.#parts.folder, 'tmp'),
    };
  }

  bind(binding: SandboxBinding): Promise<void> {
    return this.#binds.add(this.#bind(binding));
  }

  async #bind(binding: SandboxBinding): Promise<void> {
    assert(this.#binding === null, `sandbox ${this.id} is bound once`);
    this.#binding = binding;
    const [first, ...others] = binding.layerDirs;
    if (first === undefined) await mkdir(this.#optRoot, { recursive: true });
    else if (others.length === 0) this.#optRoot = first;
    else await mergeLayers(binding.layerDirs, this.#optRoot);
  }

  start(command: SandboxCommand): Promise<SandboxProcess> {
    return this.#starts.add(this.#start(command));
  }

  #start(command: SandboxCommand): Promise<SandboxProcess> {
    return this.#startMain(() => this.#launch(command, (pid) => this.#onMainEnd(pid)));
  }

  async #startFork(source: ForkSource): Promise<SandboxProcess> {
    assert(this.#binding !== null, `sandbox ${this.id} is bound before its process is copied`);
    return this.#startMain(() => this.#fork(source));
  }

  async #startMain(launch: () => Promise<SandboxProcess>): Promise<SandboxProcess> {
    assert(!this.#hasMain, `sandbox ${this.id} runs one main process`);
    this.#requireStartable();
    this.#hasMain = true;
    try {
      return await launch();
    } catch (error) {
      this.#hasMain = false;
      throw error;
    }
  }

  startBeside(command: SandboxCommand): Promise<SandboxProcess> {
    return this.#starts.add(this.#startBeside(command));
  }

  async #startBeside(command: SandboxCommand): Promise<SandboxProcess> {
    this.#requireStartable();
    requireRoomBeside(command, this.#besideCount);
    this.#besideCount += 1;
    const onEnd = async (pid: number): Promise<void> => {
      this.#besideCount -= 1;
      killGroup(pid);
    };
    try {
      const started = await this.#launch(command, onEnd);
      this.#hasBeside = true;
      return started;
    } catch (error) {
      this.#besideCount -= 1;
      throw error;
    }
  }

  #requireStartable(): void {
    assert(this.#destroyed === null, `sandbox ${this.id} is not destroyed`);
    if (this.#hasMainEnded) throw new SandboxStartError('cannot start: the main process has ended');
  }

  async #launch(
    command: SandboxCommand,
    onEnd: (pid: number) => Promise<void>,
  ): Promise<SandboxProcess> {
    const streams = createProcessStreams(this.#parts.clock, command.channel);
    try {
      const child = await this.#spawn(command, streams);
      const pid = child.pid!;
      return this.#follow({ pid, mainPid: pid, ended: endOf(child) }, streams, onEnd);
    } catch (error) {
      discardStreams(streams);
      throw error;
    }
  }

  async #fork(source: ForkSource): Promise<SandboxProcess> {
    const streams = createProcessStreams(this.#parts.clock, true);
    try {
      const forked = await askForCopy(this.#parts.clock, source, streams);
      // Nothing of the function has run since the copy was made.
      for (const pid of [forked.pid, forked.mainPid]) setMark(pid, this.#parts.mark);
      return this.#follow(forked, streams, (pid) => this.#onMainEnd(pid));
    } catch (error) {
      discardStreams(streams);
      throw new SandboxStartError(`cannot copy a process: ${String(error)}`, { cause: error });
    }
  }

  async #spawn(command: SandboxCommand, streams: ProcessStreams): Promise<ChildProcess> {
    const [executable, ...args] = command.argv;
    assert(executable !== undefined, 'a command has an executable');
    const launch = (): ChildProcess =>
      spawn(executable, args, {
        cwd: command.cwd,
        env: command.env,
        stdio: [...streams.stdio],
        detached: true, // a session and group of its own
      });
    try {
      const child = isLinux ? withInheritedMark(this.#parts.mark, launch) : launch();
      streams.releaseChildEnds();
      await once(child, 'spawn');
      return child;
    } catch (error) {
      throw new SandboxStartError(`cannot start ${executable}: ${String(error)}`, { cause: error });
    }
  }

  #follow(
    { pid, mainPid, ended }: ForkedProcess,
    streams: ProcessStreams,
    onEnd: (pid: number) => Promise<void>,
  ): SandboxProcess {
    const memory = new PeakMemory(this.#parts.clock, mainPid, () => processTree(mainPid));
    const running = { pid, memory };
    this.#running.add(running);
    if (this.#frozen) sendSignal(-pid, 'SIGSTOP'); // meanwhile
    if (this.#killsUnderWay > 0) killGroup(pid);
    // Its last words may be waiting for their turn.
    void ended.then(() => streams.drainOutput());
    const exited = this.#ends.add(this.#exitOf(ended, running, onEnd));
    return {
      channel: streams.channel,
      output: streams.output,
      drainOutput: () => streams.drainOutput(),
      sendDescriptors: (bytes, descriptors) => streams.sendDescriptors(bytes, descriptors),
      exited,
      signal: (signal) => {
        if (this.#running.has(running)) sendSignal(mainPid, signal);
      },
      kill: () => {
        if (this.#running.has(running)) killGroup(pid);
        return exited;
      },
    };
  }

  async #exitOf(
    ended: ForkedProcess['ended'],
    running: Running,
    onEnd: (pid: number) => Promise<void>,
  ): Promise<ProcessExit> {
    const { code, signal } = await ended;
    this.#running.delete(running);
    running.memory.close();
    await onEnd(running.pid);
    return { code, signal, outOfMemory: false };
  }

  /** With nothing beside it, its end is that of all that carries the sandbox's mark. */
  async #onMainEnd(pid: number): Promise<void> {
    killGroup(pid);
    await this.#starts.settled();
    if (this.#hasBeside) this.#hasMainEnded = true;
    else {
      await this.#killMarked();
      this.#frozen = false;
    }
    this.#hasMain = false;
  }

  async #killMarked(): Promise<void> {
    if (isLinux) await killMarked(this.#parts.clock, (mark) => mark === this.#parts.mark);
  }

  async serve(server: Server): Promise<string> {
    assert(this.#server === null, `sandbox ${this.id} serves one server`);
    this.#server = server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { address, port } = server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  connect(port: number): Promise<Socket> {
    return this.#connections.open(port);
  }

  async setCpus(): Promise<void> {
    // Not enforced: a notice of the driver says so.
  }

  freeze(): void {
    if (this.#frozen || (this.#running.size === 0 && this.#starts.isEmpty)) return;
    this.#frozen = true;
    this.#signalGroups('SIGSTOP');
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.#signalGroups('SIGCONT');
  }

  #signalGroups(signal: NodeJS.Signals): void {
    for (const { pid } of this.#running) sendSignal(-pid, signal);
  }

  memoryPeakBytes(): number {
    let bytes = 0;
    for (const { memory } of this.#running) bytes += memory.read();
    this.#memoryPeakBytes = Math.max(this.#memoryPeakBytes, bytes);
    return this.#memoryPeakBytes;
  }

  async kill(): Promise<void> {
    this.#killsUnderWay += 1;
    try {
      this.#signalGroups('SIGKILL');
      await this.#starts.settled();
      await this.#ends.settled();
      if (this.#hasBeside) await this.#killMarked(); // the main process's end has done it otherwise
    } finally {
      this.#killsUnderWay -= 1;
    }
    this.#hasBeside = false;
    this.#hasMainEnded = false;
    this.#frozen = false;
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    await this.kill();
    await this.#binds.settled();
    this.#connections.close();
    this.#server?.close();
    await rm(this.#parts.folder, { recursive: true, force: true });
    this.#parts.onDestroyed();
  }
}

function endOf(child: ChildProcess): ForkedProcess['ended'] {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function killGroup(pid: number): void {
  sendSignal(-pid, 'SIGKILL');
}
