/**
 * The worker's book-keeping: room on the host and who waits for it, which environment an invocation
 * gets, when environments end, and that every failure gives back what it held.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import { obedient, patient, ScriptedHost, turns } from '../testing/scripted-sandbox.ts';
import { runnable } from '../testing/runnable.ts';
import { createInvocation, workerOptions } from '../testing/worker-rig.ts';
import { SimClock } from '../testing/sim-clock.ts';
import type { InvocationOutcome } from './invocation-record.ts';
import type { ColdStart } from '../telemetry/environment-listener.ts';
import type { OpenCode } from './open-version.ts';
import { Worker, type AcquireResult, type Lease, type WorkerOptions } from './worker.ts';

const one = runnable({ functionName: 'one' });
const two = runnable({ functionName: 'two' });

let clock: SimClock;
let host: ScriptedHost;
/** Code folders that are held. */
let pins: number;
let uncaught: unknown[];
const onUncaught = (error: unknown): void => void uncaught.push(error);

beforeEach(() => {
  clock = new SimClock(1_000_000);
  host = new ScriptedHost();
  host.script = obedient;
  pins = 0;
  uncaught = [];
  process.on('unhandledRejection', onUncaught);
});
afterEach(async () => {
  await turns();
  process.off('unhandledRejection', onUncaught);
  assert.deepEqual(uncaught, []);
});

function createWorker(options: Partial<WorkerOptions> = {}): Worker {
  const { driver, catalog, transports } = host;
  const openCode = (): Promise<OpenCode> => {
    pins += 1;
    const release = (): void => void (pins -= 1);
    return Promise.resolve({ folder: '/code', hasSharedLibraries: false, release });
  };
  const dependencies = { driver, catalog, transports };
  const all = workerOptions({ openCode, ...options });
  return new Worker(clock, systemRandom, silentLog, dependencies, all);
}

function leaseOf(acquired: AcquireResult): Lease {
  assert(acquired.type === 'lease', `a lease, not ${acquired.type}`);
  return acquired.lease;
}

let requests = 0;

interface Run {
  readonly outcome: Promise<InvocationOutcome>;
  readonly released: Promise<void>;
  readonly environmentId: string;
}

function run(lease: Lease): Run {
  requests += 1;
  const released = Promise.withResolvers<void>();
  const invocation = createInvocation({
    requestId: `request-${requests}`,
    deadlineMs: clock.nowMs() + 3000,
    tenantId: lease.environment.tenancy.tenantId,
  });
  const { outcome } = lease.invoke(invocation, released.resolve);
  return { outcome, released: released.promise, environmentId: lease.environment.id };
}

async function invoke(
  worker: Worker,
  version: RunnableVersion,
  tenantId?: string,
): Promise<string> {
  const { released, environmentId } = run(leaseOf(await worker.acquire(version, tenantId)));
  await released;
  return environmentId;
}

async function close(worker: Worker): Promise<void> {
  await worker.close();
  assert.deepEqual(host.living(), []);
  assert.equal(pins, 0);
}

