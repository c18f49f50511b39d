import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TAGS_MAX, withoutTags, withTags } from './tags.ts';

test('withTags adds and replaces', () => {
  assert.deepEqual(withTags({ a: '1', b: '2' }, { b: '3', c: '' }), { a: '1', b: '3', c: '' });
});

test('withTags refuses reserved keys in any casing', () => {
  assert.throws(() => withTags({}, { 'AWS:x': '1' }), { code: 'InvalidParameterValueException' });
});

test('withTags refuses more than the bound, counting what is there', () => {
  const full = Object.fromEntries(
    Array.from({ length: TAGS_MAX }, (_, index) => [`k${index}`, '']),
  );
  assert.equal(Object.keys(withTags(full, { k0: 'new' })).length, TAGS_MAX);
  assert.throws(() => withTags(full, { more: '' }), { code: 'InvalidParameterValueException' });
});

test('withoutTags passes over keys that are not there', () => {
  assert.deepEqual(withoutTags({ a: '1', b: '2' }, ['b', 'x']), { a: '1' });
});
