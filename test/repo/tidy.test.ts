// Goal: the house rules of STYLE.md hold in every file, and a fault names its fix. Method: run each
// rule over the repository, and over one tiny file that breaks it and one that does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tidy from './tidy.ts';
import { readFiles } from './tracked-files.ts';

const filesMin = 200;

const isBinary = (path: string): boolean => /\.(png|ico|zip|jar|woff2)$/.test(path);
const files = readFiles((path) => !isBinary(path));

test('the repository was seen', () => {
  assert.ok(files.size > filesMin, `only ${files.size} files were seen`);
});

for (const rule of tidy.fileRules) {
  test(`every file passes ${rule.name}`, () => {
    const faults = [...files].flatMap(([path, text]) => rule({ path, text }));
    assert.deepEqual(faults, []);
  });
}

test('every link between documents leads somewhere', () => {
  const documents = [...files].filter(([path]) => path.endsWith('.md'));
  const faults = documents.flatMap(([path, text]) => tidy.checkLinks({ path, text }, files));
  assert.deepEqual(faults, []);
});

test('decision records are numbered, complete and rightly cited', () => {
  assert.deepEqual(tidy.checkDecisionRecords(files), []);
});

test('every dependency has its reason', () => {
  const record = files.get('docs/adr/0012-dependencies.md') ?? '';
  assert.deepEqual(tidy.checkDependencyReasons(files.get('package.json') ?? '{}', record), []);
});

const header = '/** What this file is for. */\n';

const banned: readonly (readonly [string, string])[] = [
  ['Date.now();', 'take a Clock'],
  ['new Date();', 'take a Clock'],
  ['Date();', 'take a Clock'],
  ['globalThis.Date.now();', 'take a Clock'],
  ['performance.now();', 'take a Clock'],
  ['process.hrtime.bigint();', 'take a Clock'],
  ['setTimeout(() => {}, 1);', 'take a Clock'],
  ['globalThis.setInterval(() => {}, 1);', 'take a Clock'],
  ['AbortSignal.timeout(1);', 'take a Clock'],
  [`import { setTimeout as sleep } from 'node:timers/promises';`, 'take a Clock'],
  [`import { performance } from 'node:perf_hooks';`, 'take a Clock'],
  ['Math.random();', 'take a Random'],
  ['crypto.randomUUID();', 'take a Random'],
  [`import { createHash, randomBytes } from 'node:crypto';`, 'take a Random'],
  [`import { randomUUID as id } from 'node:crypto';`, 'take a Random'],
  ['process.env.HOME;', 'take it from Config'],
  ['const { env } = process;', 'take it from Config'],
  [`import { env } from 'node:process';`, 'take it from Config'],
  [`import { spawn } from 'node:child_process';`, 'through a sandbox driver'],
  [`await import('node:child_process');`, 'through a sandbox driver'],
  ['console.log(1);', 'take a Log'],
  ['process.stdout.write("x");', 'take a Log'],
  ['const { stderr } = process;', 'take a Log'],
];
for (const [code, instead] of banned) {
  test(`checkBans refuses ${code}`, () => {
    const faults = tidy.checkBans({ path: 'src/invoke/x.ts', text: header + code });
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.ok(faults[0]?.startsWith('src/invoke/x.ts:2: '), faults[0]);
    assert.ok(faults[0]?.includes(instead), faults[0]);
  });
}