describe('environments', () => {
  test('are used again when idle, the one used last first, and made anew when busy', async () => {
    const worker = createWorker();
    assert.equal(worker.acquireWarm(one), undefined);
    const busy = [leaseOf(await worker.acquire(one)), leaseOf(await worker.acquire(one))];
    assert.notEqual(busy[0]?.environment, busy[1]?.environment);
    for (const lease of busy) await run(lease).released;
    assert.equal(worker.acquireWarm(one)?.environment, busy[1]?.environment);
    assert.equal(worker.acquireWarm(one)?.environment, busy[0]?.environment);
    assert.equal(worker.acquireWarm(one), undefined);
    await close(worker);
  });

  test('serve one version of one function only', async () => {
    const worker = createWorker();
    await invoke(worker, one);
    assert.equal(worker.acquireWarm(two), undefined);
    assert.equal(worker.acquireWarm({ ...one, key: 'one:$LATEST:build-2' }), undefined);
    assert(worker.acquireWarm(one));
    await close(worker);
  });

  test('serve one tenant only', async () => {
    const worker = createWorker();
    const red = await invoke(worker, one, 'red');
    assert.equal(worker.acquireWarm(one), undefined);
    assert.equal(worker.acquireWarm(one, 'blue'), undefined);
    assert.notEqual(await invoke(worker, one, 'blue'), red);
    assert.equal(await invoke(worker, one, 'red'), red);
    const lease = worker.acquireWarm(one, 'red') ?? assert.fail();
    const event = createInvocation({ tenantId: 'blue' });
    assert.throws(() => lease.invoke(event, () => undefined), /serves one tenant/);
    await close(worker);
  });

  test('of all tenants end with their version', async () => {
    const worker = createWorker();
    const busy = leaseOf(await worker.acquire(one, 'red'));
    for (const tenant of ['blue', 'green']) await invoke(worker, one, tenant);
    const other = await invoke(worker, two, 'blue');
    worker.retire(one.key);
    await run(busy).released;
    await turns();
    assert.deepEqual(
      host.living().map(({ id }) => id),
      [other],
    );
    await close(worker);
  });

  test('freeze when idle for a moment, and stop when idle for long', async () => {
    const worker = createWorker({ freezeAfterMs: 10, idleMsMax: 5000 });
    await invoke(worker, one);
    const [sandbox] = host.sandboxes;
    clock.advance(9);
    assert.equal(sandbox?.isFrozen, false);
    clock.advance(1);
    assert.equal(sandbox.isFrozen, true);
    clock.advance(4980);
    const lease = worker.acquireWarm(one);
    assert(lease, 'still there');
    clock.advance(60_000);
    assert.equal(sandbox.isDestroyed, false, 'one that is leased is not idle');
    await run(lease).released;
    clock.advance(5000);
    assert.equal(worker.acquireWarm(one), undefined);
    await turns();
    assert.deepEqual(host.living(), []);
    assert.equal(pins, 0);
    await close(worker);
  });

  test('are not made for container images, and nothing is kept for them', async () => {
    const worker = createWorker();
    assert.deepEqual(await worker.acquire(runnable({ isImage: true, runtime: '' })), {
      type: 'runtimeUnavailable',
      reason: 'container images cannot run here yet',
    });
    await close(worker);
  });

  test('of a retired version end: the idle at once, the busy after their invocation', async () => {
    const worker = createWorker();
    const busy = leaseOf(await worker.acquire(one));
    await invoke(worker, one);
    worker.retire(one.key);
    await turns();
    assert.equal(host.living().length, 1);
    const { outcome, released } = run(busy);
    assert.equal((await outcome).type, 'response');
    await released;
    await turns();
    assert.deepEqual(host.living(), []);
    assert.equal(pins, 0);
  });

  test('that are being made while their version is retired end after their invocation', async () => {
    for (const step of ['create', 'bind', 'start'] as const) {
      host = new ScriptedHost();
      host.script = obedient;
      const worker = createWorker();
      const held = Promise.withResolvers<void>();
      host.faults[step] = () => held.promise;
      const acquiring = worker.acquire(one);
      await turns();
      worker.retire(one.key);
      held.resolve();
      await run(leaseOf(await acquiring)).released;
      await turns();
      assert.deepEqual(host.living(), [], `retired during ${step}`);
      await close(worker);
    }
  });

  test('whose version is retired as room is found end after their invocation', async () => {
    for (let depth = 0; depth <= 20; depth += 1) {
      const worker = createWorker({ environmentsMax: 1 });
      const before = leaseOf(await worker.acquire(two));
      const acquiring = worker.acquire(one);
      await run(before).released;
      await ticks(depth);
      worker.retire(one.key);
      await run(leaseOf(await acquiring)).released;
      await turns();
      assert.deepEqual(host.living(), [], `retired after ${depth} ticks`);
      await close(worker);
    }
  });

  test('that a fault of the host ended are not used again', async () => {
    const worker = createWorker();
    const first = await invoke(worker, one);
    host.runtimes[0]?.exit();
    await turns();
    host.faults.start = () => {
      throw new Error('no process');
    };
    const lease = leaseOf(await worker.acquire(one));
    assert.equal(lease.environment.id, first);
    assert.equal((await run(lease).outcome).type, 'fault');
    await turns();
    host.faults.start = null;
    assert.notEqual(await invoke(worker, one), first);
    await close(worker);
  });

  test('that cannot take an event give back their room', async () => {
    const worker = createWorker({ environmentsMax: 1 });
    await invoke(worker, one);
    clock.advance(10);
    host.faults.thaw = () => {
      throw new Error('EIO');
    };
    const lease = leaseOf(await worker.acquire(one));
    assert.throws(() => run(lease), { message: 'EIO' });
    host.faults.thaw = null;
    await turns();
    await invoke(worker, two);
    await close(worker);
  });

  test('take a sandbox that was booted in advance, unless the version needs a start of its own', async () => {
    const worker = createWorker({ poolSize: 1 });
    worker.expectVersion(one);
    await worker.poolSettled();
    assert.equal(host.runtimes.length, 1);
    await invoke(worker, runnable({ ...two, environment: { NODE_OPTIONS: '--no-warnings' } }));
    await invoke(worker, runnable({ ...two, key: 'x', temporaryStorageMb: 1024 }));
    assert.equal(host.runtimes.length, 3);
    assert.equal(host.runtimes[1]?.command.env['NODE_OPTIONS'], '--no-warnings');
    assert.equal(await invoke(worker, one), host.sandboxes[0]?.id);
    clock.advance(1000);
    await worker.poolSettled();
    assert.equal(host.sandboxes.length, 4);
    await close(worker);
  });

  test('are told of to a listener: from what they were made, and what the platform says', async () => {
    const starts: ColdStart[] = [];
    const events: string[] = [];
    const worker = createWorker({
      poolSize: 1,
      listener: {
        onColdStart: (start) => starts.push(start),
        onPlatformEvent: ({ functionName }, { type }) => events.push(`${functionName} ${type}`),
      },
    });
    worker.expectVersion(one);
    await worker.poolSettled();
    await invoke(worker, one);
    await invoke(worker, two);
    await invoke(worker, runnable({ ...two, key: 'x', temporaryStorageMb: 1024 }));
    const common = { runtime: one.runtime, initializationType: 'on-demand' };
    assert.deepEqual(starts, [
      { ...common, kind: 'pool_hit', isPoolMiss: false },
      { ...common, kind: 'new_box', isPoolMiss: true },
      { ...common, kind: 'new_box', isPoolMiss: false },
    ]);
    assert.deepEqual(events.slice(0, 3), [
      `${one.functionName} platform.initStart`,
      `${one.functionName} platform.initRuntimeDone`,
      `${one.functionName} platform.initReport`,
    ]);
    await close(worker);
  });

  test('are bound to their code and layers in order, and hold them until they end', async () => {
    const held: string[] = [];
    const openCode = async (hash: string): Promise<OpenCode> => {
      held.push(hash);
      const release = (): void => void held.splice(held.indexOf(hash), 1);
      return { folder: `/trees/${hash}`, hasSharedLibraries: false, release };
    };
    const worker = createWorker({ openCode });
    await invoke(worker, runnable({ codeHash: 'code', layerHashes: ['low', 'high'] }));
    const binding = host.sandboxes[0]?.binding;
    assert.equal(binding?.codeDir, '/trees/code');
    assert.deepEqual(binding.layerDirs, ['/trees/low', '/trees/high']);
    assert.equal(held.length, 3);
    await close(worker);
    assert.deepEqual(held, []);
  });

  test('with shared libraries have a process that was started knowing where they are', async () => {
    const openCode = async (hash: string): Promise<OpenCode> => {
      const hasSharedLibraries = hash === 'library';
      return { folder: '/code', hasSharedLibraries, release: () => undefined };
    };
    const worker = createWorker({ poolSize: 1, openCode });
    worker.expectVersion(one);
    await worker.poolSettled();
    await invoke(worker, runnable({ layerHashes: ['library'] }));
    assert.equal(host.runtimes.length, 2);
    assert.match(host.runtimes[1]?.command.env['LD_LIBRARY_PATH'] ?? '', /\/lib$/);
    assert.equal(await invoke(worker, two), host.sandboxes[0]?.id);
    await close(worker);
  });

  test('without a pool boot nothing in advance', async () => {
    const worker = createWorker({ poolSize: 0 });
    worker.expectVersion(one);
    await worker.poolSettled();
    assert.equal(host.sandboxes.length, 0);
    await invoke(worker, one);
    clock.advance(1000);
    await turns();
    assert.equal(host.sandboxes.length, 1);
    await close(worker);
  });
});

