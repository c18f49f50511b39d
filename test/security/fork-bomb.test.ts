/** Barrier: numbers of processes and open files. A fork bomb meets the limit and can be killed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { PROCESSES_MAX, FILE_DESCRIPTORS_MAX } from '../../src/sandbox/oci/container-config.ts';
import {
  attack,
  attackWithNode,
  createAttacker,
  skip,
  startShell,
  type Attacker,
} from './attacker.ts';

describe('fork bomb', { skip }, () => {
  let attacker: Attacker;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  test('processes stop at the limit', async () => {
    const sandbox = await attacker.sandbox('counter');
    const script =
      'i=0; while [ $i -lt 1100 ]; do sleep 100 & i=$((i+1)); done 2>/dev/null; ls /proc | grep -c "^[0-9]"';
    const { output } = await attack(sandbox, `${script}`);
    // The shell gives up at the first fork that fails; what was counted is in no case above the limit.
    const count = Number(/\d+/.exec(output)?.[0] ?? 0);
    assert.ok(count <= PROCESSES_MAX, output);
  });

  test('a fork bomb leaves other sandboxes and the host alone, and dies at once', async () => {
    const bomb = await attacker.sandbox('bomb');
    const running = await startShell(bomb, 'echo go; b() { b | b & }; b; sleep 1000');
    running.output.resume();
    await once(running.output, 'data');
    const neighbour = await attacker.sandbox('neighbour');
    const { output } = await attack(neighbour, 'echo fine');
    assert.equal(output, 'fine\n');
    const exit = await running.kill();
    assert.equal(exit.signal ?? exit.code !== null, exit.signal ?? true);
    const again = await attack(bomb, 'ls /proc | grep -c "^[0-9]"');
    assert.ok(Number(again.output) < 10, again.output);
  });

  test('processes left behind end alone, and nothing of them is kept', async () => {
    const sandbox = await attacker.sandbox('parent');
    const leave = 'for i in 1 2 3 4 5; do sh -c "(sleep 0.05; echo end) &"; done';
    // The shell that counts, ls and grep are the others.
    const wait = 'until [ "$(ls /proc | grep -c "^[0-9]")" -le 4 ]; do :; done';
    const { output } = await attack(sandbox, `${leave}; ${wait}; echo alive`);
    assert.equal(output, `${'end\n'.repeat(5)}alive\n`);
  });

  test('open files stop at the documented limit', async () => {
    const sandbox = await attacker.sandbox('opener');
    const script = `
      const fs = require('node:fs');
      let count = 0;
      try { for (;;) { fs.openSync('/dev/null', 'r'); count += 1; } } catch (error) { console.log(error.code, count); }`;
    const { output } = await attackWithNode(sandbox, script);
    const [code, count] = output.trim().split(' ');
    assert.equal(code, 'EMFILE');
    assert.ok(
      Number(count) > FILE_DESCRIPTORS_MAX - 60 && Number(count) < FILE_DESCRIPTORS_MAX,
      output,
    );
    const raised = await attack(sandbox, 'ulimit -n 4096 && echo RAISED');
    assert.doesNotMatch(raised.output, /RAISED/);
  });
});
