/**
 * The database's schema, as numbered steps that are never changed once released. The version a
 * database is at is in its header (PRAGMA user_version), next to a mark that it is ours.
 */
import type { DatabaseSync } from 'node:sqlite';
import { assert } from '../../base/assert.ts';
import { StoreError } from '../store-error.ts';
import { documents } from './0001-documents.ts';
import type { Migration } from './migration.ts';

/** In order; the version of each is its place, counted from 1. */
export const migrations: readonly Migration[] = [documents];

/** "HRTH" as the header's application id: tells our databases from other programs'. */
export const applicationId = 0x48525448;

/**
 * Brings the database to the last step's version, each step in a transaction of its own. Throws a
 * StoreError `NotAStore` or `SchemaTooNew` and then has changed nothing.
 */
export function migrate(database: DatabaseSync, path: string, steps = migrations): void {
  steps.forEach((step, index) =>
    assert(step.version === index + 1, 'migrations are numbered 1, 2, ...'),
  );
  const version = readHeader(database, 'user_version');
  checkOwner(database, path, version);
  if (version > steps.length) {
    throw new StoreError(
      'SchemaTooNew',
      `the database ${path} has schema version ${version} and this Hearth knows versions up to ` +
        `${steps.length}: start it with the Hearth that last used it, or a later one, or restore ` +
        `a copy of the data folder from before the upgrade`,
    );
  }
  for (const step of steps.slice(version)) apply(database, step);
}

function checkOwner(database: DatabaseSync, path: string, version: number): void {
  const owner = readHeader(database, 'application_id');
  if (owner === applicationId) return;
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as {
    tables: number;
  };
  if (owner !== 0 || version !== 0 || tables !== 0) {
    throw new StoreError('NotAStore', `${path} is a database, but not one of Hearth's`);
  }
}

function apply(database: DatabaseSync, step: Migration): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(step.sql);
    database.exec(`PRAGMA application_id = ${applicationId}`);
    database.exec(`PRAGMA user_version = ${step.version}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function readHeader(database: DatabaseSync, name: 'user_version' | 'application_id'): number {
  const row = database.prepare(`PRAGMA ${name}`).get();
  return Number(row?.[name]);
}
