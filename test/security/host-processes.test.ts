/** Barrier: processes. A function sees and touches only its own; no other sandbox's, none of the host's. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import {
  attack,
  attackWithNode,
  createAttacker,
  skip,
  startShell,
  type Attacker,
} from './attacker.ts';

describe('host processes', { skip }, () => {
  let attacker: Attacker;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  test('other sandboxes and the host do not show', async () => {
    const victim = await attacker.sandbox('victim');
    const running = await startShell(victim, 'echo up; sleep 987.5');
    await once(running.output, 'data');
    const sandbox = await attacker.sandbox('spy');
    const { output } = await attack(
      sandbox,
      'ls /proc | grep "^[0-9]"; cat /proc/[0-9]*/cmdline | tr "\\0" " "',
    );
    const pids = output.split('\n').filter((line) => /^\d+$/.test(line));
    assert.ok(pids.length > 0 && pids.length <= 5, output);
    assert.doesNotMatch(output, /987\.5|hearth/);
    await running.kill();
  });

  test('signals reach nobody else', async (context) => {
    const bystander = spawn('sleep', ['1000']);
    context.after(() => bystander.kill('SIGKILL'));
    const victim = await attacker.sandbox('target');
    const running = await startShell(victim, 'echo up; sleep 1000');
    await once(running.output, 'data');
    const sandbox = await attacker.sandbox('killer');
    const script = `
      // Its own threads answer to their numbers too.
      const own = new Set(require('node:fs').readdirSync('/proc/self/task').map(Number));
      let hit = 0;
      for (let pid = 1; pid < 40000; pid += 1) {
        if (own.has(pid)) continue;
        try { process.kill(pid, 'SIGKILL'); hit += 1; } catch {}
      }
      try { process.kill(${bystander.pid}, 'SIGKILL'); hit += 1; } catch {}
      console.log('hit', hit);`;
    const { output } = await attackWithNode(sandbox, script);
    assert.equal(output, 'hit 0\n');
    assert.equal(bystander.exitCode ?? bystander.signalCode, null);
    assert.equal(await Promise.race([running.exited, Promise.resolve('alive')]), 'alive');
    await running.kill();
  });

  test('kill -1 ends at most the sandbox itself', async () => {
    const victim = await attacker.sandbox('quiet');
    const running = await startShell(victim, 'echo up; sleep 1000');
    await once(running.output, 'data');
    const sandbox = await attacker.sandbox('reckless');
    await attack(sandbox, 'kill -9 -1');
    assert.equal(await Promise.race([running.exited, Promise.resolve('alive')]), 'alive');
    const { output } = await attack(sandbox, 'echo starts again');
    assert.equal(output, 'starts again\n');
    await running.kill();
  });

  test('shared memory and message queues are not shared', async () => {
    const victim = await attacker.sandbox('ipc-a');
    await attack(victim, 'ipcmk -M 4096 -p 0666');
    const sandbox = await attacker.sandbox('ipc-b');
    const { output } = await attack(sandbox, 'ipcs -m | grep -c 0x; hostname');
    assert.equal(output, '0\nsandbox\n');
  });
});
