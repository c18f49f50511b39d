import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import {
  createPipe,
  createSocketPair,
  isLinux,
  mount,
  NativeError,
  reapChild,
  sendDescriptors,
  setMark,
  signalName,
  withInheritedMark,
} from './native.ts';
import { markedProcesses, markOf } from './process/process-table.ts';

test('createPipe carries bytes and no child inherits it', () => {
  const { readFd, writeFd } = createPipe();
  writeSync(writeFd, 'hello');
  const buffer = Buffer.alloc(16);
  assert.equal(readSync(readFd, buffer), 5);
  const script = `try { require('node:fs').fstatSync(${writeFd}).isFIFO() && console.log('inherited') } catch {}`;
  assert.equal(String(spawnSync(process.execPath, ['-e', script]).stdout), '');
  closeSync(readFd);
  closeSync(writeFd);
});

const receiver = `
import array, socket
channel = socket.socket(fileno=0)
data, descriptors, _, _ = socket.recv_fds(channel, 64, 4)
for descriptor in descriptors:
    with open(descriptor, "w") as file:
        file.write(data.decode())
`;

test('sendDescriptors passes open files with bytes', { skip: !isLinux }, async () => {
  const [one, two] = createSocketPair();
  const pipes = [createPipe(), createPipe(), createPipe()];
  const child = spawn('python3', ['-c', receiver], { stdio: [two, 'inherit', 'inherit'] });
  sendDescriptors(
    one,
    Buffer.from('with files'),
    pipes.map(({ writeFd }) => writeFd),
  );
  await once(child, 'exit');
  for (const { readFd } of pipes) {
    const buffer = Buffer.alloc(16);
    assert.equal(buffer.toString('utf8', 0, readSync(readFd, buffer)), 'with files');
  }
  closeSync(two);
  assert.throws(() => sendDescriptors(one, Buffer.from('x'), []), { code: 'EPIPE' });
  for (const { readFd, writeFd } of pipes) [readFd, writeFd].forEach((fd) => closeSync(fd));
  closeSync(one);
});

test('createSocketPair carries bytes both ways', () => {
  const [one, two] = createSocketPair();
  assert.ok(fstatSync(one).isSocket());
  const buffer = Buffer.alloc(4);
  writeSync(one, 'ping');
  readSync(two, buffer);
  assert.equal(String(buffer), 'ping');
  writeSync(two, 'pong');
  readSync(one, buffer);
  assert.equal(String(buffer), 'pong');
  closeSync(one);
  closeSync(two);
});

test('signalName knows names and numbers', () => {
  assert.equal(signalName(9), 'SIGKILL');
  assert.equal(signalName(40), 'SIG40');
});

test(
  'withInheritedMark marks children for life and not this process',
  { skip: !isLinux },
  async () => {
    const before = markOf(process.pid);
    const mark = 0x4852_0123_4567_0001n;
    const script = "env -i setsid sh -c 'echo up; sleep 100' & wait";
    const child = withInheritedMark(mark, () =>
      spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] }),
    );
    await once(child.stdout, 'data');
    assert.equal(markOf(child.pid!), mark);
    assert.equal(markOf(process.pid), before);
    const marked = markedProcesses((found) => found === mark);
    assert.ok(marked.length >= 2, 'also the one in a session of its own, without environment');
    for (const pid of marked) process.kill(pid, 'SIGKILL');
    await once(child, 'exit');
  },
);

test('reapChild does not take what is not ours', { skip: !isLinux }, () => {
  assert.equal(reapChild(1), 'gone');
});

test('a failed call is a NativeError with its code', { skip: !isLinux }, () => {
  assert.throws(
    () => mount('/no/such/source', '/no/such/target', null, 0),
    (error) => error instanceof NativeError && ['ENOENT', 'EPERM'].includes(error.code),
  );
});

test('setMark marks a process that runs already', { skip: !isLinux }, async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  setMark(pid, 0x4852_0000_0000_0001n);
  assert.equal(markOf(pid), 0x4852_0000_0000_0001n);
  child.kill('SIGKILL');
  await once(child, 'exit');
});
