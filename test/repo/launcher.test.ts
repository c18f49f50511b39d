// Goal: ./hearth starts from any folder and through any link, and says what to do when its packages
// are missing. Method: call it in each way; copy it to a folder without packages.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { repositoryRoot } from './tracked-files.ts';

const launcher = join(repositoryRoot, 'hearth');
const packageJson = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
  version: string;
};
let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-launcher-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function assertStarts(command: string, args: readonly string[], cwd: string): void {
  const { stdout, stderr } = spawnSync(command, [...args, '--version'], { cwd, encoding: 'utf8' });
  assert.equal(stdout.trim(), packageJson.version, stderr);
}

test('hearth starts by its absolute path from another folder', () => {
  assertStarts(launcher, [], tmpdir());
});

test('hearth starts by a relative path', () => {
  assertStarts('./hearth', [], repositoryRoot);
  assertStarts('sh', ['hearth'], repositoryRoot);
});

test('hearth starts through links, absolute, relative and of links', () => {
  mkdirSync(join(folder, 'bin'));
  symlinkSync(launcher, join(folder, 'absolute'));
  symlinkSync(relative(join(folder, 'bin'), launcher), join(folder, 'bin', 'relative'));
  symlinkSync('../bin/relative', join(folder, 'bin', 'second'));
  assertStarts(join(folder, 'absolute'), [], tmpdir());
  assertStarts('../bin/second', [], join(folder, 'bin'));
  assertStarts('sh', ['second'], join(folder, 'bin'));
});

test('hearth without its packages names the command that installs them', () => {
  const bare = join(folder, 'bare copy');
  cpSync(launcher, join(bare, 'hearth'), { recursive: true });
  cpSync(join(repositoryRoot, 'tools/engine.sh'), join(bare, 'tools/engine.sh'), {
    recursive: true,
  });
  const { status, stderr } = spawnSync(join(bare, 'hearth'), ['--version'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /^hearth: .*run 'make setup' in .*bare copy\n$/);
});
