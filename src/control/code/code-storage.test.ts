import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodeStorage } from './code-storage.ts';

const exceeded = {
  code: 'CodeStorageExceededException',
  message: 'Code storage limit exceeded.',
};

test('the last byte can be had, one more cannot', () => {
  const storage = new CodeStorage(() => 90, 100);
  storage.check(10);
  assert.throws(() => storage.check(11), exceeded);
});

test('what requests under way have taken counts until they give it back', () => {
  const storage = new CodeStorage(() => 0, 100);
  const giveBack = storage.take(60);
  assert.throws(() => storage.take(41), exceeded);
  storage.check(40);
  giveBack();
  storage.check(100);
});

test('less code is possible even when there is too much', () => {
  const storage = new CodeStorage(() => 200, 100);
  storage.take(-50)();
  storage.take(0)();
  assert.throws(() => storage.take(1), exceeded);
});
