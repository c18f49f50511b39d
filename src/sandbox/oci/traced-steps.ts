/**
 * What traced processes (traced-process.ts) are made to do more than once: system calls by their numbers, and
 * the way to give up every capability.
 */
import { readFileSync } from 'node:fs';
import { delay, type Clock } from '../../base/clock.ts';
import { TraceError, type TracedProcess } from './traced-process.ts';
import { SANDBOX_UID } from './user.ts';

/** System calls by their numbers on x86-64. */
export const call = {
  read: 0,
  write: 1,
  close: 3,
  poll: 7,
  receive: 47,
  setresuid: 117,
  capset: 126,
  prctl: 157,
  /** As which a sleep goes on that was interrupted. */
  restart: 219,
  sleep: 230,
  openat: 257,
  unshare: 272,
  setns: 308,
  seccomp: 317,
  moveMount: 429,
} as const;

export const CLONE_NEWUSER = 0x1000_0000;
export const AT_FDCWD = -100;

const PR_SET_DUMPABLE = 4;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const CAPABILITIES_MAX = 64;
/** struct __user_cap_header_struct of version 3, then both data sets of zeros. */
const CAPABILITY_HEADER_BYTES = 8;
const CAPABILITY_VERSION = 0x2008_0522;
const EINVAL = 22n;

const WAITING_PAUSE_MS = 1;
const waitingMsMax = 1_000;

/** The process did the system call that it was told to do, and that failed. */
export class CallError extends TraceError {}

/** `result` of a call that must have worked; throws CallError. */
export function required(result: bigint, name: string): bigint {
  if (result < 0n) throw new CallError(`${name}: errno ${-result}`);
  return result;
}

/** A process may still be on its way to the call, one of `numbers`, that it is to wait in. */
export function untilWaiting(
  clock: Clock,
  pid: number,
  ...numbers: readonly number[]
): Promise<void> {
  return untilInside(clock, pid, (number) => numbers.includes(number));
}

/** The same for a call that waits for what comes by a descriptor: not for the reading of some file on its way there. */
export function untilReading(clock: Clock, pid: number, descriptor: number): Promise<void> {
  const isReading = (number: number): boolean => number === call.read || number === call.receive;
  return untilInside(clock, pid, (number, first) => isReading(number) && first === descriptor);
}

async function untilInside(
  clock: Clock,
  pid: number,
  isWanted: (number: number, firstArgument: number) => boolean,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < waitingMsMax; waitedMs += WAITING_PAUSE_MS) {
    const text = readFileSync(`/proc/${pid}/syscall`, 'latin1');
    // It has no stack any more, only a status that nobody has asked for yet.
    if (text.startsWith('-1 0x0 ')) throw new TraceError('the process has ended');
    // What runs is no number.
    const [number, first] = text.split(' ').map(Number);
    if (isWanted(number ?? NaN, first ?? NaN)) return;
    await delay(clock, WAITING_PAUSE_MS);
  }
  throw new TraceError('the process does not wait');
}

/** Empties all sets of capabilities; it can get none back but by another user namespace. */
export async function dropCapabilities(traced: TracedProcess): Promise<void> {
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
  // Having had capabilities, or another uid, made it one whose /proc files are root's.
  required(await traced.call(call.prctl, PR_SET_DUMPABLE, 1, 0, 0, 0), 'prctl');
}

/** That it has no capability in any set, and no other uid than the sandboxes' own, but for `savedUid`. */
export function requirePowerless(pid: number, savedUid: number = SANDBOX_UID): void {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const sets = status.match(/^Cap\w+:\t(\w+)$/gm) ?? [];
  if (sets.length !== 5 || sets.some((set) => !/\t0+$/.test(set))) {
    throw new TraceError(`capabilities left: ${sets}`);
  }
  const expected = [SANDBOX_UID, SANDBOX_UID, savedUid, SANDBOX_UID].join('\t');
  const uids = /^Uid:\t(.*)$/m.exec(status)?.[1];
  if (uids !== expected) throw new TraceError(`another user: ${uids}`);
}
