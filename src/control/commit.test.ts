// Goal: changes of one document all come to pass, however many there are at once and however long one
// takes to plan; one that is overtaken all the time is refused in the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../testing/memory-store.ts';
import type { Store } from '../store/store.ts';
import { COMMIT_ATTEMPTS_MAX, commitWithRetry, putDocument } from './commit.ts';

const key = { collection: 'counter', partition: 'p', id: '' };

async function counterStore(): Promise<Store> {
  const store = createMemoryStore();
  await store.commit([{ type: 'put', key, value: 0, expect: 'absent' }]);
  return store;
}

async function valueIn(store: Store): Promise<number | undefined> {
  return (await store.get<number>(key))?.value;
}

/** Adds one, after as many turns of the event loop as `slowness` says. */
async function count(store: Store, slowness = 0): Promise<number> {
  return commitWithRetry(store, async () => {
    const present = await store.get<number>(key);
    assert(present !== undefined);
    for (let turn = 0; turn < slowness; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const value = present.value + 1;
    return { operations: [putDocument(present, value)], result: value };
  });
}

test('many changes at once are all committed', async () => {
  const store = await counterStore();
  const changes = COMMIT_ATTEMPTS_MAX * 5;
  const results = await Promise.all(Array.from({ length: changes }, () => count(store)));
  assert.equal(new Set(results).size, changes);
  assert.equal(await valueIn(store), changes);
});

test('quick changes without end do not keep a slow one from being committed', async () => {
  const store = await counterStore();
  let isSlowDone = false;
  const quick = async (): Promise<void> => {
    while (!isSlowDone) {
      await count(store);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const writers = [quick(), quick(), quick()];
  const slow = count(store, 5);
  await slow.finally(() => (isSlowDone = true));
  await Promise.all(writers);
});

test('a change that is overtaken by who takes no turns is refused in the end', async () => {
  const store = await counterStore();
  let plans = 0;
  const refused = commitWithRetry(store, async () => {
    plans += 1;
    const present = await store.get<number>(key);
    assert(present !== undefined);
    await store.commit([putDocument(present, plans)]);
    return { operations: [putDocument(present, -1)], result: undefined };
  });
  // serverless #4964, anomalyco/sst #6923
  await assert.rejects(refused, {
    code: 'ResourceConflictException',
    message: 'The function could not be updated due to a concurrent update operation.',
  });
  assert.equal(plans, COMMIT_ATTEMPTS_MAX + 1);
  assert.equal(await valueIn(store), plans);
  await count(store);
});
