/**
 * One server per data folder. The lock is SQLite's own exclusive lock on FOLDER/lock.db, which the
 * operating system gives up with the process, however it ends. FOLDER/lock.pid only says who has it.
 * The process that holds the lock must not open lock.db in any other way: closing it would unlock.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { delay, type Clock } from './clock.ts';

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
  /** The holder is only cleaning up, or has just ended: the lock will soon be free. */
  readonly isPassing: boolean;

  constructor(folder: string, { pid, purpose }: Holder) {
    const holder = pid === undefined ? 'another process' : `process ${pid}`;
    super(
      `the data folder ${folder} is in use by ${holder}: stop that server first, ` +
        `or give this one a data folder of its own`,
    );
    this.folder = folder;
    this.holderPid = pid;
    // A server says who it is from its first moment to its last but one: nobody is on the way in or out.
    this.isPassing = purpose === 'sweep' || pid === undefined || !isAlive(pid);
  }
}

/** What the folder is locked for. */
export type LockPurpose = 'server' | 'sweep';

interface Holder {
  readonly pid: number | undefined;
  readonly purpose: LockPurpose;
}

/** Between two attempts to get a lock that its holder will soon give up. */
const retryMs = 50;

export interface FolderLock {
  /** Lets others have the folder; nothing happens the second time. */
  release(): void;
}

/**
 * Takes the lock, creating the folder when there is none. Rejects at once with a FolderLockedError
 * when another process, or another part of this one, has it.
 */
export async function lockFolder(
  folder: string,
  purpose: LockPurpose = 'server',
): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pidPath = join(folder, 'lock.pid');
  const database = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    writeHolder(pidPath, purpose);
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new FolderLockedError(folder, readHolder(pidPath));
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

/**
 * As lockFolder, but waits up to `waitMs` for a holder that is on its way out: the sweep after a
 * killed server must not keep that server from being started again.
 */
export async function lockFolderPatiently(
  clock: Clock,
  folder: string,
  waitMs: number,
): Promise<FolderLock> {
  const giveUpAtMs = clock.monotonicMs() + waitMs;
  for (;;) {
    try {
      return await lockFolder(folder);
    } catch (error) {
      const passing = error instanceof FolderLockedError && error.isPassing;
      if (!passing || clock.monotonicMs() >= giveUpAtMs) throw error;
      await delay(clock, retryMs);
    }
  }
}

/** By rename, so that a reader finds the whole text. */
function writeHolder(path: string, purpose: LockPurpose): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, `${process.pid} ${purpose}\n`);
  renameSync(temporary, path);
}

/** Left over from a process that was killed, it may be wrong for the moment until it is rewritten. */
function readHolder(path: string): Holder {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // The holder has not written it yet.
  }
  const [pidText = '', purpose] = text.trim().split(' ');
  const pid = /^[1-9]\d*$/.test(pidText) ? Number(pidText) : undefined;
  return { pid, purpose: purpose === 'sweep' ? 'sweep' : 'server' };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number } | null)?.errcode ?? 0) % 256 === SQLITE_BUSY;
}
