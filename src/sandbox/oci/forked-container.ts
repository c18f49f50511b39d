/**
 * What a copied process runs in: like a container (container.ts), but no OCI runtime made it. It has a
 * control group of its own and lies in the pid namespace of the container that it was copied from, so it is
 * killed by its group, and before the other one goes.
 */
import { closeSync, readFileSync } from 'node:fs';
import { delay } from '../../base/clock.ts';
import { deferred } from '../../base/deferred.ts';
import { MIB } from '../../model/limits.ts';
import { askForCopy, type CopiedProcess } from '../forked-process.ts';
import { cloneMount, type ChildStatus } from '../native.ts';
import { PeakMemory } from '../peak-memory.ts';
import { createProcessStreams, discardStreams, type ProcessStreams } from '../process-streams.ts';
import { SandboxStartError, type ForkSource, type SandboxLimits } from '../sandbox.ts';
import { sendSignal } from '../send-signal.ts';
import type { Box } from './box.ts';
import { changeLimits } from './cgroups.ts';
import { PROCESSES_MAX } from './container-config.ts';
import { ContainerProcess, type ContainerEnd } from './container-process.ts';
import type { CopyOwner } from './copy-owner.ts';
import type { SandboxNetwork } from './network.ts';
import type { OciParts } from './oci-parts.ts';
import { call, untilWaiting } from './traced-steps.ts';
import { wallIn } from './wall-in.ts';

/** Between looks for processes that are being killed. */
const KILL_PAUSE_MS = 2;
/** Processes that are looked at before something else has its turn. */
const LOOKS_AT_ONCE = 32;
/** Between looks for memory that is about to be freed, and how long that may take. */
const LEFT_PAUSE_MS = 20;
const LEFT_MS_MAX = 500;

interface ForkOptions {
  readonly source: ForkSource;
  /** Name of the container whose main process is copied. */
  readonly from: string;
  /** Who prepared that process. */
  readonly owner: CopyOwner;
  /** Told of memory that the copy filled and that outlives it, because processes beside it hold it. */
  readonly onLeft: (bytes: number) => void;
}

interface Forked {
  readonly name: string;
  /** Of the copy, on the host. */
  readonly pid: number;
  readonly copied: CopiedProcess;
  readonly network: SandboxNetwork;
}

export class ForkedContainer {
  readonly name: string;
  readonly first: ContainerProcess;
  /** Resolves when nothing runs inside. */
  readonly ended: Promise<void>;
  /** Of its own, with the way out; the box's is not used. */
  readonly network: SandboxNetwork;
  readonly hasOthers = false;
  readonly #parts: OciParts;
  readonly #copied: CopiedProcess;
  readonly #memory: PeakMemory;
  readonly #onLeft: (bytes: number) => void;
  readonly #forgotten = deferred<void>();
  readonly #ended = deferred<void>();
  #limits: SandboxLimits;
  #killing: Promise<void> | null = null;
  #isFrozen = false;

