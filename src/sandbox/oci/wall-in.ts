/**
 * Puts a copied process behind walls of its own (ADR 0015). It still is where the process is that it was
 * copied from. The server makes it leave, step by step and while nothing of it runs (traced-process.ts): new
 * user, mount, network, ipc, uts and cgroup namespaces, its own /tmp, and no capability in the end. The
 * other mounts are the same read-only ones, and the filter and `no_new_privs` are inherited.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { assert } from '../../base/assert.ts';
import { delay, type Clock } from '../../base/clock.ts';
import { TracedProcess, TraceError } from './traced-process.ts';
import { SANDBOX_GID, SANDBOX_UID } from './user.ts';

/** System calls by their numbers on x86-64. */
const call = {
  close: 3,
  receive: 47,
  sleep: 230,
  capset: 126,
  prctl: 157,
  unshare: 272,
  moveMount: 429,
} as const;

const NEW_NAMESPACES =
  0x1000_0000 | // user
  0x0002_0000 | // mount
  0x4000_0000 | // network
  0x0800_0000 | // ipc
  0x0400_0000 | // uts
  0x0200_0000; // cgroup

const PR_SET_DUMPABLE = 4;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const CAPABILITIES_MAX = 64;
const AT_FDCWD = -100;
const MOVE_MOUNT_EMPTY_PATH = 4;
/** struct __user_cap_header_struct of version 3, then both data sets of zeros. */
const CAPABILITY_HEADER_BYTES = 8;
const CAPABILITY_VERSION = 0x2008_0522;
const EINVAL = 22n;

const WAITING_PAUSE_MS = 1;
const waitingMsMax = 1_000;

/**
 * `pid` waits in a system call; `temporaryFd` is a mount that the process has open, too. `isOurs` says whether
 * the number is still that of the copy. Resolves with its network namespace as a descriptor, which the caller
 * closes. When it rejects, the process has been killed.
 */
export async function wallIn(
  clock: Clock,
  pid: number,
  options: { readonly temporaryFd: number; readonly isOurs: () => boolean },
): Promise<number> {
  // A number that has ended may be given away again, but not once it is traced.
  if (!options.isOurs()) throw new TraceError('the copy is gone');
  const traced = await TracedProcess.stop(clock, pid);
  try {
    await leaveNamespaces(traced, pid);
    await mountTemporary(traced, descriptorOf(pid, options.temporaryFd));
    await dropCapabilities(traced);
    requireNoCapabilities(pid);
    const networkFd = openSync(`/proc/${pid}/ns/net`, 'r');
    traced.release();
    return networkFd;
  } catch (error) {
    await traced.end();
    throw error;
  }
}

/** Whether this host lets a process be walled in, tried on one; else why not. */
export async function tryWallIn(clock: Clock): Promise<string | null> {
  if (process.arch !== 'x64') return `not made for ${process.arch}`;
  try {
    const pid = await startSleeper({ uid: SANDBOX_UID, gid: SANDBOX_GID });
    await untilWaiting(clock, pid, call.sleep);
    const traced = await TracedProcess.stop(clock, pid);
    try {
      await leaveNamespaces(traced, pid);
      await dropCapabilities(traced);
      requireNoCapabilities(pid);
    } finally {
      await traced.end();
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A process that waits for ten seconds; a shell's child, for Node would wait for one of its own. */
export async function startSleeper(user: { uid?: number; gid?: number } = {}): Promise<number> {
  const shell = spawn('/bin/sh', ['-c', '/bin/sleep 10 & echo $!; wait'], {
    ...{ ...user, stdio: ['ignore', 'pipe', 'ignore'], env: {}, cwd: '/' },
  });
  shell.unref();
  await once(shell, 'spawn');
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  shell.stdout.destroy();
  return Number(line);
}

/** A copy may still be on its way to where it waits for its host's word. */
export async function untilWaiting(
  clock: Clock,
  pid: number,
  waitingIn: number = call.receive,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < waitingMsMax; waitedMs += WAITING_PAUSE_MS) {
    const inside = readFileSync(`/proc/${pid}/syscall`, 'latin1');
    if (inside.startsWith(`${waitingIn} `)) return;
    await delay(clock, WAITING_PAUSE_MS);
  }
  throw new TraceError('the copy does not wait');
}

async function leaveNamespaces(traced: TracedProcess, pid: number): Promise<void> {
  required(await traced.call(call.unshare, NEW_NAMESPACES), 'unshare');
  writeFileSync(`/proc/${pid}/setgroups`, 'deny');
  writeFileSync(`/proc/${pid}/gid_map`, `${SANDBOX_GID} ${SANDBOX_GID} 1`);
  writeFileSync(`/proc/${pid}/uid_map`, `${SANDBOX_UID} ${SANDBOX_UID} 1`);
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

async function dropCapabilities(traced: TracedProcess): Promise<void> {
  for (let capability = 0; capability < CAPABILITIES_MAX; capability += 1) {
    const result = await traced.call(call.prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (result === -EINVAL) break; // the kernel knows no more
    required(result, 'prctl');
  }
  const header = Buffer.alloc(32);
  header.writeUInt32LE(CAPABILITY_VERSION, 0);
  traced.writeScratch(header);
  const { scratch } = traced;
  const data = scratch + BigInt(CAPABILITY_HEADER_BYTES);
  required(await traced.call(call.capset, scratch, data), 'capset');
  required(
    await traced.call(call.prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0),
    'prctl',
  );
  // Having had capabilities made it one whose /proc files are root's.
  required(await traced.call(call.prctl, PR_SET_DUMPABLE, 1, 0, 0, 0), 'prctl');
}

function requireNoCapabilities(pid: number): void {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const sets = status.match(/^Cap\w+:\t(\w+)$/gm) ?? [];
  assert(sets.length === 5, 'five sets of capabilities');
  if (sets.some((set) => !/\t0+$/.test(set))) throw new TraceError(`capabilities left: ${sets}`);
}

function required(result: bigint, name: string): void {
  if (result < 0n) throw new TraceError(`${name}: errno ${-result}`);
}
