/**
 * One container in a box: from its start by the OCI runtime to the moment when nothing of it is left.
 * It holds its own pid namespace, control group and streams; everything else belongs to the box.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { delay } from '../../base/clock.ts';
import { deferred } from '../../base/deferred.ts';
import { MIB } from '../../model/limits.ts';
import type { ChildStatus } from '../native.ts';
import { PeakMemory } from '../peak-memory.ts';
import { createProcessStreams, discardStreams, type ProcessStreams } from '../process-streams.ts';
import { SandboxStartError, type SandboxCommand, type SandboxLimits } from '../sandbox.ts';
import type { Box } from './box.ts';
import { containerConfig } from './container-config.ts';
import type { OciParts } from './oci-parts.ts';
import { PidNamespace } from './pid-namespace.ts';

/** Between looks for what a failed start left behind. */
const STRAY_PAUSE_MS = 10;

export interface ContainerOptions {
  readonly limits: SandboxLimits;
  readonly command: SandboxCommand;
  /** Standard input is a pipe that we write, not empty. */
  readonly withInput?: boolean;
}

export interface ContainerEnd {
  /** Of the main process; null when it could not be known. */
  readonly status: ChildStatus | null;
  readonly outOfMemory: boolean;
}

export class Container {
  readonly name: string;
  readonly streams: ProcessStreams;
  /** Resolves when the main process has ended and nothing else runs inside. */
  readonly ended: Promise<ContainerEnd>;
  readonly #parts: OciParts;
  readonly #pid: number;
  readonly #pids: PidNamespace;
  readonly #memory: PeakMemory;
  readonly #forgotten = deferred<void>();
  #limits: SandboxLimits;
  #isRunning = true;
  #isFrozen = false;

  private constructor(
    parts: OciParts,
    started: { name: string; pid: number; pids: PidNamespace; streams: ProcessStreams },
    limits: SandboxLimits,
  ) {
    this.name = started.name;
    this.streams = started.streams;
    this.#parts = parts;
    this.#pid = started.pid;
    this.#pids = started.pids;
    this.#limits = limits;
    this.#memory = new PeakMemory(parts.clock, started.pid, () =>
      parts.cgroups.processes(started.name),
    );
    this.ended = this.#end(parts.reaper.wait(started.pid));
    this.ended.catch(() => {}); // whoever waits for it gets the error
  }

  /** Rejects with SandboxStartError; nothing of it is left then. */
  static async start(parts: OciParts, box: Box, options: ContainerOptions): Promise<Container> {
    const name = box.nextContainer();
    const streams = createProcessStreams(options.command.channel, options.withInput);
    const pids = new PidNamespace(parts.lifeLine, `hearth-init ${parts.instanceId} ${name}`);
    try {
      const pid = await launch(parts, box, { ...options, name, streams, pids });
      return new Container(parts, { name, pid, pids, streams }, options.limits);
    } catch (error) {
      discardStreams(streams);
      await endFailed(parts, name, pids);
      throw error;
    }
  }

  /** The main process has not ended, as far as known: its pid is ours until it is reaped. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Everything of it on the host but its output is gone; waits for `ended`, too. */
  get forgotten(): Promise<void> {
    return this.#forgotten.promise;
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#isRunning) process.kill(this.#pid, signal);
  }

  /** Kills every process inside; see `ended`. */
  kill(): void {
    this.#pids.kill();
    this.thaw(); // version 1 does not let frozen processes die
  }

  freeze(): void {
    if (this.#isFrozen || !this.#isRunning) return;
    this.#isFrozen = true;
    this.#parts.cgroups.freeze(this.name);
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#parts.cgroups.thaw(this.name);
  }

  /** Changes memory and CPU limits as far as they differ: each is a few writes to the kernel. */
  limit(limits: SandboxLimits): void {
    const { memoryMb, cpus } = this.#limits;
    this.#limits = limits;
    if (!this.#isRunning) return;
    if (limits.memoryMb !== memoryMb) {
      this.#parts.cgroups.setMemoryLimit(this.name, limits.memoryMb * MIB);
    }
    if (limits.cpus !== cpus) this.#parts.cgroups.setCpus(this.name, limits.cpus);
  }

  memoryPeakBytes(): number {
    return this.#memory.read();
  }

  /** The main process is gone: end the rest, learn why, clean up in the background. */
  async #end(status: Promise<ChildStatus | null>): Promise<ContainerEnd> {
    try {
      const ended = await status;
      this.#isRunning = false;
      this.#parts.cgroups.thaw(this.name);
      this.#pids.kill();
      await this.#pids.ended;
      return { status: ended, outOfMemory: this.#parts.cgroups.oomKills(this.name) > 0 };
    } finally {
      this.#memory.close();
      void forget(this.#parts, this.name).then(() => this.#forgotten.resolve());
    }
  }
}

interface LaunchOptions extends ContainerOptions {
  readonly name: string;
  readonly streams: ProcessStreams;
  readonly pids: PidNamespace;
}

/** Resolves with the main process's number on the host. */
async function launch(parts: OciParts, box: Box, options: LaunchOptions): Promise<number> {
  const { name, limits, command, streams, pids } = options;
  if (pids.path === null || pids.pid === null) {
    throw new SandboxStartError('/usr/bin/env cannot be started');
  }
  void parts.cgroups.adoptInit(pids.pid);
  const config = containerConfig({
    rootFolder: parts.folders.root,
    places: box.places,
    networkPath: box.network.path,
    pidPath: pids.path,
    cgroupPath: parts.cgroups.containerPath(name),
    limits,
    seccomp: parts.seccomp,
    command,
  });
  writeFileSync(join(box.bundle, 'config.json'), JSON.stringify(config));
  const { pid } = await parts.runtime.run(name, box.bundle, streams);
  return pid;
}

/** After a start that failed at any point. */
async function endFailed(parts: OciParts, name: string, pids: PidNamespace): Promise<void> {
  pids.kill();
  let isEnded = false;
  const ended = pids.ended.then(() => (isEnded = true));
  while (!isEnded) {
    parts.reaper.reapStrays();
    await Promise.race([ended, delay(parts.clock, STRAY_PAUSE_MS)]);
  }
  await forget(parts, name);
}

/** Removes what the runtime and the kernel keep of an ended container; says so when it cannot. */
async function forget(parts: OciParts, name: string): Promise<void> {
  try {
    await parts.runtime.delete(name);
    await parts.cgroups.remove(name);
  } catch (error) {
    parts.log.error({ container: name, error: String(error) }, 'container left behind');
  }
}
