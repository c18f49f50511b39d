/** Which versions are prepared, what is told of them, and what happens when the host fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred, type Deferred } from '../base/deferred.ts';
import { silentLog } from '../base/log.ts';
import { collections, versionDocumentId, type SnapshotStatus } from '../model/function.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import { createMemoryStore, MemoryStoreImage } from '../testing/memory-store.ts';
import { runnable } from '../testing/runnable.ts';
import { turns } from '../testing/scripted-sandbox.ts';
import { SimClock } from '../testing/sim-clock.ts';
import type { SnapshotOutcome } from '../worker/snapshot-template.ts';
import type { Preparation } from '../worker/snapshots.ts';
import {
  attemptsMax,
  freshAtOnceMax,
  preparedAtOnceMax,
  preparedOfFunctionMax,
  retryDelayMs,
  slowAfterMs,
  SnapshotPreparer,
} from './snapshot-preparer.ts';

const host: SnapshotOutcome = { type: 'failed', fault: { type: 'host', cause: new Error('full') } };

function waiting(version = '1', functionName = 'one'): RunnableVersion {
  return runnable({ functionName, version, snapStart: true, state: 'Pending' });
}

function createRig() {
  const clock = new SimClock(0);
  const store = createMemoryStore(new MemoryStoreImage());
  const prepared: { version: RunnableVersion; outcome: Deferred<Preparation> }[] = [];
  const preparer = new SnapshotPreparer(clock, silentLog, store, {
    prepare: (version) => {
      const outcome = deferred<Preparation>();
      prepared.push({ version, outcome });
      return outcome.promise;
    },
  });
  const statusOf = async (version: string): Promise<SnapshotStatus | undefined> => {
    const id = versionDocumentId(version);
    const key = { collection: collections.snapshotStatus, partition: 'one', id };
    return (await store.get<SnapshotStatus>(key))?.value;
  };
  const come = async (index: number, outcome: Preparation): Promise<void> => {
    prepared[index]?.outcome.resolve(outcome);
    await turns();
  };
  return { clock, preparer, prepared, statusOf, come };
}

test('only a version that waits for its snapshot is prepared, and once', async () => {
  const { preparer, prepared, statusOf, come } = createRig();
  preparer.offer(runnable({ version: '1', state: 'Pending' }));
  preparer.offer(runnable({ version: '1', snapStart: true }));
  assert.equal(prepared.length, 0);
  preparer.offer(waiting());
  preparer.offer(waiting());
  assert.equal(prepared.length, 1);
  await come(0, { type: 'ready' });
  assert.deepEqual(await statusOf('1'), { buildId: 'build-1' });
  await preparer.close();
});

test('few begin at once, the others wait for their turn', async () => {
  const { preparer, prepared, come } = createRig();
  for (let version = 1; version <= freshAtOnceMax + 2; version += 1) {
    preparer.offer(waiting(String(version)));
  }
  preparer.forget(waiting(String(freshAtOnceMax + 1)).key);
  assert.equal(prepared.length, freshAtOnceMax);
  await come(0, { type: 'ready' });
  assert.equal(prepared[freshAtOnceMax]?.version.version, String(freshAtOnceMax + 2));
  for (const { outcome } of prepared) outcome.resolve({ type: 'ready' });
  await preparer.close();
});

test('a slow Init holds up no other, as far as the bound', async () => {
  const { clock, preparer, prepared, come } = createRig();
  const count = preparedAtOnceMax + 1;
  for (let index = 0; index < count; index += 1) preparer.offer(waiting('1', `function-${index}`));
  for (let begun = freshAtOnceMax; begun < preparedAtOnceMax; begun += freshAtOnceMax) {
    assert.equal(prepared.length, begun);
    clock.advance(slowAfterMs - 1);
    assert.equal(prepared.length, begun);
    clock.advance(1);
  }
  clock.advance(slowAfterMs);
  assert.equal(prepared.length, preparedAtOnceMax);
  await come(0, { type: 'ready' });
  assert.equal(prepared.length, count);
  for (const { outcome } of prepared) outcome.resolve({ type: 'ready' });
  await preparer.close();
});

test('versions of one function, slow or many, leave room for those of others', async () => {
  const { clock, preparer, prepared, come } = createRig();
  const begun = (): string[] => prepared.map(({ version }) => version.functionName);
  for (let version = 1; version <= preparedOfFunctionMax + 2; version += 1) {
    preparer.offer(waiting(String(version), 'many'));
  }
  preparer.offer(waiting('1', 'few'));
  assert.deepEqual(begun(), ['many', 'many']);
  await come(0, { type: 'ready' });
  assert.equal(begun().at(-1), 'few', 'it has fewer under way');
  clock.advance(slowAfterMs);
  clock.advance(slowAfterMs);
  assert.equal(begun().filter((name) => name === 'many').length, preparedOfFunctionMax + 1);
  clock.advance(slowAfterMs);
  assert.equal(prepared.length, preparedOfFunctionMax + 2, 'the bound of one function');
  await come(1, { type: 'ready' });
  assert.equal(prepared.length, preparedOfFunctionMax + 3);
  for (const { outcome } of prepared) outcome.resolve({ type: 'ready' });
  await preparer.close();
});

test('attempts that are made again take their turn, and give it on', async () => {
  const { clock, preparer, prepared, come } = createRig();
  const names = Array.from({ length: freshAtOnceMax }, (_, index) => `function-${index}`);
  for (const name of names) preparer.offer(waiting('1', name));
  for (let index = 0; index < freshAtOnceMax; index += 1) await come(index, host);
  clock.advance(retryDelayMs);
  assert.deepEqual(
    prepared.map(({ version }) => version.functionName),
    [...names, ...names],
  );
  preparer.offer(waiting('1', 'late'));
  assert.equal(prepared.length, 2 * freshAtOnceMax);
  await come(freshAtOnceMax, { type: 'ready' });
  assert.equal(prepared.at(-1)?.version.functionName, 'late');
  for (const { outcome } of prepared) outcome.resolve({ type: 'ready' });
  await preparer.close();
});

test('what a function did wrong is told with its code', async () => {
  const cases: readonly [SnapshotOutcome, string, RegExp][] = [
    [{ type: 'timeout', limitMs: 130_000 }, 'FunctionError.InitTimeout', /130 seconds/],
    [
      { type: 'failed', fault: { type: 'outOfMemory' } },
      'FunctionError.InitResourceExhausted',
      /memory/,
    ],
    [
      {
        type: 'failed',
        fault: { type: 'exit', exit: { code: 7, signal: null, outOfMemory: false } },
      },
      'FunctionError.RuntimeInitError',
      /exit status 7/,
    ],
    [
      {
        type: 'failed',
        fault: {
          type: 'initError',
          error: {
            errorType: 'Runtime.ImportModuleError',
            payload: Buffer.from('{"errorType":"ImportError","errorMessage":"no module"}'),
          },
        },
      },
      'FunctionError.RuntimeInitError',
      /ImportError: no module/,
    ],
  ];
  for (const [outcome, code, reason] of cases) {
    const { preparer, statusOf, come } = createRig();
    preparer.offer(waiting());
    await come(0, outcome);
    const status = await statusOf('1');
    assert.equal(status?.failure?.code, code);
    assert.match(status?.failure?.reason ?? '', reason);
    await preparer.close();
  }
});

test('a failure of the host is tried again, a few times', async () => {
  const { clock, preparer, prepared, statusOf, come } = createRig();
  preparer.offer(waiting());
  for (let attempt = 1; attempt < attemptsMax; attempt += 1) {
    await come(attempt - 1, host);
    assert.equal(await statusOf('1'), undefined);
    clock.advance(retryDelayMs);
    assert.equal(prepared.length, attempt + 1);
  }
  await come(attemptsMax - 1, host);
  assert.equal((await statusOf('1'))?.failure?.code, 'InternalError');
  await preparer.close();
});

test('a host without room is asked for as long as it takes', async () => {
  const { clock, preparer, statusOf, come } = createRig();
  preparer.offer(waiting());
  for (let index = 0; index < 2 * attemptsMax; index += 1) {
    await come(index, { type: 'noRoom' });
    assert.equal(await statusOf('1'), undefined);
    clock.advance(retryDelayMs);
  }
  await come(2 * attemptsMax, { type: 'ready' });
  assert.deepEqual(await statusOf('1'), { buildId: 'build-1' });
  await preparer.close();
});

test('nothing is told of a version that is gone, and nothing is tried once closed', async () => {
  const { clock, preparer, prepared, statusOf, come } = createRig();
  preparer.offer(waiting('1'));
  preparer.forget(waiting('1').key);
  await come(0, { type: 'ready' });
  assert.equal(await statusOf('1'), undefined);
  preparer.offer(waiting('2'));
  await come(1, host);
  await preparer.close();
  clock.advance(retryDelayMs);
  preparer.offer(waiting('3'));
  assert.equal(prepared.length, 2);
});