describe('room', () => {
  test('that environments need is taken from what was booted in advance, the driver’s share included', async () => {
    const driver = { ...host.driver, standbyMemoryMb: 1 };
    Object.assign(host, { driver });
    const worker = createWorker({ poolSize: 1, memoryBudgetMb: 3 * 128 });
    worker.expectVersion(one);
    await worker.poolSettled();
    assert.equal(host.living().length, 1, 'two more would not fit beside the driver’s');
    const big = runnable({
      functionName: 'big',
      memoryMb: 2 * 128,
      environment: { NODE_OPTIONS: '' },
    });
    await invoke(worker, big);
    assert.equal(host.living().length, 1, 'the booted one has made way');
    assert.equal(await invoke(worker, big), host.living()[0]?.id);
    await close(worker);
  });

  test('is told of: what is held, by whom, and how much there may be', async () => {
    const worker = createWorker({ poolSize: 1, environmentsMax: 2 });
    const nothing = { Starting: 0, Ready: 0, Invoking: 0, Frozen: 0, Stopping: 0, Stopped: 0 };
    const bounds = { memoryBudgetMb: 1024, environmentsMax: 2 };
    const empty = { ...bounds, memoryUsedMb: 0, memorySpareMb: 0, waiting: 0 };
    const environments = { ...nothing, Failed: 0 };
    assert.deepEqual(worker.metrics(), { ...empty, environments, booted: new Map() });
    host.script = patient;
    worker.expectVersion(one);
    await worker.poolSettled();
    assert.equal(worker.metrics().memorySpareMb, 128);
    assert.deepEqual(worker.metrics().booted, new Map([[one.runtime, 1]]));
    const busy = run(leaseOf(await worker.acquire(runnable({ memoryMb: 256 }))));
    await worker.acquire(two);
    const waiting = worker.acquire(two);
    await turns();
    const { memoryUsedMb, waiting: waiters, environments: counts } = worker.metrics();
    assert.deepEqual([memoryUsedMb, waiters], [256 + 128, 1]);
    assert.deepEqual(counts, { ...environments, Invoking: 1, Ready: 1 });
    await worker.close();
    await Promise.all([busy.outcome, waiting]);
    assert.deepEqual(worker.metrics().environments, environments);
  });

  test('is bounded by the number of environments; an idle one makes way', async () => {
    const worker = createWorker({ environmentsMax: 1 });
    for (const version of [one, two, one, two]) await invoke(worker, version);
    assert.equal(host.sandboxes.length, 4);
    await turns();
    assert.equal(host.living().length, 1);
    await close(worker);
  });

  test('of idle tenants goes to others: many take their turns in little room', async () => {
    const worker = createWorker({ environmentsMax: 2, waitersMax: 20 });
    const tenants = Array.from({ length: 20 }, (_, index) => `tenant-${index}`);
    const served = await Promise.all(tenants.map((tenant) => invoke(worker, one, tenant)));
    assert.equal(new Set(served).size, tenants.length);
    await turns();
    assert.equal(host.living().length, 2);
    const last = served.at(-1);
    assert.equal(await invoke(worker, one, tenants.at(-1)), last, 'the last one is warm');
    await close(worker);
  });

  test('goes as a warm environment to who waits for the same tenant', async () => {
    const worker = createWorker({ environmentsMax: 1 });
    const lease = leaseOf(await worker.acquire(one, 'red'));
    const [red, blue] = ['red', 'blue'].map((tenant) => invoke(worker, one, tenant));
    const { environmentId } = run(lease);
    assert.equal(await red, environmentId);
    assert.notEqual(await blue, environmentId);
    await close(worker);
  });

  test('is bounded by memory; the environment idle for longest makes way', async () => {
    const worker = createWorker({ memoryBudgetMb: 384 });
    const first = await invoke(worker, one);
    await invoke(worker, two);
    const third = await invoke(worker, runnable({ functionName: 'three' }));
    assert.equal(await invoke(worker, one), first);
    await invoke(worker, runnable({ functionName: 'four' }));
    await turns();
    const living = host.living().map(({ id }) => id);
    assert(living.includes(first) && living.includes(third));
    assert.equal(living.length, 3);
    await close(worker);
  });

  test('for a function larger than all memory is there when nothing else runs', async () => {
    const worker = createWorker({ memoryBudgetMb: 128 });
    await invoke(worker, one);
    await invoke(worker, runnable({ functionName: 'huge', memoryMb: 10_240 }));
    await invoke(worker, one);
    await turns();
    assert.equal(host.living().length, 1);
    await close(worker);
  });

  test('is given to as many who wait as it is enough for', async () => {
    const worker = createWorker({ memoryBudgetMb: 512 });
    const huge = leaseOf(await worker.acquire(runnable({ functionName: 'huge', memoryMb: 512 })));
    const waiting = [0, 1, 2, 3].map(() => worker.acquire(one));
    const { released } = run(huge);
    await released;
    const leases = (await Promise.all(waiting)).map(leaseOf);
    assert.equal(new Set(leases.map(({ environment }) => environment)).size, 4);
    await close(worker);
  });

  test('is given in the order of asking, and nobody overtakes', async () => {
    const worker = createWorker({ memoryBudgetMb: 512 });
    const busy = [leaseOf(await worker.acquire(one)), leaseOf(await worker.acquire(one))];
    const order: string[] = [];
    const big = worker.acquire(runnable({ functionName: 'big', memoryMb: 512 })).then((got) => {
      order.push('big');
      return got;
    });
    const small = worker.acquire(two).then((got) => {
      order.push('small');
      return got;
    });
    await turns();
    assert.deepEqual(order, [], 'two would fit, but big was first');
    for (const lease of busy) await run(lease).released;
    await run(leaseOf(await big)).released;
    await small;
    assert.deepEqual(order, ['big', 'small']);
    await close(worker);
  });

  test('goes as a warm environment to who waits for the same version', async () => {
    const worker = createWorker({ environmentsMax: 1 });
    const lease = leaseOf(await worker.acquire(one));
    const waiting = worker.acquire(one);
    await run(lease).released;
    assert.equal(leaseOf(await waiting).environment, lease.environment);
    await close(worker);
  });

  test('is waited for by at most waitersMax', async () => {
    const worker = createWorker({ environmentsMax: 1, waitersMax: 2 });
    const lease = leaseOf(await worker.acquire(one));
    const waiting = [worker.acquire(one), worker.acquire(two)];
    assert.equal((await worker.acquire(one)).type, 'noCapacity');
    await run(lease).released;
    await run(leaseOf(await waiting[0]!)).released;
    await run(leaseOf(await waiting[1]!)).released;
    await close(worker);
  });

  test('is given to functions in turns, however many wait for one of them', async () => {
    const worker = createWorker({ environmentsMax: 1 });
    const lease = leaseOf(await worker.acquire(one));
    const served: string[] = [];
    const waiting = [one, one, one, two, runnable({ functionName: 'three' })].map(
      async (version) => {
        const got = leaseOf(await worker.acquire(version));
        served.push(version.functionName);
        await run(got).released;
      },
    );
    await run(lease).released;
    await Promise.all(waiting);
    assert.deepEqual(served, ['one', 'two', 'three', 'one', 'one']);
    await close(worker);
  });

  test('is waited for by those of another function even if one has taken all places', async () => {
    const worker = createWorker({ environmentsMax: 1, waitersMax: 3 });
    const lease = leaseOf(await worker.acquire(one));
    const flood = [0, 1, 2].map(() => worker.acquire(one));
    const other = worker.acquire(two);
    assert.equal((await flood[2]!).type, 'noCapacity', 'the last that came makes way');
    await run(lease).released;
    await run(leaseOf(await flood[0]!)).released;
    await run(leaseOf(await other)).released;
    await run(leaseOf(await flood[1]!)).released;
    await close(worker);
  });

  test('being made for one, an environment serves who waits for it before any newcomer', async () => {
    const worker = createWorker({ environmentsMax: 2 });
    const busy = [leaseOf(await worker.acquire(one)), leaseOf(await worker.acquire(one))];
    const stopping = Promise.withResolvers<void>();
    host.faults.destroy = () => stopping.promise;
    const other = worker.acquire(two);
    const waiting = worker.acquire(one);
    await run(busy[0]!).released;
    await turns();
    assert.equal(worker.acquireWarm(one), undefined, 'it is being stopped for the other one');
    await run(busy[1]!).released;
    assert.equal(worker.acquireWarm(one), undefined, 'it is promised to who waits');
    assert.equal(leaseOf(await waiting).environment, busy[1]?.environment);
    stopping.resolve();
    await other;
    await close(worker);
  });

  test('is waited for at most waitMsMax in all, whatever becomes free meanwhile', async () => {
    const worker = createWorker({ memoryBudgetMb: 256, waitMsMax: 1000 });
    const busy = [leaseOf(await worker.acquire(one)), leaseOf(await worker.acquire(one))];
    let result: AcquireResult | undefined;
    const waiting = worker.acquire(runnable({ functionName: 'big', memoryMb: 256 }));
    void waiting.then((got) => void (result = got));
    clock.advance(900);
    await run(busy[0]!).released;
    await turns();
    clock.advance(99);
    await turns();
    assert.equal(result, undefined);
    clock.advance(1);
    assert.equal((await waiting).type, 'noCapacity');
    assert.equal((await worker.acquire(two)).type, 'lease', 'the next one is served');
    await close(worker);
  });

  test('of a waiter that gave up goes to the next', async () => {
    const worker = createWorker({ memoryBudgetMb: 256, waitMsMax: 1000 });
    leaseOf(await worker.acquire(one));
    const big = worker.acquire(runnable({ functionName: 'big', memoryMb: 256 }));
    clock.advance(500);
    const small = worker.acquire(two);
    clock.advance(500);
    assert.equal((await big).type, 'noCapacity');
    assert.equal((await small).type, 'lease');
    await close(worker);
  });
});

