/**
 * The writer of the crash test: a storm of commits and blobs on the real store and blobs, until it is
 * killed. Prints a line before each action and one when it is acknowledged, each at once.
 *
 *   node crash-store-child.ts DATA-FOLDER SEED
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openFileBlobs } from '../../src/artifact/file-blobs.ts';
import { lockFolder } from '../../src/base/folder-lock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { CommitResult, Revision, WriteOperation } from '../../src/store/store.ts';
import {
  blobOf,
  collections,
  counterId,
  partitionOf,
  seededFraction,
  sharedPartition,
  tallyIdOf,
  valueOf,
  writerCount,
  type Action,
  type Line,
  type OwnWrite,
} from './crash-store-journal.ts';

const [, , folder, seedText] = process.argv;
assert.ok(folder && seedText);
const seed = Number(seedText);

/** Standard output is a pipe: writes to it are done when the call returns. */
function print(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

await lockFolder(folder);
const store = await openSqliteStore(silentLog, { path: join(folder, 'store.db') });
const blobs = await openFileBlobs({ folder: join(folder, 'blobs') });
print({ type: 'ready' });
await Promise.all(Array.from({ length: writerCount }, (_, writer) => runWriter(writer)));

async function runWriter(writer: number): Promise<never> {
  const fraction = seededFraction(seed * 1000 + writer);
  const pick = (count: number): number => Math.floor(fraction() * count);
  const partition = partitionOf(writer);
  const revisions = new Map<string, Revision>();
  for (const collection of collections) {
    for (const { id, revision } of await store.list(collection, { partition, limit: 100 })) {
      revisions.set(`${collection}/${id}`, revision);
    }
  }
  const hashes: string[] = [];

  for (let step = 0; ; step++) {
    const stamp = `${seed}.${writer}.${step}`;
    const kind = fraction();
    if (kind < 0.6) await commit(stamp, false);
    else if (kind < 0.65) await commit(stamp, true);
    else if (kind < 0.8) await increment();
    else if (kind < 0.95 || hashes.length === 0) await putBlob(stamp);
    else await deleteBlob();
  }

  async function commit(stamp: string, mustConflict: boolean): Promise<void> {
    const writes = planWrites(stamp);
    const last = writes.at(-1)!;
    if (mustConflict) writes[writes.length - 1] = { ...last, expect: { revision: 2 ** 50 } };
    begin({ type: 'commit', writes, mustConflict });
    const result = await store.commit(writes.map(toOperation));
    assert.equal(result.ok, !mustConflict);
    acknowledge(result);
    if (!result.ok) return;
    writes.forEach(({ type, collection, id }, index) => {
      if (type === 'put') revisions.set(`${collection}/${id}`, result.revisions[index]!);
      else revisions.delete(`${collection}/${id}`);
    });
  }

  function planWrites(stamp: string): OwnWrite[] {
    const names = new Set<string>();
    const count = 1 + pick(4);
    while (names.size < count) names.add(`${collections[pick(2)]}/${pick(6)}`);
    return [...names].map((name): OwnWrite => {
      const [collection, id] = name.split('/') as [string, string];
      const revision = revisions.get(name);
      const type = revision !== undefined && fraction() < 0.25 ? 'delete' : 'put';
      const fillBytes = fraction() < 0.05 ? pick(200_000) : pick(2_000);
      const expect = revision === undefined ? 'absent' : { revision };
      return { type, collection, id, stamp: `${stamp}.${name}`, fillBytes, expect };
    });
  }

  function toOperation(write: OwnWrite): WriteOperation {
    const { type, collection, id, expect } = write;
    const key = { collection, partition, id };
    return type === 'put' ? { type, key, value: valueOf(write), expect } : { type, key, expect };
  }

  /** Read, then write what was read plus one; another writer may have been faster. */
  async function increment(): Promise<void> {
    const keys = [counterId, tallyIdOf(writer)].map((id) => ({
      collection: collections[0],
      partition: sharedPartition,
      id,
    }));
    const documents = await Promise.all(keys.map((key) => store.get<number>(key)));
    begin({ type: 'increment' });
    const operations = keys.map((key, index): WriteOperation => {
      const document = documents[index];
      const expect = document ? { revision: document.revision } : 'absent';
      return { type: 'put', key, value: (document?.value ?? 0) + 1, expect };
    });
    acknowledge(await store.commit(operations));
  }

  async function putBlob(stamp: string): Promise<void> {
    const sizeBytes = fraction() < 0.2 ? pick(3_000_000) : pick(50_000);
    begin({ type: 'put-blob', stamp, sizeBytes });
    hashes.push((await blobs.put(blobOf(stamp, sizeBytes))).hash);
    acknowledge({ ok: true, revisions: [] });
  }

  async function deleteBlob(): Promise<void> {
    const [hash] = hashes.splice(pick(hashes.length), 1);
    begin({ type: 'delete-blob', hash: hash! });
    await blobs.delete(hash!);
    acknowledge({ ok: true, revisions: [] });
  }

  function begin(action: Action): void {
    print({ type: 'begin', writer, action });
  }

  function acknowledge(result: CommitResult): void {
    const revisions = result.ok ? result.revisions : [];
    print({ type: 'acknowledge', writer, isDone: result.ok, revisions });
  }
}
