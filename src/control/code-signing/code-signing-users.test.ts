import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collections } from '../../model/function.ts';
import { createMemoryStore } from '../../testing/memory-store.ts';
import type { Store } from '../../store/store.ts';
import { followTogether } from '../follow-together.ts';
import { CodeSigningUsers } from './code-signing-users.ts';

async function attach(store: Store, functionName: string, configId: string | undefined) {
  const key = { collection: collections.function, partition: functionName, id: '' };
  const value = configId === undefined ? {} : { codeSigningConfigId: configId };
  await store.commit([{ type: 'put', key, value, expect: 'any' }]);
}

async function remove(store: Store, functionName: string) {
  const key = { collection: collections.function, partition: functionName, id: '' };
  await store.commit([{ type: 'delete', key, expect: 'any' }]);
}

async function open(t: { after(close: () => void): void }, store: Store) {
  const users = new CodeSigningUsers();
  const following = await followTogether(store, [users]);
  t.after(() => following.close());
  return users;
}

const all = { after: undefined, limit: 100 };

test('CodeSigningUsers follows functions as they get, change and lose configurations', async (t) => {
  const store = createMemoryStore();
  await attach(store, 'before', 'csc-a');
  const users = await open(t, store);
  await attach(store, 'later', 'csc-a');
  await attach(store, 'free', undefined);
  assert.deepEqual(users.functionsOf('csc-a', all), ['before', 'later']);
  assert.equal(users.isUsed('csc-b'), false);
  await attach(store, 'before', 'csc-b');
  await attach(store, 'before', 'csc-b');
  assert.deepEqual(users.functionsOf('csc-a', all), ['later']);
  assert.deepEqual(users.functionsOf('csc-b', all), ['before']);
  await attach(store, 'before', undefined);
  await remove(store, 'later');
  await remove(store, 'free');
  assert.equal(users.isUsed('csc-a'), false);
  assert.equal(users.isUsed('csc-b'), false);
  assert.deepEqual(users.functionsOf('csc-a', all), []);
});

test('CodeSigningUsers pages in order, also behind a name that is not there', async (t) => {
  const store = createMemoryStore();
  const users = await open(t, store);
  for (const name of ['d', 'b', 'a', 'c']) await attach(store, name, 'csc-a');
  const page = (after: string | undefined, limit: number) =>
    users.functionsOf('csc-a', { after, limit });
  assert.deepEqual(page(undefined, 3), ['a', 'b', 'c']);
  assert.deepEqual(page('c', 3), ['d']);
  assert.deepEqual(page('bb', 1), ['c']);
  assert.deepEqual(page('d', 1), []);
  await attach(store, 'bb', 'csc-a');
  assert.deepEqual(page('b', 1), ['bb']);
});

test('CodeSigningUsers keeps 10,000 functions of one configuration in order', async (t) => {
  const store = createMemoryStore();
  const users = await open(t, store);
  const names = Array.from({ length: 10_000 }, (_, index) => `f${String(index).padStart(5, '0')}`);
  for (const name of [...names].reverse()) await attach(store, name, 'csc-a');
  const found: string[] = [];
  for (let after: string | undefined; found.length < names.length; after = found.at(-1)) {
    const page = users.functionsOf('csc-a', { after, limit: 50 });
    assert.equal(page.length, 50);
    found.push(...page);
  }
  assert.deepEqual(found, names);
});
