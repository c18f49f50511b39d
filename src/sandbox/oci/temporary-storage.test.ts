import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { unmount } from '../native.ts';
import { createTemporaryStorage } from './temporary-storage.ts';
import { SANDBOX_UID } from './user.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

describe('temporary storage', { skip: isRoot ? false : 'mounting needs root on Linux' }, () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth storage-'));
    for (const name of ['images', 'target']) mkdirSync(join(folder, name));
  });
  after(() => {
    while (unmount(join(folder, 'target')));
    rmSync(folder, { recursive: true, force: true });
  });

  for (const sizeMb of [512, 513, 10_240]) {
    test(`${sizeMb} MB: that much room, little more, and nothing in it`, async () => {
      const storage = await createTemporaryStorage(systemClock, join(folder, 'images'), 512);
      assert.equal(storage.notice, null);
      const target = join(folder, 'target');
      const fileSystem = await storage.mountAt(target, sizeMb);
      const { bavail, bsize } = statfsSync(target);
      const freeMb = (bavail * bsize) / 2 ** 20;
      assert.ok(freeMb >= sizeMb && freeMb < sizeMb * 1.04, `${freeMb} MB`);
      assert.deepEqual(readdirSync(target), []);
      assert.equal(statSync(target).uid, SANDBOX_UID);
      const file = openSync(target, 'r');
      assert.equal(unmount(target), true);
      assert.equal(fileSystem.isHeld(), true);
      closeSync(file);
      assert.equal(fileSystem.isHeld(), false);
      assert.deepEqual(readdirSync(join(folder, 'images')), []);
    });
  }

  test('without a place for images it is a tmpfs, and says so', async () => {
    const storage = await createTemporaryStorage(systemClock, join(folder, 'missing'), 512);
    assert.match(storage.notice ?? '', /tmpfs/);
    await storage.mountAt(join(folder, 'target'), 64);
    const { blocks, bsize } = statfsSync(join(folder, 'target'));
    assert.equal(blocks * bsize, 64 * 2 ** 20);
    unmount(join(folder, 'target'));
  });
});
