import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { SimClock } from '../testing/sim-clock.ts';
import { askForCopy, forkMsMax, keeperBytesMax, type CopiedProcess } from './forked-process.ts';
import { createProcessStreams, discardStreams } from './process-streams.ts';
import type { ForkSource } from './sandbox.ts';

const skip = process.platform !== 'linux';
const held: number[] = [];
afterEach(() => held.splice(0).forEach((fd) => closeSync(fd)));

/** Asks a process that says `words` in the keeper's place, and keeps the pipe's end. */
async function ask(clock: SimClock, words: string): Promise<CopiedProcess> {
  const streams = createProcessStreams(clock, true);
  const sendDescriptors = (_: Buffer, descriptors: readonly number[]): void => {
    const pipe = openSync(`/proc/self/fd/${descriptors[2]}`, 'w');
    held.push(pipe);
    writeSync(pipe, words);
  };
  const source = { process: { sendDescriptors }, request: Buffer.from('f') };
  try {
    return await askForCopy(clock, source as unknown as ForkSource, streams);
  } finally {
    discardStreams(streams);
  }
}

test('a copy has the status that its keeper says', { skip }, async () => {
  const { pid, mainPid, ended } = await ask(new SimClock(0), '12 13\n7\n');
  assert.deepEqual([pid, mainPid], [12, 13]);
  held.splice(0).forEach((fd) => closeSync(fd));
  assert.deepEqual(await ended, { code: 7, signal: null });
});

test('a copy that was killed has ended, whoever holds its pipe', { skip }, async () => {
  const copied = await ask(new SimClock(0), '12 13\n');
  copied.forget();
  assert.deepEqual(await copied.ended, { code: null, signal: 'SIGKILL' });
});

test('what a keeper says is bounded', { skip }, async () => {
  const copied = await ask(new SimClock(0), `12 13\n${'1'.repeat(keeperBytesMax)}`);
  assert.deepEqual(await copied.ended, { code: null, signal: 'SIGKILL' });
  const refused = { message: /did not copy itself/ };
  await assert.rejects(ask(new SimClock(0), '1'.repeat(keeperBytesMax + 1)), refused);
  await assert.rejects(ask(new SimClock(0), '0 -1\n'), refused);
});

test('a process that does not copy itself is waited for so long', { skip }, async () => {
  const clock = new SimClock(0);
  const asked = ask(clock, '');
  const refused = assert.rejects(asked, { message: /did not copy itself/ });
  clock.advance(forkMsMax);
  await refused;
});
