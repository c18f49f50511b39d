import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeFeed } from './change-feed.ts';

function change(collection: string, revision: number) {
  const document = { collection, partition: 'p', id: 'i', revision, json: `${revision}` };
  return { type: 'put', document } as const;
}

test('ChangeFeed a listener that throws is reported as uncaught; the others are served', async () => {
  const feed = new ChangeFeed();
  const uncaught = Promise.withResolvers<unknown>();
  const ownListeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', uncaught.resolve);
  try {
    let served = 0;
    feed.subscribe(['c'], () => {
      throw new Error('listener failed');
    });
    feed.subscribe(['c'], () => served++);
    feed.publish([change('c', 1)]);
    assert.equal(served, 1);
    assert.equal(((await uncaught.promise) as Error).message, 'listener failed');
  } finally {
    for (const listener of ownListeners) process.on('uncaughtException', listener);
  }
});

test('ChangeFeed a listener closed by an earlier listener of the same commit is not called', () => {
  const feed = new ChangeFeed();
  let calls = 0;
  feed.subscribe(['c'], () => second.close());
  const second = feed.subscribe(['c'], () => calls++);
  feed.publish([change('c', 1)]);
  assert.equal(calls, 0);
});

test('ChangeFeed close ends every subscription', () => {
  const feed = new ChangeFeed();
  let calls = 0;
  feed.subscribe(['c'], () => calls++);
  feed.publish([change('c', 1)]);
  feed.close();
  feed.publish([change('c', 2)]);
  assert.equal(calls, 1);
});
