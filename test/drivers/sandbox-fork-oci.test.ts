/**
 * Copies of processes under the oci driver: which processes can be copied, that preparing one changes nothing for
 * whoever waits for its end, and that nothing of it is left.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { delay, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { instanceIdOf } from '../../src/sandbox/instance.ts';
import { createOciDriver } from '../../src/sandbox/oci/oci-driver.ts';
import type { Sandbox, SandboxDriver, SandboxProcess } from '../../src/sandbox/sandbox.ts';
import { dyingTemplate, template } from './forking-program.ts';

const limits = { memoryMb: 128, cpus: null, temporaryStorageMb: 512 };
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

interface Running {
  readonly sandbox: Sandbox;
  readonly process: SandboxProcess;
}

describe('copies of processes behind walls', { skip: !isRoot || process.arch !== 'x64' }, () => {
  let folder: string;
  let driver: SandboxDriver;
  let sequence = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-fork-'));
    const options = { folder: join(folder, 'run'), runtimePath: 'runc' };
    driver = await createOciDriver(systemClock, systemRandom, silentLog, options);
    assert.equal(driver.forks, 'prepared', driver.notices.join());
  });
  after(async () => {
    await driver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function create(startsAsCopy = false): Promise<Sandbox> {
    sequence += 1;
    const languageDir = null;
    const id = `fork-${sequence}`;
    return driver.create({ id, limits, languageDir, runtimeDir: folder, startsAsCopy });
  }

  const bind = (sandbox: Sandbox): Promise<void> =>
    sandbox.bind({ codeDir: folder, layerDirs: [], limits });

  async function start(program = template): Promise<Running> {
    const sandbox = await create();
    const argv = ['/usr/bin/python3', '-c', program];
    return { sandbox, process: await sandbox.start({ argv, env: {}, cwd: '/', channel: true }) };
  }

  async function prepared(program = template): Promise<Running> {
    const running = await start(program);
    await running.sandbox.prepareFork?.();
    await bind(running.sandbox);
    return running;
  }

  async function copy(source: Running): Promise<Running> {
    const sandbox = await create();
    await bind(sandbox);
    const copied = await sandbox.startFork?.({ ...source, request: Buffer.from('f') });
    assert(copied !== undefined);
    await once(copied.output, 'data');
    return { sandbox, process: copied };
  }

  /** Processes of root's that write the maps of copies. */
  function helpers(): string[] {
    const commands = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        } catch {
          return '';
        }
      });
    const name = `hearth-maps ${instanceIdOf(join(folder, 'run/oci'))}`;
    return commands.filter((line) => line.includes(name));
  }

  test('a copy ends with its own status or signal, and so does what was copied', async () => {
    const source = await prepared();
    const [one, two] = [await copy(source), await copy(source)];
    one.process.channel?.write('exit');
    assert.deepEqual(await one.process.exited, { code: 7, signal: null, outOfMemory: false });
    two.process.channel?.write('abort');
    assert.equal((await two.process.exited).signal, 'SIGABRT');
    await Promise.all([one.sandbox.destroy(), two.sandbox.destroy()]);
    source.process.channel?.end();
    assert.deepEqual(await source.process.exited, { code: 0, signal: null, outOfMemory: false });
    await source.sandbox.destroy();
  });

  test('copies made at once do not get in one another’s way', async () => {
    const [left, right] = [await prepared(), await prepared()];
    const copies = await Promise.all([left, right, left, right].map((source) => copy(source)));
    for (const one of copies) one.process.channel?.write('exit');
    for (const one of copies) assert.equal((await one.process.exited).code, 7);
    await Promise.all([...copies, left, right].map(({ sandbox }) => sandbox.destroy()));
  });

  test('a sandbox that was to hold the copy of a process that dies can start another', async (t) => {
    const source = await prepared(dyingTemplate);
    source.process.channel?.write('i');
    await once(source.process.output, 'data');
    const sandbox = await create(true);
    const server = createServer();
    await sandbox.serve(server);
    await bind(sandbox);
    t.after(() => Promise.all([sandbox.destroy(), source.sandbox.destroy()]));
    const request = Buffer.from('f');
    await assert.rejects(async () => sandbox.startFork?.({ ...source, request }), {
      name: 'SandboxStartError',
    });
    assert.equal(server.listening, false);
    assert.equal((await source.process.exited).code, 3);
    const script = 'ls -A /tmp; echo from >/tmp/it; echo end';
    const argv = ['/bin/sh', '-c', script];
    const started = await sandbox.start({ argv, env: {}, cwd: '/tmp', channel: false });
    assert.equal(String(await started.output.toArray()), 'end\n');
    assert.equal((await started.exited).code, 0);
    assert.equal(server.listening, true);
  });

  test('what was not prepared cannot be copied', async () => {
    const source = await start();
    await bind(source.sandbox);
    await assert.rejects(copy(source), { name: 'SandboxStartError' });
    await source.sandbox.destroy();
  });

  test('what may have run a function’s code cannot be prepared', async () => {
    const source = await start();
    await bind(source.sandbox);
    await assert.rejects(async () => source.sandbox.prepareFork?.(), { name: 'AssertionError' });
    await source.sandbox.destroy();
  });

  test('a process that has more than one thread, or has ended, cannot be prepared', async () => {
    const script =
      'import threading, time\nthreading.Thread(target=time.sleep, args=(9,)).start()\n' +
      'print(1, flush=True)\nimport os\nos.read(3, 1)';
    const sandbox = await create();
    const argv = ['/usr/bin/python3', '-c', script];
    const started = await sandbox.start({ argv, env: {}, cwd: '/', channel: true });
    await once(started.output, 'data');
    await assert.rejects(async () => sandbox.prepareFork?.(), { name: 'SandboxStartError' });
    await started.exited;
    await sandbox.destroy();
    const gone = await start();
    await gone.process.kill();
    await assert.rejects(async () => gone.sandbox.prepareFork?.());
    await gone.sandbox.destroy();
  });

  test('nothing of it is left when its sandbox is gone', async () => {
    const source = await prepared();
    assert(helpers().length > 0);
    await source.sandbox.destroy();
    for (let round = 0; helpers().length > 0; round += 1) {
      assert(round < 500, helpers().join());
      await delay(systemClock, 10);
    }
  });
});
