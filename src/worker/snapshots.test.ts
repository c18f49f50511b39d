/**
 * Environments of versions with SnapStart: that they come from one template where processes can be
 * copied and from an Init of their own where not, and what becomes of templates.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { deferred } from '../base/deferred.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { limits } from '../model/limits.ts';
import type { ForkKind } from '../sandbox/sandbox.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import { runnable } from '../testing/runnable.ts';
import { createInvocation, workerOptions } from '../testing/worker-rig.ts';
import { ScriptedHost, snapshotting, turns } from '../testing/scripted-sandbox.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { templatesMax } from './snapshots.ts';
import { Worker, type AcquireResult, type Lease, type WorkerOptions } from './worker.ts';

const version = runnable({ version: '1', snapStart: true });

let clock: SimClock;
let host: ScriptedHost;
let worker: Worker;
/** Code folders that are held. */
let pins: number;
let log: string;
/** Cold starts, with what each was made from. */
let starts: string[];
/** Durations told of, by event. */
let durations: string[];
/** Of all code and layers. */
let folder: string;
let hasSharedLibraries: boolean;

function createWorker(forks: ForkKind, members: Partial<WorkerOptions> = {}): void {
  clock = new SimClock(1_000_000);
  host = new ScriptedHost();
  host.driver.forks = forks;
  host.script = snapshotting;
  pins = 0;
  log = '';
  starts = [];
  durations = [];
  folder = '/code';
  hasSharedLibraries = false;
  const { driver, catalog, transports } = host;
  const options = workerOptions({
    memoryBudgetMb: 8192,
    environmentsMax: 40,
    ...members,
    openCode: () => {
      pins += 1;
      const release = (): void => void (pins -= 1);
      return Promise.resolve({ folder, hasSharedLibraries, release });
    },
    logSink: (_name, bytes) => void (log += bytes.toString()),
    listener: {
      onColdStart: ({ initializationType, kind }) => starts.push(`${initializationType} ${kind}`),
      onPlatformEvent: (_version, { type }) => {
        if (/Report$/.test(type)) durations.push(type);
      },
    },
  });
  const dependencies = { driver, catalog, transports };
  worker = new Worker(clock, systemRandom, silentLog, dependencies, options);
}

function leaseOf(acquired: AcquireResult): Lease {
  assert(acquired.type === 'lease', `a lease, not ${acquired.type}`);
  return acquired.lease;
}

async function invoke({ environment, ...lease }: Lease): Promise<string> {
  const { functionArn: invokedFunctionArn } = environment.version;
  const attempt = lease.invoke(createInvocation({ invokedFunctionArn }), () => undefined);
  await attempt.finished;
  return (await attempt.outcome).type;
}

const acquire = (of: RunnableVersion = version): Promise<AcquireResult> => worker.acquire(of);

afterEach(async () => {
  await worker.close();
  assert.equal(pins, 0);
  assert.deepEqual(host.living(), []);
});

