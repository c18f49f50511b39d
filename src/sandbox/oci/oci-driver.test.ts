import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { SandboxStartError } from '../sandbox.ts';
import { selectDriver } from '../select-driver.ts';
import { createOciDriver } from './oci-driver.ts';
import { probeOci } from './probe-oci.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

describe('OCI driver', { skip: isRoot ? false : 'containers need root on Linux' }, () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-oci-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const limits = { memoryMb: 128, cpus: null, temporaryStorageMb: 512 };
  const command = { argv: ['/bin/sleep', '1000'], env: { HOME: '/' }, cwd: '/', channel: true };

  test('probeOci passes with runc and leaves nothing', async () => {
    const options = { folder: join(folder, 'probe'), runtimePath: 'runc' };
    assert.deepEqual(await probeOci(systemClock, systemRandom, silentLog, options), { ok: true });
    assert.deepEqual(readdirSync(options.folder), []);
  });

  test('probeOci says what is wrong', async () => {
    const options = { folder: join(folder, 'none'), runtimePath: '/no/such/runtime' };
    const probe = await probeOci(systemClock, systemRandom, silentLog, options);
    assert.ok(!probe.ok);
    assert.match(probe.reason, /cannot run \/no\/such\/runtime.*ENOENT/);
  });

  test('selectDriver: auto takes the strongest that works, and says so when it is not the strongest', async () => {
    const best = await selectDriver(systemClock, systemRandom, silentLog, {
      choice: 'auto',
      folder: join(folder, 'best'),
    });
    assert.equal(best.name, 'oci');
    await best.close();
    const options = { folder: join(folder, 'fallback'), runtimePath: '/no/such/runtime' };
    const auto = { ...options, choice: 'auto' } as const;
    const fallback = await selectDriver(systemClock, systemRandom, silentLog, auto);
    assert.equal(fallback.name, 'process');
    assert.match(fallback.notices[0] ?? '', /does not work here.*ENOENT/);
    await fallback.close();
    const forced = { ...options, choice: 'oci' } as const;
    const refused = selectDriver(systemClock, systemRandom, silentLog, forced);
    await assert.rejects(refused, /sandbox oci does not work here/);
  });

  test('start: a runtime that fails after it started the process leaves nothing running', async () => {
    const runtimePath = join(folder, 'failing-runtime');
    writeFileSync(runtimePath, '#!/bin/sh\nrunc "$@"\nexit 1\n');
    chmodSync(runtimePath, 0o755);
    const options = { folder: join(folder, 'failing'), runtimePath };
    const driver = await createOciDriver(systemClock, systemRandom, silentLog, options);
    try {
      const spec = { id: 'failing', limits, languageDir: null, runtimeDir: folder };
      const sandbox = await driver.create(spec);
      await assert.rejects(sandbox.start(command), SandboxStartError);
      await assert.rejects(sandbox.start(command), SandboxStartError);
      await sandbox.destroy();
    } finally {
      await driver.close();
    }
    assert.deepEqual(readdirSync(options.folder), []);
  });

  test('startBeside: a runtime that fails after it started the process leaves that one not running', async () => {
    const runtimePath = join(folder, 'runtime-failing-exec');
    const script = '#!/bin/sh\nrunc "$@"\nstatus=$?\n[ "$5" != exec ] || exit 1\nexit $status\n';
    writeFileSync(runtimePath, script, { mode: 0o755 });
    const options = { folder: join(folder, 'failing-exec'), runtimePath };
    const driver = await createOciDriver(systemClock, systemRandom, silentLog, options);
    try {
      const spec = { id: 'failing', limits, languageDir: null, runtimeDir: folder };
      const sandbox = await driver.create(spec);
      const beside = { ...command, channel: false };
      await assert.rejects(sandbox.startBeside(beside), SandboxStartError);
      await assert.rejects(sandbox.startBeside(beside), SandboxStartError);
      const argv = ['/bin/sh', '-c', 'grep -lz "^/bin/sleep$" /proc/[0-9]*/cmdline | wc -l'];
      const main = await sandbox.start({ ...beside, argv });
      assert.equal(await text(main.output), '0\n');
      await main.exited;
      await sandbox.destroy();
    } finally {
      await driver.close();
    }
    assert.deepEqual(readdirSync(options.folder), []);
  });

  test('two drivers in different folders do not touch each other', async () => {
    const create = (name: string) =>
      createOciDriver(systemClock, systemRandom, silentLog, {
        folder: join(folder, name),
        runtimePath: 'runc',
      });
    const [one, two] = [await create('one'), await create('two')];
    try {
      const spec = { id: 'same-id', limits, languageDir: null, runtimeDir: folder };
      const sandbox = await one.create(spec);
      const running = await sandbox.start(command);
      running.output.resume();
      const other = await two.create(spec);
      await other.destroy();
      await two.close();
      await (await create('two')).close();
      assert.equal(await Promise.race([running.exited, Promise.resolve('alive')]), 'alive');
    } finally {
      await two.close();
      await one.close();
    }
  });
});
