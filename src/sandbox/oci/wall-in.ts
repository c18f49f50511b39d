/**
 * Puts a copied process behind walls of its own (ADR 0015). It still is where the process is that it was
 * copied from. The server makes it leave, step by step and while nothing of it runs (traced-process.ts): new
 * user, mount, network, ipc, uts and cgroup namespaces, which belong to a uid that nobody can be
 * (copy-owner.ts), its own /tmp, and no capability in the end. The other mounts are the same read-only
 * ones, and the filters and `no_new_privs` are inherited.
 */
import { openSync, readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { COPY_OWNER_UID, CopyOwner, setUids } from './copy-owner.ts';
import { createLifeLine } from './pid-namespace.ts';
import { TracedProcess, TraceError } from './traced-process.ts';
import {
  AT_FDCWD,
  call,
  CLONE_NEWUSER,
  dropCapabilities,
  required,
  requirePowerless,
  untilWaiting,
} from './traced-steps.ts';
import { SANDBOX_GID, SANDBOX_UID } from './user.ts';
import { startSleeper } from './waiting-process.ts';

const NEW_NAMESPACES =
  CLONE_NEWUSER |
  0x0002_0000 | // mount
  0x4000_0000 | // network
  0x0800_0000 | // ipc
  0x0400_0000 | // uts
  0x0200_0000; // cgroup

const MOVE_MOUNT_EMPTY_PATH = 4;
/** setresuid(2): as it is. */
const UNCHANGED = -1;

export interface WallInOptions {
  /** Of the process that it was copied from. */
  readonly owner: CopyOwner;
  /** A mount that the process has open, too. */
  readonly temporaryFd: number;
  /** Whether the number is still that of the copy. */
  readonly isOurs: () => boolean;
}

/**
 * `pid` waits in a system call. Resolves with its network namespace as a descriptor, which the caller
 * closes. When it rejects, the process has been killed.
 */
export async function wallIn(clock: Clock, pid: number, options: WallInOptions): Promise<number> {
  const traced = await TracedProcess.stop(clock, pid, options.isOurs);
  try {
    await leaveNamespaces(traced, pid, options.owner);
    await mountTemporary(traced, descriptorOf(pid, options.temporaryFd));
    await dropCapabilities(traced);
    requirePowerless(pid);
    const networkFd = openSync(`/proc/${pid}/ns/net`, 'r');
    traced.release();
    return networkFd;
  } catch (error) {
    await traced.end();
    throw error;
  }
}

/** Whether this host lets a process be prepared and then walled in, tried on one; else why not. */
export async function tryWallIn(clock: Clock, name: string): Promise<string | null> {
  if (process.arch !== 'x64') return `not made for ${process.arch}`;
  const lifeLine = createLifeLine(); // its end is the helper's, too
  try {
    const pid = await startSleeper({ uid: SANDBOX_UID, gid: SANDBOX_GID });
    await untilWaiting(clock, pid, call.sleep);
    await tryOn(clock, pid, await CopyOwner.prepare(clock, { pid, name, lifeLine }));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    lifeLine.close();
  }
}

async function tryOn(clock: Clock, pid: number, owner: CopyOwner): Promise<void> {
  await untilWaiting(clock, pid, call.sleep, call.restart);
  const traced = await TracedProcess.stop(clock, pid);
  try {
    await leaveNamespaces(traced, pid, owner);
    await dropCapabilities(traced);
    requirePowerless(pid);
  } finally {
    await traced.end();
  }
}

/** The new namespaces belong to the uid that it has when it makes them, and it is the sandboxes' own again. */
async function leaveNamespaces(
  traced: TracedProcess,
  pid: number,
  owner: CopyOwner,
): Promise<void> {
  await setUids(traced, UNCHANGED, COPY_OWNER_UID, UNCHANGED);
  required(await traced.call(call.unshare, NEW_NAMESPACES), 'unshare');
  await owner.writeMaps(pid);
  await setUids(traced, SANDBOX_UID, SANDBOX_UID, SANDBOX_UID);
}

async function mountTemporary(traced: TracedProcess, fd: number): Promise<void> {
  // An empty path for the source, then the target.
  traced.writeScratch(Buffer.from('\0/tmp\0'));
  const { scratch } = traced;
  const args = [fd, scratch, AT_FDCWD, scratch + 1n, MOVE_MOUNT_EMPTY_PATH] as const;
  required(await traced.call(call.moveMount, ...args), 'move_mount');
  required(await traced.call(call.close, fd), 'close');
}

/** Which number a mount has in a process that was sent it: the one with the same mount id. */
function descriptorOf(pid: number, ownFd: number): number {
  const wanted = mountIdOf(`/proc/self/fdinfo/${ownFd}`);
  const numbers = readdirSync(`/proc/${pid}/fdinfo`);
  const found = numbers.find((fd) => mountIdOf(`/proc/${pid}/fdinfo/${fd}`) === wanted);
  if (found === undefined) throw new TraceError('the mount for /tmp has not arrived');
  return Number(found);
}

function mountIdOf(path: string): string | undefined {
  return /^mnt_id:\t(\d+)$/m.exec(readFileSync(path, 'latin1'))?.[1];
}