describe('where processes can be copied', () => {
  beforeEach(() => createWorker('any'));

  test('publishing leaves a frozen template that is never given an event', async () => {
    assert.deepEqual(await worker.prepareSnapshot(version), { type: 'ready' });
    await turns();
    const [template] = host.runtimes;
    assert.equal(template?.inits[0]?.initializationType, 'snap-start');
    assert.equal(template?.sandbox.isFrozen, true);
    assert.match(log, /^INIT_START .*\nINIT_REPORT Init Duration: 0\.00 ms\n$/);
    assert.equal(await invoke(leaseOf(await acquire())), 'response');
    assert.equal(template?.invocations.length, 0);
    assert.equal(template?.sandbox.isFrozen, true, 'again');
    assert.deepEqual(starts, ['snap-start snapshot']);
    assert.deepEqual(durations, ['platform.initReport', 'platform.restoreReport']);
  });

  test('environments are copies, each with its own variables, restored once', async () => {
    await worker.prepareSnapshot(version);
    const [one, two] = (await Promise.all([acquire(), acquire()])).map(leaseOf);
    assert(one !== undefined && two !== undefined);
    assert.equal(host.forks.length, 2);
    const [template, ...copies] = host.runtimes;
    assert(host.forks.every(({ process }) => process === template?.process));
    assert.deepEqual(
      copies.map(({ inits, restores }) => [inits.length, restores.length]),
      [
        [0, 1],
        [0, 1],
      ],
    );
    assert.deepEqual(copies[0]?.restores[0], { env: {}, optRoot: '/opt' });
    assert.deepEqual(await Promise.all([one, two].map(invoke)), ['response', 'response']);
    assert.match(log, /RESTORE_START /);
    assert.match(log, /RESTORE_REPORT Restore Duration: 0\.00 ms\n/);
    assert.match(log, /\tRestore Duration: 0\.00 ms\tBilled Restore Duration: 0 ms\t/);
  });

  test('a template that is missed, or has died, is made anew', async () => {
    await invoke(leaseOf(await acquire()));
    assert.equal(host.runtimes.length, 2, 'template and copy');
    host.runtimes[0]?.exit({ code: 1 });
    await turns();
    const warm = worker.acquireWarm(version);
    assert(warm !== undefined, 'environments do not depend on their template');
    leaseOf(await acquire());
    assert.equal(host.runtimes.length, 4);
    await invoke(warm);
  });

  test('a template that cannot be copied is given up, and its caller served by an Init', async () => {
    await worker.prepareSnapshot(version);
    host.faults.fork = () => {
      throw new Error('stuck');
    };
    const lease = leaseOf(await acquire());
    await turns();
    assert.equal(host.runtimes[0]?.hasEnded, true);
    assert.deepEqual(starts, ['snap-start new_box']);
    assert.deepEqual(
      host.runtimes.map(({ inits, restores }) => [inits.length, restores.length]),
      [
        [1, 0],
        [1, 1],
      ],
    );
    assert.equal(await invoke(lease), 'response');
    host.faults.fork = null;
    leaseOf(await acquire(runnable({ version: '2', snapStart: true })));
    assert.equal(starts.at(-1), 'snap-start snapshot');
  });

  test('who waits to be copied from a template that is given up gets a copy of the next one', async () => {
    await worker.prepareSnapshot(version);
    host.faults.fork = () => {
      host.faults.fork = null;
      throw new Error('stuck');
    };
    const leases = (await Promise.all([acquire(), acquire(), acquire()])).map(leaseOf);
    const kinds = ['snap-start new_box', 'snap-start snapshot', 'snap-start snapshot'];
    assert.deepEqual(starts.toSorted(), kinds);
    assert.equal(host.runtimes[0]?.hasEnded, true);
    const [source, ...others] = new Set(host.forks.map(({ process }) => process));
    assert.deepEqual(others, []);
    assert.notEqual(source, host.runtimes[0]?.process);
    for (const one of leases) assert.equal(await invoke(one), 'response');
  });

  test('a version that goes while copies are made serves those who asked, and leaves nothing', async () => {
    await worker.prepareSnapshot(version);
    await turns();
    const copying = deferred<void>();
    host.faults.fork = () => copying.promise;
    const acquiring = Promise.all([acquire(), acquire()]);
    await turns();
    worker.retire(version.key);
    await turns();
    assert.equal(host.runtimes[0]?.hasEnded, false, 'not in the middle of a copy');
    copying.resolve();
    const leases = (await acquiring).map(leaseOf);
    assert.equal(host.forks.length, 2);
    assert.deepEqual(await Promise.all(leases.map(invoke)), ['response', 'response']);
    await turns();
    assert.deepEqual(host.living(), []);
    assert.equal(worker.metrics().memoryUsedMb, 0);
  });

  test('so does one that goes while its template runs Init for a caller', async () => {
    host.script = (runtime) => {
      snapshotting(runtime);
      if (host.runtimes.length === 1) runtime.onInit = () => undefined;
    };
    const acquiring = acquire();
    await turns();
    worker.retire(version.key);
    await turns();
    host.runtimes[0]?.snapshot();
    assert.equal(await invoke(leaseOf(await acquiring)), 'response');
    await turns();
    assert.deepEqual(host.living(), []);
  });

  test('of a version that is gone no template is made', async () => {
    await worker.prepareSnapshot(version);
    let isFirst = true;
    host.faults.fork = () => {
      if (!isFirst) throw new Error('no other is asked');
      isFirst = false;
      worker.retire(version.key);
      throw new Error('it died');
    };
    const leases = (await Promise.all([acquire(), acquire()])).map(leaseOf);
    assert.deepEqual(starts, ['snap-start new_box', 'snap-start new_box']);
    assert.equal(host.runtimes.length, 3, 'the template, and one in each environment');
    for (const one of leases) assert.equal(await invoke(one), 'response');
    await turns();
    assert.deepEqual(host.living(), []);
  });

  test('hooks have 10 s', async () => {
    await worker.prepareSnapshot(version);
    host.script = (runtime) => {
      snapshotting(runtime);
      runtime.onRestore = () => undefined;
    };
    const acquiring = acquire();
    await turns();
    clock.advance(limits.restoreDurationMsMax - 1);
    await turns();
    assert.equal(host.runtimes[1]?.hasEnded, false);
    clock.advance(1);
    const acquired = await acquiring;
    assert(acquired.type === 'restoreFailed' && acquired.failure.reason === 'timeout');
    assert.match(log, /RESTORE_REPORT Restore Duration: 10000\.00 ms\tStatus: timeout\n/);
  });

  test('a hook that fails is told, and so is a process that ends', async () => {
    await worker.prepareSnapshot(version);
    for (const onRestore of ['restoreError', 'exit'] as const) {
      host.script = (runtime) => {
        snapshotting(runtime);
        runtime.onRestore = () => queueMicrotask(() => void runtime[onRestore]());
      };
      const acquired = await acquire();
      assert(acquired.type === 'restoreFailed' && acquired.failure.reason === 'hook', onRestore);
    }
    assert.match(log, /Status: error\tError Type: Runtime\.ExitError\n/);
  });

  test('an environment without its process is not used again', async () => {
    const lease = leaseOf(await acquire());
    await invoke(lease);
    host.runtimes[1]?.exit({ code: 1 });
    await turns();
    assert.equal(worker.acquireWarm(version), undefined);
    leaseOf(await acquire());
    assert.equal(host.runtimes.length, 3);
  });

  test('Init has as long as an invocation, and at least 130 s', async () => {
    for (const timeoutMs of [3000, 900_000]) {
      host.script = (runtime) => runtime.booted.resolve();
      const slow = runnable({ version: '1', snapStart: true, timeoutMs });
      const preparing = worker.prepareSnapshot(slow);
      await turns();
      const limitMs = Math.max(limits.initDurationMsProvisioned, timeoutMs);
      clock.advance(limitMs - 1);
      await turns();
      assert.equal(host.runtimes.at(-1)?.hasEnded, false);
      clock.advance(1);
      assert.deepEqual(await preparing, { type: 'timeout', limitMs });
    }
  });

  test('templates are bounded: the one not used for longest makes room', async () => {
    const versions = Array.from({ length: templatesMax + 1 }, (_, index) =>
      runnable({ version: String(index + 1), snapStart: true }),
    );
    for (const one of versions) await worker.prepareSnapshot(one);
    await turns();
    assert.equal(host.living().length, templatesMax);
    assert.equal(host.runtimes[0]?.hasEnded, true);
  });

  test('one whose Init is under way makes room for none', async () => {
    host.script = (runtime) => runtime.booted.resolve();
    const slow = worker.prepareSnapshot(runnable({ version: '0', snapStart: true }));
    await turns();
    host.script = snapshotting;
    for (let number = 1; number <= templatesMax; number += 1) {
      await worker.prepareSnapshot(runnable({ version: String(number), snapStart: true }));
    }
    await turns();
    assert.deepEqual(
      host.runtimes.slice(0, 3).map(({ hasEnded }) => hasEnded),
      [false, true, false],
    );
    host.runtimes[0]?.snapshot();
    assert.deepEqual(await slow, { type: 'ready' });
  });

  test('a version with extensions is initialised in each environment', async (t) => {
    folder = await mkdtemp(join(tmpdir(), 'hearth-snapshots-'));
    t.after(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'extensions'));
    await writeFile(join(folder, 'extensions/agent'), '', { mode: 0o755 });
    const extended = runnable({ version: '1', snapStart: true, layerHashes: ['layer'] });
    assert.deepEqual(await worker.prepareSnapshot(extended), { type: 'ready' });
    assert.deepEqual(host.living(), [], 'no template is kept');
    const acquiring = acquire(extended);
    // Its folder is a real one: looking for extensions takes a moment.
    while (host.living().every(({ beside }) => beside.length === 0)) await turns();
    assert.equal(host.forks.length, 0);
    let isClosed = false;
    const closing = worker.close().finally(() => (isClosed = true));
    for (; !isClosed; clock.advance(1000)) await turns(); // extensions are given time to end
    await Promise.all([closing, acquiring]);
  });

  test('a version that is gone takes its template along', async () => {
    await worker.prepareSnapshot(version);
    worker.retire(version.key);
    await turns();
    assert.deepEqual(host.living(), []);
  });

  test('closing ends an Init that is under way', async () => {
    host.script = (runtime) => runtime.booted.resolve();
    const preparing = worker.prepareSnapshot(version);
    await turns();
    await worker.close();
    const outcome = await preparing;
    assert(outcome.type === 'failed' && outcome.fault.type === 'host');
    await assert.rejects(worker.prepareSnapshot(version), /closed/);
  });
});

