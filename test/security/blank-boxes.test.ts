/**
 * Barrier: what waited before the function. A sandbox that starts in a box made in advance has the same
 * walls as one that starts the ordinary way, and nothing of the shell that waited in it is left.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { delay, systemClock } from '../../src/base/clock.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import {
  attack,
  createAttacker,
  finish,
  shellCommand,
  skip,
  startShell,
  type Attacker,
  type Attempt,
} from './attacker.ts';

/**
 * Everything about a process and its surroundings that could differ. Mounts that were made after the start
 * appear over the mount points: twice, and the same.
 */
const SHOW_WALLS = `
  cat /proc/$$/status | grep -vE '^(State|SigQ|Pid|NSpid|Tgid|NStgid|PPid|NSpgid|NSsid|Vm|Rss|Speculation|voluntary|nonvol|Hugetlb)'
  cat /proc/$$/limits /proc/$$/oom_score_adj /proc/$$/cgroup
  cut -d ' ' -f 5-6,9- /proc/self/mountinfo | sed 's/loop[0-9]*/loop/; s/master:[0-9]*/master/' | sort -u
  for f in /proc/$$/fd/*; do readlink $f; done
  for n in /proc/$$/ns/*; do readlink $n | cut -d : -f 1; done
  ls -ln /proc/$$/ns /proc/$$/exe | wc -l
  ls -lA / /var /dev /opt /var/task /tmp | grep -v '^total' | tr -s ' ' | cut -d ' ' -f 1,3-4,9-
  env; umask; id; hostname; readlink /proc/$$/exe; cat /proc/$$/cmdline | head -c 9
  ls /sys/class/net 2>&1; cat /proc/net/dev | cut -d : -f 1`;

/** Without what is another for each process: its streams. */
function withoutNumbers({ output }: Attempt): string {
  return output.replaceAll(/pipe:\[\d+\]/g, 'pipe');
}

describe('blank boxes', { skip }, () => {
  let attacker: Attacker;
  let sequence = 0;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  async function inBlankBox(): Promise<Sandbox> {
    await attacker.blankBoxesWaiting(2);
    // The OCI runtime leaves a moment before its last step, which becomes the shell.
    while (waitingShells().length < 2) await delay(systemClock, 5);
    sequence += 1;
    return attacker.sandbox(`blank-${sequence}`);
  }

  /** Host process ids of the shells that wait for a command. */
  function waitingShells(): number[] {
    const boxes = join(attacker.dataFolder, 'run/oci/boxes');
    const files = readdirSync(boxes).map((name) => join(boxes, name, 'bundle/pid'));
    const pids = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
    return pids.map(Number).filter((pid) => commandOf(pid) === '/bin/sh\0');
  }

  test('the walls are the same with and without', async () => {
    const sandbox = await inBlankBox();
    const fromBlank = await attack(sandbox, SHOW_WALLS);
    const ordinary = await attack(sandbox, SHOW_WALLS); // a second start in the same sandbox
    assert.equal(withoutNumbers(fromBlank), withoutNumbers(ordinary));
    assert.match(ordinary.output, /NoNewPrivs:\t1\nSeccomp:\t2\n/);
    assert.match(ordinary.output, /CapBnd:\t0{16}/);
    await sandbox.destroy();
  });

  test('the walls are the same for a process beside the main one', async () => {
    const sandbox = await inBlankBox();
    const beside = await finish(await sandbox.startBeside(shellCommand(SHOW_WALLS)));
    const main = await attack(sandbox, SHOW_WALLS);
    assert.equal(withoutNumbers(beside), withoutNumbers(main));
    await sandbox.kill();
    const inNewContainer = await finish(await sandbox.startBeside(shellCommand(SHOW_WALLS)));
    assert.equal(withoutNumbers(inNewContainer), withoutNumbers(main));
    await sandbox.destroy();
  });

  test('the pipe that brought the command is gone, on both sides', async () => {
    const sandbox = await inBlankBox();
    const waiting = waitingShells();
    const pipes = new Map(waiting.map((pid) => [pid, readlinkSync(`/proc/${pid}/fd/0`)]));
    for (const pipe of pipes.values()) assert.match(pipe, /^pipe:\[\d+\]$/);
    // Builtins only, as far as they go: a substitution would open a pipe of its own.
    const script =
      'for f in /proc/$$/fd/*; do [ -L $f ] && readlink $f; done; echo end; sleep 1000';
    const running = await startShell(sandbox, script);
    let output = '';
    running.output.on('data', (chunk: Buffer) => (output += String(chunk)));
    while (!output.endsWith('end\n')) await once(running.output, 'data');
    const taken = waiting.find((pid) => commandOf(pid).startsWith('/bin/sh\0-c\0'));
    assert.ok(taken !== undefined, 'the shell became the command');
    const pipe = pipes.get(taken)!;
    assert.match(output, /^\/dev\/null\n(pipe:\[\d+\]\n)\1end\n$/);
    assert.ok(!output.includes(pipe));
    assert.deepEqual(holdersOf(pipe), []);
    await running.kill();
    await sandbox.destroy();
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** Processes of the whole host that have the pipe open. */
function holdersOf(pipe: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      const fds = readdirSync(`/proc/${pid}/fd`);
      return fds.some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === pipe);
    } catch {
      return false;
    }
  });
}
