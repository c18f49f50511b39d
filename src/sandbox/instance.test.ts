import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { instanceIdOf } from './instance.ts';

test('instanceIdOf is the same before, while and after the folder exists, and through links', (context) => {
  const base = mkdtempSync(join(tmpdir(), 'hearth-instance-'));
  context.after(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, 'data', 'run');
  const before = instanceIdOf(folder);
  assert.match(before, /^[0-9a-f]{8}$/);
  mkdirSync(folder, { recursive: true });
  assert.equal(instanceIdOf(folder), before);
  symlinkSync(join(base, 'data'), join(base, 'link'));
  assert.equal(instanceIdOf(join(base, 'link', 'run')), before);
  rmSync(join(base, 'data'), { recursive: true });
  assert.equal(instanceIdOf(folder), before);
  assert.notEqual(instanceIdOf(join(base, 'data', 'run-2')), before);
});