describe('room of templates', () => {
  const version2 = runnable({ functionName: 'two', version: '1', snapStart: true });
  const plain = runnable({ functionName: 'plain' });
  const { memoryMb } = version;

  test('is taken from the budget, until the template is gone', async () => {
    createWorker('any');
    await worker.prepareSnapshot(version);
    assert.equal(worker.metrics().memoryUsedMb, memoryMb);
    leaseOf(await acquire());
    assert.equal(worker.metrics().memoryUsedMb, 2 * memoryMb);
    host.runtimes[0]?.exit({ code: 1 });
    await turns();
    assert.equal(worker.metrics().memoryUsedMb, memoryMb);
    host.faults.create = () => {
      throw new Error('broken');
    };
    await assert.rejects(worker.prepareSnapshot(version2), /broken/);
    assert.equal(worker.metrics().memoryUsedMb, memoryMb);
  });

  test('goes to who waits when the template has no copies, and is missed by nobody', async () => {
    createWorker('any', { memoryBudgetMb: memoryMb });
    await worker.prepareSnapshot(version);
    const lease = leaseOf(await acquire());
    assert.equal(host.runtimes[0]?.hasEnded, true);
    assert.deepEqual(starts, ['snap-start new_box'], 'no room for another template');
    assert.equal(worker.metrics().memoryUsedMb, memoryMb);
    assert.equal(await invoke(lease), 'response');
  });

  test('is kept while a copy of the template runs', async () => {
    createWorker('any', { memoryBudgetMb: 2 * memoryMb });
    await worker.prepareSnapshot(version);
    const lease = leaseOf(await acquire());
    let isWaiting = true;
    const waiting = acquire(version2).finally(() => (isWaiting = false));
    await turns();
    assert.equal(isWaiting, true);
    assert.equal(host.runtimes[0]?.hasEnded, false);
    assert.equal(await invoke(lease), 'response');
    leaseOf(await waiting);
    assert.equal(
      host.runtimes[1]?.hasEnded,
      true,
      'the idle environment was used last, but first free',
    );
    assert.equal(host.runtimes[0]?.hasEnded, false);
  });

  test('goes by who was idle for longest, templates and environments', async () => {
    createWorker('any', { memoryBudgetMb: 2 * memoryMb });
    host.script = (runtime) => {
      snapshotting(runtime);
      const { onInit } = runtime;
      runtime.onInit = (init) => {
        if (init.initializationType === 'snap-start') onInit(init);
        else queueMicrotask(() => runtime.next());
      };
    };
    await invoke(leaseOf(await acquire(plain)));
    clock.advance(1);
    await worker.prepareSnapshot(version);
    await turns();
    clock.advance(1);
    const other = runnable({ functionName: 'other' });
    const lease = leaseOf(await acquire(other));
    assert.deepEqual(
      host.runtimes.map(({ hasEnded }) => hasEnded),
      [true, false, false],
    );
    await invoke(lease);
    clock.advance(1);
    leaseOf(await acquire(plain));
    assert.deepEqual(
      host.runtimes.map(({ hasEnded }) => hasEnded),
      [true, true, false, false],
    );
  });

  test('of one that is wanted goes last', async () => {
    createWorker('any', { memoryBudgetMb: 2 * memoryMb });
    for (const one of [version, version2]) {
      await worker.prepareSnapshot(one);
      clock.advance(1);
    }
    assert.equal(await invoke(leaseOf(await acquire())), 'response');
    assert.deepEqual(starts, ['snap-start snapshot']);
    assert.deepEqual(
      host.runtimes.map(({ hasEnded }) => hasEnded),
      [false, true, false],
    );
  });

  test('is waited for in publishing, and given on when Init has ended', async () => {
    createWorker('any', { memoryBudgetMb: memoryMb, waitMsMax: 1000 });
    const lease = leaseOf(await acquire());
    const preparing = worker.prepareSnapshot(version2);
    await turns();
    clock.advance(1000);
    assert.deepEqual(await preparing, { type: 'noRoom' });
    const again = worker.prepareSnapshot(version2);
    const waiting = acquire();
    await invoke(lease);
    await invoke(leaseOf(await waiting));
    assert.deepEqual(await again, { type: 'ready' });
    assert.equal(worker.metrics().memoryUsedMb, memoryMb);
  });

  test('that a publishing waits for goes to callers first, and nothing idle makes way in vain', async () => {
    createWorker('any', { memoryBudgetMb: 6 * memoryMb });
    const busy = leaseOf(await acquire(version2));
    const large = { ...version, memoryMb: 6 * memoryMb };
    const preparing = worker.prepareSnapshot(large);
    const others = ['three', 'four'].map((functionName) =>
      runnable({ functionName, version: '1', snapStart: true }),
    );
    for (const other of others) await invoke(leaseOf(await acquire(other)));
    for (const other of others) assert(worker.acquireWarm(other), 'it is there still');
    void busy;
    worker.retire(large.key);
    assert.deepEqual(await preparing, { type: 'noRoom' });
  });

  test('is waited for by at most waitersMax publishings, and none once the worker is closed', async () => {
    createWorker('any', { memoryBudgetMb: 2 * memoryMb, waitersMax: 1 });
    leaseOf(await acquire(version2));
    const waiting = worker.prepareSnapshot(version);
    const other = runnable({ functionName: 'three', version: '1', snapStart: true });
    assert.deepEqual(await worker.prepareSnapshot(other), { type: 'noRoom' });
    assert.equal(worker.metrics().waiting, 1);
    await worker.close();
    assert.deepEqual(await waiting, { type: 'noRoom' });
    await assert.rejects(worker.prepareSnapshot(other), /the worker is closed/);
  });

  test('is not waited for by a publishing whose version goes', async () => {
    createWorker('any', { memoryBudgetMb: 2 * memoryMb });
    const lease = leaseOf(await acquire(version2));
    const preparing = worker.prepareSnapshot(version);
    await turns();
    assert.equal(worker.metrics().waiting, 1);
    worker.retire(version.key);
    assert.deepEqual(await preparing, { type: 'noRoom' });
    assert.equal(worker.metrics().waiting, 0);
    await invoke(lease);
    assert.equal(host.runtimes.length, 2, 'none for the one that went');
  });

  test('a version that goes while its caller waits for room is served, and leaves nothing', async () => {
    createWorker('any', { environmentsMax: 1 });
    const lease = leaseOf(await acquire(version2));
    const waiting = acquire();
    await turns();
    worker.retire(version.key);
    await invoke(lease);
    assert.equal(await invoke(leaseOf(await waiting)), 'response');
    await turns();
    assert.deepEqual(host.living(), []);
  });
});

