import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Concurrency } from './concurrency.ts';

test('permits are given up to the limit and come back once each', () => {
  const concurrency = new Concurrency(2);
  const first = concurrency.acquire();
  const second = concurrency.acquire();
  assert(first && second);
  assert.equal(concurrency.acquire(), undefined);
  assert.equal(concurrency.inFlight, 2);
  first.release();
  first.release();
  assert.equal(concurrency.inFlight, 1);
  assert(concurrency.acquire());
  assert.equal(concurrency.acquire(), undefined);
});
