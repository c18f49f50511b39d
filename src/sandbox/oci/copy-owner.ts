/**
 * Who will own the copies of a process. A namespace belongs to the uid that makes it, and that uid has all
 * power over it from the namespace above, without any capability. So the process that is copied is given a
 * second uid before the function's code is there, as its saved one, in a user namespace that has only these
 * two. A copy takes it for the moment in which it makes its own namespaces (wall-in.ts); whatever the
 * function's code leaves behind beside the copies cannot (setuid-filter.ts), and so has no power over them.
 *
 * Maps of the copies' user namespaces can be written only from this one: by a process of root's that has entered
 * it, and otherwise waits for the end of the server.
 */
import { writeFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { sendSignal } from '../send-signal.ts';
import type { LifeLine } from './pid-namespace.ts';
import { setuidFilter } from './setuid-filter.ts';
import { TracedProcess } from './traced-process.ts';
import {
  AT_FDCWD,
  call,
  CallError,
  CLONE_NEWUSER,
  dropCapabilities,
  required,
  requirePowerless,
  untilWaiting,
} from './traced-steps.ts';
import { SANDBOX_GID, SANDBOX_UID } from './user.ts';
import { startWaiting } from './waiting-process.ts';

/** Nobody's: between the ranges that Linux distributions give to users and containers. */
export const COPY_OWNER_UID = 2_000_000_993;

const SECCOMP_SET_MODE_FILTER = 1;
const O_WRITE_ONLY = 1;

/** A file of /proc/PID and what is written to it, in this order. */
type Maps = readonly (readonly [file: string, content: string])[];

const ownUid = `${SANDBOX_UID} ${SANDBOX_UID} 1`;
const ownGid = `${SANDBOX_GID} ${SANDBOX_GID} 1`;
const ownerUid = `${COPY_OWNER_UID} ${COPY_OWNER_UID} 1`;
const mapsOfTemplate: Maps = [
  ['setgroups', 'deny'],
  ['gid_map', ownGid],
  ['uid_map', `${ownUid}\n${ownerUid}`],
];
const mapsOfCopy: Maps = [
  ['setgroups', 'deny'],
  ['gid_map', ownGid],
  ['uid_map', ownUid],
];

/** What `ps` shows for the process of root's, with the instance, as everything on the host. */
export function helperName(instanceId: string, container: string): string {
  return `hearth-maps ${instanceId} ${container}`;
}

export interface CopyOwnerOptions {
  /** Host's number of a process with a single thread that waits in a system call and has run nothing of a function. */
  readonly pid: number;
  /** Of the process of root's (`helperName`). */
  readonly name: string;
  readonly lifeLine: LifeLine;
}

export class CopyOwner {
  readonly #clock: Clock;
  readonly #helper: number;
  /** One after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(clock: Clock, helper: number) {
    this.#clock = clock;
    this.#helper = helper;
  }

  /** Prepares `pid` to be copied. Rejects when that does not work; it may have ended then. */
  static async prepare(clock: Clock, options: CopyOwnerOptions): Promise<CopyOwner> {
    const { pid, name, lifeLine } = options;
    await giveSavedUid(clock, pid);
    const helper = await startWaiting('/usr/bin/nl -s "$0"', { name, inputFd: lifeLine.readFd });
    const owner = new CopyOwner(clock, helper);
    try {
      await owner.#trace((traced) => enterUserNamespace(traced, pid));
      return owner;
    } catch (error) {
      owner.close();
      throw error;
    }
  }

  /** Of a copy's user namespace, which it has just made. */
  writeMaps(pid: number): Promise<void> {
    return this.#trace(async (traced) => {
      for (const [file, content] of mapsOfCopy) {
        await writeAs(traced, `/proc/${pid}/${file}`, content);
      }
    });
  }

  #trace(work: (traced: TracedProcess) => Promise<void>): Promise<void> {
    const done = this.#writing.then(() => this.#traceNow(work));
    this.#writing = done.catch(() => undefined);
    return done;
  }

  async #traceNow(work: (traced: TracedProcess) => Promise<void>): Promise<void> {
    await untilWaiting(this.#clock, this.#helper, call.read);
    const traced = await TracedProcess.stop(this.#clock, this.#helper);
    try {
      await work(traced);
    } catch (error) {
      // What it was told to do can fail: a copy may be gone.
      if (error instanceof CallError) traced.release();
      else await traced.end();
      throw error;
    }
    traced.release();
  }

  /** No copy can be made any more. */
  close(): void {
    sendSignal(this.#helper, 'SIGKILL');
  }
}

async function giveSavedUid(clock: Clock, pid: number): Promise<void> {
  const traced = await TracedProcess.stop(clock, pid);
  try {
    required(await traced.call(call.unshare, CLONE_NEWUSER), 'unshare');
    for (const [file, content] of mapsOfTemplate) writeFileSync(`/proc/${pid}/${file}`, content);
    await setUids(traced, SANDBOX_UID, SANDBOX_UID, COPY_OWNER_UID);
    traced.writeScratch(setuidFilter(traced.scratch));
    const { seccomp } = call;
    const filtered = await traced.call(seccomp, SECCOMP_SET_MODE_FILTER, 0, traced.scratch);
    required(filtered, 'seccomp');
    await dropCapabilities(traced);
    requirePowerless(pid, COPY_OWNER_UID);
    traced.release();
  } catch (error) {
    await traced.end();
    throw error;
  }
}

/** Real, effective and saved uid; -1 leaves one as it is. */
export async function setUids(
  traced: TracedProcess,
  ...uids: readonly [real: number, effective: number, saved: number]
): Promise<void> {
  const values = uids.map((uid) => BigInt.asUintN(32, BigInt(uid)));
  required(await traced.call(call.setresuid, ...values), 'setresuid');
}

async function enterUserNamespace(traced: TracedProcess, pid: number): Promise<void> {
  const fd = await openAs(traced, `/proc/${pid}/ns/user`, 0);
  required(await traced.call(call.setns, fd, CLONE_NEWUSER), 'setns');
  required(await traced.call(call.close, fd), 'close');
}

async function openAs(traced: TracedProcess, path: string, flags: number): Promise<bigint> {
  traced.writeScratch(Buffer.from(`${path}\0`));
  const fd = await traced.call(call.openat, AT_FDCWD, traced.scratch, flags);
  return required(fd, `open ${path}`);
}

async function writeAs(traced: TracedProcess, path: string, content: string): Promise<void> {
  const fd = await openAs(traced, path, O_WRITE_ONLY);
  traced.writeScratch(Buffer.from(content));
  const written = await traced.call(call.write, fd, traced.scratch, content.length);
  required(await traced.call(call.close, fd), 'close');
  required(written, `write ${path}`);
}
