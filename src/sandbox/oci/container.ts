/**
 * One container in a box: from its start by the OCI runtime to the moment when nothing of it is left.
 * It holds its own pid namespace and control group; everything else belongs to the box or a process.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { delay } from '../../base/clock.ts';
import { deferred } from '../../base/deferred.ts';
import type { ChildStatus } from '../native.ts';
import { PeakMemory } from '../peak-memory.ts';
import { createProcessStreams, discardStreams, type ProcessStreams } from '../process-streams.ts';
import { SandboxStartError, type SandboxCommand, type SandboxLimits } from '../sandbox.ts';
import type { Box } from './box.ts';
import { changeLimits } from './cgroups.ts';
import { containerConfig, processConfig } from './container-config.ts';
import { ContainerProcess, killGroupMembers, type ContainerEnd } from './container-process.ts';
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

export class Container {
  readonly name: string;
  /**
   * The process that it was started with. Its end ends everything inside, and `first.ended` waits for
   * that, unless others were started: then they go on until `kill`.
   */
  readonly first: ContainerProcess;
  /** Resolves when nothing runs inside. */
  readonly ended: Promise<void>;
  readonly #parts: OciParts;
  readonly #bundle: string;
  readonly #pids: PidNamespace;
  readonly #memory: PeakMemory;
  readonly #killed = deferred<void>();
  readonly #forgotten = deferred<void>();
  /** Processes after the first that are being started. */
  readonly #launching = new Set<Promise<ContainerProcess>>();
  #launches = 0;
  #hasOthers = false;
  #hasFailedLaunch = false;
  #limits: SandboxLimits;
  #hasEnded = false;
  #isFrozen = false;

  private constructor(
    parts: OciParts,
    started: { name: string; pid: number; pids: PidNamespace; streams: ProcessStreams },
    bundle: string,
    limits: SandboxLimits,
  ) {
    const { name, pid, streams } = started;
    this.name = name;
    this.#parts = parts;
    this.#bundle = bundle;
    this.#pids = started.pids;
    this.#limits = limits;
    this.#memory = new PeakMemory(parts.clock, pid, () => parts.cgroups.processes(name));
    const reaped = parts.reaper.wait(pid);
    this.first = new ContainerProcess(pid, streams, reaped, (status) => this.#onFirstEnd(status));
    this.ended = this.#end();
    this.ended.catch(() => {}); // whoever waits for it gets the error
  }

  /** Rejects with SandboxStartError; nothing of it is left then. */
  static async start(parts: OciParts, box: Box, options: ContainerOptions): Promise<Container> {
    const name = box.nextContainer();
    const streams = createProcessStreams(parts.clock, options.command.channel, options.withInput);
    const pids = new PidNamespace(parts.lifeLine, `hearth-init ${parts.instanceId} ${name}`);
    try {
      const pid = await launch(parts, box, { ...options, name, streams, pids });
      return new Container(parts, { name, pid, pids, streams }, box.bundle, options.limits);
    } catch (error) {
      discardStreams(streams);
      pids.kill();
      await endOf(parts, pids, () => true);
      await forget(parts, name);
      throw error;
    }
  }

  /** Something was started after the first process. */
  get hasOthers(): boolean {
    return this.#hasOthers;
  }

  /** Everything of it on the host but its output is gone; waits for `ended`, too. */
  get forgotten(): Promise<void> {
    return this.#forgotten.promise;
  }

  /** Starts one more process, while `first` runs. Its end ends its group and nothing else. */
  async exec(command: SandboxCommand): Promise<ContainerProcess> {
    const launching = this.#launchOther(command);
    this.#launching.add(launching);
    try {
      return await launching;
    } catch (error) {
      this.#hasFailedLaunch = true;
      throw error;
    } finally {
      this.#launching.delete(launching);
      this.#applyFreeze();
    }
  }

  async #launchOther(command: SandboxCommand): Promise<ContainerProcess> {
    const { cgroups, runtime, reaper } = this.#parts;
    const oomKillsBefore = cgroups.oomKills(this.name);
    this.#launches += 1;
    const settings = {
      container: this.name,
      folder: this.#bundle,
      name: `${this.name}.${this.#launches}`,
      process: processConfig(command),
    };
    const streams = createProcessStreams(this.#parts.clock, command.channel);
    try {
      const pid = await runtime.exec(settings, streams);
      this.#hasOthers = true;
      return new ContainerProcess(pid, streams, reaper.wait(pid), async (status) => {
        const outOfMemory = cgroups.oomKills(this.name) > oomKillsBefore;
        killGroupMembers(pid, cgroups.processes(this.name));
        return { status, outOfMemory };
      });
    } catch (error) {
      discardStreams(streams);
      throw error;
    }
  }

  /** Kills every process inside; see `ended`. */
  kill(): void {
    this.#killed.resolve();
    this.#pids.kill();
    this.thaw(); // version 1 does not let frozen processes die
  }

  /** What is being started is not stopped midway, for the runtime waits for it. */
  freeze(): void {
    if (this.#isFrozen || this.#hasEnded) return;
    this.#isFrozen = true;
    this.#applyFreeze();
  }

  #applyFreeze(): void {
    if (!this.#isFrozen || this.#hasEnded || this.#launching.size > 0) return;
    this.#parts.cgroups.freeze(this.name);
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#parts.cgroups.thaw(this.name);
  }

  /** Changes memory and CPU limits. */
  limit(limits: SandboxLimits): void {
    const before = this.#limits;
    this.#limits = limits;
    if (this.#hasEnded) return;
    changeLimits(this.#parts.cgroups, this.name, before, limits);
  }

  memoryPeakBytes(): number {
    return this.#memory.read();
  }

  async #onFirstEnd(status: ChildStatus | null): Promise<ContainerEnd> {
    const outOfMemory = this.#parts.cgroups.oomKills(this.name) > 0;
    await Promise.allSettled(this.#launching);
    if (this.#hasOthers) {
      killGroupMembers(this.first.pid, this.#parts.cgroups.processes(this.name));
    } else {
      this.kill();
      await this.ended;
    }
    return { status, outOfMemory };
  }

  /** Process 1 is killed, and everything with it: clean up in the background. */
  async #end(): Promise<void> {
    try {
      await Promise.race([this.#pids.ended, this.#killed.promise]);
      this.#parts.cgroups.thaw(this.name);
      await endOf(this.#parts, this.#pids, () => this.#hasFailedLaunch);
    } finally {
      this.#hasEnded = true;
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

/** Resolves with the first process's number on the host. */
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
  return parts.runtime.run(name, box.bundle, streams);
}

/** Waits for the end of a killed namespace, which what a failed start left behind would hold up. */
async function endOf(
  parts: OciParts,
  pids: PidNamespace,
  mayHaveStrays: () => boolean,
): Promise<void> {
  let isEnded = false;
  const ended = pids.ended.then(() => (isEnded = true));
  while (!isEnded) {
    if (mayHaveStrays()) parts.reaper.reapStrays(pids.id);
    await Promise.race([ended, delay(parts.clock, STRAY_PAUSE_MS)]);
  }
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
