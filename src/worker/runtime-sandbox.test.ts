import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ScriptedHost, scriptedRuntime, turns } from '../testing/scripted-sandbox.ts';
import { findBootstrap, RuntimeSandbox } from './runtime-sandbox.ts';

const limits = { memoryMb: 128, cpus: null, temporaryStorageMb: 512 };

describe('findBootstrap', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-bootstrap-'));
    for (const name of ['code', 'low', 'high']) mkdirSync(join(folder, name));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function find(): Promise<string | null> {
    const host = new ScriptedHost();
    const spec = { id: 'one', limits, languageDir: null, runtimeDir: '/' };
    const sandbox = await host.driver.create(spec);
    const layerDirs = [join(folder, 'low'), join(folder, 'high')];
    return findBootstrap(sandbox, { codeDir: join(folder, 'code'), layerDirs, limits });
  }

  function put(place: string, mode: number): void {
    writeFileSync(join(folder, place, 'bootstrap'), '#!/bin/sh\n', { mode });
  }

  test('takes the code’s, else a layer’s, else none', async () => {
    assert.equal(await find(), null);
    put('low', 0o755);
    assert.equal(await find(), '/opt/bootstrap');
    put('code', 0o755);
    assert.equal(await find(), '/var/task/bootstrap');
  });

  test('takes no file that others may not execute, and no folder', async () => {
    put('code', 0o644);
    assert.equal(await find(), null);
    rmSync(join(folder, 'code/bootstrap'));
    put('code', 0o750);
    assert.equal(await find(), null);
    rmSync(join(folder, 'code/bootstrap'));
    mkdirSync(join(folder, 'code/bootstrap'));
    assert.equal(await find(), null);
  });

  test('follows a link, and passes over one that leads nowhere', async () => {
    writeFileSync(join(folder, 'code/main'), '', { mode: 0o755 });
    symlinkSync('main', join(folder, 'code/bootstrap'));
    assert.equal(await find(), '/var/task/bootstrap');
    rmSync(join(folder, 'code/main'));
    assert.equal(await find(), null);
  });
});

describe('RuntimeSandbox', () => {
  test('a failure to serve leaves no sandbox', async () => {
    const host = new ScriptedHost();
    host.faults.serve = () => {
      throw new Error('EADDRINUSE');
    };
    const runtime = scriptedRuntime('nodejs24.x');
    const options = { id: 'one', runtime, limits };
    await assert.rejects(RuntimeSandbox.create(host.driver, host.transports, options), {
      message: 'EADDRINUSE',
    });
    assert.deepEqual(host.living(), []);
  });

  test('a runtime that ends before it has booted is a failure, and output nobody read is dropped', async () => {
    const host = new ScriptedHost();
    host.script = (runtime) => {
      runtime.output.push('Cannot find module\n');
      runtime.output.push(null);
      runtime.exit({ code: 1 });
    };
    const runtime = scriptedRuntime('nodejs24.x');
    const sandbox = await RuntimeSandbox.create(host.driver, host.transports, {
      ...{ id: 'one', runtime, limits },
    });
    await assert.rejects(sandbox.boot(), { message: 'the runtime ended before it had booted' });
    await sandbox.destroy();
    await turns();
    assert(host.runtimes[0]?.output.destroyed);
  });

  test('brings the environment with INIT only to a process that was started without', async () => {
    const host = new ScriptedHost();
    host.script = (runtime) => runtime.booted.resolve();
    const runtime = scriptedRuntime('nodejs24.x');
    const sandbox = await RuntimeSandbox.create(host.driver, host.transports, {
      ...{ id: 'one', runtime, limits },
    });
    const booted = await sandbox.boot();
    assert.equal(booted.hasEnvironment, false);
    assert.equal(host.runtimes[0]?.command.cwd, '/tmp');
    await booted.process.kill();
    const started = await sandbox.startManaged({ COLOUR: 'green' });
    assert.equal(started.hasEnvironment, true);
    assert.equal(host.runtimes[1]?.command.cwd, '/var/task');
    await sandbox.destroy();
  });

  test('starts an interpreter with its own libraries first, named once', async () => {
    const host = new ScriptedHost();
    const runtime = {
      ...scriptedRuntime('nodejs24.x'),
      bootEnvironment: { LD_LIBRARY_PATH: '/var/lang/lib' },
    };
    const sandbox = await RuntimeSandbox.create(host.driver, host.transports, {
      ...{ id: 'one', runtime, limits },
    });
    const { process } = await sandbox.startManaged({ LD_LIBRARY_PATH: '/opt/lib:/var/lang/lib' });
    assert.deepEqual(host.runtimes[0]?.command.env, { LD_LIBRARY_PATH: '/var/lang/lib:/opt/lib' });
    await process.kill();
    await sandbox.startManaged({ COLOUR: 'green' });
    assert.deepEqual(host.runtimes[1]?.command.env, {
      LD_LIBRARY_PATH: '/var/lang/lib',
      COLOUR: 'green',
    });
    await sandbox.destroy();
  });

  test('starts a process behind the wrapper that its environment names', async () => {
    const host = new ScriptedHost();
    const runtime = scriptedRuntime('nodejs24.x');
    const sandbox = await RuntimeSandbox.create(host.driver, host.transports, {
      ...{ id: 'one', runtime, limits },
    });
    const running = await sandbox.startManaged({ AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrap' });
    assert.equal(running.isWrapped, true);
    const { argv } = host.runtimes[0]?.command ?? {};
    assert.equal(argv?.[0], '/bin/sh');
    assert.deepEqual(argv.slice(4, 6), ['/opt/wrap', '/usr/bin/runtime']);
    assert.equal(argv.at(-1), '/var/runtime/bootstrap');
    await running.process.kill();
    assert.equal((await sandbox.startManaged({})).isWrapped, false);
    assert.equal(host.runtimes[1]?.command.argv[0], '/usr/bin/runtime');
    await sandbox.destroy();
  });
});
