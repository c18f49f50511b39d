import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  createRuntimeCatalog,
  memoryArguments,
  needsOwnStart,
  startArguments,
  type InstalledRuntime,
  type RuntimeCatalogOptions,
} from './runtimes.ts';

let root: string;
before(() => {
  root = mkdtempSync(join(tmpdir(), 'hearth-catalog-'));
});
after(() => rmSync(root, { recursive: true, force: true }));

function file(path: string, text: string): string {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return join(root, path);
}

function nodeDistribution(path: string, version: string): void {
  const [major, minor, patch] = version.split('.');
  file(`${path}/bin/node`, '\x7fELF...');
  file(
    `${path}/include/node/node_version.h`,
    `#define NODE_MAJOR_VERSION ${major}\n#define NODE_MINOR_VERSION ${minor}\n#define NODE_PATCH_VERSION ${patch}\n`,
  );
}

function pythonDistribution(path: string, version: string): void {
  const minor = version.split('.').slice(0, 2).join('.');
  file(`${path}/bin/python${minor}`, '\x7fELF...');
  file(`${path}/lib/python${minor}/json/__init__.py`, '');
  file(`${path}/include/python${minor}/patchlevel.h`, `#define PY_VERSION  "${version}"\n`);
}

function found(id: string, options: Partial<RuntimeCatalogOptions>): InstalledRuntime {
  const answer = catalog(options).find(id);
  assert(answer.available, `${id}: ${answer.available ? '' : answer.reason}`);
  return answer.runtime;
}

function catalog(options: Partial<RuntimeCatalogOptions>) {
  return createRuntimeCatalog({
    searchPath: [],
    packageFolder: join(root, 'none'),
    runtimesFolder: '/runtimes',
    ...options,
  });
}

describe('runtime catalog', () => {
  it('lists every runtime of the contract once, with a reason for each one missing', () => {
    const listing = catalog({}).list();
    assert.equal(new Set(listing.map(({ id }) => id)).size, 21);
    for (const entry of listing) if (!entry.available) assert.match(entry.reason, /\S+ .*\S+/);
  });

  it('refuses a runtime it does not know', () => {
    assert.deepEqual(catalog({}).find('nodejs6.10'), {
      available: false,
      reason: 'nodejs6.10 is not a runtime that Hearth knows',
    });
  });

  it('finds Node.js in npm packages by the version in their headers', () => {
    nodeDistribution(`packages/node-linux-${process.arch}`, '24.1.2');
    nodeDistribution('packages/node-22', '22.3.4');
    const packageFolder = join(root, 'packages');
    const runtime = found('nodejs22.x', { packageFolder });
    assert.deepEqual(runtime, {
      id: 'nodejs22.x',
      language: 'nodejs',
      version: '22.3.4',
      kind: 'managed',
      languageDir: join(packageFolder, 'node-22'),
      executable: 'bin/node',
      runtimeDir: '/runtimes/nodejs',
      bootArguments: [
        '--no-experimental-require-module',
        '--no-experimental-detect-module',
        '{runtime}/bootstrap.cjs',
      ],
      bootEnvironment: {},
    });
    const newest = found('nodejs24.x', { packageFolder });
    assert.equal(newest.version, '24.1.2');
    assert.deepEqual(newest.bootArguments, ['{runtime}/bootstrap.cjs']);
    const missing = catalog({ packageFolder }).find('nodejs18.x');
    assert(!missing.available);
    assert.match(missing.reason, /no Node\.js 18 .* found 24\.1\.2 at /);
  });

  it('finds Node.js on the search path through a link', () => {
    nodeDistribution('opt/node', '20.9.1');
    mkdirSync(join(root, 'links'), { recursive: true });
    symlinkSync(join(root, 'opt/node/bin/node'), join(root, 'links/node'));
    const runtime = found('nodejs20.x', { searchPath: [join(root, 'links')] });
    assert.equal(runtime.languageDir, join(root, 'opt/node'));
    assert.deepEqual(runtime.bootArguments, ['{runtime}/bootstrap.cjs']);
  });

  it('finds the newest pyenv version and skips shims and free-threaded builds', () => {
    pythonDistribution('pyenv/versions/3.9.8', '3.9.8');
    pythonDistribution('pyenv/versions/3.9.18', '3.9.18');
    pythonDistribution('pyenv/versions/3.9.19t', '3.9.19');
    file('pyenv/versions/3.9.18/lib/libpython3.9.so.1.0', '');
    file('pyenv/shims/python3.9', '#!/bin/sh\n');
    const options = {
      searchPath: [join(root, 'pyenv/shims')],
      pyenvRoot: join(root, 'pyenv'),
    };
    const runtime = found('python3.9', options);
    assert.deepEqual(runtime, {
      id: 'python3.9',
      language: 'python',
      version: '3.9.18',
      kind: 'managed',
      languageDir: join(root, 'pyenv/versions/3.9.18'),
      executable: 'bin/python3.9',
      runtimeDir: '/runtimes/python',
      bootArguments: ['-S', '{runtime}/bootstrap.py'],
      bootEnvironment: { LD_LIBRARY_PATH: '{language}/lib' },
    });
  });

  it('skips a Python without its standard library', () => {
    file('minimal/bin/python3.14', '\x7fELF...');
    const answer = catalog({ searchPath: [join(root, 'minimal/bin')] }).find('python3.14');
    // Unless this machine has one in /usr/bin, which is looked at always.
    if (answer.available) assert.equal(answer.runtime.languageDir, null);
    else assert.equal(answer.reason, 'no python3.14 on the search path, in pyenv or in /usr/bin');
  });

  it('always offers custom runtimes, and says what it looked for where a language is missing', () => {
    const runtime = found('provided.al2023', {});
    assert.equal(runtime.kind, 'custom');
    assert.equal(runtime.executable, 'bootstrap');
    file('jdk/bin/java', '');
    const answer = catalog({ searchPath: [join(root, 'jdk/bin')] }).find('java21');
    assert.deepEqual(answer, {
      available: false,
      reason: `Java is not supported yet (found ${join(root, 'jdk/bin/java')})`,
    });
  });

  it('finds an interpreter under /usr without a folder to mount', (context) => {
    const answer = catalog({ searchPath: ['/usr/bin'] }).list();
    const system = answer.find((entry) => entry.available && entry.runtime.language === 'python');
    if (system === undefined || !system.available) {
      context.skip('no Python in /usr/bin');
      return;
    }
    assert.equal(system.runtime.languageDir, null);
    assert.match(system.runtime.executable, /^\/usr\/bin\/python3\.\d+$/);
    assert.deepEqual(system.runtime.bootEnvironment, {});
  });
});