describe('failures', () => {
  test('at every step of a start give back room, code and sandbox', async () => {
    for (const step of ['create', 'serve', 'bind', 'start', 'setCpus'] as const) {
      host = new ScriptedHost();
      host.script = obedient;
      const worker = createWorker({ environmentsMax: 1, waitersMax: 0 });
      host.faults[step] = () => {
        throw new Error(`no ${step}`);
      };
      for (let round = 0; round < 3; round += 1) {
        const result = await worker.acquire(one);
        assert(result.type === 'failed', step);
        assert.equal(result.cause.message, `no ${step}`);
        assert.equal(pins, 0);
        assert.deepEqual(host.living(), []);
      }
      host.faults[step] = null;
      await invoke(worker, one);
      await close(worker);
    }
  });

  test('of the code give back the room', async () => {
    const openCode = (): Promise<never> => Promise.reject(new Error('no such blob'));
    const worker = createWorker({ environmentsMax: 1, waitersMax: 0, openCode });
    for (let round = 0; round < 3; round += 1) {
      assert.equal((await worker.acquire(one)).type, 'failed');
    }
    await close(worker);
  });

  test('to remove a sandbox give back room and code all the same', async () => {
    const worker = createWorker({ environmentsMax: 1 });
    await invoke(worker, one);
    host.faults.destroy = () => {
      throw new Error('EBUSY');
    };
    await invoke(worker, two);
    host.faults.destroy = null;
    await turns();
    assert.equal(pins, 1);
    await worker.close();
    assert.equal(pins, 0);
  });

  test('of a start wake who waits', async () => {
    const worker = createWorker({ environmentsMax: 1 });
    const held = Promise.withResolvers<void>();
    host.faults.bind = () => held.promise;
    const first = worker.acquire(one);
    await turns();
    const second = worker.acquire(two);
    host.faults.bind = null;
    held.reject(new Error('no bind'));
    assert.equal((await first).type, 'failed');
    assert.equal((await second).type, 'lease');
    await close(worker);
  });

  test('a runtime that never boots neither keeps the pool nor holds up the end', async () => {
    host.script = () => undefined;
    const worker = createWorker({ poolSize: 1 });
    worker.expectVersion(one);
    for (let boot = 1; boot <= 3; boot += 1) {
      await host.started(boot);
      clock.advance(10_000);
      await turns();
    }
    await worker.poolSettled();
    assert.deepEqual(host.living(), []);
    worker.expectVersion(one);
    await host.started(4);
    await close(worker);
  });
});

