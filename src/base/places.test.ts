import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from './deferred.ts';
import { Places } from './places.ts';

test('so many tasks run at once, the others in the order in which they came', async () => {
  const places = new Places(2);
  const started: number[] = [];
  const gates = [0, 1, 2, 3].map(() => deferred<void>());
  const runs = gates.map(({ promise }, index) =>
    places.run(async () => {
      started.push(index);
      await promise;
      return index;
    }),
  );
  assert.deepEqual(started, [0, 1]);
  gates[1]?.resolve();
  assert.equal(await runs[1], 1);
  await Promise.resolve();
  assert.deepEqual(started, [0, 1, 2]);
  for (const { resolve } of gates) resolve();
  assert.deepEqual(await Promise.all(runs), [0, 1, 2, 3]);
});

test('a task that fails gives its place back', async () => {
  const places = new Places(1);
  const failing = places.run(() => Promise.reject(new Error('no')));
  const next = places.run(() => Promise.resolve('next'));
  await assert.rejects(failing, /no/);
  assert.equal(await next, 'next');
});
