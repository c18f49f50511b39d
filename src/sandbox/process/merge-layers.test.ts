import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mergeLayers } from './merge-layers.ts';

test('mergeLayers lets a later layer replace files, links and folders of an earlier one', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-layers-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const put = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  put('one/lib/a', 'one');
  put('one/lib/b', 'one');
  put('one/becomes-folder', 'file');
  put('one/becomes-file/x', 'folder');
  put('two/lib/b', 'two');
  put('two/becomes-folder/y', 'inside');
  put('two/becomes-file', 'file');
  symlinkSync('lib/a', join(folder, 'two', 'link'));
  symlinkSync('lib', join(folder, 'one', 'linked-folder'));
  put('two/linked-folder/b', 'not in lib');
  const target = join(folder, 'merged');
  await mergeLayers([join(folder, 'one'), join(folder, 'two')], target);
  const read = (path: string): string => readFileSync(join(target, path), 'utf8');
  assert.equal(read('lib/a'), 'one');
  assert.equal(read('lib/b'), 'two');
  assert.equal(read('becomes-folder/y'), 'inside');
  assert.equal(read('becomes-file'), 'file');
  assert.equal(read('linked-folder/b'), 'not in lib');
  assert.equal(readlinkSync(join(target, 'link')), 'lib/a');
  assert.equal(
    readFileSync(join(folder, 'one/lib/b'), 'utf8'),
    'one',
    'the layers stay as they are',
  );
});
