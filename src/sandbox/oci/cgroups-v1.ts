/** Control groups version 1: one tree per controller, as on hosts with a hybrid layout. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import {
  ALLOWED_DEVICES,
  CPU_PERIOD_US,
  cpuQuotaUs,
  cpuShares,
  groupPath,
  INIT_GROUP,
  listFolders,
  moveProcess,
  readCounter,
  readIds,
  removeGroup,
  writeControl,
  type Cgroups,
  type GroupLimits,
} from './cgroups.ts';

export class CgroupsV1 implements Cgroups {
  readonly version = 1;
  readonly #clock: Clock;
  readonly #controllers: ReadonlyMap<string, string>;
  readonly #roots: readonly string[];
  readonly #parent: string;

  /** `controllers`: mount point by controller; `roots`: all mount points, those of no controller too. */
  constructor(
    clock: Clock,
    controllers: ReadonlyMap<string, string>,
    roots: readonly string[],
    parent: string,
  ) {
    this.#clock = clock;
    this.#controllers = controllers;
    this.#roots = roots;
    this.#parent = parent;
  }

  containerPath(container: string): string {
    return `/${this.#parent}/${container}`;
  }

  #file(controller: string, container: string, name: string): string {
    const root = this.#controllers.get(controller);
    assert(root !== undefined, `the ${controller} controller is mounted`);
    return join(groupPath(root, this.#parent, container), name);
  }

  create(container: string, { memoryBytes, cpus, processesMax }: GroupLimits): void {
    for (const root of this.#roots) {
      mkdirSync(groupPath(root, this.#parent, container), { recursive: true });
    }
    this.#inheritCpuset(container);
    this.setMemoryLimit(container, memoryBytes);
    this.setCpus(container, cpus);
    writeControl(this.#file('pids', container, 'pids.max'), String(processesMax));
    if (!this.#controllers.has('devices')) return;
    writeControl(this.#file('devices', container, 'devices.deny'), 'a');
    for (const [major, minor] of ALLOWED_DEVICES) {
      const rule = `c ${major}:${minor} rw`;
      writeControl(this.#file('devices', container, 'devices.allow'), rule);
    }
  }

  /** A new group of this controller has no CPUs, and takes no process. */
  #inheritCpuset(container: string): void {
    const root = this.#controllers.get('cpuset');
    if (root === undefined) return;
    for (const name of ['cpuset.cpus', 'cpuset.mems']) {
      const value = readFileSync(join(root, this.#parent, name), 'latin1').trim();
      writeControl(this.#file('cpuset', container, name), value);
    }
  }

  forbidProcesses(container: string): void {
    writeControl(this.#file('pids', container, 'pids.max'), '0');
  }

  adopt(container: string, pid: number): void {
    for (const root of this.#roots) {
      const group = groupPath(root, this.#parent, container);
      writeControl(join(group, 'cgroup.procs'), String(pid));
    }
  }

  /** Memory and memory+swap have the same limit, so there is no swap; the sum must never be the smaller. */
  setMemoryLimit(container: string, limitBytes: number): void {
    const memory = this.#file('memory', container, 'memory.limit_in_bytes');
    const withSwap = this.#file('memory', container, 'memory.memsw.limit_in_bytes');
    const value = String(limitBytes);
    try {
      writeControl(withSwap, value);
      writeControl(memory, value);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      writeControl(memory, value);
      writeControl(withSwap, value);
    }
  }

  setCpus(container: string, cpus: number | null): void {
    if (!this.#controllers.has('cpu')) return;
    writeControl(this.#file('cpu', container, 'cpu.cfs_period_us'), String(CPU_PERIOD_US));
    const quota = cpuQuotaUs(cpus) ?? -1;
    writeControl(this.#file('cpu', container, 'cpu.cfs_quota_us'), String(quota));
  }

  setCpuWeight(container: string, memoryMb: number): void {
    if (!this.#controllers.has('cpu')) return;
    writeControl(this.#file('cpu', container, 'cpu.shares'), String(cpuShares(memoryMb)));
  }

  freeze(container: string): void {
    writeControl(this.#file('freezer', container, 'freezer.state'), 'FROZEN');
  }

  thaw(container: string): void {
    writeControl(this.#file('freezer', container, 'freezer.state'), 'THAWED');
  }

  processes(container: string): number[] {
    const controller = container === INIT_GROUP ? 'pids' : 'freezer';
    return readIds(this.#file(controller, container, 'cgroup.procs'));
  }

  oomKills(container: string): number {
    return readCounter(this.#file('memory', container, 'memory.oom_control'), 'oom_kill');
  }

  sharedMemoryBytes(container: string): number {
    return readCounter(this.#file('memory', container, 'memory.stat'), 'shmem');
  }

  adoptInit(pid: number): Promise<void> {
    return moveProcess(
      groupPath(this.#controllers.get('pids') ?? '', this.#parent, INIT_GROUP),
      pid,
    );
  }

  containers(): string[] {
    const found = this.#roots.flatMap((root) => listFolders(join(root, this.#parent)));
    return [...new Set(found)];
  }

  async remove(container: string): Promise<number> {
    const paths = this.#roots.map((root) => groupPath(root, this.#parent, container));
    const removed = await Promise.all(paths.map((path) => removeGroup(this.#clock, path)));
    return removed.filter(Boolean).length;
  }

  async removeParent(): Promise<void> {
    const paths = this.#roots.map((root) => join(root, this.#parent));
    await Promise.all(paths.map((path) => removeGroup(this.#clock, path)));
  }
}
