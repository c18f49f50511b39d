/**
 * One server per data folder. The lock is SQLite's own exclusive lock on FOLDER/lock.db, which the
 * operating system gives up with the process, however it ends. FOLDER/lock.pid only says who has it.
 * The process that holds the lock must not open lock.db in any other way: closing it would unlock.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLite's result code for a lock that another connection has (sqlite.org/rescode.html#busy). */
const SQLITE_BUSY = 5;

/** Keeps what is locked from being collected, and so unlocked, when nobody kept the FolderLock. */
const held = new Set<DatabaseSync>();

export class FolderLockedError extends Error {
  override readonly name = 'FolderLockedError';
  readonly code = 'FolderLocked';
  readonly folder: string;
  /** The process that holds the lock, when it could be found out. */
  readonly holderPid: number | undefined;

  constructor(folder: string, holderPid: number | undefined) {
    const holder = holderPid === undefined ? 'another process' : `process ${holderPid}`;
    super(
      `the data folder ${folder} is in use by ${holder}: stop that server first, ` +
        `or give this one a data folder of its own`,
    );
    this.folder = folder;
    this.holderPid = holderPid;
  }
}

export interface FolderLock {
  /** Lets others have the folder; nothing happens the second time. */
  release(): void;
}

/**
 * Takes the lock, creating the folder when there is none. Rejects at once with a FolderLockedError
 * when another process, or another part of this one, has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pidPath = join(folder, 'lock.pid');
  const database = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    writePid(pidPath);
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new FolderLockedError(folder, readPid(pidPath));
  }
  held.add(database);
  return {
    release() {
      if (!held.delete(database)) return;
      rmSync(pidPath, { force: true });
      database.close();
    },
  };
}

/** By rename, so that a reader finds the whole number. */
function writePid(path: string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, `${process.pid}\n`);
  renameSync(temporary, path);
}

/** Left over from a process that was killed, it may be wrong for the moment until it is rewritten. */
function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number } | null)?.errcode ?? 0) % 256 === SQLITE_BUSY;
}
