/**
 * What every implementation of `Blobs` must do. Goal: code above the seam behaves the same on all of
 * them. Method: the whole interface, from outside, against a real instance; nothing is replaced.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { BlobInfo, Blobs } from '../../src/artifact/blobs.ts';

/** One place that blobs are kept in. */
export interface BlobsPlace {
  /** Opens what is there; nothing is there at first. */
  open(): Promise<Blobs>;
  remove(): Promise<void>;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function listed(blobs: Blobs): Promise<BlobInfo[]> {
  const all: BlobInfo[] = [];
  for await (const info of blobs.list()) all.push(info);
  return all.sort((left, right) => (left.hash < right.hash ? -1 : 1));
}

export function describeBlobs(name: string, makePlace: () => Promise<BlobsPlace>): void {
  describe(`Blobs: ${name}`, () => {
    let place: BlobsPlace | undefined;
    let blobs: Blobs;
    before(async () => {
      place = await makePlace();
      blobs = await place.open();
    });
    after(() => place?.remove());

    for (const sizeBytes of [0, 1, 4096, 65_536, 65_537, 5_000_000]) {
      test(`a blob of ${sizeBytes} bytes is stored under its SHA-256 and read back`, async () => {
        const bytes = Buffer.alloc(sizeBytes, 'hearth');
        const info = await blobs.put(bytes);
        assert.deepEqual(info, { hash: sha256(bytes), sizeBytes });
        assert.equal(await blobs.has(info.hash), true);
        assert.ok(bytes.equals((await blobs.get(info.hash))!));
        const opened = await blobs.open(info.hash);
        assert.equal(opened?.sizeBytes, sizeBytes);
        assert.ok(bytes.equals(Buffer.concat(await opened.stream.toArray())));
        await blobs.delete(info.hash);
      });
    }

    test('put takes any view of bytes', async () => {
      const bytes = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
      const { hash } = await blobs.put(bytes);
      assert.equal(hash, sha256(Buffer.from([1, 2, 3])));
      assert.deepEqual(await blobs.get(hash), Buffer.from([1, 2, 3]));
      await blobs.delete(hash);
    });

    test('what is not there is undefined, and deleting it does nothing', async () => {
      const hash = sha256(Buffer.from('never stored'));
      assert.equal(await blobs.get(hash), undefined);
      assert.equal(await blobs.open(hash), undefined);
      assert.equal(await blobs.has(hash), false);
      await blobs.delete(hash);
    });

    test('the same bytes stored again, also at once, are one blob', async () => {
      const bytes = Buffer.alloc(300_000, 'same');
      const first = await blobs.put(bytes);
      const others = await Promise.all(Array.from({ length: 20 }, () => blobs.put(bytes)));
      for (const info of others) assert.deepEqual(info, first);
      assert.deepEqual(await listed(blobs), [first]);
      await blobs.delete(first.hash);
    });

    test('puts of the same bytes at once, with nothing there before, are one blob', async () => {
      const bytes = Buffer.alloc(300_000, 'at once');
      const infos = await Promise.all(Array.from({ length: 20 }, () => blobs.put(bytes)));
      assert.deepEqual(await listed(blobs), [infos[0]]);
      assert.ok(bytes.equals((await blobs.get(infos[0]!.hash))!));
      await blobs.delete(infos[0]!.hash);
    });

    test('list names every blob with its size, also those stored long ago', async () => {
      const many = Array.from({ length: 300 }, (_, index) => Buffer.from(`blob ${index}`));
      const infos = await Promise.all(many.map((bytes) => blobs.put(bytes)));
      const sorted = infos.sort((left, right) => (left.hash < right.hash ? -1 : 1));
      assert.deepEqual(await listed(blobs), sorted);
      assert.deepEqual(await listed(await place!.open()), sorted);
    });

    test('a deleted blob is gone for every reader, and can be stored again', async () => {
      const bytes = Buffer.from('blob 7');
      const hash = sha256(bytes);
      await blobs.delete(hash);
      assert.equal(await blobs.get(hash), undefined);
      assert.equal(await blobs.open(hash), undefined);
      assert.equal(await blobs.has(hash), false);
      assert.equal((await listed(blobs)).length, 299);
      await blobs.put(bytes);
      assert.ok(bytes.equals((await blobs.get(hash))!));
    });

    test('list goes on when blobs are deleted meanwhile', async () => {
      let seen = 0;
      for await (const { hash } of blobs.list()) {
        seen++;
        await blobs.delete(hash);
      }
      assert.equal(seen, 300);
      assert.deepEqual(await listed(blobs), []);
    });

    test('a stream that is not read to its end can be given up', async () => {
      const { hash } = await blobs.put(Buffer.alloc(3_000_000, 'given up'));
      const opened = await blobs.open(hash);
      await once(opened!.stream, 'readable');
      opened!.stream.destroy();
      await once(opened!.stream, 'close');
      await blobs.delete(hash);
    });

    test('a name that is no SHA-256 is a programmer error', async () => {
      for (const name of ['', '../../etc/passwd', 'A'.repeat(64), 'a'.repeat(63), 'a'.repeat(65)]) {
        const misuse = { name: 'AssertionError' };
        await assert.rejects(blobs.get(name), misuse);
        await assert.rejects(blobs.open(name), misuse);
        await assert.rejects(blobs.has(name), misuse);
        await assert.rejects(blobs.delete(name), misuse);
      }
    });
  });
}
