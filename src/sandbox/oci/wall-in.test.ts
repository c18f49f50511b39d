import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { TracedProcess, traceMsMax } from './traced-process.ts';
import { startSleeper, tryWallIn, untilWaiting } from './wall-in.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const skip = !isRoot || process.arch !== 'x64';
/** clock_nanosleep(2) */
const sleeping = 230;
/** restart_syscall(2): a sleep that was interrupted */
const restarted = 219;

async function waitingSleeper(): Promise<number> {
  const pid = await startSleeper();
  await untilWaiting(systemClock, pid, sleeping);
  return pid;
}

/** A process whose memory at the system call that it waits in is shared with one that changes it later. */
const changing = `
import ctypes, mmap, os, time
code = mmap.mmap(-1, 4096, prot=7)
# pause() until a signal comes, then once more
code[:11] = bytes.fromhex("b822000000" "0f05" "ebf7" "c3c3")
base = ctypes.addressof(ctypes.c_char.from_buffer(code))
if os.fork() == 0:
    waiting = os.fork()
    if waiting == 0:
        ctypes.CFUNCTYPE(None)(base)()
    print(waiting, flush=True)
    tracer = lambda: [l for l in open(f"/proc/{waiting}/status") if l.startswith("TracerPid")][0].split()[1]
    while tracer() == "0":
        pass
    code[5:7] = bytes.fromhex("ebfe") # goes round and round
    os.waitpid(waiting, 0)
    os._exit(0)
os.wait()
`;
const pausing = 34;

test('tryWallIn says that it works here, as it must as root on Linux', { skip }, async () => {
  assert.equal(await tryWallIn(systemClock), null);
});

test('a traced process does what it is told and then goes on', { skip }, async () => {
  const pid = await waitingSleeper();
  const traced = await TracedProcess.stop(systemClock, pid);
  assert.equal(await traced.call(39), BigInt(pid), 'getpid');
  assert.equal(await traced.call(3, 999), -9n, 'close of what is not open: EBADF');
  traced.writeScratch(Buffer.from('/nowhere\0'));
  assert.equal(await traced.call(80, traced.scratch), -2n, 'chdir: ENOENT');
  traced.release();
  await untilWaiting(systemClock, pid, restarted);
  assert.match(readFileSync(`/proc/${pid}/status`, 'latin1'), /^TracerPid:\t0$/m);
  process.kill(pid);
});

test('a process that runs its program is not made to do anything', { skip }, async () => {
  const child = spawn('/bin/sh', ['-c', '(while :; do :; done) & echo $!; wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  await assert.rejects(untilWaiting(systemClock, pid), { name: 'TraceError' });
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
    const child = spawn('python3', ['-c', changing], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(line);
    await untilWaiting(systemClock, pid, pausing);
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 10);
    const traced = await TracedProcess.stop(systemClock, pid);
    const calls = (async () => {
      for (;;) await traced.call(39);
    })();
    await assert.rejects(calls, { name: 'TraceError', message: 'it does not stop' });
    clearInterval(counting);
    assert(turns > traceMsMax / 100, 'other things went on');
    await traced.end();
    assert.equal((await once(child, 'exit'))[0], 0, 'it has ended for its parent, too');
  },
);
