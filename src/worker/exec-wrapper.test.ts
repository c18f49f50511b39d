import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { wrapCommand } from './exec-wrapper.ts';

describe('wrapCommand', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-wrapper-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function script(name: string, text: string, mode = 0o755): string {
    writeFileSync(join(folder, name), text, { mode });
    return join(folder, name);
  }

  /** Starts `argv` behind the wrapper; the answer is its output and exit status. */
  function run(wrapper: string, argv: readonly string[], env: Record<string, string> = {}) {
    const environment = { ...env, AWS_LAMBDA_EXEC_WRAPPER: wrapper };
    const [executable = '', ...args] = wrapCommand(argv, environment);
    const ended = spawnSync(executable, args, { env: environment, encoding: 'utf8' });
    return [ended.stdout, ended.status];
  }

  test('leaves a command alone without a wrapper', () => {
    assert.deepEqual(wrapCommand(['/bin/a', 'b'], {}), ['/bin/a', 'b']);
    assert.deepEqual(wrapCommand(['/bin/a'], { AWS_LAMBDA_EXEC_WRAPPER: '' }), ['/bin/a']);
  });

  test('gives the wrapper interpreter and arguments as they are, and the environment', () => {
    const wrapper = script('tell', '#!/bin/sh\nprintf "<%s>" "$COLOUR" "$@"\n');
    const argv = ['/bin/a', '--flag', '', "it's $HOME", '*', '-last'];
    const told = ['green', ...argv].map((word) => `<${word}>`).join('');
    assert.deepEqual(run(wrapper, argv, { COLOUR: 'green' }), [told, 0]);
  });

  test('takes programs, and scripts that name no interpreter, at any path', () => {
    assert.deepEqual(run('/usr/bin/env', ['/bin/echo', 'one']), ['one\n', 0]);
    assert.deepEqual(run(script('two $x', 'exec "$@"\n'), ['/bin/echo', 'two']), ['two\n', 0]);
  });

  test('refuses what is missing, a folder, or not executable', () => {
    const missing = join(folder, 'missing');
    assert.deepEqual(run(missing, ['/bin/echo']), [`${missing}: does not exist\n`, 127]);
    mkdirSync(join(folder, 'folder'));
    const isFolder = join(folder, 'folder');
    assert.deepEqual(run(isFolder, ['/bin/echo']), [`${isFolder}: does not exist\n`, 127]);
    const plain = script('plain', '#!/bin/sh\n', 0o644);
    assert.deepEqual(run(plain, ['/bin/echo']), [`${plain}: is not an executable\n`, 126]);
  });
});
