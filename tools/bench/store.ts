/**
 * Measures the embedded store on this machine's disk: acknowledged (durable) commits per second for
 * several numbers of writers, and what a commit, a read and the first delivery of a watch cost with
 * few and with many documents. Prints JSON lines. Every figure belongs to the disk it was taken on.
 *
 *   node tools/bench/store.ts [FOLDER]     (default: a temporary folder)
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../src/base/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { DocumentKey, Store } from '../../src/store/store.ts';

const durationMs = 2_000;
/** About what a function's configuration takes. */
const value = { name: 'bench', environment: 'x'.repeat(2_000) };

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'hearth-bench-'));
try {
  for (const writers of [1, 16, 64]) await withStore((store) => benchCommits(store, writers));
  for (const documents of [10, 10_000]) await withStore((store) => benchSize(store, documents));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function withStore(bench: (store: Store) => Promise<object>): Promise<void> {
  const path = join(folder, 'store.db');
  const store = await openSqliteStore(silentLog, { path });
  try {
    process.stdout.write(`${JSON.stringify(await bench(store))}\n`);
  } finally {
    await store.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  }
}

function keyOf(index: number): DocumentKey {
  return { collection: 'bench', partition: `function-${index}`, id: '' };
}

async function put(store: Store, index: number): Promise<void> {
  const result = await store.commit([{ type: 'put', key: keyOf(index), value, expect: 'any' }]);
  if (!result.ok) throw new Error('a put without expectation was refused');
}

async function benchCommits(store: Store, writers: number): Promise<object> {
  const latenciesMs: number[] = [];
  const endMs = performance.now() + durationMs;
  const write = async (writer: number): Promise<void> => {
    for (let count = 0; performance.now() < endMs; count++) {
      const startMs = performance.now();
      await put(store, writer * 1_000 + (count % 1_000));
      latenciesMs.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  const commitsPerSecond = Math.round((latenciesMs.length / durationMs) * 1_000);
  return { writers, commitsPerSecond, ...quantiles('commit', latenciesMs) };
}

async function benchSize(store: Store, documents: number): Promise<object> {
  await Promise.all(Array.from({ length: documents }, (_, index) => put(store, index)));
  const commitMs: number[] = [];
  const getMs: number[] = [];
  for (let count = 0; count < 300; count++) {
    const index = (count * 7_919) % documents;
    commitMs.push(await timed(() => put(store, index)));
    getMs.push(await timed(() => store.get(keyOf(index))));
  }
  const watchMs = await timed(() => store.watch(['bench'], () => {}));
  return {
    documents,
    ...quantiles('commit', commitMs),
    ...quantiles('get', getMs),
    watchMs: round(watchMs),
  };
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await action();
  return performance.now() - startMs;
}

function quantiles(name: string, samplesMs: number[]): Record<string, number> {
  const sorted = samplesMs.sort((left, right) => left - right);
  const at = (share: number): number => round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return { [`${name}P50Ms`]: at(0.5), [`${name}P99Ms`]: at(0.99) };
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
