import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEventPattern } from './event-pattern.ts';

test('isEventPattern takes every form of the documented syntax', () => {
  const patterns: unknown[] = [
    { body: { city: ['Berlin', 'Rome', 5, true, null, ''] } },
    { eventName: ['INSERT'], dynamodb: { Keys: { id: { S: [{ prefix: 'a' }] } } } },
    { $or: [{ city: ['Berlin'] }, { day: { name: ['Monday'] } }] },
    { price: [{ numeric: ['=', 100] }] },
    { price: [{ numeric: ['>', 10, '<=', 20.5] }] },
    { city: [{ exists: true }], day: [{ exists: false }] },
    { city: [{ suffix: 'a' }, { 'equals-ignore-case': 'ROME' }] },
    { city: [{ 'anything-but': 'Rome' }] },
    { city: [{ 'anything-but': ['Rome', 5] }] },
    { city: [{ 'anything-but': { prefix: 'R' } }] },
  ];
  for (const pattern of patterns) {
    assert.ok(isEventPattern(JSON.stringify(pattern)), JSON.stringify(pattern));
  }
});

test('isEventPattern refuses what matches nothing, or says nothing known', () => {
  const texts = [
    '',
    'null',
    '5',
    '[]',
    '{}',
    '{"a"',
    '[{"eventName": ["INSERT"=123}]',
    '{"city": "Rome"}',
    '{"city": {}}',
    '{"city": []}',
    '{"city": [["Rome"]]}',
    '{"city": [{}]}',
    '{"city": [{"prefix": 5}]}',
    '{"city": [{"exists": "yes"}]}',
    '{"city": [{"toString": "a"}]}',
    '{"city": [{"prefix": "a", "suffix": "b"}]}',
    '{"price": [{"numeric": [">"]}]}',
    '{"price": [{"numeric": ["!=", 5]}]}',
    '{"price": [{"numeric": [">", "5"]}]}',
    '{"city": [{"anything-but": []}]}',
    '{"city": [{"anything-but": {"exists": true}}]}',
    '{"$or": []}',
    '{"$or": ["a"]}',
  ];
  for (const text of texts) assert.equal(isEventPattern(text), false, text);
});

test('isEventPattern takes patterns as deep as a filter is long', () => {
  const depth = 600;
  const text = `${'{"a":'.repeat(depth)}["x"]${'}'.repeat(depth)}`;
  assert.ok(isEventPattern(text));
});
