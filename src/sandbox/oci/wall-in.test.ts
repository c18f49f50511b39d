import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { delay, systemClock } from '../../base/clock.ts';
import { ChildReaper } from '../child-reaper.ts';
import { stopMsMax, TracedProcess } from './traced-process.ts';
import { call, untilWaiting } from './traced-steps.ts';
import { startSleeper } from './waiting-process.ts';
import { tryWallIn } from './wall-in.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const skip = !isRoot || process.arch !== 'x64';

async function waitingSleeper(): Promise<number> {
  const pid = await startSleeper();
  await untilWaiting(systemClock, pid, call.sleep);
  return pid;
}

/** Its child shares the memory of the system call that it waits in, and changes it at a word. */
const changing = `
import ctypes, mmap, os, sys
code = mmap.mmap(-1, 4096, prot=7)
code[:7] = bytes.fromhex("b822000000" "0f05") # pause()
base = ctypes.addressof(ctypes.c_char.from_buffer(code))
waiting = os.fork()
if waiting == 0:
    ctypes.CFUNCTYPE(None)(base)()
print(waiting, flush=True)
sys.stdin.read(1)
code[5:7] = bytes.fromhex("ebfe") # a jump to itself
print("changed", flush=True)
os.waitpid(waiting, 0)
`;
/** pause(2) */
const pausing = 34;

test('tryWallIn says that it works here, as it must as root on Linux', { skip }, async () => {
  assert.equal(await tryWallIn(systemClock, 'hearth-trial'), null);
});

test('a traced process does what it is told and then goes on', { skip }, async () => {
  const pid = await waitingSleeper();
  const traced = await TracedProcess.stop(systemClock, pid);
  assert.equal(await traced.call(39), BigInt(pid), 'getpid');
  assert.equal(await traced.call(3, 999), -9n, 'close of what is not open: EBADF');
  traced.writeScratch(Buffer.from('/nowhere\0'));
  assert.equal(await traced.call(80, traced.scratch), -2n, 'chdir: ENOENT');
  traced.release();
  await untilWaiting(systemClock, pid, call.restart);
  assert.match(readFileSync(`/proc/${pid}/status`, 'latin1'), /^TracerPid:\t0$/m);
  process.kill(pid);
});

test('the stops of a traced process are no news of children', { skip }, async () => {
  const reaper = new ChildReaper();
  let signals = 0;
  const count = (): void => void (signals += 1);
  process.on('SIGCHLD', count);
  try {
    const pid = await waitingSleeper();
    const traced = await TracedProcess.stop(systemClock, pid);
    for (let round = 0; round < 20; round += 1) await traced.call(39);
    await delay(systemClock, 20);
    assert(signals <= 2, `${signals} for some forty stops`); // what other tests ended, perhaps
    await traced.end();
    signals = 0;
    const child = spawn('/bin/true');
    await once(child, 'exit');
    await delay(systemClock, 20);
    assert(signals > 0, 'the end of a child is');
  } finally {
    process.off('SIGCHLD', count);
    reaper.close();
  }
});

test(
  'a process that has ended, which nobody has asked for, is not waited for',
  { skip },
  async () => {
    const child = spawn('python3', [
      '-c',
      'import os, sys\npid = os.fork()\nif pid == 0: os._exit(0)\n' +
        'os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)\nprint(pid, flush=True)\nsys.stdin.read()',
    ]);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const waiting = untilWaiting(systemClock, Number(line), call.sleep);
    await assert.rejects(waiting, { message: 'the process has ended' });
    child.stdin.end();
    await once(child, 'exit');
  },
);

test('a process that got the number of the one that is meant goes on', { skip }, async () => {
  const pid = await waitingSleeper();
  const answers = [true, false];
  const stopped = TracedProcess.stop(systemClock, pid, () => answers.shift()!);
  await assert.rejects(stopped, { name: 'TraceError' });
  await untilWaiting(systemClock, pid, call.restart);
  assert.match(readFileSync(`/proc/${pid}/status`, 'latin1'), /^TracerPid:\t0$/m);
  process.kill(pid);
});

test('a process that runs its program is not made to do anything', { skip }, async () => {
  const child = spawn('/bin/sh', ['-c', '(while :; do :; done) & echo $!; wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  await assert.rejects(untilWaiting(systemClock, pid, call.receive), { name: 'TraceError' });
  const files = readdirSync('/proc/self/fd').length;
  await assert.rejects(TracedProcess.stop(systemClock, pid), { name: 'TraceError' });
  await once(child, 'exit');
  assert(!existsSync(`/proc/${pid}`), 'killed and waited for');
  assert.equal(readdirSync('/proc/self/fd').length <= files, true, 'no file is left open');
});

test(
  'a process that does not come to its next stop is killed, and holds up nobody',
  { skip },
  async () => {
    const child = spawn('python3', ['-c', changing], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(line);
    await untilWaiting(systemClock, pid, pausing);
    const traced = await TracedProcess.stop(systemClock, pid);
    assert.equal(await traced.call(39), BigInt(pid), 'getpid');
    child.stdin.write('x');
    await once(child.stdout, 'data');
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 10);
    const called = traced.call(39);
    await assert.rejects(called, { name: 'TraceError', message: 'it does not stop' });
    clearInterval(counting);
    assert(turns > stopMsMax / 100, 'other things went on');
    await traced.end();
    assert.equal((await exited)[0], 0, 'it has ended for its parent, too');
  },
);
