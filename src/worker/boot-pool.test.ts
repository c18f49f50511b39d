/** The pool of booted sandboxes: kept full, given up when booting does not work, emptied at the end. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { patient, ScriptedHost, scriptedRuntime, turns } from '../testing/scripted-sandbox.ts';
import { BootPool, type BootedRuntime } from './boot-pool.ts';
import { RuntimeSandbox } from './runtime-sandbox.ts';

const id = 'nodejs24.x';
let host: ScriptedHost;
let boots: number;

beforeEach(() => {
  host = new ScriptedHost();
  host.script = patient;
  boots = 0;
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

function createPool(size: number): BootPool {
  return new BootPool(silentLog, { size, boot });
}

test('holds as many as its size, of the runtimes that are wanted, and none with size 0', async () => {
  const none = createPool(0);
  none.want(id);
  await none.settled();
  assert.equal(none.take(id), undefined);
  assert.equal(boots, 0);
  const pool = createPool(2);
  pool.want(id);
  pool.want(id);
  await pool.settled();
  assert.equal(boots, 2);
  assert.equal(pool.take('python3.11'), undefined);
});

test('what is taken is replaced by a refill, and never handed out again', async () => {
  const pool = createPool(2);
  pool.want(id);
  await pool.settled();
  const taken = [pool.take(id), pool.take(id)];
  assert.equal(new Set(taken).size, 2);
  assert.equal(pool.take(id), undefined);
  pool.refill(id);
  await pool.settled();
  assert.equal(boots, 4);
  assert(!taken.includes(pool.take(id)));
});

test('one that is taken while the shelf is being filled is replaced, too', async () => {
  const pool = createPool(2);
  pool.want(id);
  for (let round = 0; round < 20; round += 1) {
    await turns(1);
    if (pool.take(id) !== undefined) pool.refill(id);
  }
  await pool.settled();
  assert(pool.take(id));
  assert(pool.take(id));
});

test('a runtime that does not boot is given up, until it is wanted anew', async () => {
  host.faults.start = () => {
    throw new Error('no such file');
  };
  const pool = createPool(2);
  pool.want(id);
  await pool.settled();
  assert.equal(boots, 3);
  pool.refill(id);
  await pool.settled();
  assert.equal(boots, 3);
  host.faults.start = null;
  pool.want(id);
  await pool.settled();
  assert.equal(boots, 5);
});

test('a runtime that boots and then dies is given up, too', async () => {
  host.script = (runtime) => {
    patient(runtime);
    setImmediate(() => runtime.exit({ code: 1 }));
  };
  const pool = createPool(1);
  pool.want(id);
  await turns(200);
  assert.equal(boots, 3);
  assert.deepEqual(host.living(), []);
});

test('one that died on the shelf is removed and replaced', async () => {
  const pool = createPool(1);
  pool.want(id);
  await pool.settled();
  host.runtimes[0]?.exit({ signal: 'SIGKILL' });
  await turns();
  await pool.settled();
  assert.equal(host.living().length, 1);
  assert.equal(pool.take(id)?.runtimeSandbox.sandbox, host.living()[0]);
});

test('one whose end nobody can tell is removed, too', async () => {
  const pool = createPool(1);
  pool.want(id);
  await pool.settled();
  host.runtimes[0]?.lose(new Error('lost'));
  await turns();
  assert.notEqual(pool.take(id)?.runtimeSandbox.sandbox, host.sandboxes[0]);
});

test('close waits for what is booting, leaves nothing, and does not stumble over a failure', async () => {
  const pool = createPool(2);
  pool.want(id);
  await pool.settled();
  pool.take(id);
  let failures = 0;
  host.faults.destroy = () => {
    failures += 1;
    if (failures === 1) throw new Error('EBUSY');
  };
  pool.refill(id);
  await pool.close();
  assert.equal(boots, 3);
  assert.equal(failures, 2);
  pool.refill(id);
  pool.want(id);
  await pool.settled();
  assert.equal(boots, 3);
});
