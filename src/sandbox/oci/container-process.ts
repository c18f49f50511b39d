/** One process that the server started in a container: its number on the host, its streams, its end. */
import { readFileSync } from 'node:fs';
import type { ChildStatus } from '../native.ts';
import type { ProcessStreams } from '../process-streams.ts';
import { sendSignal } from '../send-signal.ts';

export interface ContainerEnd {
  /** Null when it could not be known. */
  readonly status: ChildStatus | null;
  readonly outOfMemory: boolean;
}

export class ContainerProcess {
  readonly pid: number;
  readonly streams: ProcessStreams;
  /** Resolves when it was reaped and what its end brings about has happened (see container.ts). */
  readonly ended: Promise<ContainerEnd>;
  #isRunning = true;

  /** `reaped` is the end of `pid`, a child of this process; `onEnd` says what that means. */
  constructor(
    pid: number,
    streams: ProcessStreams,
    reaped: Promise<ChildStatus | null>,
    onEnd: (status: ChildStatus | null) => Promise<ContainerEnd>,
  ) {
    this.pid = pid;
    this.streams = streams;
    this.ended = reaped.then((status) => {
      this.#isRunning = false;
      streams.drainOutput(); // its last words may be waiting for their turn
      return onEnd(status);
    });
    this.ended.catch(() => {}); // whoever waits for it gets the error
  }

  /** It has not ended, as far as known: its number is its own until it is reaped. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#isRunning) process.kill(this.pid, signal);
  }

  /** Kills it and its process group: OCI runtimes give each process a session of its own. */
  kill(): void {
    this.signal('SIGKILL');
    if (this.#isRunning) sendSignal(-this.pid, 'SIGKILL');
  }
}

/** Kills those of `candidates` that are in the process group of `leader`, which may have been reaped. */
export function killGroupMembers(leader: number, candidates: readonly number[]): void {
  for (const pid of candidates) {
    if (processGroupOf(pid) === leader) sendSignal(pid, 'SIGKILL');
  }
}

/** The fifth field of /proc/PID/stat; the second is a name that may hold anything. */
function processGroupOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return null;
  }
}
