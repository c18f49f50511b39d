// Goal: tasks of one key take turns, keys do not wait for each other, and nothing is kept of a key without tasks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from './deferred.ts';
import { KeyedTurns } from './keyed-turns.ts';

test('tasks of one key run one after the other, those of another meanwhile', async () => {
  const turns = new KeyedTurns();
  const gate = deferred<void>();
  const order: string[] = [];
  const first = turns.run('a', async () => {
    await gate.promise;
    order.push('first');
    throw new Error('failed');
  });
  const second = turns.run('a', async () => order.push('second'));
  await turns.run('b', async () => order.push('other'));
  assert.deepEqual(order, ['other']);
  assert.equal(turns.isBusy('b'), false);
  gate.resolve();
  await assert.rejects(first, { message: 'failed' });
  assert.equal(turns.isBusy('a'), true);
  await second;
  assert.deepEqual(order, ['other', 'first', 'second']);
  assert.equal(turns.isBusy('a'), false);
});
