/** Barrier: memory. A function that takes too much is killed, alone, and is told apart from other kills. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import {
  attack,
  attackWithNode,
  createAttacker,
  LIMITS,
  skip,
  startShell,
  type Attacker,
} from './attacker.ts';

const LIMIT_MB = 128;

describe('memory bomb', { skip }, () => {
  let attacker: Attacker;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  test('it is killed at its limit and nobody else is', async () => {
    const neighbour = await attacker.sandbox('neighbour');
    const running = await startShell(neighbour, 'echo up; sleep 1000');
    await once(running.output, 'data');
    const sandbox = await attacker.sandbox('eater', { ...LIMITS, memoryMb: LIMIT_MB });
    const script = `const kept = []; for (;;) kept.push(Buffer.alloc(4 * 2 ** 20, 1));`;
    const { exit } = await attackWithNode(sandbox, script);
    assert.deepEqual(exit, { code: null, signal: 'SIGKILL', outOfMemory: true });
    assert.equal(sandbox.memoryPeakBytes(), LIMIT_MB * 2 ** 20);
    assert.equal(await Promise.race([running.exited, Promise.resolve('alive')]), 'alive');
    const { output, exit: next } = await attack(sandbox, 'echo again');
    assert.equal(output, 'again\n');
    assert.equal(next.outOfMemory, false);
    await running.kill();
  });

  test('a limit given late holds', async () => {
    const sandbox = await attacker.driver.create({
      id: 'late',
      limits: { ...LIMITS, memoryMb: 1024 },
      languageDir: null,
      runtimeDir: attacker.dataFolder,
    });
    const argv = ['/bin/sh', '-c', 'read _ <&3; head -c 300000000 /dev/zero | tail'];
    const command = { argv, env: { HOME: '/' }, cwd: '/', channel: true };
    const started = await sandbox.start(command);
    started.output.resume();
    const limits = { ...LIMITS, memoryMb: LIMIT_MB };
    await sandbox.bind({ codeDir: attacker.dataFolder, layerDirs: [], limits });
    started.channel!.end('go\n');
    assert.equal((await started.exited).outOfMemory, true);
  });

  test('files in /tmp are not memory that kills', async () => {
    const sandbox = await attacker.sandbox('writer', { ...LIMITS, memoryMb: LIMIT_MB });
    const script = 'dd if=/dev/zero of=/tmp/big bs=1M count=300 2>/dev/null && echo written';
    const { output, exit } = await attack(sandbox, script);
    assert.equal(output, 'written\n');
    assert.equal(exit.outOfMemory, false);
    assert.ok(sandbox.memoryPeakBytes() < 40 * 2 ** 20, 'and they are not reported as used');
  });
});