describe('where processes can be copied that were prepared', () => {
  beforeEach(() => createWorker('prepared'));

  test('a template has booted, and is prepared, before it knows the function', async () => {
    assert.deepEqual(await worker.prepareSnapshot(version), { type: 'ready' });
    const [template] = host.runtimes;
    assert.equal(template?.sandbox.isPrepared, true);
    assert.equal(template?.command.env['AWS_LAMBDA_FUNCTION_NAME'], undefined);
    assert.equal(template?.inits.length, 1);
    assert.equal(await invoke(leaseOf(await acquire())), 'response');
    assert.equal(host.forks[0]?.process, template?.process);
    assert.deepEqual(starts, ['snap-start snapshot']);
  });

  test('it may come from the sandboxes that were booted in advance', async () => {
    await worker.close();
    createWorker('prepared', { poolSize: 1 });
    worker.expectVersion(version);
    await worker.poolSettled();
    assert.equal(host.runtimes.length, 1);
    await worker.prepareSnapshot(version);
    assert.equal(host.runtimes[0]?.sandbox.isPrepared, true);
  });

  test('a host that cannot prepare it says so, and keeps nothing of it', async () => {
    host.faults.prepareFork = () => {
      throw new Error('stuck');
    };
    await assert.rejects(worker.prepareSnapshot(version), /stuck/);
    assert.deepEqual(host.living(), []);
  });

  test('what must be started as its function is initialised in each environment', async () => {
    const wrapped = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrapper' };
    const cases = [{ environment: wrapped }, { hasSharedLibraries: true }];
    for (const { environment = {}, ...of } of cases) {
      hasSharedLibraries = of.hasSharedLibraries ?? false;
      const special = runnable({ version: '2', snapStart: true, environment });
      assert.deepEqual(await worker.prepareSnapshot(special), { type: 'ready' });
      assert.deepEqual(host.living(), [], 'no template is kept');
      await invoke(leaseOf(await acquire(special)));
      assert.equal(host.forks.length, 0);
      worker.retire(special.key);
      await turns();
    }
  });
});

describe('where processes cannot be copied', () => {
  beforeEach(() => createWorker('none'));

  test('publishing runs Init and keeps nothing', async () => {
    assert.deepEqual(await worker.prepareSnapshot(version), { type: 'ready' });
    assert.deepEqual(host.living(), []);
  });

  test('each environment is initialised in its own sandbox and then restored', async () => {
    const [one, two] = (await Promise.all([acquire(), acquire()])).map(leaseOf);
    assert(one !== undefined && two !== undefined);
    assert.deepEqual(
      host.runtimes.map(({ inits, restores }) => [inits.length, restores.length]),
      [
        [1, 1],
        [1, 1],
      ],
    );
    assert.deepEqual(await Promise.all([one, two].map(invoke)), ['response', 'response']);
  });

  test('an Init that fails there fails the restore', async () => {
    host.script = (runtime) => {
      runtime.booted.resolve();
      runtime.onInit = () => queueMicrotask(() => runtime.initError());
    };
    const acquired = await acquire();
    assert(acquired.type === 'restoreFailed' && acquired.failure.reason === 'init');
  });
});
