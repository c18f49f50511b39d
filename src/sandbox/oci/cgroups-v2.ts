/** Control groups version 2: one tree for all controllers. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import {
  CPU_PERIOD_US,
  cpuQuotaUs,
  cpuWeight,
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

export class CgroupsV2 implements Cgroups {
  readonly version = 2;
  readonly #clock: Clock;
  readonly #root: string;
  readonly #parent: string;

  constructor(clock: Clock, root: string, parent: string) {
    this.#clock = clock;
    this.#root = root;
    this.#parent = parent;
  }

  containerPath(container: string): string {
    return `/${this.#parent}/${container}`;
  }

  #file(container: string, name: string): string {
    return join(groupPath(this.#root, this.#parent, container), name);
  }

  create(container: string, { memoryBytes, cpus, processesMax }: GroupLimits): void {
    mkdirSync(groupPath(this.#root, this.#parent, container), { recursive: true });
    this.setMemoryLimit(container, memoryBytes);
    this.setCpus(container, cpus);
    writeControl(this.#file(container, 'pids.max'), String(processesMax));
  }

  forbidProcesses(container: string): void {
    writeControl(this.#file(container, 'pids.max'), '0');
  }

  adopt(container: string, pid: number): void {
    writeControl(this.#file(container, 'cgroup.procs'), String(pid));
  }

  setMemoryLimit(container: string, limitBytes: number): void {
    writeControl(this.#file(container, 'memory.swap.max'), '0');
    writeControl(this.#file(container, 'memory.max'), String(limitBytes));
  }

  setCpus(container: string, cpus: number | null): void {
    const quota = cpuQuotaUs(cpus) ?? 'max';
    writeControl(this.#file(container, 'cpu.max'), `${quota} ${CPU_PERIOD_US}`);
  }

  setCpuWeight(container: string, memoryMb: number): void {
    writeControl(this.#file(container, 'cpu.weight'), String(cpuWeight(memoryMb)));
  }

  freeze(container: string): void {
    writeControl(this.#file(container, 'cgroup.freeze'), '1');
  }

  thaw(container: string): void {
    writeControl(this.#file(container, 'cgroup.freeze'), '0');
  }

  processes(container: string): number[] {
    return readIds(this.#file(container, 'cgroup.procs'));
  }

  oomKills(container: string): number {
    return readCounter(this.#file(container, 'memory.events'), 'oom_kill');
  }

  sharedMemoryBytes(container: string): number {
    return readCounter(this.#file(container, 'memory.stat'), 'shmem');
  }

  adoptInit(pid: number): Promise<void> {
    return moveProcess(groupPath(this.#root, this.#parent, INIT_GROUP), pid);
  }

  containers(): string[] {
    return listFolders(join(this.#root, this.#parent));
  }

  async remove(container: string): Promise<number> {
    const path = groupPath(this.#root, this.#parent, container);
    return (await removeGroup(this.#clock, path)) ? 1 : 0;
  }

  async removeParent(): Promise<void> {
    await removeGroup(this.#clock, join(this.#root, this.#parent));
  }
}
