import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { endTraced, TracedProcess } from './traced-process.ts';
import { tryWallIn, untilWaiting } from './wall-in.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const skip = !isRoot || process.arch !== 'x64';
/** clock_nanosleep(2) */
const sleeping = 230;

test('tryWallIn says that it works here, as it must as root on Linux', { skip }, async () => {
  assert.equal(await tryWallIn(systemClock), null);
});

test('a traced process does what it is told and then goes on', { skip }, async () => {
  const child = spawn('/bin/sleep', ['0.2'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  await untilWaiting(systemClock, pid, sleeping);
  const traced = TracedProcess.stop(pid);
  assert.equal(traced.call(39), BigInt(pid), 'getpid');
  assert.equal(traced.call(3, 999), -9n, 'close of what is not open: EBADF');
  traced.writeScratch(Buffer.from('/nowhere\0'));
  assert.equal(traced.call(80, traced.scratch), -2n, 'chdir: ENOENT');
  traced.release();
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
});

test('a process that runs its program is not made to do anything', { skip }, async () => {
  const child = spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  child.unref();
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  await assert.rejects(untilWaiting(systemClock, pid), { name: 'TraceError' });
  assert.throws(() => TracedProcess.stop(pid), { name: 'TraceError' });
  endTraced(pid);
  assert(!existsSync(`/proc/${pid}`), 'killed and waited for');
});
