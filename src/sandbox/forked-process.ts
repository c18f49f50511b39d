/**
 * A sandbox's main process that is a copy of another's: not a child of the server, so what it is and how
 * it ended comes through a pipe, from the keeper that the copying process puts between itself and the copy
 * (docs/internals/runtime-channel.md). A keeper that says nothing more was killed, and the copy with it.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { createPipe, signalName } from './native.ts';
import type { ProcessStreams } from './process-streams.ts';
import type { ForkSource } from './sandbox.ts';

/** The main process of a sandbox, copied or not. */
export interface ForkedProcess {
  /** Leads the group that all processes of the sandbox begin in. */
  readonly pid: number;
  readonly mainPid: number;
  readonly ended: Promise<ProcessEnd>;
}

/** A copy: it may have left the pipe's other end with processes that go on. */
export interface CopiedProcess extends ForkedProcess {
  /** It was killed: `ended` waits no longer. */
  forget(): void;
}

interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process that takes longer to copy itself is stuck. */
export const forkMsMax = 5_000;
/** Both lines of a keeper. The pipe is in the hands of the function. */
export const keeperBytesMax = 64;

/**
 * Asks for the copy and resolves once it is there, waiting for its host's word. The numbers are those of
 * the pid namespace that the copying process is in. `others` are passed on to the copy, too.
 */
export async function askForCopy(
  clock: Clock,
  source: ForkSource,
  streams: ProcessStreams,
  others: readonly number[] = [],
): Promise<CopiedProcess> {
  const pipe = createPipe();
  const status = new Socket({ fd: pipe.readFd, readable: true, writable: false });
  try {
    try {
      const [, output, , channel] = streams.stdio as readonly number[];
      const descriptors = [channel!, output!, pipe.writeFd, ...others];
      source.process.sendDescriptors?.(source.request, descriptors);
    } finally {
      closeSync(pipe.writeFd);
      streams.releaseChildEnds();
    }
    return await follow(status, clock);
  } catch (error) {
    status.destroy();
    throw error;
  }
}

/** The keeper's first line: its own process id and the copy's. */
const pidsLine = /^([1-9]\d{0,9}) ([1-9]\d{0,9})\n/;
/** The second one: the exit status, or a signal's number made negative. */
const endLine = /\n(-?\d{1,3})\n$/;

async function follow(status: Socket, clock: Clock): Promise<CopiedProcess> {
  let said = '';
  const pids = deferred<[number, number]>();
  const ended = deferred<ProcessEnd>();
  const timer = clock.schedule(forkMsMax, () => status.destroy());
  status.on('error', () => {}); // it closes
  status.on('data', (bytes: Buffer) => {
    said += bytes.toString('latin1', 0, keeperBytesMax + 1);
    const [, pid, mainPid] = pidsLine.exec(said) ?? [];
    if (pid !== undefined && mainPid !== undefined) {
      timer.cancel();
      pids.resolve([Number(pid), Number(mainPid)]);
    }
    const isStrange = pid === undefined && said.includes('\n');
    if (isStrange || said.length > keeperBytesMax) status.destroy();
  });
  status.once('close', () => {
    timer.cancel();
    pids.reject(new Error(`the process did not copy itself: ${JSON.stringify(said)}`));
    ended.resolve(endOf(said));
  });
  const [pid, mainPid] = await pids.promise;
  return { pid, mainPid, ended: ended.promise, forget: () => status.destroy() };
}

function endOf(said: string): ProcessEnd {
  const code = endLine.exec(said)?.[1];
  if (code === undefined) return { code: null, signal: 'SIGKILL' };
  const number = Number(code);
  return number < 0 ? { code: null, signal: signalName(-number) } : { code: number, signal: null };
}
