import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { systemClock } from './clock.ts';
import { lockFolder, lockFolderPatiently } from './folder-lock.ts';

describe('lockFolder', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-lock-'));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** A process of its own that takes the lock and keeps it. */
  async function startHolder(data: string): Promise<ChildProcess> {
    const source = `
      import { lockFolder } from ${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)};
      await lockFolder(${JSON.stringify(data)});
      gc(); // whoever does not keep the lock has it all the same
      await new Promise((resolve) => setImmediate(resolve));
      gc();
      process.stdout.write('locked');
      setInterval(() => {}, 1000);`;
    const argv = ['--expose-gc', '--input-type=module', '--eval', source];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [first] = await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')]);
    assert.equal(String(first), 'locked');
    return child;
  }

  test('a second server is refused with the folder and the pid of the first', async () => {
    const child = await startHolder(folder);
    await assert.rejects(lockFolder(folder), {
      code: 'FolderLocked',
      holderPid: child.pid,
      message:
        `the data folder ${folder} is in use by process ${child.pid}: stop that server first, ` +
        `or give this one a data folder of its own`,
    });
  });

  test('a process that is killed gives the lock up', async () => {
    const child = await startHolder(folder);
    child.kill('SIGKILL');
    await once(child, 'exit');
    (await lockFolder(folder)).release();
  });

  test('a lock is refused a second time within one process, and free after release', async () => {
    const lock = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), { code: 'FolderLocked', holderPid: process.pid });
    lock.release();
    lock.release();
    const again = await lockFolder(folder);
    lock.release();
    await assert.rejects(lockFolder(folder), { code: 'FolderLocked' });
    again.release();
    assert.deepEqual(readdirSync(folder), ['lock.db']);
  });

  test('of many that ask at once, one gets the lock', async () => {
    const asked = Array.from({ length: 20 }, () => lockFolder(folder));
    const settled = await Promise.allSettled(asked);
    const locks = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(locks.length, 1);
    locks[0]?.release();
  });

  test('the folder is created', async () => {
    const data = join(folder, 'new', 'data');
    const lock = await lockFolder(data);
    assert.equal(readFileSync(join(data, 'lock.pid'), 'utf8'), `${process.pid} server\n`);
    lock.release();
  });

  test('a holder that cannot be read is called another process', async () => {
    const lock = await lockFolder(folder);
    writeFileSync(join(folder, 'lock.pid'), 'garbage');
    await assert.rejects(lockFolder(folder), /is in use by another process: stop/);
    lock.release();
  });

  test('a folder that cannot be made is reported as it is', async () => {
    writeFileSync(join(folder, 'file'), '');
    await assert.rejects(lockFolder(join(folder, 'file')), { code: 'EEXIST' });
  });
});

describe('lockFolderPatiently', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('waits for a sweep to end, and does not wait for a server', async () => {
    const sweep = await lockFolder(folder, 'sweep');
    await assert.rejects(lockFolder(folder), { code: 'FolderLocked', isPassing: true });
    const waiting = lockFolderPatiently(systemClock, folder, 10_000);
    sweep.release();
    const server = await waiting;
    await assert.rejects(lockFolderPatiently(systemClock, folder, 10_000), {
      code: 'FolderLocked',
      isPassing: false,
    });
    server.release();
  });

  test('gives up after its bound', async () => {
    const sweep = await lockFolder(folder, 'sweep');
    await assert.rejects(lockFolderPatiently(systemClock, folder, 60), { code: 'FolderLocked' });
    sweep.release();
  });
});
