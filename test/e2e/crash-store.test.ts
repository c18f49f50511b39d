/**
 * Goal: `kill -9` at any moment loses no acknowledged write and leaves a state that opens again.
 * Method: a child process writes as fast as it can and journals what it begins and what was
 * acknowledged; it is killed at a random moment, again and again on the same folder; after each time
 * the folder is opened and compared with the journal. An action that was begun and not acknowledged
 * may have happened or not, but never in part.
 *
 * HEARTH_TEST_SEED=<seed> repeats a run's choices (not its timing); the seed is printed.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openFileBlobs } from '../../src/artifact/file-blobs.ts';
import type { Blobs } from '../../src/artifact/blobs.ts';
import { lockFolder } from '../../src/base/folder-lock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Revision, Store, StoredDocument } from '../../src/store/store.ts';
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
  type StampedValue,
} from './crash-store-journal.ts';

const roundCount = 36;
/** A child that prints nothing for this long has hung. */
const silenceMsMax = 30_000;
const childProgram = fileURLToPath(new URL('./crash-store-child.ts', import.meta.url));

const seed = Number(process.env['HEARTH_TEST_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const fraction = seededFraction(seed);

/** Documents of one partition by `collection/id`. */
type Documents = Map<string, { revision: Revision; value: unknown }>;

interface Expected {
  readonly documents: Documents[];
  readonly tallies: number[];
  /** Sizes of the blobs that must be there. */
  readonly blobs: Map<string, number>;
  /** All revisions ever seen, each with the write that it was given to. */
  readonly revisions: Map<Revision, string>;
}

const expected: Expected = {
  documents: Array.from({ length: writerCount }, () => new Map()),
  tallies: Array.from({ length: writerCount }, () => 0),
  blobs: new Map(),
  revisions: new Map(),
};

describe('store and blobs survive kill -9', () => {
  let folder: string;
  const totals = { acknowledged: 0, unacknowledged: 0, happened: 0, unfinishedBlobs: 0 };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-crash-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  // One test: once a round has failed, what the journal expects of the later ones is void.
  test(`${roundCount} rounds`, async (t) => {
    for (let round = 1; round <= roundCount; round++) {
      const lines = await writeUntilKilled(folder, round);
      try {
        const begun = replay(lines);
        totals.acknowledged += lines.filter((line) => line.type === 'acknowledge').length;
        totals.unacknowledged += begun.filter((action) => action !== undefined).length;
        totals.unfinishedBlobs += countFiles(join(folder, 'blobs', 'temporary'));
        totals.happened += await verify(folder, begun);
      } catch (error) {
        throw new Error(`round ${round} of seed ${seed}`, { cause: error });
      }
    }
    t.diagnostic(`seed ${seed}: ${JSON.stringify(totals)}`);
    assert.ok(totals.acknowledged > roundCount * 20, JSON.stringify(totals));
    assert.ok(totals.unacknowledged > roundCount, JSON.stringify(totals));
  });
});

function countFiles(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}

/** Starts the child, kills it at a random moment and returns all that it printed. */
async function writeUntilKilled(folder: string, round: number): Promise<Line[]> {
  const argv = [childProgram, folder, String(seed + round)];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close', { signal: AbortSignal.timeout(silenceMsMax) });
  // Most die amid writing; some while they start, recover and open.
  const isEarly = fraction() < 0.15;
  const lineCount = Math.ceil(fraction() * fraction() * 2_000);
  if (isEarly) void delay(fraction() * 250).then(() => child.kill('SIGKILL'));
  const lines: Line[] = [];
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = parseLine(text);
      if (line) lines.push(line);
      if (!isEarly && lines.length >= lineCount) child.kill('SIGKILL');
    }
    const [, signal] = await closed;
    assert.equal(signal, 'SIGKILL', 'the writer ended by itself');
  } finally {
    child.kill('SIGKILL');
  }
  return lines;
}

/** The last line may be cut off by the kill; it then stands for nothing. */
function parseLine(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}

/** Applies all that was acknowledged to `expected`; returns each writer's action under way. */
function replay(lines: readonly Line[]): (Action | undefined)[] {
  const begun: (Action | undefined)[] = Array.from({ length: writerCount });
  const before = Math.max(0, ...expected.revisions.keys());
  for (const line of lines) {
    if (line.type === 'begin') begun[line.writer] = line.action;
    if (line.type !== 'acknowledge') continue;
    const action = begun[line.writer]!;
    begun[line.writer] = undefined;
    for (const revision of line.revisions) assert.ok(revision > before, 'revisions go on');
    if (line.isDone) applyAction(line.writer, action, line.revisions);
  }
  return begun;
}

function applyAction(writer: number, action: Action, revisions: readonly Revision[]): void {
  switch (action.type) {
    case 'commit':
      action.writes.forEach((write, index) => {
        const name = `${write.collection}/${write.id}`;
        const revision = revisions[index]!;
        noteRevision(revision, `${writer} ${write.type} ${write.stamp}`);
        const documents = expected.documents[writer]!;
        if (write.type === 'put') documents.set(name, { revision, value: valueOf(write) });
        else documents.delete(name);
      });
      break;
    case 'increment':
      expected.tallies[writer]!++;
      for (const revision of revisions) noteRevision(revision, `${writer} increment ${revision}`);
      break;
    case 'put-blob':
      expected.blobs.set(hashOfBlob(action), action.sizeBytes);
      break;
    case 'delete-blob':
      expected.blobs.delete(action.hash);
  }
}

