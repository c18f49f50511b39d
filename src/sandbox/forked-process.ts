/**
 * A sandbox's main process that is a copy of another's: not a child of the server, so what it is and how
 * it ended comes through a pipe, from the keeper that the copying process puts between itself and the copy
 * (docs/internals/runtime-channel.md). A keeper that says nothing more was killed, and the copy with it.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import type { Clock } from '../base/clock.ts';
import { createPipe, signalName } from './native.ts';
import type { ProcessStreams } from './process-streams.ts';
import type { ForkSource } from './sandbox.ts';

/** The main process of a sandbox, copied or not. */
export interface ForkedProcess {
  /** Leads the group that all processes of the sandbox begin in. */
  readonly pid: number;
  readonly mainPid: number;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** A process that takes longer to copy itself is stuck. */
export const forkMsMax = 5_000;

/**
 * Asks for the copy and resolves once it is there, waiting for its host's word. The numbers are those of
 * the pid namespace that the copying process is in. `others` are passed on to the copy, too.
 */
export async function askForCopy(
  clock: Clock,
  source: ForkSource,
  streams: ProcessStreams,
  others: readonly number[] = [],
): Promise<ForkedProcess> {
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
    const lines = createInterface({ input: status });
    const [pid, mainPid] = await keptPids(lines, status, clock);
    return { pid, mainPid, ended: endOf(lines) };
  } catch (error) {
    status.destroy();
    throw error;
  }
}

/** The keeper's and the copy's process ids, which are the first line. */
function keptPids(lines: Interface, status: Socket, clock: Clock): Promise<[number, number]> {
  return new Promise((resolve, reject) => {
    const timer = clock.schedule(forkMsMax, () => status.destroy());
    lines.once('close', () => {
      timer.cancel();
      reject(new Error('the process did not copy itself'));
    });
    lines.once('line', (line) => {
      timer.cancel();
      const [, pid, mainPid] = /^(\d+) (\d+)$/.exec(line) ?? [];
      if (pid !== undefined && mainPid !== undefined) resolve([Number(pid), Number(mainPid)]);
      else reject(new Error(`the process did not copy itself: ${line}`));
    });
  });
}

/** The second line is the exit status, or a signal's number made negative. */
function endOf(lines: Interface): ForkedProcess['ended'] {
  return new Promise((resolve) => {
    let code: number | null = null;
    lines.once('line', (line) => (code = Number(line)));
    lines.once('close', () => {
      if (code === null) resolve({ code: null, signal: 'SIGKILL' });
      else if (code < 0) resolve({ code: null, signal: signalName(-code) });
      else resolve({ code, signal: null });
    });
  });
}
