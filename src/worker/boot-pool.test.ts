/** The pool of booted sandboxes: as many as demand asks for, within memory, given up when booting fails. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { patient, ScriptedHost, scriptedRuntime, turns } from '../testing/scripted-sandbox.ts';
import { SimClock } from '../testing/sim-clock.ts';
import {
  BootPool,
  bootsAtOnceMax,
  demandWindowMs,
  recentMs,
  tendEveryMs,
  type BootedRuntime,
} from './boot-pool.ts';
import { RuntimeSandbox } from './runtime-sandbox.ts';

const id = 'nodejs24.x';
const key = 'one:$LATEST:build-1';
let clock: SimClock;
let host: ScriptedHost;
let boots: number;
/** Sandboxes for which there is memory still. */
let memoryLeft: number;
let isInUse: boolean;

beforeEach(() => {
  clock = new SimClock(0);
  host = new ScriptedHost();
  host.script = patient;
  boots = 0;
  memoryLeft = 100;
  isInUse = false;
});

async function boot(): Promise<BootedRuntime> {
  boots += 1;
  const runtimeSandbox = await RuntimeSandbox.create(host.driver, host.transports, {
    id: `sandbox-${boots}`,
    runtime: scriptedRuntime(id),
    limits: { memoryMb: 128, cpus: null, temporaryStorageMb: 512 },
  });
  return { runtimeSandbox, running: await runtimeSandbox.boot() };
}

function createPool(sizeMax: number): BootPool {
  const takeMemory = (): boolean => {
    if (memoryLeft === 0) return false;
    memoryLeft -= 1;
    return true;
  };
  const returnMemory = (): void => void (memoryLeft += 1);
  return new BootPool(clock, silentLog, {
    ...{ sizeMax, boot, takeMemory, returnMemory },
    isInUse: () => isInUse,
  });
}

/** So many cold starts at once, and what they took replaced. */
async function burst(pool: BootPool, count: number): Promise<void> {
  for (let taken = 0; taken < count; taken += 1) pool.take(id);
  pool.refill(id);
  await pool.settled();
}

/** Time in which the pool may look after itself. */
async function pass(pool: BootPool, forMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < forMs; passedMs += tendEveryMs) clock.advance(tendEveryMs);
  await turns();
  await pool.settled();
}

test('holds one of each runtime that functions have, and none with size 0', async () => {
  const none = createPool(0);
  none.want(id, key);
  await none.settled();
  assert.equal(none.take(id), undefined);
  assert.equal(boots, 0);
  const pool = createPool(2);
  pool.want(id, key);
  pool.want(id, 'two:$LATEST:build-1');
  await pool.settled();
  assert.equal(boots, 1);
  assert.equal(pool.take('python3.11'), undefined);
});

test('what is taken is replaced by a refill, and never handed out again', async () => {
  const pool = createPool(2);
  pool.want(id, key);
  await pool.settled();
  const taken = pool.take(id);
  assert(taken);
  assert.equal(pool.take(id), undefined);
  pool.refill(id);
  await pool.settled();
  assert.notEqual(pool.take(id), taken);
});

test('holds as many as cold starts came at once of late, at most its size', async () => {
  const pool = createPool(4);
  pool.want(id, key);
  await burst(pool, 3);
  assert.equal(host.living().length, 3);
  await burst(pool, 9);
  assert.equal(host.living().length, 3 + 4, 'three were taken');
  clock.advance(2000);
  await burst(pool, 1);
  assert.equal(host.living().length, 3 + 1 + 4);
});

test('one after the other cold starts need one sandbox only', async () => {
  const pool = createPool(4);
  pool.want(id, key);
  await pool.settled();
  for (let count = 0; count < 5; count += 1) {
    clock.advance(1000);
    assert(pool.take(id), 'a hit');
    pool.refill(id);
    await pool.settled();
  }
  assert.equal(boots, 6);
});

test('shrinks when demand falls, and holds none of a runtime that nobody has used for long', async () => {
  const pool = createPool(4);
  pool.want(id, key);
  await burst(pool, 4);
  await pass(pool, demandWindowMs - tendEveryMs);
  assert.equal(host.living().length, 4);
  await pass(pool, 2 * tendEveryMs);
  assert.equal(host.living().length, 1);
  isInUse = true;
  await pass(pool, recentMs);
  assert.equal(host.living().length, 1, 'its environments are in use');
  isInUse = false;
  await pass(pool, tendEveryMs);
  assert.equal(host.living().length, 0);
  assert.equal(memoryLeft, 100);
  pool.want(id, key);
  await pool.settled();
  assert.equal(host.living().length, 1);
});