describe('close', () => {
  test('ends what is idle, what is busy, and what waits, and gives nothing afterwards', async () => {
    host.script = patient;
    const worker = createWorker({ environmentsMax: 1, poolSize: 2 });
    worker.expectVersion(one);
    await worker.poolSettled();
    const { outcome, released } = run(leaseOf(await worker.acquire(one)));
    const waiting = worker.acquire(two);
    const closing = worker.close();
    const answer = await outcome;
    assert(answer.type === 'fault' && answer.fault.type === 'host');
    await released;
    assert.equal((await waiting).type, 'noCapacity');
    await closing;
    assert.equal((await worker.acquire(one)).type, 'noCapacity');
    assert.equal(worker.acquireWarm(one), undefined);
    assert.deepEqual(host.living(), []);
    assert.equal(pins, 0);
  });

  test('at every step of a start waits for it and leaves nothing', async () => {
    for (const step of ['create', 'serve', 'bind', 'start', 'setCpus'] as const) {
      host = new ScriptedHost();
      host.script = obedient;
      const worker = createWorker();
      const held = Promise.withResolvers<void>();
      host.faults[step] = () => held.promise;
      const acquiring = worker.acquire(one);
      await turns();
      let isClosed = false;
      const closing = worker.close().then(() => void (isClosed = true));
      await turns();
      assert.equal(isClosed, false, `close waits for ${step}`);
      held.resolve();
      assert.equal((await acquiring).type, 'failed', step);
      await closing;
      assert.deepEqual(host.living(), [], step);
      assert.equal(pins, 0);
    }
  });

  test('while a sandbox is being booted in advance leaves nothing', async () => {
    for (const step of ['create', 'serve', 'start'] as const) {
      host = new ScriptedHost();
      host.script = patient;
      const worker = createWorker({ poolSize: 1 });
      const held = Promise.withResolvers<void>();
      host.faults[step] = () => held.promise;
      worker.expectVersion(one);
      await turns();
      const closing = close(worker);
      await turns();
      held.resolve();
      await closing;
    }
  });
});

/** So many promises resolve, one after the other. */
async function ticks(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await Promise.resolve();
}