function hashOfBlob({ stamp, sizeBytes }: { stamp: string; sizeBytes: number }): string {
  return createHash('sha256').update(blobOf(stamp, sizeBytes)).digest('hex');
}

function noteRevision(revision: Revision, write: string): void {
  const other = expected.revisions.get(revision);
  assert.ok(other === undefined || other === write, `${revision} given to ${other} and ${write}`);
  expected.revisions.set(revision, write);
}

/** Opens what the kill left and checks it; returns how many unacknowledged actions happened. */
async function verify(folder: string, begun: readonly (Action | undefined)[]): Promise<number> {
  const lock = await lockFolder(folder);
  const store = await openSqliteStore(silentLog, { path: join(folder, 'store.db') });
  try {
    const blobs = await openFileBlobs({ folder: join(folder, 'blobs') });
    assert.equal(countFiles(join(folder, 'blobs', 'temporary')), 0);
    let happened = 0;
    for (let writer = 0; writer < writerCount; writer++) {
      happened += await verifyPartition(store, writer, begun[writer]);
    }
    happened += await verifyCounter(store, begun);
    return happened + (await verifyBlobs(blobs, begun));
  } finally {
    await store.close();
    lock.release();
  }
}

/** The partition is as the last acknowledged commit left it, or wholly as the one under way would. */
async function verifyPartition(
  store: Store,
  writer: number,
  action: Action | undefined,
): Promise<number> {
  const stored: Documents = new Map();
  for (const collection of collections) {
    const partition = partitionOf(writer);
    const documents = await store.list<StampedValue>(collection, { partition, limit: 100 });
    for (const { id, revision, value } of documents) {
      stored.set(`${collection}/${id}`, { revision, value });
    }
  }
  const before = expected.documents[writer]!;
  const changed = changedNames(before, stored);
  if (changed.length === 0) return 0;
  const what = `writer ${writer}: ${changed.join()} changed during ${JSON.stringify(action)}`;
  assert.ok(action?.type === 'commit' && !action.mustConflict, what);
  const after = new Map(before);
  for (const write of action.writes) {
    const name = `${write.collection}/${write.id}`;
    const revision = stored.get(name)?.revision;
    if (write.type === 'delete') after.delete(name);
    else after.set(name, { revision: revision ?? 0, value: valueOf(write) });
    if (revision !== undefined) noteRevision(revision, `${writer} put ${write.stamp}`);
  }
  assert.deepEqual(stored, after, what);
  expected.documents[writer] = stored;
  return 1;
}

function changedNames(before: Documents, stored: Documents): string[] {
  const names = new Set([...before.keys(), ...stored.keys()]);
  return [...names].filter((name) => {
    const [left, right] = [before.get(name), stored.get(name)];
    return left?.revision !== right?.revision || !isEqual(left?.value, right?.value);
  });
}

function isEqual(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** Each increment is one commit on two documents: the counter is always the sum of the tallies. */
async function verifyCounter(
  store: Store,
  begun: readonly (Action | undefined)[],
): Promise<number> {
  const read = async (id: string): Promise<StoredDocument<number> | undefined> =>
    store.get<number>({ collection: collections[0], partition: sharedPartition, id });
  let sum = 0;
  let happened = 0;
  for (let writer = 0; writer < writerCount; writer++) {
    const tally = (await read(tallyIdOf(writer)))?.value ?? 0;
    const unacknowledged = tally - expected.tallies[writer]!;
    const most = begun[writer]?.type === 'increment' ? 1 : 0;
    assert.ok(unacknowledged >= 0 && unacknowledged <= most, `writer ${writer}: ${unacknowledged}`);
    expected.tallies[writer] = tally;
    happened += unacknowledged;
    sum += tally;
  }
  assert.equal((await read(counterId))?.value ?? 0, sum);
  return happened;
}

/** Reading checks the bytes against the name, so that a blob that can be read is complete. */
async function verifyBlobs(blobs: Blobs, begun: readonly (Action | undefined)[]): Promise<number> {
  const puts = new Map<string, number>();
  const deletes = new Set<string>();
  for (const action of begun) {
    if (action?.type === 'put-blob') puts.set(hashOfBlob(action), action.sizeBytes);
    if (action?.type === 'delete-blob') deletes.add(action.hash);
  }
  const found = new Set<string>();
  let happened = 0;
  for await (const { hash, sizeBytes } of blobs.list()) {
    found.add(hash);
    assert.equal(sizeBytes, expected.blobs.get(hash) ?? puts.get(hash), `blob ${hash}`);
    assert.equal((await blobs.get(hash))?.length, sizeBytes);
    if (!expected.blobs.has(hash)) happened++;
    // Keeps the folder small; what was acknowledged is there, and that is what is tested.
    if (found.size > 100) await blobs.delete(hash);
  }
  for (const hash of expected.blobs.keys()) {
    assert.ok(found.has(hash) || deletes.has(hash), `blob ${hash} is lost`);
    if (!found.has(hash)) happened++;
  }
  expected.blobs.clear();
  for await (const { hash, sizeBytes } of blobs.list()) expected.blobs.set(hash, sizeBytes);
  return happened;
}
