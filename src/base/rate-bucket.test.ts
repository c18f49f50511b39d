import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateBucket } from './rate-bucket.ts';

function drain(bucket: RateBucket, nowMs: number, capacity: number): number {
  let taken = 0;
  for (; bucket.hasToken(nowMs, capacity, 1000); taken += 1) bucket.take();
  return taken;
}

test('a full bucket gives its capacity, then one by one as time goes', () => {
  const bucket = new RateBucket();
  assert.equal(drain(bucket, 5000, 10), 10);
  assert.equal(drain(bucket, 5099, 10), 0);
  for (let nowMs = 5100; nowMs <= 6000; nowMs += 100) assert.equal(drain(bucket, nowMs, 10), 1);
  assert.equal(drain(bucket, 60_000, 10), 10, 'never more than its capacity');
});

test('fractions add up, and capacity may change', () => {
  const bucket = new RateBucket();
  drain(bucket, 0, 10);
  let taken = 0;
  for (let step = 1; step <= 1000; step += 1) taken += drain(bucket, step, 10);
  assert.equal(taken, 10);
  assert.equal(drain(bucket, 2000, 3), 3);
  assert.equal(drain(bucket, 3000, 0), 0);
  assert.equal(drain(bucket, 3000, 20), 0);
  assert.equal(drain(bucket, 3500, 20), 10);
});

test('a token given back can be taken again', () => {
  const bucket = new RateBucket();
  assert.equal(drain(bucket, 0, 2), 2);
  bucket.giveBack();
  assert.equal(drain(bucket, 0, 2), 1);
});
