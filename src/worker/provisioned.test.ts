/**
 * Provisioned environments: all or none may be used, what ends is replaced, what keeps failing is given
 * up, nothing is kept beyond what was asked for, and nothing of it breaks the host's bounds.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import {
  obedient,
  patient,
  ScriptedHost,
  turns,
  type ScriptedRuntime,
} from '../testing/scripted-sandbox.ts';
import { runnable } from '../testing/runnable.ts';
import { createInvocation, workerOptions } from '../testing/worker-rig.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { startsAtOnceMax } from './provisioned-environments.ts';
import {
  calmMs,
  initFailureReason,
  retryDelayMs,
  type ProvisionedState,
} from './provisioned-pool.ts';
import { Worker, type Lease, type WorkerOptions } from './worker.ts';

const lifetimeMsMax = 100_000;
const version = runnable({ version: '1' });
const other = runnable({ functionName: 'two' });

let clock: SimClock;
let host: ScriptedHost;
let worker: Worker;
let state: ProvisionedState;

beforeEach(() => {
  clock = new SimClock(1_000_000);
  host = new ScriptedHost();
  host.script = obedient;
  createWorker();
});
afterEach(async () => {
  await worker.close();
  assert.deepEqual(host.living(), []);
});

function createWorker(options: Partial<WorkerOptions> = {}): void {
  const { driver, catalog, transports } = host;
  const dependencies = { driver, catalog, transports };
  const all = workerOptions({
    ...{ environmentsMax: 8, waitMsMax: 1000, idleMsMax: 5000, lifetimeMsMax },
    ...options,
  });
  worker = new Worker(clock, systemRandom, silentLog, dependencies, all);
}

async function provide(requested: number, wanted = version): Promise<void> {
  const onState = (next: ProvisionedState): void => void (state = next);
  state = worker.provide('one:1', { version: wanted, requested, onState });
  await turns(40);
}

function take(): Lease {
  const lease = worker.acquireProvisioned('one:1');
  assert(lease, 'a provisioned environment');
  return lease;
}

let requests = 0;

function run(lease: Lease): Promise<void> {
  requests += 1;
  return new Promise((resolve) => {
    lease.invoke(createInvocation({ requestId: `request-${requests}` }), resolve);
  });
}

function initError(runtime: ScriptedRuntime): void {
  runtime.booted.resolve();
  runtime.onInit = () => queueMicrotask(() => runtime.initError());
}

async function pass(forMs: number, stepMs = 1000): Promise<void> {
  for (let passedMs = 0; passedMs < forMs; passedMs += stepMs) {
    clock.advance(stepMs);
    await turns(12);
  }
}

describe('provisioned environments', () => {
  test('may be used once all are up, with Init behind them, and are told what they are', async () => {
    host.script = (runtime) => {
      obedient(runtime);
      if (host.runtimes.length === 3) runtime.onInit = () => undefined;
    };
    await provide(3);
    assert.deepEqual(state, { status: 'IN_PROGRESS', allocated: 2, available: 0, units: 0 });
    host.runtimes[2]?.next();
    await turns();
    assert.deepEqual(state, { status: 'READY', allocated: 3, available: 3, units: 3 });
    const [first] = host.runtimes;
    assert.equal(first?.inits[0]?.initializationType, 'provisioned-concurrency');
    const { env } = first.command;
    assert.equal(env['AWS_LAMBDA_INITIALIZATION_TYPE'], 'provisioned-concurrency');
    const leases = [take(), take(), take()];
    assert.equal(new Set(leases.map(({ environment }) => environment)).size, 3);
    assert.equal(worker.acquireProvisioned('one:1'), undefined);
    assert.equal(worker.acquireWarm(version), undefined, 'they are for provisioned permits only');
    await Promise.all(leases.map(run));
    assert(take());
  });

  test('are started a few at a time', async () => {
    host.script = () => undefined;
    void provide(8);
    await turns(20);
    assert.equal(host.sandboxes.length, startsAtOnceMax);
    host.script = obedient;
    for (const runtime of [...host.runtimes]) obedient(runtime);
    for (const { inits } of host.runtimes) assert.equal(inits.length, 1);
    for (const runtime of [...host.runtimes]) runtime.next();
    await turns(40);
    assert.equal(state.status, 'READY');
    assert.equal(host.sandboxes.length, 8);
  });

  test('freeze when idle, and stay however long they are', async () => {
    await provide(1);
    await pass(30_000);
    assert.equal(host.living().length, 1);
    assert.equal(host.living()[0]?.isFrozen, true);
    await run(take());
    assert.equal(host.sandboxes.length, 1);
  });

  test('that end, idle or in an invocation, are replaced', async () => {
    await provide(2);
    host.runtimes[0]?.exit({ signal: 'SIGKILL' });
    await turns();
    assert.deepEqual([state.status, state.allocated, state.units], ['READY', 1, 2]);
    await pass(retryDelayMs);
    assert.equal(state.available, 2);
    const lease = take();
    host.runtimes.find(({ sandbox }) => sandbox.id === lease.environment.id)!.onInvoke = () =>
      host.runtimes.find(({ sandbox }) => sandbox.id === lease.environment.id)?.exit({ code: 1 });
    await run(lease);
    await turns(20);
    assert.equal(state.available, 2);
    assert.equal(host.living().length, 2);
    assert.equal(host.sandboxes.length, 4);
  });

  test('whose Init keeps failing are given up, and tried again when they are wanted anew', async () => {
    host.script = (runtime) => (host.runtimes.length === 1 ? obedient : initError)(runtime);
    await provide(2);
    await pass(3 * retryDelayMs);
    assert.deepEqual(state, {
      ...{ status: 'FAILED', statusReason: initFailureReason },
      ...{ allocated: 0, available: 0, units: 0 },
    });
    assert.deepEqual(host.living(), [], 'those that were up are given back, too');
    const { length } = host.sandboxes;
    await pass(2 * calmMs);
    assert.equal(host.sandboxes.length, length, 'nothing more is tried');
    host.script = obedient;
    await provide(2);
    assert.equal(state.status, 'READY');
  });

  test('of a host that fails are given up with a reason of their own', async () => {
    host.faults.create = () => {
      throw new Error('EMFILE');
    };
    await provide(1);
    await pass(3 * retryDelayMs);
    assert.equal(state.status, 'FAILED');
    assert.match(state.statusReason ?? '', /host could not start/);
    host.faults.create = null;
  });

  test('that end now and then are replaced for ever', async () => {
    await provide(1);
    for (let count = 0; count < 6; count += 1) {
      await pass(calmMs + 2 * retryDelayMs, 10_000);
      host.living()[0]?.running?.exit({ code: 0 });
      await turns();
    }
    await pass(retryDelayMs);
    assert.equal(state.status, 'READY');
  });

  test('that end as soon as they are up are given up', async () => {
    host.script = (runtime) => {
      obedient(runtime);
      setImmediate(() => setImmediate(() => setImmediate(() => runtime.exit({ code: 0 }))));
    };
    await provide(1);
    await pass(10 * retryDelayMs);
    assert.equal(state.status, 'FAILED');
  });

  test('become more without ceasing to serve, and fewer at once', async () => {
    await provide(2);
    host.script = () => undefined;
    await provide(4);
    assert.deepEqual(state, { status: 'IN_PROGRESS', allocated: 2, available: 2, units: 2 });
    await run(take());
    const busy = take();
    await provide(1);
    assert.equal(state.status, 'READY');
    assert.equal(state.units, 1);
    await run(busy);
    await turns(20);
    assert.equal(state.allocated, 1);
  });

  test('of another version take the place of those there were', async () => {
    await provide(2);
    const busy = take();
    await provide(1, runnable({ version: '2', codeHash: 'other' }));
    assert.deepEqual(state, { status: 'READY', allocated: 1, available: 1, units: 1 });
    assert.equal(take().environment.version.version, '2');
    await run(busy);
    await turns();
    assert.equal(host.living().length, 1, 'the busy one has ended after its invocation');
  });

  test('are given back when nobody wants them any more, at whatever step they are', async () => {
    for (const step of ['create', 'bind', 'start', 'setCpus'] as const) {
      const held = Promise.withResolvers<void>();
      host.faults[step] = () => held.promise;
      await provide(2);
      worker.withdraw('one:1');
      held.resolve();
      host.faults[step] = null;
      await turns(20);
      assert.deepEqual(host.living(), [], step);
    }
    worker.withdraw('never known');
  });

  test('that are booted in advance need no start of their own', async () => {
    await worker.close();
    createWorker({ poolSize: 2 });
    worker.expectVersion(version);
    await worker.poolSettled();
    await provide(1);
    assert.equal(host.living().length, 1, 'the one that was booted');
    assert.equal(state.status, 'READY');
  });
});

describe('provisioned environments and the host’s room', () => {
  test('what can never fit fails at once', async () => {
    await provide(9);
    assert.equal(state.status, 'FAILED');
    assert.match(state.statusReason ?? '', /no room for 9 environments of 128 MB/);
    assert.equal(host.sandboxes.length, 0);
    await provide(4, runnable({ memoryMb: 512 }));
    assert.equal(state.status, 'FAILED');
    await provide(8);
    assert.equal(state.status, 'READY');
  });

  test('idle environments on demand make way', async () => {
    const acquired = await worker.acquire(other);
    assert(acquired.type === 'lease');
    await run(acquired.lease);
    await provide(8);
    assert.equal(state.status, 'READY');
    assert.equal((await waitFor(worker.acquire(other), 1000)).type, 'noCapacity', 'they do not');
  });

  test('what finds no room in several tries has failed', async () => {
    host.script = patient;
    const acquired = await worker.acquire(other);
    assert(acquired.type === 'lease');
    await provide(8);
    assert.deepEqual([state.status, state.allocated], ['IN_PROGRESS', 7]);
    await pass(10_000);
    assert.equal(state.status, 'FAILED');
    assert.match(state.statusReason ?? '', /no room/);
    assert.equal(host.living().length, 1);
  });
});

describe('lifetime', () => {
  test('a provisioned environment is replaced before it ends', async () => {
    await provide(2);
    const first = [...host.sandboxes];
    for (let passedMs = 0; passedMs < lifetimeMsMax; passedMs += 1000) {
      clock.advance(1000);
      await turns(12);
      assert.equal(state.available, 2);
      assert(host.living().length <= 3, 'one more at a time');
    }
    assert(first.every(({ isDestroyed }) => isDestroyed));
    assert.equal(host.living().length, 2);
  });

  test('an environment on demand takes nothing after it, and another is ready if it was needed', async () => {
    await run(await acquireOutlived());
    await turns(20);
    assert.equal(host.sandboxes[0]?.isDestroyed, true);
    const another = worker.acquireWarm(version) ?? assert.fail('none is ready');
    assert.equal(another.environment.id, host.sandboxes[2]?.id);
  });

  test('nothing takes the place of an environment whose version goes while it stops', async () => {
    const lease = await acquireOutlived();
    const held = Promise.withResolvers<void>();
    host.faults.destroy = () => held.promise;
    await run(lease);
    await turns();
    worker.retire(version.key);
    held.resolve();
    await turns(20);
    assert.equal(host.sandboxes.length, 2);
  });

  test('an environment that was idle for long is not replaced', async () => {
    await worker.close();
    createWorker({ idleMsMax: 1_000_000 });
    const leased = await worker.acquire(version);
    assert(leased.type === 'lease');
    await run(leased.lease);
    clock.advance(lifetimeMsMax);
    await turns(20);
    assert.deepEqual(host.living(), []);
    assert.equal(host.sandboxes.length, 1);
  });

  test('one whose version was used of late is replaced ahead of the next invocation', async () => {
    await worker.close();
    createWorker({ idleMsMax: 1_000_000 });
    const leased = await worker.acquire(version);
    assert(leased.type === 'lease');
    await run(leased.lease);
    let lease: Lease | undefined;
    for (let passedMs = 0; passedMs < lifetimeMsMax; passedMs += 1000) {
      clock.advance(1000);
      await turns(12);
      lease = worker.acquireWarm(version);
      assert(lease, 'always warm');
      await run(lease);
    }
    assert.equal(host.sandboxes.length, 2);
  });

  test('nothing is started ahead of need in room that others wait for', async () => {
    await worker.close();
    createWorker({ idleMsMax: 1_000_000, environmentsMax: 1, waitMsMax: 1_000_000 });
    host.script = patient;
    const leased = await worker.acquire(version);
    assert(leased.type === 'lease');
    const ended = run(leased.lease);
    clock.advance(2000);
    const waiting = worker.acquire(other);
    clock.advance(lifetimeMsMax);
    await ended;
    const got = await waiting;
    assert(got.type === 'lease');
    await turns(20);
    assert.equal(host.sandboxes.length, 2);
  });
});

/** An environment at the end of its lifetime, to be invoked; of late there were two invocations at once. */
async function acquireOutlived(): Promise<Lease> {
  await worker.close();
  createWorker({ idleMsMax: 1_000_000 });
  const outlived = await worker.acquire(version);
  clock.advance(lifetimeMsMax);
  await worker.acquire(version);
  assert(outlived.type === 'lease');
  return outlived.lease;
}

/** What comes of it, when time passes meanwhile. */
async function waitFor<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  await turns();
  clock.advance(ms);
  return promise;
}
