/** Finds which version of control groups this host has, and where. */
import { readFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { CgroupsV1 } from './cgroups-v1.ts';
import { CgroupsV2 } from './cgroups-v2.ts';
import type { Cgroups } from './cgroups.ts';

/** The control groups of this host; null when there are none that can be used. */
export function findCgroups(clock: Clock, instanceId: string): Cgroups | null {
  const mounts = cgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const parent = `hearth-${instanceId}`;
  if (mounts.v1.has('memory') && mounts.v1.has('freezer') && mounts.v1.has('pids')) {
    return new CgroupsV1(clock, mounts.v1, mounts.all, parent);
  }
  return mounts.v2 === null ? null : new CgroupsV2(clock, mounts.v2, parent);
}

export interface CgroupMounts {
  /** Mount point by controller. */
  readonly v1: ReadonlyMap<string, string>;
  readonly v2: string | null;
  /** Every mount point, as the runtime makes groups in all of them. */
  readonly all: readonly string[];
}

/** Reads the mount points of both versions out of /proc/self/mountinfo. */
export function cgroupMounts(mountInfo: string): CgroupMounts {
  const v1 = new Map<string, string>();
  const all: string[] = [];
  let v2: string | null = null;
  for (const line of mountInfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const mountPoint = left?.split(' ')[4];
    const [type, , options] = right?.split(' ') ?? [];
    if (mountPoint === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    all.push(mountPoint);
    if (type === 'cgroup2') v2 = mountPoint;
    else for (const option of options?.split(',') ?? []) v1.set(option, mountPoint);
  }
  return { v1, v2, all };
}
