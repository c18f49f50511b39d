import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { LINE_BYTES_MAX, shellLine } from './waiting-shell.ts';

const command = { argv: ['/bin/true'], env: {}, cwd: '/', channel: false };

test(
  'shellLine gives a shell a command that it becomes',
  { skip: process.platform !== 'linux' },
  () => {
    const script = 'printf "%s|" "$PWD" "$A" "$@"; env | cut -d= -f1 | sort | tr "\\n" " "';
    const args = ["it's", '', 'two\nlines', '-n', '$A'];
    const argv = ['/bin/sh', '-c', script, 'sh', ...args];
    const line = shellLine({ ...command, argv, env: { A: "'quoted'\n" }, cwd: '/usr' });
    // Another environment, as a shell may have of its own.
    const env = { B: 'of the shell', PWD: '/nowhere' };
    const { stdout } = spawnSync('/bin/sh', { input: `${line}echo not reached\n`, env });
    const expected = ['/usr', "'quoted'\n", ...args].map((text) => `${text}|`).join('');
    assert.equal(String(stdout).replace(/\| *[A-Z_ ]*$/, '|'), expected);
    assert.doesNotMatch(String(stdout), /B|not reached/);
  },
);

test('shellLine refuses what a line cannot say', () => {
  assert.equal(shellLine({ ...command, env: { '': 'no name' } }), null);
  assert.equal(shellLine({ ...command, argv: ['/bin/true', 'a\0b'] }), null);
  assert.equal(shellLine({ ...command, argv: ['/bin/true', 'x'.repeat(LINE_BYTES_MAX)] }), null);
  const line = shellLine({ ...command, argv: ['/bin/true', 'x'.repeat(LINE_BYTES_MAX - 200)] });
  assert.ok(line !== null && Buffer.byteLength(line) <= LINE_BYTES_MAX);
});
