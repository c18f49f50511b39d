/**
 * The highest memory use of a sandbox's processes, read after every invocation and so cheap: the main
 * process is read each time through a descriptor that stays open, the others are looked up only so often.
 *
 * What is counted is the peak of resident memory (VmHWM), as the service's Max Memory Used is of the
 * processes, not of the page cache that a cgroup's own counter includes.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';

/** How often the processes beside the main one are looked for. */
const othersIntervalMs = 200;
/** Long enough for the line wanted, which is in the first third of the file. */
const statusBytes = 1024;
const status = Buffer.alloc(statusBytes);
const marker = Buffer.from('VmHWM:');

export class PeakMemory {
  readonly #clock: Clock;
  readonly #mainPid: number;
  readonly #listPids: () => readonly number[];
  #descriptor: number | null;
  #othersAtMs = Number.NEGATIVE_INFINITY;
  #othersBytes = 0;
  #peakBytes = 0;

  /** `listPids` names all processes of the sandbox, the main one included or not. */
  constructor(clock: Clock, mainPid: number, listPids: () => readonly number[]) {
    this.#clock = clock;
    this.#mainPid = mainPid;
    this.#listPids = listPids;
    this.#descriptor = openStatus(mainPid);
  }

  /** Bytes; 0 where the host does not tell. */
  read(): number {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#othersAtMs >= othersIntervalMs) {
      this.#othersAtMs = nowMs;
      this.#othersBytes = this.#readOthers();
    }
    const bytes = this.#readMain() + this.#othersBytes;
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
    return this.#peakBytes;
  }

  /** When the main process has ended; `read` still answers. */
  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #readMain(): number {
    return this.#descriptor === null ? 0 : readPeak(this.#descriptor);
  }

  #readOthers(): number {
    let bytes = 0;
    for (const pid of this.#listPids()) {
      if (pid === this.#mainPid) continue;
      const descriptor = openStatus(pid);
      if (descriptor === null) continue;
      bytes += readPeak(descriptor);
      closeSync(descriptor);
    }
    return bytes;
  }
}

/** Bytes; 0 when the process has ended. */
function readPeak(descriptor: number): number {
  try {
    const length = readSync(descriptor, status, 0, statusBytes, 0);
    const at = status.indexOf(marker);
    if (at === -1 || at >= length) return 0;
    return Number.parseInt(status.toString('latin1', at + marker.length, at + 32), 10) * 1024;
  } catch {
    return 0;
  }
}

function openStatus(pid: number): number | null {
  try {
    return openSync(`/proc/${pid}/status`, 'r');
  } catch {
    return null;
  }
}
