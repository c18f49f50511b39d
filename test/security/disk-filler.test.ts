/** Barrier: disk. A function can fill its own /tmp and nothing else. */
import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { attack, createAttacker, LIMITS, skip, type Attacker } from './attacker.ts';

const SIZE_MB = 512;

describe('disk filler', { skip }, () => {
  let attacker: Attacker;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  test('it stops at the size of /tmp, and a destroyed sandbox gives the space back', async () => {
    const limits = { ...LIMITS, temporaryStorageMb: SIZE_MB };
    const sandbox = await attacker.sandbox('filler', limits);
    const freeBefore = freeMb(attacker.dataFolder);
    const script = 'cat /dev/zero > /tmp/fill; du -m /tmp/fill | cut -f1';
    const { output } = await attack(sandbox, script);
    assert.match(output, /No space left on device/);
    const writtenMb = Number(output.trim().split('\n').at(-1));
    assert.ok(writtenMb >= SIZE_MB && writtenMb < SIZE_MB * 1.06, `${writtenMb} MB`);
    const neighbour = await attacker.sandbox('neighbour', limits);
    assert.equal((await attack(neighbour, 'echo x > /tmp/x && cat /tmp/x')).output, 'x\n');
    await sandbox.destroy();
    await neighbour.destroy();
    assert.ok(freeBefore - freeMb(attacker.dataFolder) < 100, 'the space is free again');
  });
});

function freeMb(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return (bavail * bsize) / 2 ** 20;
}
