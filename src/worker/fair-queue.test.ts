import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from './fair-queue.ts';

/** Items are 'a1', 'b2'...: the line's name is their first letter. */
function queueOf(sizeMax: number, items: readonly string[]): FairQueue<string> {
  const queue = new FairQueue<string>(sizeMax);
  for (const item of items) assert.equal(queue.add(item.slice(0, 1), item), undefined);
  return queue;
}

function drain(queue: FairQueue<string>): string[] {
  const drained: string[] = [];
  for (let first = queue.first(); first !== undefined; first = queue.first()) {
    drained.push(first);
    queue.removeFirst();
  }
  assert.equal(queue.size, 0);
  return drained;
}

test('lines take turns, and each keeps its order', () => {
  const queue = queueOf(10, ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'c2']);
  assert.equal(queue.size, 7);
  assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4']);
});

test('who comes back to the end of a line waits for the other lines', () => {
  const queue = queueOf(10, ['a1', 'b1']);
  queue.removeFirst();
  queue.add('a', 'a2');
  assert.deepEqual(drain(queue), ['b1', 'a2']);
});

test('when all is full the longest line makes way for a shorter one, from its end', () => {
  const queue = queueOf(4, ['a1', 'a2', 'a3', 'b1']);
  assert.equal(queue.add('a', 'a4'), 'a4');
  assert.equal(queue.add('c', 'c1'), 'a3');
  assert.equal(queue.add('c', 'c2'), 'c2', 'as long as the longest');
  assert.equal(queue.add('d', 'd1'), 'a2');
  assert.equal(queue.add('e', 'e1'), 'e1', 'nobody loses the head of a line');
  assert.equal(queue.size, 4);
  assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'd1']);
  assert.equal(queueOf(0, []).add('a', 'a1'), 'a1');
});

test('what is found or gives up leaves from where it is', () => {
  const queue = queueOf(10, ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']);
  assert.equal(
    queue.find('a', (item) => item !== 'a1'),
    'a2',
  );
  assert.equal(
    queue.find('x', () => true),
    undefined,
  );
  queue.remove('a', 'a2');
  queue.remove('a', 'a2');
  queue.remove('c', 'c1');
  queue.remove('x', 'x1');
  assert.equal(queue.size, 4);
  assert.deepEqual(drain(queue), ['a1', 'b1', 'a3', 'b2']);
  const cleared = queueOf(2, ['a1', 'b1']);
  assert.deepEqual(cleared.clear(), ['a1', 'b1']);
  assert.deepEqual(drain(cleared), []);
});