test('a runtime whose last version goes is given up, unless another version follows', async () => {
  const pool = createPool(1);
  pool.want(id, key);
  await pool.settled();
  pool.unwant(key);
  pool.want(id, 'one:$LATEST:build-2');
  await pass(pool, tendEveryMs);
  assert.equal(boots, 1);
  pool.unwant('one:$LATEST:build-2');
  pool.unwant('never known');
  await pass(pool, tendEveryMs);
  assert.equal(host.living().length, 0);
  assert.equal(pool.take(id), undefined);
});

test('a few boot at once', async () => {
  const held = Promise.withResolvers<void>();
  host.faults.create = () => held.promise;
  const pool = createPool(8);
  pool.want(id, key);
  const bursting = burst(pool, 8);
  await turns();
  assert.equal(boots, bootsAtOnceMax);
  held.resolve();
  await bursting;
  assert.equal(host.living().length, 8);
});

test('has only memory that is left, and gives it up when environments need it', async () => {
  memoryLeft = 2;
  const pool = createPool(4);
  pool.want(id, key);
  await burst(pool, 4);
  assert.equal(host.living().length, 2);
  assert.equal(memoryLeft, 0);
  pool.shed(() => memoryLeft < 1);
  await turns();
  assert.equal(host.living().length, 1);
  memoryLeft = 0;
  await pass(pool, tendEveryMs);
  assert.equal(host.living().length, 1);
  memoryLeft = 1;
  await pass(pool, tendEveryMs);
  assert.equal(host.living().length, 2, 'and comes back when there is some again');
  pool.shed(() => true);
  await turns();
  assert.equal(host.living().length, 0);
});

test('one that is taken while the shelf is being filled is replaced, too', async () => {
  const pool = createPool(2);
  pool.want(id, key);
  for (let round = 0; round < 20; round += 1) {
    await turns(1);
    if (pool.take(id) !== undefined) pool.refill(id);
  }
  await pool.settled();
  assert(pool.take(id));
});

test('a runtime that does not boot is given up, until it is wanted anew', async () => {
  host.faults.start = () => {
    throw new Error('no such file');
  };
  const pool = createPool(1);
  pool.want(id, key);
  await pool.settled();
  assert.equal(boots, 3);
  pool.refill(id);
  await pool.settled();
  assert.equal(boots, 3);
  host.faults.start = null;
  pool.want(id, key);
  await pool.settled();
  assert.equal(boots, 4);
  assert.equal(memoryLeft, 99);
});

test('a runtime that boots and then dies is given up, too', async () => {
  host.script = (runtime) => {
    patient(runtime);
    setImmediate(() => runtime.exit({ code: 1 }));
  };
  const pool = createPool(1);
  pool.want(id, key);
  await turns(200);
  assert.equal(boots, 3);
  assert.deepEqual(host.living(), []);
  assert.equal(memoryLeft, 100);
});

test('one that died on the shelf is removed and replaced', async () => {
  const pool = createPool(1);
  pool.want(id, key);
  await pool.settled();
  host.runtimes[0]?.exit({ signal: 'SIGKILL' });
  await turns();
  await pool.settled();
  assert.equal(host.living().length, 1);
  assert.equal(pool.take(id)?.runtimeSandbox.sandbox, host.living()[0]);
});

test('one whose end nobody can tell is removed, too', async () => {
  const pool = createPool(1);
  pool.want(id, key);
  await pool.settled();
  host.runtimes[0]?.lose(new Error('lost'));
  await turns();
  assert.notEqual(pool.take(id)?.runtimeSandbox.sandbox, host.sandboxes[0]);
});

test('close waits for what is booting, leaves nothing, and does not stumble over a failure', async () => {
  const pool = createPool(2);
  pool.want(id, key);
  await burst(pool, 2);
  assert(pool.take(id));
  let failures = 0;
  host.faults.destroy = () => {
    failures += 1;
    if (failures === 1) throw new Error('EBUSY');
  };
  const bootsBefore = boots;
  pool.refill(id);
  await pool.close();
  assert.equal(boots, bootsBefore + 1);
  assert.equal(failures, 2);
  pool.refill(id);
  pool.want(id, key);
  await pool.settled();
  assert.equal(boots, bootsBefore + 1);
});