const permitted: readonly (readonly [string, string])[] = [
  ['src/invoke/x.ts', 'new Date(1); new Date(value).toISOString(); Date.parse(text);'],
  ['src/invoke/x.ts', 'socket.setTimeout(1); clock.schedule(1, f); setImmediate(f);'],
  ['src/invoke/x.ts', `// Date.now()\nconst text = 'process.env';`],
  ['src/invoke/x.ts', `import { createHash } from 'node:crypto';`],
  ['src/invoke/x.ts', `import type { ChildProcess } from 'node:child_process';`],
  ['src/invoke/x.ts', 'process.pid; process.kill(1, 0);'],
  ['src/base/clock.ts', 'Date.now(); setTimeout(f, 1);'],
  ['src/base/random.ts', `import { randomUUID } from 'node:crypto'; Math.random();`],
  ['src/sandbox/oci/x.ts', `import { spawn } from 'node:child_process';`],
  ['src/config.ts', 'process.env.HOME;'],
  ['src/cli.ts', 'process.stdout.write("x");'],
  ['src/invoke/x.test.ts', 'Date.now();'],
  ['tools/x.ts', 'Date.now();'],
];
for (const [path, code] of permitted) {
  test(`checkBans permits in ${path} ${code.replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(tidy.checkBans({ path, text: header + code }), []);
  });
}

test('checkBans refuses a driver power in the front file of sandbox', () => {
  const text = `${header}import { spawn } from 'node:child_process';`;
  assert.equal(tidy.checkBans({ path: 'src/sandbox/sandbox.ts', text }).length, 1);
});

/** A rule, a file that breaks it, and a part of the message; then a file that does not. */
const broken: readonly (readonly [tidy.FileRule, string, string, string])[] = [
  [tidy.checkDynamicImports, 'src/api/x.ts', 'await import(name);', 'name the file'],
  [tidy.checkHeader, 'src/api/x.ts', 'export const a = 1;', 'open the file with'],
  [tidy.checkNames, 'src/api/RouteTable.ts', header, 'kebab-case'],
  [tidy.checkNames, 'src/api/utils/x.ts', header, 'name it after what it is'],
  [tidy.checkNames, 'src/api/helpers.ts', header, 'name it after what it is'],
  [tidy.checkNames, 'src/api/index.ts', header, 'no barrels'],
  [tidy.checkNames, 'server.ts', header, 'no source in the root'],
  [tidy.checkMarkers, 'src/api/x.ts', `// ${'FIX'}ME: later`, 'finish it'],
  [tidy.checkMarkers, 'docs/x.md', `${'TO'}DO write this`, 'finish it'],
  [tidy.checkMarkers, 'src/api/x.ts', `${'<'.repeat(7)} HEAD`, 'resolve the merge'],
  [tidy.checkMarkers, 'src/api/x.test.ts', `test.${'only'}('x', f);`, 'run them all'],
  [tidy.checkMarkers, 'src/api/x.ts', `  ${'debug'}ger;`, 'remove it'],
  [tidy.checkMarkers, 'src/api/x.ts', `// @ts-${'ignore'}`, '@ts-expect-error'],
  [tidy.checkMarkers, 'src/api/x.ts', '// @ts-expect-error', 'say why'],
  [tidy.checkMarkers, 'src/api/x.ts', `// ${'eslint'}-disable-next-line eqeqeq`, 'say why'],
  [tidy.checkMachine, 'src/api/x.ts', `readFile('${'/work'}/main/x')`, 'a path of one machine'],
  [tidy.checkMachine, 'README.md', `cd ${'/home'}/alice/hearth`, 'a path of one machine'],
  [tidy.checkMachine, 'package-lock.json', `  "${'resolved'}": "x"`, 'download address'],
  [tidy.checkMachine, '.npmrc', `${'registry'}=x`, "registry's host"],
  [tidy.checkMachine, 'README.md', `from ${'registry'}.example.org`, "registry's host"],
  [tidy.checkNotEmpty, 'src/api/x.ts', ' \n', 'fill it or remove it'],
];
for (const [rule, path, text, message] of broken) {
  test(`${rule.name} refuses ${path} with ${JSON.stringify(text.slice(0, 40))}`, () => {
    const faults = rule({ path, text });
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.ok(faults[0]?.includes(message), faults[0]);
  });
}

test('every file rule passes an ordinary file', () => {
  const text = `${header}export const dataDir = '/var/task'; // eslint-disable-line x -- because\n`;
  for (const rule of tidy.fileRules) {
    assert.deepEqual(rule({ path: 'src/api/route-table.ts', text }), [], rule.name);
  }
});

test('checkLinks refuses a link to a missing file or heading only', () => {
  const tree = new Map([
    ['docs/a.md', '# One heading, `code`\n[b](../README.md) [c](#one-heading-code) [d](adr/)'],
    ['docs/adr/0001-x.md', ''],
    ['README.md', '[gone](docs/b.md) [gone](docs/a.md#two) [out](https://example.org/x) `[x](y)`'],
  ]);
  const faults = [...tree].flatMap(([path, text]) => tidy.checkLinks({ path, text }, tree));
  assert.deepEqual(faults, [
    'README.md: the link docs/b.md leads nowhere: there is no docs/b.md',
    'README.md: the link docs/a.md#two leads nowhere: docs/a.md has no such heading',
  ]);
});

test('checkDecisionRecords refuses gaps, missing parts and citations of nothing', () => {
  const body = '\n| Status | Accepted |\n\n## Context\n\n## Decision\n\n## Consequences\n';
  const good = new Map([['docs/adr/0001-a.md', `# ADR 0001: A\n${body}`]]);
  assert.deepEqual(tidy.checkDecisionRecords(good), []);
  const bad = new Map([
    ...good,
    ['docs/adr/0003-c.md', `# ADR 0003: C\n${body.replace('## Context\n', '')}`],
    ['src/api/x.ts', `// ADR ${'0002'}`],
  ]);
  assert.deepEqual(tidy.checkDecisionRecords(bad), [
    'docs/adr/0003-c.md: expected number 0002: number records without gaps or repeats',
    "docs/adr/0003-c.md: no section '## Context'",
    'src/api/x.ts: cites ADR 0002, which does not exist',
  ]);
});

test('checkDependencyReasons refuses a dependency without a row and a row without one', () => {
  const packageJson = '{"dependencies":{"a":"1"},"devDependencies":{"@x/b":"1","c":"1"}}';
  assert.deepEqual(tidy.checkDependencyReasons(packageJson, '| `a`, `c` | r |\n| `d` | r |'), [
    'package.json: @x/b has no reason: give it a row in docs/adr/0012',
    'docs/adr/0012: d is no dependency any more: remove its row',
  ]);
});
