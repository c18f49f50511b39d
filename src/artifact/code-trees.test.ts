import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { zipOf } from '../testing/zip-builder.ts';
import { openCodeTrees } from './code-trees.ts';

const root = await mkdtemp(join(tmpdir(), 'hearth-trees-'));
after(() => rm(root, { recursive: true, force: true }));

let count = 0;
const freshFolder = (): string => join(root, String((count += 1)));
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const archive = zipOf({ 'index.js': 'code' });
const hash = hashOf(archive);

test('ensure unpacks once for all who ask at once', async () => {
  const trees = await openCodeTrees({ folder: freshFolder() });
  let reads = 0;
  const read = async (): Promise<Buffer> => {
    reads += 1;
    return archive;
  };
  const folders = await Promise.all([1, 2, 3].map(() => trees.ensure(hash, read)));
  assert.equal(new Set(folders).size, 1);
  assert.equal(reads, 1);
  assert.equal(await readFile(join(folders[0] ?? '', 'index.js'), 'utf8'), 'code');
  await trees.ensure(hash, read);
  assert.equal(reads, 1);
  assert.deepEqual(await trees.list(), [hash]);
});

test('ensure tries again after a failure, which leaves nothing behind', async () => {
  const folder = freshFolder();
  const trees = await openCodeTrees({ folder });
  const bad = Buffer.from('no archive');
  const outcomes = await Promise.allSettled([
    trees.ensure(hash, async () => bad),
    trees.ensure(hash, async () => archive),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
  assert.deepEqual(await readdir(join(folder, 'temporary')), []);
});

test('put gives the size of the code, unpacked now or before', async () => {
  const folder = freshFolder();
  const trees = await openCodeTrees({ folder });
  const first = await trees.put(hash, archive);
  assert.equal(first.unzippedBytes, 4);
  assert.deepEqual(await trees.put(hash, archive), first);
  const reopened = await openCodeTrees({ folder });
  assert.deepEqual(await reopened.put(hash, archive), first);
});

test('remove removes; a tree that is pinned goes with its last pin', async () => {
  const trees = await openCodeTrees({ folder: freshFolder() });
  const { folder } = await trees.put(hash, archive);
  const releases = [trees.pin(hash), trees.pin(hash)];
  await trees.remove(hash);
  assert.equal(await readFile(join(folder, 'index.js'), 'utf8'), 'code');
  for (const release of releases) release();
  await trees.remove(hash);
  assert.deepEqual(await trees.list(), []);
  await assert.rejects(readFile(join(folder, 'index.js')), { code: 'ENOENT' });
});

test('a tree that is wanted again while pinned is not removed', async () => {
  const trees = await openCodeTrees({ folder: freshFolder() });
  await trees.put(hash, archive);
  const release = trees.pin(hash);
  await trees.remove(hash);
  const { folder } = await trees.put(hash, archive);
  release();
  assert.deepEqual(await trees.list(), [hash]);
  assert.equal(await readFile(join(folder, 'index.js'), 'utf8'), 'code');
});

test('openCodeTrees removes what was half made', async () => {
  const folder = freshFolder();
  await openCodeTrees({ folder });
  await mkdir(join(folder, 'temporary', '7', 'code'), { recursive: true });
  await writeFile(join(folder, 'temporary', '7', 'code', 'index.js'), 'ha');
  const trees = await openCodeTrees({ folder });
  assert.deepEqual(await readdir(join(folder, 'temporary')), []);
  assert.deepEqual(await trees.list(), []);
});

test('openCodeTrees keeps trees over a restart of the program, not of the machine', async () => {
  const folder = freshFolder();
  const trees = await openCodeTrees({ folder, bootId: 'one' });
  await trees.put(hash, archive);
  assert.deepEqual(await (await openCodeTrees({ folder, bootId: 'one' })).list(), [hash]);
  assert.deepEqual(await (await openCodeTrees({ folder, bootId: 'two' })).list(), []);
  assert.deepEqual((await readdir(folder)).sort(), ['boot-id', 'package.json', 'temporary']);
});
