/** One sandbox of the process driver: a process group, a temporary folder, and nothing else. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { isLinux, withInheritedMark } from '../native.ts';
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
import { followFork, type ForkedProcess } from './forked-process.ts';
import { mergeLayers } from './merge-layers.ts';
import { killMarked, sendSignal } from './process-mark.ts';
import { PeakMemory } from '../peak-memory.ts';
import { processTree } from './process-table.ts';

export interface ProcessSandboxParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The sandbox's own folder; removed on destroy. */
  readonly folder: string;
  /** What its processes carry (see process-mark.ts). */
  readonly mark: bigint;
  onDestroyed(): void;
}

interface Running {
  /** Of its process group, too. */
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  readonly memory: PeakMemory;
}

export class ProcessSandbox implements Sandbox {
  readonly id: string;
  /** Where the copy of a process can be found by its mark. */
  readonly startFork?: (source: ForkSource) => Promise<SandboxProcess>;
  readonly #spec: SandboxSpec;
  readonly #parts: ProcessSandboxParts;
  #binding: SandboxBinding | null = null;
  #optRoot: string;
  #running: Running | null = null;
  /** The start or bind that is under way; `destroy` waits for it. */
  #pending: Promise<unknown> = Promise.resolve();
  #starting = false;
  #frozen = false;
  #server: Server | null = null;
  #memoryPeakBytes = 0;
  #destroyed: Promise<void> | null = null;

  constructor(spec: SandboxSpec, parts: ProcessSandboxParts) {
    this.id = spec.id;
    this.#spec = spec;
    this.#parts = parts;
    this.#optRoot = join(parts.folder, 'opt');
    if (isLinux) this.startFork = (source) => this.#track(this.#fork(source));
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
    return this.#track(this.#bind(binding));
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending = Promise.allSettled([this.#pending, work]);
    return work;
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
    return this.#track(this.#start(command));
  }

  async #start(command: SandboxCommand): Promise<SandboxProcess> {
    assert(this.#destroyed === null, `sandbox ${this.id} is not destroyed`);
    assert(this.#running === null && !this.#starting, `sandbox ${this.id} runs one process`);
    this.#starting = true;
    const streams = createProcessStreams(command.channel);
    try {
      const child = await this.#spawn(command, streams);
      const pid = child.pid!;
      return this.#follow({ pid, mainPid: pid, ended: endOf(child) }, streams);
    } catch (error) {
      discardStreams(streams);
      throw error;
    } finally {
      this.#starting = false;
    }
  }

  async #fork(source: ForkSource): Promise<SandboxProcess> {
    assert(this.#binding !== null, `sandbox ${this.id} is bound before its process is copied`);
    assert(this.#destroyed === null, `sandbox ${this.id} is not destroyed`);
    assert(this.#running === null && !this.#starting, `sandbox ${this.id} runs one process`);
    this.#starting = true;
    const streams = createProcessStreams(true);
    try {
      return this.#follow(await followFork(source, streams, this.#parts), streams);
    } catch (error) {
      discardStreams(streams);
      throw new SandboxStartError(`cannot copy a process: ${String(error)}`, { cause: error });
    } finally {
      this.#starting = false;
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

  #follow({ pid, mainPid, ended: end }: ForkedProcess, streams: ProcessStreams): SandboxProcess {
    const exited = this.#exitOf(pid, end);
    const memory = new PeakMemory(this.#parts.clock, mainPid, () => processTree(mainPid));
    this.#running = { pid, exited, memory };
    let ended = false;
    void end.then(() => (ended = true));
    return {
      channel: streams.channel,
      output: streams.output,
      drainOutput: () => streams.drainOutput(),
      sendDescriptors: (bytes, descriptors) => streams.sendDescriptors(bytes, descriptors),
      exited,
      signal: (signal) => {
        if (!ended) sendSignal(mainPid, signal);
      },
      kill: () => {
        if (!ended) this.#killGroup(pid);
        return exited;
      },
    };
  }

  /** Resolves when the main process has ended and the rest of its group and of its mark is gone. */
  async #exitOf(pid: number, end: ForkedProcess['ended']): Promise<ProcessExit> {
    const { code, signal } = await end;
    this.#killGroup(pid);
    if (isLinux) await killMarked(this.#parts.clock, (mark) => mark === this.#parts.mark);
    this.#running?.memory.close();
    this.#running = null;
    this.#frozen = false;
    return { code, signal, outOfMemory: false };
  }

  #killGroup(pid: number): void {
    sendSignal(-pid, 'SIGKILL');
  }

  async serve(server: Server): Promise<string> {
    assert(this.#server === null, `sandbox ${this.id} serves one server`);
    this.#server = server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { address, port } = server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  async setCpus(): Promise<void> {
    // Not enforced: a notice of the driver says so.
  }

  freeze(): void {
    if (this.#frozen || this.#running === null) return;
    this.#frozen = true;
    sendSignal(-this.#running.pid, 'SIGSTOP');
  }

  thaw(): void {
    if (!this.#frozen || this.#running === null) return;
    this.#frozen = false;
    sendSignal(-this.#running.pid, 'SIGCONT');
  }

  memoryPeakBytes(): number {
    if (this.#running !== null) {
      this.#memoryPeakBytes = Math.max(this.#memoryPeakBytes, this.#running.memory.read());
    }
    return this.#memoryPeakBytes;
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    await this.#pending;
    if (this.#running !== null) {
      this.#killGroup(this.#running.pid);
      await this.#running.exited;
    }
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
