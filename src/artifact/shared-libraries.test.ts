import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasSharedLibraries } from './shared-libraries.ts';

test('hasSharedLibraries looks where LD_LIBRARY_PATH does', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-libraries-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const has = async (name: string, file: string): Promise<boolean> => {
    const path = join(folder, name, file);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, '');
    return hasSharedLibraries(join(folder, name));
  };
  assert.equal(await has('plain', 'lib/index.js'), false);
  assert.equal(await has('alike', 'libx.sock'), false);
  assert.equal(await has('deeper', 'node_modules/libx.so'), false);
  assert.equal(await has('root', 'libx.so.1.2'), true);
  assert.equal(await has('lib', 'lib/libx.so'), true);
  const module = '_cffi_backend.cpython-312-x86_64-linux-gnu.so';
  assert.equal(await has('modules', module), false);
  assert.equal(await has('modules', '_one.abi3.so'), false);
  assert.equal(await has('named', 'libone.cpython-312-x86_64-linux-gnu.so'), true);
  assert.equal(await has('modules', 'lib/plain.so'), true);
  assert.equal(await hasSharedLibraries(join(folder, 'none')), false);
});
