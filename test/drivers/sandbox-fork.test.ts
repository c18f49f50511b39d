/**
 * Copies of processes under the process driver: how the copying process is asked, and that a copy is its
 * sandbox's main process like any other.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createProcessDriver } from '../../src/sandbox/process/process-driver.ts';
import { markOf } from '../../src/sandbox/process/process-table.ts';
import type { Sandbox, SandboxDriver, SandboxProcess } from '../../src/sandbox/sandbox.ts';
import { template } from './forking-program.ts';

const limits = { memoryMb: 128, cpus: null, temporaryStorageMb: 512 };
const canRun = process.platform === 'linux' && spawnSync('python3', ['-V']).status === 0;

describe('copies of processes', { skip: !canRun }, () => {
  let folder: string;
  let driver: SandboxDriver;
  let origin: Sandbox;
  let source: SandboxProcess;
  let sequence = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-fork-'));
    driver = createProcessDriver(systemClock, systemRandom, silentLog, { folder });
    source = await (
      await create()
    ).start({
      argv: ['/usr/bin/env', 'python3', '-c', template],
      env: { PATH: process.env['PATH'] ?? '' },
      cwd: '/',
      channel: true,
    });
  });
  after(async () => {
    await driver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function create(): Promise<Sandbox> {
    sequence += 1;
    const spec = { id: `fork-${sequence}`, limits, languageDir: null, runtimeDir: folder };
    const sandbox = await driver.create(spec);
    await sandbox.bind({ codeDir: folder, layerDirs: [], limits });
    return sandbox;
  }

  async function copy(): Promise<{ sandbox: Sandbox; process: SandboxProcess; pid: number }> {
    const sandbox = await create();
    const copied = await sandbox.startFork?.({
      sandbox: origin!,
      process: source,
      request: Buffer.from('f'),
    });
    assert(copied !== undefined);
    const [line] = (await once(copied.output, 'data')) as [Buffer];
    return { sandbox, process: copied, pid: Number(line) };
  }

  /** 'Z' for one that has ended, whether or not the host has noticed. */
  function stateOf(pid: number): string {
    try {
      return /^State:\t(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '';
    } catch {
      return 'Z';
    }
  }

  test('a copy ends with its own status or signal', async () => {
    const [one, two] = await Promise.all([copy(), copy()]);
    one.process.channel?.write('exit');
    assert.deepEqual(await one.process.exited, { code: 7, signal: null, outOfMemory: false });
    two.process.channel?.write('abort');
    const { code, signal } = await two.process.exited;
    assert.deepEqual({ code, signal }, { code: null, signal: 'SIGABRT' });
    await Promise.all([one.sandbox.destroy(), two.sandbox.destroy()]);
  });

  test('a copy belongs to its sandbox: marked, measured, frozen and killed with it', async () => {
    const one = await copy();
    const two = await copy();
    assert.notEqual(markOf(one.pid), markOf(two.pid));
    assert(one.sandbox.memoryPeakBytes() > 1_000_000);
    one.sandbox.freeze();
    while (stateOf(one.pid) !== 'T') await new Promise((done) => setImmediate(done));
    assert.notEqual(stateOf(two.pid), 'T');
    one.sandbox.thaw();
    const { signal } = await one.process.kill();
    assert.equal(signal, 'SIGKILL');
    assert.equal(stateOf(one.pid), 'Z');
    assert.notEqual(stateOf(two.pid), 'Z');
    await two.sandbox.destroy();
    assert.equal(stateOf(two.pid), 'Z');
    await one.sandbox.destroy();
  });

  test('a process that is gone cannot be copied', async () => {
    const gone = await copy();
    await gone.process.kill();
    const sandbox = await create();
    const request = { sandbox: gone.sandbox, process: gone.process, request: Buffer.from('f') };
    await assert.rejects(async () => sandbox.startFork?.(request), { name: 'SandboxStartError' });
    const argv = ['/bin/sh', '-c', 'exit 5'];
    const started = await sandbox.start({ argv, env: {}, cwd: '/', channel: false });
    assert.equal((await started.exited).code, 5, 'another process can be started instead');
    await sandbox.destroy();
    await gone.sandbox.destroy();
  });

  test('what is copied ends no copy when it ends', async () => {
    const left = await copy();
    await source.kill();
    assert.notEqual(stateOf(left.pid), 'Z');
    left.process.channel?.write('exit');
    assert.equal((await left.process.exited).code, 7);
    await left.sandbox.destroy();
  });
});
