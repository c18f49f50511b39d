import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteList } from './byte-list.ts';

test('pieces of any size are given back whole and in order, once', () => {
  const list = new ByteList();
  const sent = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
  for (const byte of sent) list.push(Buffer.of(byte));
  assert.equal(list.length, sent.length);
  assert.deepEqual(list.take(), sent);
  assert.equal(list.length, 0);
  assert.deepEqual(list.take(), Buffer.alloc(0));
});

test('one piece is given back as it came', () => {
  const list = new ByteList();
  const piece = Buffer.from('whole');
  list.push(piece);
  assert.equal(list.take(), piece);
});

test('bytes that came one by one take little more memory than themselves', () => {
  const bytes = 1 << 20;
  const one = Buffer.of(1);
  const list = new ByteList();
  const before = process.memoryUsage();
  for (let sent = 0; sent < bytes; sent += 1) list.push(Buffer.from(one));
  const after = process.memoryUsage();
  globalThis.gc?.();
  assert.equal(list.take().length, bytes);
  const used = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  assert(used < 64 * bytes, `${used} bytes`);
});