describe('memoryArguments', () => {
  it('gives Node.js nine tenths of the memory as heap', () => {
    const limits = ['--max-old-space-size=115', '--max-semi-space-size=6'];
    assert.deepEqual(memoryArguments('nodejs', 128), limits);
    assert.deepEqual(memoryArguments('python', 128), []);
  });
});

describe('startArguments', () => {
  const runtime: InstalledRuntime = {
    id: 'nodejs22.x',
    language: 'nodejs',
    version: '22.3.4',
    kind: 'managed',
    languageDir: '/lang',
    executable: 'bin/node',
    runtimeDir: '/runtimes/nodejs',
    bootArguments: ['--no-experimental-require-module', '{runtime}/bootstrap.cjs'],
    bootEnvironment: {},
  };

  it('puts the memory limits before the arguments of every start', () => {
    assert.deepEqual(startArguments(runtime, 128, {}), [
      '--max-old-space-size=115',
      '--max-semi-space-size=6',
      ...runtime.bootArguments,
    ]);
  });

  it('leaves out what NODE_OPTIONS says', () => {
    const env = { NODE_OPTIONS: '--experimental-require-module --max-old-space-size=64' };
    assert.deepEqual(startArguments(runtime, 128, env), ['{runtime}/bootstrap.cjs']);
  });

  it('adds nothing for other languages', () => {
    const python = { ...runtime, language: 'python', bootArguments: ['-S'] } as const;
    assert.deepEqual(startArguments(python, 128, {}), ['-S']);
  });
});

describe('needsOwnStart', () => {
  const needing = (names: readonly string[]) =>
    (['nodejs', 'python', 'provided'] as const).map((language) =>
      names.filter((name) => needsOwnStart(language, { [name]: 'x' })),
    );

  it('says so of a wrapper and of what any program reads at its start, but for custom runtimes', () => {
    const names = ['AWS_LAMBDA_EXEC_WRAPPER', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'LANG', 'LC_ALL'];
    assert.deepEqual(needing(names), [names, names, []]);
  });

  it('says so of what the language reads only at its start', () => {
    const names = ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'PYTHONHASHSEED', 'PYTHONOPTIMIZE'];
    assert.deepEqual(needing(names), [names.slice(0, 2), names.slice(2), []]);
  });

  it('leaves the others to the pool', () => {
    const names = ['NODE_ENV', 'NODE_PATH', 'PYTHONPATH', 'TZ', 'PATH', 'JAVA_TOOL_OPTIONS'];
    assert.deepEqual(needing([...names, 'LD_SDK_KEY', 'MY_NODE_OPTIONS']), [[], [], []]);
  });
});
