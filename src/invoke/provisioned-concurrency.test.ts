/** From what the store says is wanted to what the worker keeps, admission allows and the store is told. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { aliasCollections, type ProvisionedStatusRecord } from '../model/alias.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { DocumentKey, Store } from '../store/store.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { runnable } from '../testing/runnable.ts';
import { turns } from '../testing/scripted-sandbox.ts';
import type { ProvisionedWish } from '../worker/provisioned-environments.ts';
import { nothingProvisioned, type ProvisionedState } from '../worker/provisioned-pool.ts';
import { ProvisionReporter } from './provision-reporter.ts';
import { ProvisionedConcurrency } from './provisioned-concurrency.ts';

const ready: ProvisionedState = { status: 'READY', allocated: 2, available: 2, units: 2 };

let store: Store;
/** Active versions of the function 'one', by number. */
let versions: Map<string, RunnableVersion>;
/** What the worker keeps, by name. */
let kept: Map<string, ProvisionedWish>;
/** What admission knows, by qualifier. */
let units: Map<string, { version: string; count: number }>;
let reporter: ProvisionReporter;
let provisioned: ProvisionedConcurrency;

beforeEach(() => {
  store = createMemoryStore();
  versions = new Map(['1', '2'].map((version) => [version, runnable({ version })]));
  kept = new Map();
  units = new Map();
  provisioned = create();
});
afterEach(async () => {
  provisioned.close();
  await reporter.settled();
  await store.close();
});

function create(): ProvisionedConcurrency {
  reporter = new ProvisionReporter(silentLog, store);
  return new ProvisionedConcurrency({
    directory: { find: (_, qualifier) => versions.get(qualifier ?? '') },
    concurrency: {
      setProvisioned: (_, qualifier, wanted) => void units.set(qualifier, wanted),
      removeProvisioned: (_, qualifier) => void units.delete(qualifier),
    },
    worker: {
      provide: (name, wish) => {
        kept.set(name, wish);
        return nothingProvisioned;
      },
      withdraw: (name) => void kept.delete(name),
    },
    reporter,
  });
}

function keyOf(collection: string, id: string): DocumentKey {
  return { collection, partition: 'one', id };
}

let generations = 0;

async function want(qualifier: string, requested: number): Promise<string> {
  generations += 1;
  const generation = `generation-${generations}`;
  const value = { qualifier, requested, lastModified: '', generation };
  const key = keyOf(aliasCollections.provisioned, qualifier);
  await store.commit([{ type: 'put', key, value, expect: 'any' }]);
  await reporter.settled();
  return generation;
}

async function unwant(qualifier: string): Promise<void> {
  const key = keyOf(aliasCollections.provisioned, qualifier);
  await store.commit([{ type: 'delete', key, expect: 'any' }]);
  await reporter.settled();
}

async function point(alias: string, FunctionVersion: string): Promise<void> {
  const key = keyOf(aliasCollections.alias, alias);
  const value = { configuration: { Name: alias, FunctionVersion } };
  await store.commit([{ type: 'put', key, value, expect: 'any' }]);
}

async function statusOf(qualifier: string): Promise<ProvisionedStatusRecord | undefined> {
  await reporter.settled();
  const key = keyOf(aliasCollections.provisionedStatus, qualifier);
  return (await store.get<ProvisionedStatusRecord>(key))?.value;
}

test('a version is provided for, and how far it is goes to admission and into the store', async () => {
  await provisioned.open(store);
  const generation = await want('1', 2);
  const wish = kept.get('one:1');
  assert.equal(wish?.requested, 2);
  assert.equal(wish.version, versions.get('1'));
  const nothing = { status: 'IN_PROGRESS', allocated: 0, available: 0 };
  assert.deepEqual(await statusOf('1'), { generation, ...nothing });
  assert.deepEqual(units.get('1'), { version: '1', count: 0 });
  wish.onState(ready);
  assert.deepEqual(units.get('1'), { version: '1', count: 2 });
  const up = { status: 'READY', allocated: 2, available: 2 };
  assert.deepEqual(await statusOf('1'), { generation, ...up });
  wish.onState({ ...nothingProvisioned, status: 'FAILED', statusReason: 'why' });
  const status = await statusOf('1');
  assert.deepEqual([status?.status, status?.statusReason], ['FAILED', 'why']);
  assert.equal(units.get('1')?.count, 0);
});

