import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '../base/deferred.ts';
import { WorkSet } from './work-set.ts';

test('WorkSet settles when all has ended, however, and what was added meanwhile', async () => {
  const works = new WorkSet();
  await works.settled();
  const [first, second] = [deferred<number>(), deferred<number>()];
  const added = works.add(first.promise);
  let isSettled = false;
  const settled = works.settled().then(() => (isSettled = true));
  void works.add(second.promise);
  first.reject(new Error('fails'));
  await assert.rejects(added, /fails/);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isSettled, false);
  assert.equal(works.isEmpty, false);
  second.resolve(2);
  await settled;
  assert.equal(works.isEmpty, true);
});
