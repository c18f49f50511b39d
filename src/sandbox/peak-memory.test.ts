import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { MIB } from '../model/limits.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { PeakMemory } from './peak-memory.ts';

const linux = process.platform === 'linux';

/** A process that holds so much memory and says when it does. */
async function holder(mb: number): Promise<ChildProcess> {
  const code = `globalThis.held = Buffer.alloc(${mb} << 20, 1); console.log('held'); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout!, 'data');
  return child;
}

test(
  'peak memory sums the main process and the others, and outlives them',
  { skip: !linux },
  async (t) => {
    const main = await holder(50);
    const other = await holder(100);
    t.after(() => [main, other].forEach((child) => child.kill('SIGKILL')));
    const clock = new SimClock(0);
    let pids = [main.pid!];
    const memory = new PeakMemory(clock, main.pid!, () => pids);
    const alone = memory.read();
    assert(alone > 50 * MIB && alone < 250 * MIB, String(alone));
    pids = [main.pid!, other.pid!];
    assert.equal(memory.read(), alone, 'others are looked for only so often');
    clock.advance(1_000);
    const both = memory.read();
    assert(both > alone + 100 * MIB, String(both));
    const ended = once(main, 'exit');
    main.kill('SIGKILL');
    await ended;
    assert.equal(memory.read(), both);
    memory.close();
    assert.equal(memory.read(), both);
  },
);
