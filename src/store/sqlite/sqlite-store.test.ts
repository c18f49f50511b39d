/** What is the embedded store's own: its bounds, and what it does when the engine fails. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { silentLog } from '../../base/log.ts';
import type { StoreError } from '../store-error.ts';
import type { CommitResult, Store, WriteOperation } from '../store.ts';
import { openSqliteStore, openStoreOfWorker, sqliteStoreBounds } from './sqlite-store.ts';

function put(id: string, value: unknown): WriteOperation {
  return { type: 'put', key: { collection: 'c', partition: 'p', id }, value, expect: 'any' };
}

/** How many of the commits ended with each code, `ok` for those that succeeded. */
async function countOutcomes(commits: Promise<CommitResult>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const settled of await Promise.allSettled(commits)) {
    const name =
      settled.status === 'fulfilled' ? 'ok' : String((settled.reason as StoreError).code);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('openSqliteStore', () => {
  let folder: string;
  let path: string;
  let store: Store | undefined;
  let device: string | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-sqlite-'));
    path = join(folder, 'store.db');
  });
  afterEach(async () => {
    await store?.close();
    store = undefined;
    if (device !== undefined) execFileSync('umount', ['-l', device]);
    device = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  test('calls beyond the queue are refused as Overloaded, the others succeed', async () => {
    store = await openSqliteStore(silentLog, { path });
    const { queuedCallsMax } = sqliteStoreBounds;
    const commits = Array.from({ length: queuedCallsMax + 3 }, (_, index) =>
      store!.commit([put(`${index}`, index)]),
    );
    assert.deepEqual(await countOutcomes(commits), { ok: queuedCallsMax, Overloaded: 3 });
    assert.equal((await store.commit([put('later', 1)])).ok, true);
  });

  test('bytes beyond the queue are refused as Overloaded, the others succeed', async () => {
    store = await openSqliteStore(silentLog, { path });
    const value = 'x'.repeat(1_000_000);
    const fitting = Math.floor(sqliteStoreBounds.queuedBytesMax / 1_000_000);
    const commits = Array.from({ length: fitting + 2 }, (_, index) =>
      store!.commit([put(`${index % 4}`, value)]),
    );
    const counts = await countOutcomes(commits);
    assert.equal(counts['ok']! + counts['Overloaded']!, fitting + 2);
    assert.ok(counts['Overloaded']! >= 2 && counts['ok']! >= fitting - 1, JSON.stringify(counts));
    assert.equal((await store.commit([put('later', value)])).ok, true);
  });

  test('an engine error rejects what is under way and all later calls, with its cause', async () => {
    let failure: StoreError | undefined;
    const onFailure = (error: StoreError): void => void (failure = error);
    store = await openSqliteStore(silentLog, { path, onFailure });
    await store.commit([put('a', 1)]);
    const other = new DatabaseSync(path);
    other.exec('DROP TABLE document');
    other.close();
    const counts = await countOutcomes([store.commit([put('b', 1)]), store.commit([put('c', 1)])]);
    assert.deepEqual(counts, { Failed: 2 });
    await assert.rejects(store.get({ collection: 'c', partition: 'p', id: 'a' }), (error) => {
      assert.equal(error, failure);
      assert.equal(failure?.code, 'Failed');
      assert.match((failure.cause as Error).message, /no such table: document/);
      return true;
    });
    await store.close();
  });

  test('the end of the worker thread rejects what is queued and all later calls', async () => {
    const url = new URL('./sqlite-worker.ts', import.meta.url);
    const worker = new Worker(url, { workerData: { path } });
    let failures = 0;
    store = await openStoreOfWorker(silentLog, worker, { path, onFailure: () => failures++ });
    let changes = 0;
    await store.watch(['c'], () => changes++);
    const commits = Array.from({ length: 3_000 }, (_, index) =>
      store!.commit([put(`${index}`, index)]),
    );
    await commits[0];
    const ended = worker.terminate();
    const counts = await countOutcomes(commits);
    await ended;
    assert.ok(counts['Failed']! > 0, JSON.stringify(counts));
    assert.equal(counts['Failed']! + counts['ok']!, commits.length);
    await assert.rejects(store.commit([put('later', 1)]), { code: 'Failed' });
    await store.close();
    assert.equal(failures, 1);
    assert.equal(changes, counts['ok']);
    store = await openSqliteStore(silentLog, { path });
    for (const [index, commit] of commits.entries()) {
      const isAcknowledged = await commit.then(
        () => true,
        () => false,
      );
      const key = { collection: 'c', partition: 'p', id: `${index}` };
      if (isAcknowledged) assert.equal((await store.get(key))?.value, index);
    }
  });

  test('a thread that ends before it has opened the store is reported', async () => {
    const worker = new Worker('', { eval: true });
    await assert.rejects(openStoreOfWorker(silentLog, worker, { path }), {
      code: 'Failed',
      message: `cannot open the store ${path}: its thread ended`,
    });
  });

  test('a path that cannot be opened is reported with its reason', async () => {
    mkdirSync(path);
    await assert.rejects(openSqliteStore(silentLog, { path }), {
      code: 'Failed',
      message: `cannot open the store ${path}: unable to open database file`,
    });
  });

  test('a store that is idle does not keep the process alive', () => {
    const script = join(folder, 'idle.ts');
    const source = new URL('./sqlite-store.ts', import.meta.url);
    const log = new URL('../../base/log.ts', import.meta.url);
    const operation = `{ type: 'put', key: { collection: 'c', partition: 'p', id: '' }, value: 1, expect: 'any' }`;
    writeFileSync(
      script,
      `import { openSqliteStore } from '${source.href}';
       import { silentLog } from '${log.href}';
       const store = await openSqliteStore(silentLog, { path: ${JSON.stringify(path)} });
       const result = await store.commit([${operation}]);
       process.stdout.write(JSON.stringify(result));`,
    );
    const output = execFileSync(process.execPath, [script], { encoding: 'utf8', timeout: 20_000 });
    assert.deepEqual(JSON.parse(output), { ok: true, revisions: [1] });
  });

  test('a full device refuses commits as StorageFull and keeps what it acknowledged', async (t) => {
    device = mountSmallDevice(folder);
    if (device === undefined) return t.skip('needs the right to mount');
    const onDevice = join(device, 'store.db');
    store = await openSqliteStore(silentLog, { path: onDevice });
    const value = 'x'.repeat(100_000);
    let written = 0;
    const fill = async (): Promise<unknown> => {
      try {
        for (; ; written++) await store!.commit([put(`${written}`, value)]);
      } catch (error) {
        return error;
      }
    };
    assert.equal(((await fill()) as StoreError).code, 'StorageFull');
    assert.ok(written > 3);
    const ids = async (): Promise<string[]> =>
      (await store!.list('c', { limit: 1_000 })).map(({ id }) => id).sort();
    const acknowledged = Array.from({ length: written }, (_, index) => `${index}`).sort();
    assert.deepEqual(await ids(), acknowledged);
    rmSync(join(device, 'ballast'));
    assert.equal((await store.commit([put('after', value)])).ok, true);
    assert.deepEqual(await ids(), [...acknowledged, 'after'].sort());
    await store.close();
    store = await openSqliteStore(silentLog, { path: onDevice });
    assert.deepEqual(await ids(), [...acknowledged, 'after'].sort());
  });
});

/** A file system of 4 MiB, of which `ballast` takes 1; undefined where mounting is not allowed. */
function mountSmallDevice(folder: string): string | undefined {
  const device = join(folder, 'device');
  mkdirSync(device);
  try {
    const options = { stdio: 'ignore' } as const;
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'hearth-test', device], options);
  } catch {
    return undefined;
  }
  writeFileSync(join(device, 'ballast'), Buffer.alloc(1024 * 1024));
  return device;
}
