/**
 * Sandboxes of the OCI driver that start in a box made in advance: what the contract promises holds there
 * too, and the boxes come and go as they should.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import {
  BLANK_BOXES_MAX,
  POSTPONED_MS_MAX,
  QUIET_MS,
  RETRY_MS,
} from '../../src/sandbox/oci/blank-boxes.ts';
import { createOciDriver, type OciSandboxDriver } from '../../src/sandbox/oci/oci-driver.ts';
import {
  SandboxStartError,
  type Sandbox,
  type SandboxLimits,
  type SandboxProcess,
} from '../../src/sandbox/sandbox.ts';
import { hostTraces } from './sandbox.contract.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const LIMITS: SandboxLimits = { memoryMb: 256, cpus: null, temporaryStorageMb: 512 };
const languageDir = dirname(dirname(process.execPath));
const repositoryRoot = join(import.meta.dirname, '../..');

describe('blank boxes', { skip: isRoot ? false : 'containers need root on Linux' }, () => {
  let folder = '';
  let driver: OciSandboxDriver;
  let sequence = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-blank-'));
    for (const name of ['code', 'runtime']) mkdirSync(join(folder, name));
    driver = await makeDriver('run');
  });
  after(async () => {
    await driver?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function makeDriver(name: string, blankBoxes?: number): Promise<OciSandboxDriver> {
    return createOciDriver(systemClock, systemRandom, silentLog, {
      folder: join(folder, name),
      runtimePath: 'runc',
      ...(blankBoxes === undefined ? {} : { blankBoxes }),
    });
  }

  const boxesOf = (name: string): string[] => readdirSync(join(folder, name, 'oci', 'boxes'));

  async function create(limits = LIMITS, from = driver): Promise<Sandbox> {
    sequence += 1;
    const id = `from-blank-${sequence}`;
    return from.create({ id, limits, languageDir, runtimeDir: join(folder, 'runtime') });
  }

  function shell(sandbox: Sandbox, script: string, channel = false): Promise<SandboxProcess> {
    const env = { PATH: '/usr/bin:/bin' };
    return sandbox.start({ argv: ['/bin/sh', '-c', script], env, cwd: '/tmp', channel });
  }

  async function run(sandbox: Sandbox, script: string): Promise<string> {
    const started = await shell(sandbox, script);
    const output = await text(started.output);
    await started.exited;
    return output;
  }

  test('they are made some time after the driver, as many as wanted', async () => {
    const startedMs = performance.now();
    const own = await makeDriver('count', 3);
    try {
      assert.equal(own.blankBoxesWaiting, 0);
      await waitFor(() => own.blankBoxesWaiting === 3);
      assert.ok(performance.now() - startedMs >= 3 * QUIET_MS);
      await pause(2 * QUIET_MS);
      assert.deepEqual(boxesOf('count').sort(), ['blank_1', 'blank_2', 'blank_3']);
    } finally {
      await own.close();
    }
    assert.deepEqual(hostTraces(join(folder, 'count')), []);
  });

  test('none when none are wanted, and a number out of range is refused', async () => {
    const own = await makeDriver('none', 0);
    try {
      const sandbox = await create(LIMITS, own);
      assert.equal(await run(sandbox, 'echo works'), 'works\n');
      await sandbox.destroy();
      await pause(2 * QUIET_MS);
      assert.deepEqual(boxesOf('none'), []);
    } finally {
      await own.close();
    }
    for (const count of [-1, 0.5, BLANK_BOXES_MAX + 1]) {
      await assert.rejects(makeDriver('range', count), /blank boxes/);
    }
  });

  test('a sandbox takes one, for itself alone, and it is replaced', async () => {
    await waitFor(() => driver.blankBoxesWaiting === 2);
    const sandboxes = await Promise.all([create(), create(), create()]);
    assert.equal(driver.blankBoxesWaiting, 0);
    assert.equal(sandboxes.filter(({ isFromStandby }) => isFromStandby).length, 2);
    const boxes = await Promise.all(
      sandboxes.map((sandbox) => run(sandbox, 'grep -o "boxes/[^/]*" /proc/self/mountinfo | uniq')),
    );
    assert.equal(new Set(boxes).size, 3, boxes.join());
    assert.equal(boxes.filter((name) => name.startsWith('boxes/blank_')).length, 2, boxes.join());
    await Promise.all(sandboxes.map((sandbox) => sandbox.destroy()));
    await waitFor(() => driver.blankBoxesWaiting === 2);
    const names = boxesOf('run');
    for (const used of boxes) assert.ok(!names.includes(used.trim().slice(6)), used);
  });

  test('code, language and runtime appear, before and after the start', async () => {
    const sandbox = await createFromBlank();
    const started = await shell(sandbox, 'read _ <&3; ls -d /var/*/* /opt/* | wc -l', true);
    await sandbox.bind({
      codeDir: join(repositoryRoot, 'docs'),
      layerDirs: [join(repositoryRoot, 'docs')],
      limits: LIMITS,
    });
    started.channel!.end('go\n');
    const late = Number(await text(started.output));
    const count = readdirSync(join(repositoryRoot, 'docs')).length;
    assert.equal(late, 2 * count + readdirSync(languageDir).length);
    await started.exited;
    await sandbox.destroy();
  });

  test('the status, a signal and the end of the channel are true', async () => {
    for (const [script, code, signal] of [
      ['exit 7', 7, null],
      ['kill -SEGV $$', null, 'SIGSEGV'],
    ] as const) {
      const sandbox = await createFromBlank();
      const started = await shell(sandbox, `echo last >&3; ${script}`, true);
      started.output.resume();
      assert.deepEqual(await started.exited, { code, signal, outOfMemory: false });
      assert.equal(await text(started.channel!), 'last\n');
      await sandbox.destroy();
    }
  });

  test('what cannot be started is an error, and the sandbox can still be used', async () => {
    const sandbox = await createFromBlank();
    const command = { env: {}, cwd: '/', channel: false };
    await assert.rejects(sandbox.start({ ...command, argv: ['/no/such/file'] }), SandboxStartError);
    const nowhere = { argv: ['/bin/true'], env: {}, cwd: '/no/such/folder', channel: false };
    await assert.rejects(sandbox.start(nowhere), SandboxStartError);
    assert.equal(await run(sandbox, 'echo fine'), 'fine\n');
    await sandbox.destroy();
  });

  test('a command too long for a line is started the ordinary way', async () => {
    const sandbox = await createFromBlank();
    const long = 'x'.repeat(100_000);
    assert.equal(await run(sandbox, `echo ${long}`), `${long}\n`);
    await sandbox.destroy();
  });

  test('a waiting shell that dies is replaced, and one that dies when taken does no harm', async () => {
    await waitFor(() => driver.blankBoxesWaiting === 2 && waitingShells().length === 2);
    const before = boxesOf('run');
    for (const pid of waitingShells()) process.kill(pid, 'SIGKILL');
    await waitFor(() => boxesOf('run').length === 0);
    assert.equal(driver.blankBoxesWaiting, 0);
    const sandbox = await create(); // before the driver tries again by itself
    const taken = await createFromBlank();
    assert.ok(!before.some((name) => boxesOf('run').includes(name)));
    const shells = waitingShells();
    for (const pid of shells) process.kill(pid, 'SIGKILL');
    await waitFor(() => !shells.some((pid) => existsSync(`/proc/${pid}`)));
    assert.equal(await run(taken, 'echo alive'), 'alive\n');
    await waitFor(() => driver.blankBoxesWaiting === 0);
    await (await create()).destroy();
    await Promise.all([sandbox.destroy(), taken.destroy()]);
  });

  test('a runtime that fails for a while: nothing is left, and it is tried again later', async () => {
    const runtimePath = join(folder, 'failing-runtime');
    const works = join(folder, 'works');
    writeFileSync(runtimePath, `#!/bin/sh\n[ -e '${works}' ] && exec runc "$@"\nexit 1\n`);
    chmodSync(runtimePath, 0o755);
    let retries = 0;
    const clock: Clock = {
      ...systemClock,
      schedule: (delayMs, callback) => {
        if (delayMs !== RETRY_MS) return systemClock.schedule(delayMs, callback);
        retries += 1;
        return systemClock.schedule(QUIET_MS, callback);
      },
    };
    const options = { folder: join(folder, 'failing'), runtimePath };
    const own = await createOciDriver(clock, systemRandom, silentLog, options);
    try {
      await waitFor(() => retries === 2);
      assert.deepEqual(boxesOf('failing'), []);
      writeFileSync(works, '');
      await waitFor(() => own.blankBoxesWaiting === 2);
    } finally {
      await own.close();
    }
    assert.deepEqual(hostTraces(join(folder, 'failing')), []);
  });

  test('the memory limit is the sandbox’s, smaller or larger than a blank box has', async () => {
    const allocate = (megabytes: number) => ({
      argv: ['/var/lang/bin/node', '-e', `Buffer.alloc(${megabytes} * 2 ** 20, 1)`],
      env: {},
      cwd: '/',
      channel: false,
    });
    for (const [memoryMb, megabytes, fits] of [
      [64, 100, false],
      [512, 300, true],
    ] as const) {
      const sandbox = await createFromBlank({ ...LIMITS, memoryMb });
      const started = await sandbox.start(allocate(megabytes));
      started.output.resume();
      const exit = await started.exited;
      assert.equal(exit.outOfMemory, !fits, JSON.stringify(exit));
      assert.equal(exit.code, fits ? 0 : null);
      assert.ok(sandbox.memoryPeakBytes() >= Math.min(memoryMb, megabytes) * 2 ** 20);
      await sandbox.destroy();
    }
  });

  test('the CPU limit is the sandbox’s', async () => {
    const sandbox = await createFromBlank({ ...LIMITS, cpus: 0.2 });
    const script = `
      const start = performance.now();
      while (performance.now() - start < 600) {}
      const { user, system } = process.cpuUsage();
      console.log((user + system) / 1e6 / ((performance.now() - start) / 1000));`;
    const argv = ['/var/lang/bin/node', '-e', script];
    const started = await sandbox.start({ argv, env: {}, cwd: '/', channel: false });
    const share = Number(await text(started.output));
    assert.ok(share < 0.4, `${share} CPUs`);
    await sandbox.destroy();
  });

  for (const temporaryStorageMb of [512, 600, 1024]) {
    test(`/tmp has ${temporaryStorageMb} MB, is empty and stays over a second start`, async () => {
      const sandbox = await createFromBlank({ ...LIMITS, temporaryStorageMb });
      const script = 'ls -A /tmp; df -m --output=avail /tmp | tail -1; echo kept > /tmp/file';
      const sizeMb = Number(await run(sandbox, script));
      assert.ok(sizeMb >= temporaryStorageMb && sizeMb < temporaryStorageMb * 1.1, `${sizeMb} MB`);
      assert.equal(await run(sandbox, 'cat /tmp/file'), 'kept\n');
      await sandbox.destroy();
    });
  }

  test('destroy: of a sandbox that was never started', async () => {
    const sandbox = await createFromBlank();
    await sandbox.destroy();
    await sandbox.destroy();
    assert.ok(boxesOf('run').length <= 2);
  });

  test('a steady load does not put them off for ever', async () => {
    await waitFor(() => driver.blankBoxesWaiting === 2);
    const sandboxes = [await create(), await create()];
    const until = performance.now() + POSTPONED_MS_MAX + 2_000;
    while (driver.blankBoxesWaiting === 0 && performance.now() < until) {
      sandboxes.push(await create());
      await run(sandboxes.at(-1)!, 'true');
      await sandboxes.pop()!.destroy();
    }
    assert.ok(performance.now() < until);
    await Promise.all(sandboxes.map((sandbox) => sandbox.destroy()));
  });

  test('a burst of more sandboxes than boxes', async () => {
    await waitFor(() => driver.blankBoxesWaiting === 2);
    const outputs = await Promise.all(
      Array.from({ length: 16 }, async (_, index) => {
        const sandbox = await create();
        await sandbox.bind({ codeDir: join(folder, 'code'), layerDirs: [], limits: LIMITS });
        const output = await run(sandbox, `echo ${index} >> /tmp/own; cat /tmp/own`);
        await sandbox.destroy();
        return output;
      }),
    );
    assert.deepEqual(
      outputs,
      Array.from({ length: 16 }, (_, index) => `${index}\n`),
    );
  });

  test('close: while a box is being made, at any point of it', async () => {
    for (const delayMs of [0, 5, 20, 40]) {
      const own = await makeDriver('closing');
      await waitFor(() => boxesOf('closing').length > 0);
      await pause(delayMs);
      await own.close();
      assert.deepEqual(hostTraces(join(folder, 'closing')), [], `after ${delayMs} ms`);
      assert.ok(!existsSync(join(folder, 'closing', 'oci')));
    }
  });

  test('close: leaves no descriptor behind', async () => {
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    await waitFor(() => driver.blankBoxesWaiting === 2);
    const before = descriptors();
    for (let round = 0; round < 3; round += 1) {
      const own = await makeDriver('descriptors');
      await waitFor(() => own.blankBoxesWaiting === 2);
      await own.close();
    }
    await waitFor(() => descriptors() <= before);
  });

  test('a killed server takes them along, and the next one sweeps the rest', async () => {
    const source = `
      import { systemClock, type Clock } from './src/base/clock.ts';
      import { silentLog } from './src/base/log.ts';
      import { systemRandom } from './src/base/random.ts';
      import { createOciDriver } from './src/sandbox/oci/oci-driver.ts';
      const options = { folder: process.env.FOLDER, runtimePath: 'runc' };
      const driver = await createOciDriver(systemClock, systemRandom, silentLog, options);
      while (driver.blankBoxesWaiting < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      console.log('ready');
      setInterval(() => {}, 1000);`;
    const run = join(folder, 'killed');
    const server = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
      cwd: repositoryRoot,
      env: { ...process.env, FOLDER: run },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    assert.equal(String(line), 'ready\n');
    server.kill('SIGKILL');
    await once(server, 'exit');
    await waitFor(() => !hostTraces(run).some((trace) => trace.startsWith('process')));
    const second = await makeDriver('killed', 0);
    const report = await second.sweep();
    assert.equal(report.folders, 2, JSON.stringify(report));
    await second.close();
    await waitFor(() => hostTraces(run).length === 0);
  });

  /** A sandbox that certainly got a blank box. */
  async function createFromBlank(limits = LIMITS): Promise<Sandbox> {
    await waitFor(() => driver.blankBoxesWaiting > 0);
    return create(limits);
  }

  /** Main processes of boxes that wait for a command: the test's own sandboxes run something else. */
  function waitingShells(): number[] {
    const boxes = boxesOf('run').map((name) => join(folder, 'run/oci/boxes', name, 'bundle/pid'));
    const pids = boxes.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
    return pids.map(Number).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1') === '/bin/sh\0';
      } catch {
        return false;
      }
    });
  }
});

const pause = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs));

/** Fails when it takes longer than anything here should. */
async function waitFor(isDone: () => boolean): Promise<void> {
  for (let round = 0; round < 1000 && !isDone(); round += 1) await pause(10);
  assert.ok(isDone(), `still not: ${isDone.toString()}`);
}