test('an alias stands for the version it names, as it changes', async () => {
  await provisioned.open(store);
  await want('live', 2);
  assert.equal(kept.size, 0, 'no such alias yet');
  assert.equal((await statusOf('live'))?.status, 'IN_PROGRESS');
  await point('live', '1');
  assert.equal(kept.get('one:live')?.version.version, '1');
  await point('live', '2');
  assert.equal(kept.get('one:live')?.version.version, '2');
  kept.get('one:live')?.onState(ready);
  assert.deepEqual(units.get('live'), { version: '2', count: 2 });
});

test('a version that comes later, or becomes active later, is provided for then', async () => {
  versions.clear();
  await provisioned.open(store);
  await want('1', 1);
  assert.equal(kept.size, 0);
  const pending = runnable({ version: '1', state: 'Pending' });
  versions.set('1', pending);
  provisioned.onVersion(pending);
  assert.equal(kept.size, 0);
  const active = runnable({ version: '1' });
  versions.set('1', active);
  provisioned.onVersion(active);
  assert.equal(kept.get('one:1')?.version, active);
  const again = kept.get('one:1');
  provisioned.onVersion(active);
  assert.equal(kept.get('one:1'), again, 'nothing changes');
});

test('what is no longer wanted is given back, and its status goes', async () => {
  await provisioned.open(store);
  await want('1', 2);
  kept.get('one:1')?.onState(ready);
  await unwant('1');
  assert.equal(kept.size, 0);
  assert.equal(units.size, 0);
  assert.equal(await statusOf('1'), undefined);
  await unwant('1');
});

test('after a restart it is provided for anew, and no status of before is left to be read', async () => {
  await provisioned.open(store);
  const generation = await want('1', 2);
  kept.get('one:1')?.onState(ready);
  assert.equal((await statusOf('1'))?.status, 'READY');
  provisioned.close();
  kept.clear();
  provisioned = create();
  await provisioned.open(store);
  assert.equal(kept.get('one:1')?.requested, 2);
  const key = keyOf(aliasCollections.provisionedStatus, '1');
  const { value } = (await store.get<ProvisionedStatusRecord>(key)) ?? {};
  assert.deepEqual([value?.generation, value?.status], [generation, 'IN_PROGRESS']);
});

test('the status of an older generation is not written over that of a newer one', async () => {
  await provisioned.open(store);
  await want('1', 2);
  const old = kept.get('one:1');
  const generation = await want('1', 3);
  old?.onState(ready);
  assert.equal((await statusOf('1'))?.generation, generation);
  assert.equal((await statusOf('1'))?.status, 'IN_PROGRESS');
});

test('states that follow each other quickly are few writes, and equal ones none', async () => {
  await provisioned.open(store);
  await want('1', 2);
  let writes = 0;
  const subscription = await store.watch([aliasCollections.provisionedStatus], () => {
    writes += 1;
  });
  writes = 0;
  const wish = kept.get('one:1');
  for (let allocated = 0; allocated <= 50; allocated += 1) {
    wish?.onState({ ...nothingProvisioned, allocated });
  }
  wish?.onState(ready);
  await reporter.settled();
  assert(writes <= 2, `${writes} writes`);
  assert.equal((await statusOf('1'))?.status, 'READY');
  writes = 0;
  wish?.onState({ ...ready });
  await reporter.settled();
  assert.equal(writes, 0);
  subscription.close();
});

test('a writer that meets another one reads again', async () => {
  await provisioned.open(store);
  const generation = await want('1', 2);
  const key = keyOf(aliasCollections.provisionedStatus, '1');
  const value = { generation, status: 'FAILED', allocated: 0, available: 0 };
  kept.get('one:1')?.onState(ready);
  await store.commit([{ type: 'put', key, value, expect: 'any' }]);
  assert.equal((await statusOf('1'))?.status, 'READY');
});

test('a store that fails is logged, and the next report is written', async () => {
  await provisioned.open(store);
  await want('1', 2);
  const { commit } = store;
  store.commit = () => Promise.reject(new Error('disk full'));
  kept.get('one:1')?.onState(ready);
  await reporter.settled();
  store.commit = commit;
  kept.get('one:1')?.onState({ ...ready, allocated: 1 });
  await turns();
  assert.equal((await statusOf('1'))?.allocated, 1);
});
