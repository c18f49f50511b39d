import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findResolver } from './root-filesystem.ts';

test('findResolver leaves out name servers on the loopback and looks further', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-resolver-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const stub = put('stub', '# local\nnameserver 127.0.0.53\noptions edns0\nsearch example.org\n');
  const real = put('real', 'nameserver 192.0.2.53\nnameserver ::1\n');
  assert.deepEqual(findResolver([stub, real]), {
    resolvConf: 'nameserver 192.0.2.53\n',
    problem: null,
  });
  assert.match(findResolver([stub]).problem ?? '', /loopback/);
  assert.match(findResolver([join(folder, 'missing')]).problem ?? '', /loopback/);
});
