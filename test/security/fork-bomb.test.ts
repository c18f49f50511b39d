/** Barrier: numbers of processes and open files. A fork bomb meets the limit and can be killed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import type { SandboxLimits } from '../../src/sandbox/sandbox.ts';
import { PROCESSES_MAX, FILE_DESCRIPTORS_MAX } from '../../src/sandbox/oci/container-config.ts';
import {
  attack,
  attackWithNode,
  createAttacker,
  LIMITS,
  shellCommand,
  skip,
  startShell,
  type Attacker,
} from './attacker.ts';

const LARGE: SandboxLimits = { ...LIMITS, memoryMb: 1024 };

/** Starts processes until it cannot, and prints how many, why not more, and all that run inside. */
const START_ALL = `
const { spawn } = require('node:child_process');
const { readdirSync } = require('node:fs');
let started = 0;
const next = () => {
  const child = spawn('/bin/sleep', ['100'], { stdio: 'ignore' });
  child.on('error', ({ code }) => {
    const tasks = readdirSync('/proc').filter(Number).flatMap((pid) => readdirSync('/proc/' + pid + '/task'));
    console.log(JSON.stringify({ code, started, tasks: tasks.length }));
    process.exit();
  });
  if (child.pid === undefined) return;
  started += 1;
  setImmediate(next);
};
next();`;

interface Started {
  readonly code: string;
  readonly started: number;
  /** Processes and threads. */
  readonly tasks: number;
}

describe('fork bomb', { skip }, () => {
  let attacker: Attacker;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  test('processes and threads stop at the documented limit', async () => {
    const sandbox = await attacker.sandbox('counter', LARGE);
    const { output } = await attackWithNode(sandbox, START_ALL);
    const { code, tasks } = JSON.parse(output) as Started;
    assert.equal(code, 'EAGAIN');
    assert.ok(tasks > PROCESSES_MAX - 10 && tasks <= PROCESSES_MAX, output);
    await sandbox.destroy();
  });

  test('processes beside the main one count for the same limit', async () => {
    const sandbox = await attacker.sandbox('two-counters', LARGE);
    const script = 'i=0; while [ $i -lt 500 ]; do sleep 100 & i=$((i+1)); done; echo started; wait';
    const beside = await sandbox.startBeside(shellCommand(script));
    const [line] = (await once(beside.output, 'data')) as [Buffer];
    assert.equal(String(line), 'started\n');
    const { output } = await attackWithNode(sandbox, START_ALL);
    const { code, started, tasks } = JSON.parse(output) as Started;
    assert.equal(code, 'EAGAIN');
    assert.ok(started > 400 && started < PROCESSES_MAX - 500, output);
    assert.ok(tasks > PROCESSES_MAX - 10 && tasks <= PROCESSES_MAX, output);
    await sandbox.destroy();
    assert.equal((await beside.exited).signal, 'SIGKILL');
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
    const beside = await sandbox.startBeside(shellCommand('ulimit -n; ulimit -Hn'));
    assert.equal(await text(beside.output), `${FILE_DESCRIPTORS_MAX}\n${FILE_DESCRIPTORS_MAX}\n`);
    const raised = await attack(sandbox, 'ulimit -n 4096 && echo RAISED');
    assert.doesNotMatch(raised.output, /RAISED/);
  });
});
