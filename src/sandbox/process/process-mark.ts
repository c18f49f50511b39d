/**
 * How the process driver finds every process of a sandbox again, also one that left its session and
 * cleaned its environment, and also after the server was killed: by a mark in a resource limit that
 * nothing uses (see `withInheritedMark`). Linux only; elsewhere nothing is ever found.
 */
import { delay, type Clock } from '../../base/clock.ts';
import { sendSignal } from '../send-signal.ts';
import { markedProcesses } from './process-table.ts';

/** Upper 16 bits of every mark of ours, so that no real limit is taken for one. */
const TAG = 0x4852n;

export interface InstanceMark {
  /** The mark of the `sequence`-th sandbox of this server run. */
  forSandbox(sequence: number): bigint;
  /** Whether a mark belongs to this instance, whichever sandbox. */
  includes(mark: bigint): boolean;
}

/** Layout: 16 bits tag, 32 bits instance, 16 bits sandbox (which may wrap: ids live far shorter). */
export function instanceMark(instanceId: string): InstanceMark {
  const prefix = (TAG << 32n) | BigInt(`0x${instanceId}`);
  return {
    forSandbox: (sequence) => (prefix << 16n) | BigInt(sequence & 0xffff),
    includes: (mark) => mark >> 16n === prefix,
  };
}

/** Rounds of looking for survivors; each stops all it finds, so a fork race ends in the second. */
const ROUNDS_MAX = 50;
const ROUND_PAUSE_MS = 2;

/** Kills all processes whose mark satisfies `accept` and waits until none is left; returns how many. */
export async function killMarked(clock: Clock, accept: (mark: bigint) => boolean): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const found = markedProcesses(accept);
    if (found.length === 0) break;
    // Stop them all first: what is stopped cannot start another while we go through the list.
    for (const pid of found) sendSignal(pid, 'SIGSTOP');
    for (const pid of found) {
      sendSignal(pid, 'SIGKILL');
      killed.add(pid);
    }
    await delay(clock, ROUND_PAUSE_MS);
  }
  return killed.size;
}
