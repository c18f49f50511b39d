/**
 * Removes from the host what the OCI driver's sandboxes of one data folder left there: found by names
 * derived from the folder (instance.ts) and by the folder itself, so never another server's.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';
import { delay, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { instanceIdOf, realPathOf } from '../instance.ts';
import { isLinux, unmount } from '../native.ts';
import type { SweepReport } from '../sandbox.ts';
import { sendSignal } from '../send-signal.ts';
import type { Cgroups } from './cgroups.ts';
import { runCommand } from './command.ts';
import { findCgroups } from './find-cgroups.ts';
import { hostInterfacePrefix, tableName } from './network.ts';

export const NOTHING_SWEPT: SweepReport = {
  processes: 0,
  mounts: 0,
  cgroups: 0,
  networkDevices: 0,
  folders: 0,
};

/** Times that a group's processes are looked for; killed ones take a moment to go. */
const KILL_ROUNDS_MAX = 500;
const KILL_PAUSE_MS = 5;

/** `path` is the driver's own (see `ociFolder`). A server that uses it must not be running. */
export async function sweepOci(clock: Clock, log: Log, path: string): Promise<SweepReport> {
  if (!isLinux || process.getuid?.() !== 0) return NOTHING_SWEPT; // nothing can have been made
  const folder = realPathOf(path); // as the kernel names mounts; the folder itself may have been removed
  const instanceId = instanceIdOf(folder);
  const groups = findCgroups(clock, instanceId);
  const { processes, cgroups } = groups === null ? NOTHING_SWEPT : await sweepGroups(clock, groups);
  const networkDevices = await sweepNetwork(clock, instanceId);
  const mounts = unmountBelow(folder);
  const folders = removeFolders(folder);
  const report = { processes, mounts, cgroups, networkDevices, folders };
  if (Object.values(report).some((count) => count > 0)) log.info({ report }, 'swept leftovers');
  return report;
}

async function sweepGroups(
  clock: Clock,
  groups: Cgroups,
): Promise<{ processes: number; cgroups: number }> {
  const counts = { processes: 0, cgroups: 0 };
  for (const container of groups.containers()) {
    counts.processes += await killProcesses(clock, groups, container);
    counts.cgroups += await groups.remove(container);
  }
  await groups.removeParent();
  return counts;
}

async function killProcesses(clock: Clock, groups: Cgroups, container: string): Promise<number> {
  const killed = new Set(groups.processes(container)); // frozen ones are about to die when thawed
  groups.thaw(container);
  for (let round = 0; round < KILL_ROUNDS_MAX; round += 1) {
    const pids = groups.processes(container);
    if (pids.length === 0) break;
    for (const pid of pids) {
      killed.add(pid);
      sendSignal(pid, 'SIGKILL');
    }
    await delay(clock, KILL_PAUSE_MS);
  }
  return killed.size;
}

/** The kernel removes a veth pair with its namespace, soon after the last process; this is for the rest. */
async function sweepNetwork(clock: Clock, instanceId: string): Promise<number> {
  const prefix = hostInterfacePrefix(instanceId);
  const devices = readdirSync('/sys/class/net').filter((name) => name.startsWith(prefix));
  try {
    if (devices.length > 0) {
      const commands = devices.map((name) => `link delete ${name}`).join('\n');
      await runCommand(clock, ['ip', '-force', '-batch', '-'], commands);
    }
    await runCommand(clock, ['nft', 'delete', 'table', 'inet', tableName(instanceId)]);
  } catch {
    // Without the tools nothing was made.
  }
  return devices.length;
}

/** Detaches every mount below the folder, the latest first; returns how many. */
export function unmountBelow(folder: string): number {
  const points = mountPointsBelow(folder, readFileSync('/proc/self/mountinfo', 'utf8'));
  for (const point of points.toReversed()) unmount(point);
  return points.length;
}

/** Mount points at or below the folder, in the order of mounting, out of /proc/self/mountinfo. */
export function mountPointsBelow(folder: string, mountInfo: string): string[] {
  const points = mountInfo.split('\n').map((line) => unescape(line.split(' ')[4] ?? ''));
  return points.filter((point) => point === folder || point.startsWith(folder + sep));
}

/** The kernel writes space, tab, newline and backslash as three octal digits; bytes above ASCII as they are. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function removeFolders(folder: string): number {
  const boxes = join(folder, 'boxes');
  const count = existsSync(boxes) ? readdirSync(boxes).length : 0;
  // Never through a mount: code folders of functions would be on the other side.
  const remaining = mountPointsBelow(folder, readFileSync('/proc/self/mountinfo', 'utf8'));
  if (remaining.length > 0) throw new Error(`still mounted: ${remaining.join(', ')}`);
  rmSync(folder, { recursive: true, force: true });
  return count;
}
