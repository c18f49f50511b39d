/** What is the file implementation's own: the folder's form, damage, leftovers and bounds. */
import assert from 'node:assert/strict';
import {
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { BlobInfo, Blobs } from './blobs.ts';
import { blobBytesMax, openFileBlobs } from './file-blobs.ts';

describe('openFileBlobs', () => {
  let folder: string;
  let blobs: Blobs;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hearth-file-blobs-'));
    blobs = await openFileBlobs({ folder: join(folder, 'blobs') });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const pathOf = (hash: string): string => join(folder, 'blobs', hash.slice(0, 2), hash);

  const damages: [string, (path: string) => Promise<unknown>][] = [
    ['one changed byte', changeOneByte],
    ['the end cut off', (path) => truncate(path, 99_999)],
    ['everything cut off', (path) => truncate(path, 0)],
    ['bytes added', (path) => writeFile(path, 'more', { flag: 'a' })],
  ];
  for (const [name, damage] of damages) {
    test(`a blob with ${name} is not returned, and put repairs it`, async () => {
      const bytes = Buffer.alloc(100_000, 'package');
      const { hash } = await blobs.put(bytes);
      await damage(pathOf(hash));
      const corrupted = { code: 'BlobCorrupted', message: new RegExp(pathOf(hash)) };
      await assert.rejects(blobs.get(hash), corrupted);
      const opened = await blobs.open(hash);
      await assert.rejects(opened!.stream.toArray(), corrupted);
      await blobs.put(bytes);
      assert.ok(bytes.equals((await blobs.get(hash))!));
    });
  }

  test('opening removes unfinished writes and keeps blobs', async () => {
    const { hash } = await blobs.put(Buffer.from('kept'));
    await writeFile(join(folder, 'blobs', 'temporary', '17'), 'half of a blo');
    const again = await openFileBlobs({ folder: join(folder, 'blobs') });
    assert.deepEqual(await readdir(join(folder, 'blobs', 'temporary')), []);
    assert.deepEqual(await listed(again), [{ hash, sizeBytes: 4 }]);
  });

  test('a put that fails leaves nothing behind', async () => {
    const { hash } = await blobs.put(Buffer.from('x'));
    await blobs.delete(hash);
    await rm(join(folder, 'blobs', hash.slice(0, 2)), { recursive: true });
    await assert.rejects(blobs.put(Buffer.from('x')), { code: 'ENOENT' });
    assert.deepEqual(await readdir(join(folder, 'blobs', 'temporary')), []);
  });

  test('files that are not blobs are not listed', async () => {
    await writeFile(join(folder, 'blobs', 'ab', 'README'), 'not a blob');
    assert.deepEqual(await listed(blobs), []);
  });

  test('only the owner can read the blobs', async () => {
    const { hash } = await blobs.put(Buffer.from('secret'));
    assert.equal((await stat(join(folder, 'blobs'))).mode & 0o777, 0o700);
    assert.equal((await stat(pathOf(hash))).mode & 0o777, 0o600);
  });

  test('more bytes than a deployment may have are refused', async () => {
    await assert.rejects(blobs.put(new Uint8Array(blobBytesMax + 1)), { code: 'BlobTooLarge' });
    assert.deepEqual(await listed(blobs), []);
  });

  test('a given-up stream closes its file', async () => {
    const { hash } = await blobs.put(Buffer.alloc(1_000_000));
    const isOpen = async (): Promise<boolean> => {
      const links = await readdir('/proc/self/fd');
      const targets = await Promise.all(links.map(async (link) => targetOf(link)));
      return targets.includes(pathOf(hash));
    };
    const opened = await blobs.open(hash);
    assert.equal(await isOpen(), true);
    const { promise: isClosed, resolve } = Promise.withResolvers<void>();
    opened!.stream.once('close', resolve);
    opened!.stream.destroy();
    await isClosed;
    while (await isOpen()) await new Promise((resolve) => setImmediate(resolve));
  });
});

async function listed(blobs: Blobs): Promise<BlobInfo[]> {
  const all: BlobInfo[] = [];
  for await (const info of blobs.list()) all.push(info);
  return all;
}

async function changeOneByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  const file = await open(path, 'r+');
  await file.write(Buffer.from([bytes[50_000]! ^ 1]), 0, 1, 50_000);
  await file.close();
}

async function targetOf(descriptor: string): Promise<string | undefined> {
  return readlink(`/proc/self/fd/${descriptor}`).catch(() => undefined);
}
