import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from './deferred.ts';
import { Turns } from './turns.ts';

test('tasks run one after the other, whether or not the one before failed', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const gate = deferred<void>();
  const first = turns.run(async () => {
    await gate.promise;
    order.push('first');
    throw new Error('first failed');
  });
  const second = turns.run(() => {
    order.push('second');
    return Promise.resolve(2);
  });
  gate.resolve();
  await assert.rejects(first, { message: 'first failed' });
  assert.equal(await second, 2);
  assert.deepEqual(order, ['first', 'second']);
});
