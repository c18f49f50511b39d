import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { openSqliteStore } from '../sqlite/sqlite-store.ts';
import type { Migration } from './migration.ts';
import { migrate, migrations } from './migrations.ts';

const latest = migrations.length;
const fixture = readFileSync(new URL('./fixtures/version-1.sql', import.meta.url), 'utf8');

/** A next version, as a later release would add it. */
const nextStep: Migration = {
  version: latest + 1,
  sql: `ALTER TABLE document ADD COLUMN note TEXT NOT NULL DEFAULT 'none';
        UPDATE document SET note = 'old'`,
};

describe('migrate', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-migrations-'));
    path = join(folder, 'store.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function withDatabase<T>(use: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(path);
    try {
      return use(database);
    } finally {
      database.close();
    }
  }

  const header = (name: string): unknown =>
    withDatabase((database) => database.prepare(`PRAGMA ${name}`).get()?.[name]);

  test('a new database gets the latest version and our mark', async () => {
    await (await openSqliteStore(silentLog, { path })).close();
    assert.equal(header('user_version'), latest);
    assert.equal(header('application_id'), 0x48525448);
    assert.equal(header('journal_mode'), 'wal');
  });

  test('a database of version 1 opens with its documents, and its revisions go on', async () => {
    withDatabase((database) => database.exec(fixture));
    const store = await openSqliteStore(silentLog, { path });
    const versions = await store.list('version', { partition: 'hello', limit: 10 });
    assert.deepEqual(
      versions.map(({ id, revision, value }) => ({ id, revision, value })),
      [
        { id: '1', revision: 12, value: { number: 1 } },
        { id: '2', revision: 40, value: { number: 2 } },
      ],
    );
    const key = { collection: 'function', partition: 'hello', id: '' };
    assert.deepEqual((await store.get(key))?.value, { name: 'hello', tags: { team: 'ä' } });
    const result = await store.commit([{ type: 'put', key, value: 1, expect: { revision: 7 } }]);
    assert.deepEqual(result, { ok: true, revisions: [42] });
    await store.close();
    assert.equal(header('user_version'), latest);
  });

  test('an upgrade applies only the steps that are missing', () => {
    withDatabase((database) => {
      database.exec(fixture);
      migrate(database, path, [...migrations, nextStep]);
      migrate(database, path, [...migrations, nextStep]);
      const notes = database.prepare('SELECT DISTINCT note FROM document').all();
      assert.deepEqual(
        notes.map((row) => row['note']),
        ['old'],
      );
    });
    assert.equal(header('user_version'), latest + 1);
  });

  test('a step that fails changes nothing, and can be tried again', () => {
    const failing = { ...nextStep, sql: `${nextStep.sql}; INSERT INTO nowhere VALUES (1)` };
    withDatabase((database) => {
      database.exec(fixture);
      assert.throws(() => migrate(database, path, [...migrations, failing]), /no such table/);
      assert.throws(() => database.prepare('SELECT note FROM document'), /no such column/);
      assert.equal(database.prepare('PRAGMA user_version').get()?.['user_version'], latest);
      migrate(database, path, [...migrations, nextStep]);
    });
    assert.equal(header('user_version'), latest + 1);
  });

  test('a database of a newer version is refused, says what to do, and is left alone', async () => {
    withDatabase((database) => {
      database.exec(fixture);
      database.exec(`PRAGMA user_version = ${latest + 1}`);
    });
    const bytes = readFileSync(path);
    await assert.rejects(openSqliteStore(silentLog, { path }), {
      code: 'SchemaTooNew',
      message:
        `the database ${path} has schema version ${latest + 1} and this Hearth knows versions up to ` +
        `${latest}: start it with the Hearth that last used it, or a later one, or restore a copy of ` +
        `the data folder from before the upgrade`,
    });
    assert.deepEqual(readFileSync(path), bytes);
  });

  test('a database of another program is refused and left alone', async () => {
    withDatabase((database) => database.exec('CREATE TABLE theirs (a)'));
    const bytes = readFileSync(path);
    await assert.rejects(openSqliteStore(silentLog, { path }), { code: 'NotAStore' });
    assert.deepEqual(readFileSync(path), bytes);
  });

  test('a file that is no database is refused and left alone', async () => {
    const text = 'not a database '.repeat(100);
    writeFileSync(path, text);
    await assert.rejects(openSqliteStore(silentLog, { path }), { code: 'NotAStore' });
    assert.equal(readFileSync(path, 'utf8'), text);
  });

  test('migrations are numbered by their place', () => {
    const database = new DatabaseSync(':memory:');
    assert.throws(() => migrate(database, ':memory:', [nextStep, ...migrations]), {
      name: 'AssertionError',
    });
    database.close();
  });
});
