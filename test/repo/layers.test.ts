// Goal: imports go only downwards, along the layer table. Method: scan every source file with
// TypeScript's own scanner; the checker itself is tried on tiny trees, each with one fault.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkLayers, findImports } from './layers.ts';
import { readFiles, repositoryRoot } from './tracked-files.ts';

/** Lower than what is there, high enough that a scan which sees nothing cannot pass. */
const filesMin = 120;
const importsMin = 600;

const packageJson = JSON.parse(readFileSync(`${repositoryRoot}package.json`, 'utf8')) as {
  dependencies: Record<string, string>;
};
const packages = Object.keys(packageJson.dependencies);

test('every import in the repository follows the layer table', () => {
  const tree = readFiles((path) => /^(src|runtimes|console)\/.+\.([cm]?ts|[cm]?js)$/.test(path));
  const edges = findImports(tree);
  assert.ok(tree.size > filesMin, `only ${tree.size} files were seen`);
  assert.ok(edges.length > importsMin, `only ${edges.length} imports were seen`);
  assert.deepEqual(checkLayers(tree, packages), []);
});

/** Problems of a tiny tree; the files that it imports but does not name are empty. */
function problemsOf(files: Record<string, string>): string[] {
  const tree = new Map(Object.entries(files));
  for (const { to } of findImports(tree)) {
    if (to !== null && !tree.has(to)) tree.set(to, '');
  }
  return checkLayers(tree, ['pino', '@scope/library']);
}

test('checkLayers accepts imports that go down, in every form', () => {
  const text = `
    import { a } from '../base/a.ts';
    import type { B } from '../model/b.ts';
    export { c } from '../sandbox/c.ts';
    import { readFile } from 'node:fs/promises';
    import '@scope/library/part';
    await import('./own.ts');`;
  assert.deepEqual(problemsOf({ 'src/worker/x.ts': text }), []);
  assert.deepEqual(problemsOf({ 'src/main.ts': `import './api/a.ts'; import './config.ts';` }), []);
  assert.deepEqual(problemsOf({ 'src/cli.ts': `import './main.ts'; import './config.ts';` }), []);
});

const upward = [
  ['a static import', `import { a } from '../store/a.ts';`],
  ['a type import', `import type { A } from '../store/a.ts';`],
  ['an inline type import', `import { type A } from '../store/a.ts';`],
  ['an import for its effect', `import '../store/a.ts';`],
  ['a re-export', `export { a } from '../store/a.ts';`],
  ['a re-export of all', `export * from '../store/a.ts';`],
  ['a type re-export', `export type { A } from '../store/a.ts';`],
  ['a dynamic import', `const a = await import('../store/a.ts');`],
  ['an import type in a position of a type', `let a: import('../store/a.ts').A;`],
  ['a require', `const a = require('../store/a.ts');`],
] as const;
for (const [form, text] of upward) {
  test(`checkLayers refuses an import that the table lacks as ${form}`, () => {
    const [problem, ...more] = problemsOf({ 'src/worker/x.ts': text });
    assert.match(problem ?? '', /^src\/worker\/x\.ts: .*'worker' may import sandbox,/);
    assert.deepEqual(more, []);
  });
}

const refused: readonly (readonly [string, string, string, RegExp])[] = [
  ['control into invoke', 'src/control/x.ts', `import '../invoke/a.ts';`, /'control' may import/],
  ['a tier-mate', 'src/store/x.ts', `import '../artifact/a.ts';`, /'store' may import/],
  ['base into model', 'src/base/x.ts', `import '../model/a.ts';`, /'base' may import nothing/],
  ['main.ts from a module', 'src/api/x.ts', `import '../main.ts';`, /'api' may import/],
  ['cli.ts from main.ts', 'src/main.ts', `import './cli.ts';`, /'main.ts' may import/],
  ['built-ins in model', 'src/model/x.ts', `import 'node:fs';`, /model is pure/],
  ['packages in model', 'src/model/x.ts', `import 'pino';`, /model is pure/],
  ['a development dependency', 'src/api/x.ts', `import 'typescript';`, /not among package/],
  ['testing from source', 'src/api/x.ts', `import '../testing/a.ts';`, /for test files only/],
  ['a test file', 'src/api/x.test.ts', `import './y.test.ts';`, /nothing imports a test file/],
  ['internal/', 'src/api/x.ts', `import '../invoke/internal/a.ts';`, /internal\/ is private/],
  ['a file outside src/', 'src/api/x.ts', `import '../../tools/a.ts';`, /nothing outside src/],
  ['the service model in api', 'src/api/x.ts', `import '../../model/a.json';`, /outside src/],
  ['an unknown module', 'src/utils/x.ts', ``, /'utils' is not in the layer table/],
  ['src/ from runtimes/', 'runtimes/nodejs/x.mjs', `import '../../src/base/a.ts';`, /only its own/],
  ['packages in runtimes/', 'runtimes/nodejs/x.mjs', `import 'pino';`, /uses no packages/],
  ['src/ from console/', 'console/x.ts', `import '../src/api/a.ts';`, /only its own/],
];
for (const [name, path, text, expected] of refused) {
  test(`checkLayers refuses ${name}`, () => {
    const problems = problemsOf({ [path]: text });
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0] ?? '', expected);
  });
}

test('checkLayers allows model to import the service model', () => {
  const text = `import model from '../../model/lambda.json' with { type: 'json' };`;
  assert.deepEqual(problemsOf({ 'src/model/x.ts': text }), []);
});

test('checkLayers allows testing/ and development dependencies in a test file', () => {
  const text = `import '../testing/sim-clock.ts'; import 'fast-check'; import './internal/a.ts';`;
  assert.deepEqual(problemsOf({ 'src/worker/x.test.ts': text }), []);
});

test('checkLayers refuses an import whose file is missing', () => {
  const tree = new Map([['src/api/x.ts', `import './y.js';`]]);
  assert.match(checkLayers(tree, [])[0] ?? '', /there is no file src\/api\/y\.js/);
});

test('checkLayers refuses files that import each other, types included', () => {
  const problems = problemsOf({
    'src/api/a.ts': `import type { B } from './b.ts';`,
    'src/api/b.ts': `export * from './c.ts';`,
    'src/api/c.ts': `await import('./a.ts');`,
  });
  assert.deepEqual(problems, [
    'files import each other: src/api/a.ts -> src/api/b.ts -> src/api/c.ts -> src/api/a.ts',
  ]);
});

test('checkLayers refuses modules that import each other', () => {
  const problems = problemsOf({
    'src/base/a.ts': `import '../model/b.ts';`,
    'src/model/c.ts': `import '../base/d.ts';`,
  });
  assert.equal(problems.at(-1), 'modules import each other: base -> model -> base');
});
