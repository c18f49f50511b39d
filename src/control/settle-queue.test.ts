import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '../base/deferred.ts';
import { silentLog } from '../base/log.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { SettleQueue, SETTLED_AT_ONCE_MAX } from './settle-queue.ts';

function queueWith(settle: (name: string) => Promise<void>, delayMs = 10) {
  const clock = new SimClock(0);
  return { clock, queue: new SettleQueue(clock, silentLog, { what: 'a thing', delayMs, settle }) };
}

test('SettleQueue settles a name once its delay has passed, once for all calls before', async () => {
  const settled: string[] = [];
  const { clock, queue } = queueWith(async (name) => void settled.push(name));
  for (const name of ['a', 'b', 'a']) queue.settleSoon(name);
  clock.advance(9);
  assert.deepEqual(settled, []);
  clock.advance(1);
  assert.deepEqual(settled, ['a', 'b']);
  await queue.close();
});

test('SettleQueue settles a few at once, the others as soon as these are done', async () => {
  const first = deferred<void>();
  const rest = deferred<void>();
  const started: string[] = [];
  const { clock, queue } = queueWith((name) => {
    started.push(name);
    if (started.length === SETTLED_AT_ONCE_MAX + 1) rest.resolve();
    return first.promise;
  });
  const names = Array.from({ length: SETTLED_AT_ONCE_MAX + 1 }, (_, index) => `n${index}`);
  for (const name of names) queue.settleSoon(name);
  clock.advance(10);
  assert.equal(started.length, SETTLED_AT_ONCE_MAX);
  first.resolve();
  await rest.promise;
  assert.deepEqual(started, names);
  await queue.close();
});

test('SettleQueue waits for what is under way when it closes, and begins nothing more', async () => {
  const underWay = deferred<void>();
  const settled: string[] = [];
  const { clock, queue } = queueWith(async (name) => {
    await underWay.promise;
    settled.push(name);
  });
  queue.settleSoon('begun');
  clock.advance(10);
  queue.settleSoon('waiting');
  const closed = queue.close();
  queue.settleSoon('late');
  clock.advance(10);
  underWay.resolve();
  await closed;
  assert.deepEqual(settled, ['begun']);
});