  private constructor(
    parts: OciParts,
    forked: Forked,
    streams: ProcessStreams,
    { limits, onLeft }: { limits: SandboxLimits; onLeft: (bytes: number) => void },
  ) {
    const { name, pid, copied } = forked;
    this.#onLeft = onLeft;
    this.name = name;
    this.network = forked.network;
    this.#parts = parts;
    this.#copied = copied;
    this.#limits = limits;
    this.#memory = new PeakMemory(parts.clock, pid, () => parts.cgroups.processes(name));
    const reaped = copied.ended.then((end): ChildStatus => ({ ...end, residentPeakBytes: 0 }));
    this.first = new ContainerProcess(pid, streams, reaped, (status) => this.#onEnd(status));
    this.ended = this.#ended.promise;
  }

  /** Rejects; nothing is left then. */
  static async start(
    parts: OciParts,
    box: Box,
    options: ForkOptions & { readonly limits: SandboxLimits },
  ): Promise<ForkedContainer> {
    const name = box.nextContainer();
    const streams = createProcessStreams(parts.clock, true);
    const { cgroups } = parts;
    const { limits, onLeft } = options;
    try {
      const memoryBytes = limits.memoryMb * MIB;
      cgroups.create(name, { memoryBytes, cpus: limits.cpus, processesMax: PROCESSES_MAX });
      const forked = await fork(parts, box, { ...options, name, streams });
      // Not before: it stops some hundred times on its way, and would have to wait for a CPU as often.
      cgroups.setCpuWeight(name, limits.memoryMb);
      return new ForkedContainer(parts, forked, streams, { limits, onLeft });
    } catch (error) {
      discardStreams(streams);
      await killAll(parts, name);
      onLeft(await leftMemory(parts, name));
      await cgroups.remove(name);
      throw new SandboxStartError(`cannot copy a process: ${String(error)}`, { cause: error });
    }
  }

  /** Everything of it on the host but its output is gone; waits for `ended`, too. */
  get forgotten(): Promise<void> {
    return this.#forgotten.promise;
  }

  /** Extensions would have to get behind the same walls. */
  exec(): Promise<ContainerProcess> {
    return Promise.reject(new SandboxStartError('nothing can be started beside a copied process'));
  }

  /** Kills every process inside; see `ended`. */
  kill(): void {
    this.thaw(); // version 1 does not let frozen processes die
    // Then it has ended, whoever else holds the pipe that would say so.
    this.#killing ??= killAll(this.#parts, this.name).then(() => this.#copied.forget());
  }

  freeze(): void {
    if (this.#isFrozen || this.#killing !== null) return;
    this.#isFrozen = true;
    this.#parts.cgroups.freeze(this.name);
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#parts.cgroups.thaw(this.name);
  }

  limit(limits: SandboxLimits): void {
    const before = this.#limits;
    this.#limits = limits;
    if (this.#killing !== null) return;
    changeLimits(this.#parts.cgroups, this.name, before, limits);
  }

  memoryPeakBytes(): number {
    return this.#memory.read();
  }

  async #onEnd(status: ChildStatus | null): Promise<ContainerEnd> {
    const outOfMemory = this.#parts.cgroups.oomKills(this.name) > 0;
    this.kill();
    await this.#killing;
    this.#memory.close();
    this.#ended.resolve();
    this.#parts.network.release(this.network);
    void this.#forget().then(() => this.#forgotten.resolve());
    return { status, outOfMemory };
  }

  async #forget(): Promise<void> {
    try {
      this.#onLeft(await leftMemory(this.#parts, this.name));
      await this.#parts.cgroups.remove(this.name);
    } catch (error) {
      this.#parts.log.error({ container: this.name, error: String(error) }, 'group left behind');
    }
  }
}

async function fork(
  parts: OciParts,
  box: Box,
  options: ForkOptions & { readonly name: string; readonly streams: ProcessStreams },
): Promise<Forked> {
  const { name, streams, source, from, owner } = options;
  const temporaryFd = cloneMount(box.places['/tmp']);
  try {
    const copied = await askForCopy(parts.clock, source, streams, [temporaryFd]);
    const members = (): number[] => parts.cgroups.processes(from);
    const keeper = await hostPid(members, copied.pid);
    const pid = await hostPid(members, copied.mainPid);
    // Numbers are given away again: whose they are now is what counts.
    const here = members();
    for (const [moved, inside] of [
      [keeper, copied.pid],
      [pid, copied.mainPid],
    ] as const) {
      if (!here.includes(moved) || insidePid(moved) !== inside) throw new Error('the copy is gone');
      // A frozen template must not hold up its copies, or who waits for them.
      parts.cgroups.adopt(name, moved);
    }
    // It polls first where Init has started threads.
    await untilWaiting(parts.clock, pid, call.receive, call.poll);
    const isOurs = (): boolean => parts.cgroups.processes(name).includes(pid);
    const networkFd = await wallIn(parts.clock, pid, { owner, temporaryFd, isOurs });
    const network = await parts.network.adopt(networkFd);
    return { name, pid, copied, network };
  } finally {
    closeSync(temporaryFd);
  }
}

/**
 * The number on the host of the process that is `inside` in its pid namespace. A copy has one of the last; there
 * may be a thousand before it, which Init has started, and the server has other things to do.
 */
async function hostPid(members: () => readonly number[], inside: number): Promise<number> {
  for (const [index, pid] of members().toReversed().entries()) {
    if (insidePid(pid) === inside) return pid;
    if (index % LOOKS_AT_ONCE === LOOKS_AT_ONCE - 1) await new Promise(setImmediate);
  }
  throw new Error('the copy is gone');
}

/** The number that it has in its own pid namespace; null when it is not there any more. */
function insidePid(pid: number): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1]);
  } catch {
    return null;
  }
}

/** Of a group without processes; the kernel frees what belonged to an ipc namespace a moment after its end. */
async function leftMemory({ clock, cgroups }: OciParts, name: string): Promise<number> {
  for (let waitedMs = 0; waitedMs < LEFT_MS_MAX; waitedMs += LEFT_PAUSE_MS) {
    if (cgroups.sharedMemoryBytes(name) === 0) return 0;
    await delay(clock, LEFT_PAUSE_MS);
  }
  return cgroups.sharedMemoryBytes(name);
}

async function killAll(parts: OciParts, name: string): Promise<void> {
  for (;;) {
    const pids = parts.cgroups.processes(name);
    if (pids.length === 0) return;
    parts.cgroups.forbidProcesses(name);
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    await delay(parts.clock, KILL_PAUSE_MS);
  }
}
