/**
 * The SQL of the embedded store: everything here blocks, and so runs in the worker thread only. Any
 * error but a full device is thrown, ends the worker and with it the store: after a failed write or
 * sync nothing is known about what the device holds until the database is opened again.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { compareUtf8 } from '../compare-utf8.ts';
import { migrate } from '../migrations/migrations.ts';
import { StoreError } from '../store-error.ts';
import type { EncodedDocument, EncodedOperation } from '../store-input.ts';
import type { DocumentKey, ListOptions, Revision } from '../store.ts';
import type { CommitOutcome, ReadRequest } from './sqlite-protocol.ts';

/** How long to wait for another program that holds the database, such as a backup. */
const busyTimeoutMs = 5_000;
const cacheKib = 16 * 1024;
/** The log is cut back to this after a checkpoint, so that one burst does not keep the space. */
const walBytesMax = 64 * 1024 * 1024;

/** Documents of a snapshot that are handed over at once. */
const SNAPSHOT_PART_DOCUMENTS = 500;

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

type CommittedOutcome = Extract<CommitOutcome, { type: 'committed' }>;

export class SqliteEngine {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** The last revision given to any write that is durable. */
  #revision: Revision;

  /** Opens or creates the database and brings its schema up to date. Throws a StoreError when it cannot. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    try {
      // First: it refuses databases that are not ours to touch.
      migrate(this.#database, path);
      configure(this.#database);
    } catch (error) {
      this.#database.close();
      if (primaryCode(error) !== SQLITE_NOTADB) throw error;
      throw new StoreError('NotAStore', `${path} is not a database`, { cause: error });
    }
    syncFolder(dirname(path));
    const row = this.#sql(`SELECT value FROM counter WHERE name = 'revision'`).get();
    this.#revision = Number(row?.['value']);
  }

  read(request: Exclude<ReadRequest, { type: 'snapshot' }>): EncodedDocument[] {
    if (request.type === 'list') return this.#list(request.collection, request.options);
    return this.#select('collection = ? AND partition = ? AND id = ?', keyValues(request.key));
  }

  /** All documents of the collections, so many at a time: together they may be more than memory has room for. */
  *snapshot(collections: readonly string[]): Generator<EncodedDocument[]> {
    let part: EncodedDocument[] = [];
    for (const name of collections) {
      for (const row of this.#sql(selection('collection = ?')).iterate(name, -1)) {
        part.push(row as unknown as EncodedDocument);
        if (part.length < SNAPSHOT_PART_DOCUMENTS) continue;
        yield part;
        part = [];
      }
    }
    if (part.length > 0) yield part;
  }

  /**
   * Applies the commits one after another, each wholly or not at all, and makes them durable with
   * one sync. No savepoints: a commit's expectations are all checked before its first write, and
   * what fails after that fails the whole group.
   */
  commit(commits: readonly (readonly EncodedOperation[])[]): CommitOutcome[] {
    if (commits.length === 0) return [];
    let revision = this.#revision;
    const nextRevision = (): Revision => ++revision;
    try {
      this.#sql('BEGIN IMMEDIATE').run();
      const outcomes = commits.map((operations) => this.#apply(operations, nextRevision));
      if (revision !== this.#revision) {
        this.#sql(`UPDATE counter SET value = ? WHERE name = 'revision'`).run(revision);
      }
      this.#sql('COMMIT').run();
      this.#revision = revision;
      return outcomes;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      if (primaryCode(error) !== SQLITE_FULL) throw error;
      const message = 'the device that holds the store is full: nothing was written';
      return commits.map(() => ({ type: 'failed', code: 'StorageFull', message }));
    }
  }

  close(): void {
    this.#database.close();
  }

  #apply(operations: readonly EncodedOperation[], nextRevision: () => Revision): CommitOutcome {
    const index = operations.findIndex((operation) => !this.#holds(operation));
    if (index !== -1) return { type: 'conflict', index };
    const outcome: CommittedOutcome & { revisions: Revision[]; absent: number[] } = {
      type: 'committed',
      revisions: [],
      absent: [],
    };
    operations.forEach((operation, index) => {
      const revision = nextRevision();
      outcome.revisions.push(revision);
      if (!this.#write(operation, revision)) outcome.absent.push(index);
    });
    return outcome;
  }

  #holds({ key, expect }: EncodedOperation): boolean {
    if (expect === 'any') return true;
    const row = this.#sql(
      'SELECT revision FROM document WHERE collection = ? AND partition = ? AND id = ?',
    ).get(...keyValues(key));
    if (expect === 'absent') return row === undefined;
    return row?.['revision'] === expect.revision;
  }

  /** Returns whether a row changed. */
  #write(operation: EncodedOperation, revision: Revision): boolean {
    const key = keyValues(operation.key);
    const statement =
      operation.type === 'put'
        ? this.#sql(
            `INSERT INTO document (collection, partition, id, revision, value) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET revision = excluded.revision, value = excluded.value`,
          )
        : this.#sql('DELETE FROM document WHERE collection = ? AND partition = ? AND id = ?');
    const values = operation.type === 'put' ? [...key, revision, operation.json] : key;
    return statement.run(...values).changes === 1;
  }

  #list(collection: string, { partition, after, limit }: ListOptions): EncodedDocument[] {
    if (partition === undefined) {
      if (!after) return this.#select('collection = ?', [collection], limit);
      const { partition, id } = after;
      const where = 'collection = ? AND (partition, id) > (?, ?)';
      return this.#select(where, [collection, partition, id], limit);
    }
    const order = after ? compareUtf8(after.partition, partition) : -1;
    if (order > 0) return [];
    const where = 'collection = ? AND partition = ?';
    if (order < 0 || !after) return this.#select(where, [collection, partition], limit);
    return this.#select(`${where} AND id > ?`, [collection, partition, after.id], limit);
  }

  #select(where: string, values: SQLInputValue[], limit = -1): EncodedDocument[] {
    const rows = this.#sql(selection(where)).all(...values, limit);
    return rows as unknown as EncodedDocument[];
  }

  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#database.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}

/** The last parameter is the limit; -1 for none. */
function selection(where: string): string {
  return `SELECT collection, partition, id, revision, value AS json FROM document
    WHERE ${where} ORDER BY partition, id LIMIT ?`;
}

/** FULL: in WAL mode the log is synced at every COMMIT, which NORMAL leaves to the checkpoint. */
function configure(database: DatabaseSync): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -${cacheKib};
    PRAGMA journal_size_limit = ${walBytesMax};
    PRAGMA trusted_schema = OFF;
  `);
}

function keyValues({ collection, partition, id }: DocumentKey): string[] {
  return [collection, partition, id];
}

/** A new file's name is durable only once its folder is synced; SQLite does so for its log alone. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function primaryCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}
