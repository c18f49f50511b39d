import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openVersion, type OpenCode } from './open-version.ts';

test('openVersion gives code and layers in their order, and releases all', async () => {
  const held: string[] = [];
  const open = async (hash: string): Promise<OpenCode> => {
    held.push(hash);
    const release = (): void => void held.splice(held.indexOf(hash), 1);
    return { folder: `/trees/${hash}`, hasSharedLibraries: hash === 'a', release };
  };
  // The same archive may be both: each use is a hold of its own.
  const opened = await openVersion({ codeHash: 'c', layerHashes: ['b', 'a', 'c'] }, open);
  assert.equal(opened.codeDir, '/trees/c');
  assert.deepEqual(opened.layerDirs, ['/trees/b', '/trees/a', '/trees/c']);
  assert.equal(opened.hasSharedLibraries, true, 'one of them has');
  assert.equal(held.length, 4);
  opened.release();
  assert.deepEqual(held, []);
});

test('openVersion holds nothing when one cannot be had', async () => {
  let held = 0;
  const open = async (hash: string): Promise<OpenCode> => {
    if (hash === 'missing') throw new Error('no such blob');
    held += 1;
    return { folder: '/', hasSharedLibraries: false, release: () => void (held -= 1) };
  };
  for (const version of [
    { codeHash: 'missing', layerHashes: ['a', 'b'] },
    { codeHash: 'c', layerHashes: ['a', 'missing', 'b'] },
  ]) {
    await assert.rejects(openVersion(version, open), /no such blob/);
    assert.equal(held, 0);
  }
});
