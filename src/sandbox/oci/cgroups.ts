/**
 * Control groups of the sandboxes, behind one interface for both versions of the kernel's.
 *
 * The OCI runtime makes a container's group (it gets `containerPath` as `cgroupsPath`) and puts the
 * process in; from then on Hearth reads and writes the group's files itself, because starting the
 * runtime for a freeze costs 13 ms and a write 0.1 ms. Every group lies below one parent group named
 * after the instance, so that a sweep finds all of them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { delay, type Clock } from '../../base/clock.ts';
import { MIB } from '../../model/limits.ts';
import { cpusForMemory } from '../../model/runnable-version.ts';
import type { SandboxLimits } from '../sandbox.ts';

export interface Cgroups {
  readonly version: 1 | 2;
  /** `cgroupsPath` of a container, as config.json wants it. */
  containerPath(container: string): string;
  /** Makes a container's groups for processes that no OCI runtime starts. */
  create(container: string, limits: GroupLimits): void;
  /** None can be made there any more. */
  forbidProcesses(container: string): void;
  /** Moves a process into a container's groups. */
  adopt(container: string, pid: number): void;
  setMemoryLimit(container: string, limitBytes: number): void;
  setCpus(container: string, cpus: number | null): void;
  /** Its part of the CPUs when all want them: in proportion to its memory, as on the real service. */
  setCpuWeight(container: string, memoryMb: number): void;
  /** Asks for all processes to stop; the kernel does it within a moment. */
  freeze(container: string): void;
  thaw(container: string): void;
  processes(container: string): number[];
  /** How many processes the memory limit killed. */
  oomKills(container: string): number;
  /** Memory that is not a single process's: of a group without processes, what others hold on to. */
  sharedMemoryBytes(container: string): number;
  /**
   * Moves the process 1 of a sandbox into a group of the instance, where a sweep finds it. Call it when the
   * runtime is started, too: the kernel makes the first move after a pause wait (10-20 ms), and so that
   * wait goes on while the runtime is still loading, not when it moves the container.
   */
  adoptInit(pid: number): Promise<void>;
  /** Names of all containers of this instance that still have a group somewhere. */
  containers(): string[];
  /** Removes a container's groups, which must be empty or about to be. Returns how many there were. */
  remove(container: string): Promise<number>;
  /** Removes the instance's parent groups. */
  removeParent(): Promise<void>;
}

export interface GroupLimits {
  readonly memoryBytes: number;
  readonly cpus: number | null;
  readonly processesMax: number;
}

/** Period of the CPU quota: the kernel's default. */
export const CPU_PERIOD_US = 100_000;
/** The kernel refuses a smaller quota. */
const CPU_QUOTA_US_MIN = 1_000;

/** CPU time per period in microseconds; null is no limit. */
export function cpuQuotaUs(cpus: number | null): number | null {
  return cpus === null ? null : Math.max(CPU_QUOTA_US_MIN, Math.round(cpus * CPU_PERIOD_US));
}

/** Character devices that a sandbox may use, by major and minor number. */
export const ALLOWED_DEVICES = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
] as const;

/** Weights of a group with the memory that comes with one CPU: the kernel's defaults. */
const CPU_SHARES_DEFAULT = 1024;
const CPU_WEIGHT_DEFAULT = 100;

/** Weight of a container for version 1. */
export function cpuShares(memoryMb: number): number {
  return Math.max(2, Math.round(cpusForMemory(memoryMb) * CPU_SHARES_DEFAULT));
}

/** The same for version 2. */
export function cpuWeight(memoryMb: number): number {
  return Math.max(1, Math.round(cpusForMemory(memoryMb) * CPU_WEIGHT_DEFAULT));
}

/** Group of all sandboxes' processes 1; a name that no container can have. */
export const INIT_GROUP = 'init';

// Shared by both versions.

export function readIds(path: string): number[] {
  try {
    return readFileSync(path, 'latin1').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The number after `key` in a file of `key value` lines; 0 when there is none. */
export function readCounter(path: string, key: string): number {
  try {
    const line = readFileSync(path, 'latin1').split('\n');
    return Number(line.find((text) => text.startsWith(`${key} `))?.slice(key.length + 1) ?? 0);
  } catch {
    return 0;
  }
}

/** Writes a control file; false when the file is not there. */
export function writeControl(path: string, value: string): boolean {
  try {
    writeFileSync(path, value, { flag: 'r+' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

export function listFolders(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** A group stays busy for a moment after its last process ended. */
const REMOVE_ATTEMPTS_MAX = 200;
const REMOVE_PAUSE_MS = 10;

/** Removes one group folder; false when it was not there. */
export async function removeGroup(clock: Clock, path: string): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rmdir(path);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return false;
      if (code !== 'EBUSY' || attempt === REMOVE_ATTEMPTS_MAX) throw error;
    }
    await delay(clock, REMOVE_PAUSE_MS);
  }
}

/** Moves a process into the group; nothing happens when it has ended. */
export async function moveProcess(path: string, pid: number): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'cgroup.procs'), String(pid), { flag: 'r+' });
  } catch {
    // It has ended, or the group was removed under it by a driver that closes.
  }
}

export function groupPath(root: string, parent: string, container: string): string {
  return join(root, parent, container);
}

/** Changes memory and CPU limits of a container as far as they differ: each is a few writes to the kernel. */
export function changeLimits(
  cgroups: Cgroups,
  container: string,
  before: SandboxLimits,
  after: SandboxLimits,
): void {
  if (after.memoryMb !== before.memoryMb) {
    cgroups.setMemoryLimit(container, after.memoryMb * MIB);
    cgroups.setCpuWeight(container, after.memoryMb);
  }
  if (after.cpus !== before.cpus) cgroups.setCpus(container, after.cpus);
}
