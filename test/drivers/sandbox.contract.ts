/**
 * What every sandbox driver must do, whatever its walls: the suite that each driver's test file runs.
 *
 * Real processes only. Everything a test makes lies in one temporary folder and is gone afterwards; the
 * last tests count what is left on the host.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { text } from 'node:stream/consumers';
import {
  SandboxStartError,
  type Sandbox,
  type SandboxCommand,
  type SandboxDriver,
  type SandboxLimits,
  type SandboxProcess,
} from '../../src/sandbox/sandbox.ts';

export interface ContractOptions {
  makeDriver(folder: string): Promise<SandboxDriver>;
  /** TypeScript expression that makes the driver from `folder`, with its imports, for another process. */
  readonly driverSource: string;
  /** The driver isolates: code is read-only, /tmp is bounded, paths are the real service's. */
  readonly walls: boolean;
  /** Why the suite cannot run here; false when it can. */
  readonly skip: string | false;
}

const LIMITS: SandboxLimits = { memoryMb: 256, cpus: null, temporaryStorageMb: 512 };
const PARALLEL_SANDBOXES = 16;
const NODE_LANGUAGE_DIR = dirname(dirname(process.execPath));
const repositoryRoot = join(import.meta.dirname, '../..');

export function sandboxContract(name: string, options: ContractOptions): void {
  describe(`sandbox driver ${name}`, { skip: options.skip }, () => {
    let folder = '';
    let driver: SandboxDriver;
    let sequence = 0;
    const made: Sandbox[] = [];

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'hearth sandbox-')); // paths with spaces work
      for (const part of ['code', 'layer-1', 'layer-2', 'runtime']) mkdirSync(join(folder, part));
      chmodSync(folder, 0o755);
      writeFileSync(join(folder, 'code', 'greeting'), 'from code\n');
      writeFileSync(join(folder, 'runtime', 'bootstrap'), 'runtime\n');
      mkdirSync(join(folder, 'layer-1', 'lib'));
      mkdirSync(join(folder, 'layer-2', 'lib'));
      writeFileSync(join(folder, 'layer-1', 'lib', 'both'), 'one\n');
      writeFileSync(join(folder, 'layer-1', 'lib', 'only-one'), 'one\n');
      writeFileSync(join(folder, 'layer-2', 'lib', 'both'), 'two\n');
      driver = await options.makeDriver(join(folder, 'run'));
      await driver.sweep();
    });

    after(async () => {
      await driver?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    async function create(limits: SandboxLimits = LIMITS): Promise<Sandbox> {
      sequence += 1;
      const id = `contract-${sequence}`;
      const spec = {
        id,
        limits,
        languageDir: NODE_LANGUAGE_DIR,
        runtimeDir: join(folder, 'runtime'),
      };
      const sandbox = await driver.create(spec);
      made.push(sandbox);
      return sandbox;
    }

    async function createBound(limits: SandboxLimits = LIMITS): Promise<Sandbox> {
      const sandbox = await create(limits);
      await sandbox.bind({ codeDir: join(folder, 'code'), layerDirs: [], limits });
      return sandbox;
    }

    function shell(
      sandbox: Sandbox,
      script: string,
      more: Partial<SandboxCommand> = {},
    ): Promise<SandboxProcess> {
      const argv = ['/bin/sh', '-c', script];
      const env = { PATH: '/usr/bin:/bin', HOME: '/' };
      return sandbox.start({ argv, env, cwd: '/', channel: false, ...more });
    }

    /** Runs a script to its end and gives its output. */
    async function run(
      sandbox: Sandbox,
      script: string,
      more: Partial<SandboxCommand> = {},
    ): Promise<string> {
      const started = await shell(sandbox, script, more);
      const output = await text(started.output);
      await started.exited;
      return output;
    }

    test('start after bind: code and layers are at their paths', async () => {
      const sandbox = await create();
      const layerDirs = [join(folder, 'layer-1'), join(folder, 'layer-2')];
      await sandbox.bind({ codeDir: join(folder, 'code'), layerDirs, limits: LIMITS });
      const { taskRoot, optRoot, runtimeDir } = sandbox.paths;
      const script = `cat '${taskRoot}/greeting' '${optRoot}/lib/both' '${optRoot}/lib/only-one' '${runtimeDir}/bootstrap'`;
      assert.equal(await run(sandbox, script), 'from code\ntwo\none\nruntime\n');
      if (options.walls) {
        assert.equal(taskRoot, '/var/task');
        assert.equal(optRoot, '/opt');
        assert.equal(sandbox.paths.temporaryDir, '/tmp');
      }
      await sandbox.destroy();
    });

    test('start before bind: code and layers appear in the running process', async () => {
      const sandbox = await create();
      const argv = [`${sandbox.paths.languageDir}/bin/node`, '-e', LATE_READER];
      const env = { HOME: '/' };
      const started = await sandbox.start({ argv, env, cwd: '/', channel: true });
      const output = text(started.output);
      await once(started.channel!, 'data'); // it runs
      const layerDirs = [join(folder, 'layer-1'), join(folder, 'layer-2')];
      await sandbox.bind({ codeDir: join(folder, 'code'), layerDirs, limits: LIMITS });
      const { taskRoot, optRoot } = sandbox.paths;
      started.channel!.write(JSON.stringify([`${taskRoot}/greeting`, `${optRoot}/lib/both`]));
      assert.equal(await output, 'from code\ntwo\n');
      assert.deepEqual(await started.exited, { code: 0, signal: null, outOfMemory: false });
      await sandbox.destroy();
    });

    test('bind: a single layer, then no layer', async () => {
      const one = await create();
      await one.bind({
        codeDir: join(folder, 'code'),
        layerDirs: [join(folder, 'layer-1')],
        limits: LIMITS,
      });
      assert.equal(await run(one, `cat '${one.paths.optRoot}/lib/both'`), 'one\n');
      const none = await createBound();
      assert.equal(await run(none, `ls '${none.paths.optRoot}'`), '');
      await Promise.all([one.destroy(), none.destroy()]);
    });

    test('start: environment and working folder are exactly the given ones', async () => {
      const sandbox = await createBound();
      const env = { A: '1', EMPTY: '', TEXT: 'two words "ä" \n end' };
      const argv = [
        `${sandbox.paths.languageDir}/bin/node`,
        '-p',
        'JSON.stringify([process.env, process.cwd()])',
      ];
      const started = await sandbox.start({
        argv,
        env,
        cwd: sandbox.paths.temporaryDir,
        channel: false,
      });
      const seen = JSON.parse(await text(started.output)) as unknown;
      assert.deepEqual(seen, [env, sandbox.paths.temporaryDir]);
      await sandbox.destroy();
    });

    test('start: a hostile environment and hostile arguments arrive unchanged', async () => {
      const sandbox = await createBound();
      const args = ['', '-x', '--', "it's", ...Object.values(HOSTILE_ENVIRONMENT)];
      const argv = [`${sandbox.paths.languageDir}/bin/node`, '-p', SHOW_PROCESS, '--', ...args];
      const command = { argv, env: HOSTILE_ENVIRONMENT, cwd: '/', channel: false };
      for (const attempt of ['first', 'again']) {
        const started = await sandbox.start(command);
        const seen = JSON.parse(await text(started.output)) as unknown;
        assert.deepEqual(seen, { env: HOSTILE_ENVIRONMENT, args, cwd: '/' }, attempt);
        await started.exited;
      }
      await sandbox.destroy();
    });

    test('start: an empty environment is empty, and a large one complete', async () => {
      const large = Object.fromEntries(
        Array.from({ length: 40 }, (_, index) => [`V${index}`, `${index}'"`.repeat(500)]),
      );
      for (const env of [{}, large]) {
        const sandbox = await createBound();
        const argv = [`${sandbox.paths.languageDir}/bin/node`, '-p', SHOW_PROCESS];
        const started = await sandbox.start({ argv, env, cwd: '/', channel: false });
        const seen = JSON.parse(await text(started.output)) as unknown;
        assert.deepEqual(seen, { env, args: [], cwd: '/' });
        await sandbox.destroy();
      }
    });

    test('start: working folder and executable may have any name', async () => {
      for (const name of ['two words', "it's", '-n', 'a=b', '$(exit)', 'new\nline', 'ä']) {
        const codeDir = mkdtempSync(join(folder, 'names-'));
        chmodSync(codeDir, 0o755);
        mkdirSync(join(codeDir, name));
        writeFileSync(join(codeDir, name, name), '#!/bin/sh\npwd; echo "$0"\n', { mode: 0o755 });
        const sandbox = await create();
        await sandbox.bind({ codeDir, layerDirs: [], limits: LIMITS });
        const cwd = `${sandbox.paths.taskRoot}/${name}`;
        const env = { PATH: '/usr/bin:/bin' };
        const started = await sandbox.start({ argv: [`${cwd}/${name}`], env, cwd, channel: false });
        assert.equal(await text(started.output), `${cwd}\n${cwd}/${name}\n`, name);
        await sandbox.destroy();
      }
    });

    test('start: in a missing working folder is a SandboxStartError', async () => {
      const sandbox = await createBound();
      const missing = shell(sandbox, 'echo no', { cwd: `${sandbox.paths.taskRoot}/no/such` });
      await assert.rejects(missing, SandboxStartError);
      assert.equal(await run(sandbox, 'echo fine'), 'fine\n');
      await sandbox.destroy();
    });

    test('start: the channel carries bytes both ways, and its end', async () => {
      const sandbox = await createBound();
      const started = await shell(sandbox, 'cat <&3 >&3; exec 3>&-; echo closed', {
        channel: true,
      });
      started.output.resume();
      const payload = Buffer.alloc(300_000, 'channel ');
      started.channel!.end(payload);
      const chunks: Buffer[] = [];
      for await (const chunk of started.channel!) chunks.push(chunk as Buffer);
      assert.ok(Buffer.concat(chunks).equals(payload));
      assert.equal((await started.exited).code, 0);
      await sandbox.destroy();
    });

    test('start: what was written to the channel before the end can be read after it', async () => {
      const sandbox = await createBound();
      const started = await shell(sandbox, 'echo last words >&3', { channel: true });
      started.output.resume();
      await started.exited;
      assert.equal(await text(started.channel!), 'last words\n');
      await sandbox.destroy();
    });

    test('start: output keeps the order of the two descriptors, and /dev/stderr opens', async () => {
      const sandbox = await createBound();
      const script =
        'for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done; echo again >/dev/stderr; echo more >/dev/stdout';
      const lines = [1, 2, 3, 4, 5].flatMap((i) => [`out ${i}`, `err ${i}`]);
      assert.equal(await run(sandbox, script), [...lines, 'again', 'more', ''].join('\n'));
      await sandbox.destroy();
    });

    test('start: standard input is empty', async () => {
      const sandbox = await createBound();
      assert.equal(await run(sandbox, 'cat; echo end'), 'end\n');
      await sandbox.destroy();
    });

    test('start: without a channel there is no descriptor 3', async () => {
      const sandbox = await createBound();
      assert.equal(await run(sandbox, '(true >&3) 2>/dev/null || echo none'), 'none\n');
      await sandbox.destroy();
    });

    test('exited: codes and signals are true', async () => {
      const sandbox = await createBound();
      const cases = [
        ['exit 0', { code: 0, signal: null, outOfMemory: false }],
        ['exit 137', { code: 137, signal: null, outOfMemory: false }],
        ['kill -TERM $$', { code: null, signal: 'SIGTERM', outOfMemory: false }],
        ['kill -KILL $$', { code: null, signal: 'SIGKILL', outOfMemory: false }],
        ['kill -ABRT $$', { code: null, signal: 'SIGABRT', outOfMemory: false }],
        ['kill -SEGV $$', { code: null, signal: 'SIGSEGV', outOfMemory: false }],
      ] as const;
      for (const [script, expected] of cases) {
        const started = await shell(sandbox, script);
        started.output.resume();
        assert.deepEqual(await started.exited, expected, script);
      }
      await sandbox.destroy();
    });

    test('start: what cannot be executed is a SandboxStartError, and the sandbox can still be used', async () => {
      const sandbox = await createBound();
      const command = { env: { HOME: '/' }, cwd: '/', channel: true };
      const missing = { ...command, argv: ['/no/such/file'] };
      await assert.rejects(sandbox.start(missing), SandboxStartError);
      const notExecutable = { ...command, argv: [`${sandbox.paths.taskRoot}/greeting`] };
      await assert.rejects(sandbox.start(notExecutable), SandboxStartError);
      await assert.rejects(sandbox.start({ ...missing, env: {} }), SandboxStartError);
      assert.equal(await run(sandbox, 'echo fine'), 'fine\n');
      await sandbox.destroy();
    });

    test('signal: SIGTERM reaches the main process, and nobody once it has ended', async () => {
      const sandbox = await createBound();
      const script = 'trap "echo term; exit 3" TERM; echo ready; while :; do sleep 0.05; done';
      const started = await shell(sandbox, script);
      const [first] = (await once(started.output, 'data')) as [Buffer];
      assert.equal(String(first), 'ready\n');
      started.signal('SIGTERM');
      assert.equal(await text(started.output), 'term\n');
      assert.equal((await started.exited).code, 3);
      started.signal('SIGKILL');
      await sandbox.destroy();
    });

    test('kill: ends children, grandchildren and those that left the session', async () => {
      const sandbox = await createBound();
      const marker = `${60_000 + sequence}.25`;
      const script = `sleep ${marker} & (sleep ${marker} & sleep ${marker}) &
        setsid sh -c 'sleep ${marker} >/dev/null 2>&1 & env -i setsid sleep ${marker}' >/dev/null 2>&1 3>&- &
        while [ $(ps ax -o args= 2>/dev/null | grep -c '^sleep ${marker}') -lt 5 ]; do sleep 0.01; done
        echo ready; sleep ${marker}`;
      const started = await shell(sandbox, script);
      await once(started.output, 'data');
      assert.ok(processesWith(`sleep\0${marker}`).length >= 5);
      const exit = await started.kill();
      assert.equal(exit.signal, 'SIGKILL');
      assert.deepEqual(processesWith(`sleep\0${marker}`), []);
      assert.deepEqual(await started.kill(), exit, 'again is the same');
      await sandbox.destroy();
    });

    test('exited: when the main process ends, the rest of the sandbox does', async () => {
      const sandbox = await createBound();
      const marker = `${61_000 + sequence}.25`;
      const script = `setsid sleep ${marker} >/dev/null 2>&1 & sleep ${marker} & sleep 0.1; exit 5`;
      const started = await shell(sandbox, script);
      started.output.resume();
      assert.equal((await started.exited).code, 5);
      assert.deepEqual(processesWith(`sleep\0${marker}`), []);
      await sandbox.destroy();
    });

    test('start again: /tmp is kept, the process is new', async () => {
      const sandbox = await createBound();
      const { temporaryDir } = sandbox.paths;
      assert.equal(await run(sandbox, `echo kept > '${temporaryDir}/file'; kill -KILL $$`), '');
      assert.equal(await run(sandbox, `cat '${temporaryDir}/file'`), 'kept\n');
      await sandbox.destroy();
    });

    test('bind: a different /tmp size than at create', async () => {
      const limits = { ...LIMITS, temporaryStorageMb: 700 };
      const sandbox = await create();
      const { temporaryDir } = sandbox.paths;
      const script = `read _ <&3; echo text > '${temporaryDir}/file'; df -m --output=size '${temporaryDir}' | tail -1`;
      const started = await shell(sandbox, script, { channel: true });
      await sandbox.bind({ codeDir: join(folder, 'code'), layerDirs: [], limits });
      started.channel!.end('go\n');
      const sizeMb = Number(await text(started.output));
      await started.exited;
      if (options.walls) assert.ok(sizeMb >= 700 && sizeMb < 760, `${sizeMb} MB`);
      assert.equal(await run(sandbox, `cat '${temporaryDir}/file'`), 'text\n');
      await sandbox.destroy();
    });

    test('code, layers, runtime and language are read-only', { skip: !options.walls }, async () => {
      const sandbox = await create();
      const started = await shell(sandbox, `read _ <&3; ${WRITE_EVERYWHERE}`, { channel: true });
      const layerDirs = [join(folder, 'layer-1')];
      await sandbox.bind({ codeDir: join(folder, 'code'), layerDirs, limits: LIMITS });
      started.channel!.end('go\n');
      const late = await text(started.output);
      await started.exited;
      const early = await run(sandbox, WRITE_EVERYWHERE);
      for (const output of [late, early]) assert.doesNotMatch(output, /written/);
      assert.equal(early.match(/Read-only file system/g)?.length, 5, early);
      await sandbox.destroy();
    });

    test('serve: a server is reachable from inside', async () => {
      const sandbox = await createBound();
      const server = createServer((incoming, response) =>
        response.end(`you asked ${incoming.url}`),
      );
      const address = await sandbox.serve(server);
      if (options.walls) assert.equal(address, '127.0.0.1:9001');
      for (const path of ['/first', '/after-restart']) {
        const argv = [
          `${sandbox.paths.languageDir}/bin/node`,
          '-e',
          FETCH,
          `http://${address}${path}`,
        ];
        const started = await sandbox.start({ argv, env: { HOME: '/' }, cwd: '/', channel: false });
        assert.equal(await text(started.output), `you asked ${path}`);
        await started.exited;
      }
      await sandbox.destroy();
      assert.equal(server.listening, false);
    });

    test('serve: a server is not reachable from the host', { skip: !options.walls }, async () => {
      const sandbox = await createBound();
      const server = createServer((_, response) => response.end('reached'));
      const [host, port] = (await sandbox.serve(server)).split(':');
      const error = await new Promise((resolve) => {
        request({ host, port }, resolve).on('error', resolve).end();
      });
      assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
      await sandbox.destroy();
    });

    test('freeze and thaw: progress stops and goes on', async () => {
      const sandbox = await createBound();
      const started = await shell(sandbox, 'while :; do echo tick; sleep 0.01; done');
      let ticks = 0;
      started.output.on('data', () => (ticks += 1));
      await once(started.output, 'data');
      sandbox.freeze();
      sandbox.freeze();
      await pause(50); // what is in the pipe arrives
      const frozenAt = ticks;
      await pause(150);
      assert.equal(ticks, frozenAt);
      sandbox.thaw();
      sandbox.thaw();
      await once(started.output, 'data');
      sandbox.freeze();
      assert.equal((await started.kill()).signal, 'SIGKILL', 'also while frozen');
      await sandbox.destroy();
    });

    test('destroy: while frozen, and again', async () => {
      const sandbox = await createBound();
      const started = await shell(sandbox, 'sleep 1000');
      started.output.resume();
      sandbox.freeze();
      await sandbox.destroy();
      await sandbox.destroy();
      assert.equal((await started.exited).signal, 'SIGKILL');
    });

    test('destroy: while a start and a bind are under way', async () => {
      const sandbox = await create();
      const limits = { ...LIMITS, temporaryStorageMb: 600 };
      const starting = shell(sandbox, 'sleep 1000');
      const binding = sandbox.bind({ codeDir: join(folder, 'code'), layerDirs: [], limits });
      const destroyed = sandbox.destroy();
      const [started] = await Promise.allSettled([starting, binding, destroyed]);
      if (started.status === 'fulfilled') {
        started.value.output.resume();
        await started.value.exited;
      }
      assert.ok(!existsSync(join(folder, 'run', driver.name, `contract-${sequence}`)));
      assert.ok(!existsSync(join(folder, 'run', driver.name, 'boxes', `contract-${sequence}`)));
    });

    test('memoryPeakBytes: what the processes used, and it never falls', async () => {
      const sandbox = await createBound();
      const argv = [`${sandbox.paths.languageDir}/bin/node`, '-e', USE_MEMORY];
      const started = await sandbox.start({ argv, env: { HOME: '/' }, cwd: '/', channel: false });
      await once(started.output, 'data');
      const megabytes = sandbox.memoryPeakBytes() / 2 ** 20;
      if (process.platform === 'linux')
        assert.ok(megabytes > 100 && megabytes < 250, `${megabytes} MB`);
      await started.kill();
      assert.ok(sandbox.memoryPeakBytes() / 2 ** 20 >= megabytes);
      await sandbox.destroy();
    });

    test('setCpus: the limit holds', { skip: !options.walls }, async () => {
      const sandbox = await createBound({ ...LIMITS, cpus: 0.2 });
      const argv = [`${sandbox.paths.languageDir}/bin/node`, '-e', BURN_CPU];
      const started = await sandbox.start({ argv, env: { HOME: '/' }, cwd: '/', channel: false });
      const share = Number(await text(started.output));
      assert.ok(share > 0.02 && share < 0.35, `${share} CPUs`);
      await started.exited;
      await sandbox.destroy();
    });

    test(`${PARALLEL_SANDBOXES} sandboxes at once`, async () => {
      const indexes = Array.from({ length: PARALLEL_SANDBOXES }, (_, index) => index);
      const outputs = await Promise.all(
        indexes.map(async (index) => {
          const sandbox = await createBound();
          const started = await shell(
            sandbox,
            `echo ${index} > '${sandbox.paths.temporaryDir}/own'; read _ <&3; cat '${sandbox.paths.temporaryDir}/own'`,
            { channel: true },
          );
          started.channel!.end('go\n');
          const output = await text(started.output);
          await started.exited;
          await sandbox.destroy();
          return output;
        }),
      );
      assert.deepEqual(
        outputs,
        indexes.map((index) => `${index}\n`),
      );
    });

    test('destroy: nothing is left on the host', async () => {
      await Promise.all(made.map((sandbox) => sandbox.destroy()));
      const runFolder = join(folder, 'run');
      const traces = (): number => hostTraces(runFolder).length;
      const descriptors = (): number => readdirSync('/proc/self/fd').length;
      await pause(300); // a few network namespaces are made in advance
      const [tracesBefore, descriptorsBefore] = [traces(), descriptors()];
      for (let round = 0; round < 6; round += 1) {
        const sandbox = await createBound();
        await sandbox.serve(createServer());
        const started = await shell(sandbox, 'echo up; sleep 1000', { channel: true });
        await once(started.output, 'data');
        await sandbox.destroy();
        await text(started.output);
        started.channel!.destroy();
      }
      // Network namespaces come and go by fours: each is one descriptor and one device.
      const slack = options.walls ? 4 : 0;
      await settled(() => traces() <= tracesBefore + slack);
      assert.ok(traces() <= tracesBefore + slack, hostTraces(runFolder).join('\n'));
      await settled(() => descriptors() <= descriptorsBefore + slack);
      assert.ok(descriptors() <= descriptorsBefore + slack);
      assert.ok(!existsSync(join(runFolder, driver.name, `contract-${sequence}`)));
    });

    test('sweep: finds and removes what a killed server left', async () => {
      const other = join(folder, 'other run');
      const server = spawn(
        process.execPath,
        ['--input-type=module-typescript', '-e', leftoverServer(options.driverSource)],
        {
          cwd: repositoryRoot,
          env: { ...process.env, FOLDER: other, BASE: folder },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const [line] = (await once(server.stdout, 'data')) as [Buffer];
      assert.equal(String(line), 'ready\n');
      server.kill('SIGKILL');
      await once(server, 'exit');
      const second = await options.makeDriver(other);
      try {
        const report = await second.sweep();
        assert.ok(report.processes >= 1, JSON.stringify(report));
        assert.ok(report.folders >= 2, JSON.stringify(report)); // what was made in advance, too
        assert.deepEqual(processesWith(`sleep\0${LEFT_MARKER}`), []);
      } finally {
        await second.close();
      }
      await settled(() => hostTraces(other).length === 0);
      assert.deepEqual(hostTraces(other), []);
    });

    test('close: nothing at all is left on the host', async () => {
      const sandbox = await createBound();
      const started = await shell(sandbox, 'sleep 1000');
      started.output.resume();
      await driver.close();
      await settled(() => hostTraces(join(folder, 'run')).length === 0);
      assert.deepEqual(hostTraces(join(folder, 'run')), []);
      assert.ok(!existsSync(join(folder, 'run', driver.name)));
    });
  });
}

const pause = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs));

/** Waits, for as long as the kernel may need to take things down, until `isDone`. */
async function settled(isDone: () => boolean): Promise<void> {
  for (let round = 0; round < 300 && !isDone(); round += 1) await pause(10);
}

/** Processes of the host whose command line contains the text. */
export function processesWith(commandLine: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(commandLine);
    } catch {
      return false;
    }
  });
}

/** Everything on the host that belongs to a driver made with `folder`, as far as it carries its name. */
export function hostTraces(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  const own = join(realpathSync(dirname(folder)), basename(folder));
  const instanceId = createHash('sha256').update(join(own, 'oci')).digest('hex').slice(0, 8);
  const escaped = own.replaceAll(' ', '\\040');
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return [
    ...mounts
      .filter((line) => line.includes(`${escaped}/`))
      .map((line) => `mount ${line.split(' ')[4]}`),
    ...processesWith(`hearth-init ${instanceId}`).map((pid) => `process ${pid}`),
    ...cgroupFolders(`hearth-${instanceId}`).map((path) => `cgroup ${path}`),
    ...namesIn('/sys/class/net', `h${instanceId}-`).map((name) => `device ${name}`),
    ...loopFiles(own).map((file) => `loop ${file}`),
  ];
}

function namesIn(folder: string, start: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(start));
}

function cgroupFolders(parent: string): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const roots = mounts
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4]!);
  const parents = roots.map((root) => join(root, parent)).filter((path) => existsSync(path));
  return parents.flatMap((path) => {
    const entries = readdirSync(path, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    return [path, ...entries.map((entry) => join(path, entry.name))];
  });
}

/** Files behind loop devices. */
function loopFiles(folder: string): string[] {
  return namesIn('/sys/block', 'loop').flatMap((name) => {
    try {
      const file = readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8');
      return file.startsWith(`${folder}/`) ? [file.trim()] : [];
    } catch {
      return [];
    }
  });
}

/** Characters that shells, `env` and JSON treat specially, and every byte that UTF-8 may continue with. */
const HOSTILE_ENVIRONMENT: Readonly<Record<string, string>> = {
  QUOTES: `'"'"'"\`' '\\'' '`,
  LINES: 'one\ntwo\r\n\n\tthree\n',
  EXPANSIONS: '$HOME ${PATH} $(id) `id` $((1+1)) !! ~ * ? [a-z] {a,b} # ; & | < > \\',
  UNICODE: `ä € 😀 ${String.fromCodePoint(...Array.from({ length: 64 }, (_, byte) => 0x100 + byte))}`,
  CONTROL: '\u0001\u0007\u001b[0m\u007f\u0080\u0081\u0088\u009f',
  EMPTY: '',
  EQUALS: '=a=b=',
  DASHES: '--unset=QUOTES -i',
  LONG: 'x y'.repeat(1400),
  'a name.with-signs': '1',
  '-i': '2',
  '--': '3',
  '-': '4',
  _: 'underscore',
  HOME: '/nowhere',
  PWD: '/not/here',
  OLDPWD: '-',
  SHLVL: 'many',
  IFS: 'abc',
  PATH: '',
  ENV: '/tmp/none',
  BASH_ENV: '/tmp/none',
  PS1: '$ ',
  OPTIND: 'x',
  PPID: '0',
  POSIXLY_CORRECT: '1',
  LC_ALL: 'de_DE.UTF-8',
};

const SHOW_PROCESS =
  'JSON.stringify({ env: process.env, args: process.argv.slice(1), cwd: process.cwd() })';

/** Reads the files it is told of through the channel, waiting for each to appear. */
const LATE_READER = `
const { existsSync, readFileSync, writeSync } = require('node:fs');
const channel = new (require('node:net').Socket)({ fd: 3 });
channel.write('booted');
channel.once('data', (names) => {
  for (const name of JSON.parse(names)) {
    while (!existsSync(name)) {}
    writeSync(1, readFileSync(name));
  }
  channel.destroy();
});`;

const FETCH = `fetch(process.argv[1]).then((r) => r.text()).then((t) => process.stdout.write(t))`;

const USE_MEMORY = `
globalThis.kept = Buffer.alloc(80 * 2 ** 20, 1);
console.log('used');
setInterval(() => {}, 1000);`;

const BURN_CPU = `
const start = performance.now();
while (performance.now() - start < 1000) {}
const { user, system } = process.cpuUsage();
console.log((user + system) / 1e6 / ((performance.now() - start) / 1000));`;

const WRITE_EVERYWHERE = ['/var/task', '/opt', '/var/runtime', '/var/lang', '/etc']
  .map((path) => `(echo x > ${path}/new) && echo written ${path}`)
  .join('; ');

/** Of this run: another may be going on beside it. */
const LEFT_MARKER = `77777.${process.pid}`;

/** A server that makes two sandboxes with two processes each, one frozen, says so, and waits to be killed. */
function leftoverServer(driverSource: string): string {
  return `
${driverSource}
const driver = await makeDriver(process.env.FOLDER);
const limits = { memoryMb: 128, cpus: null, temporaryStorageMb: 512 };
for (const id of ['left-1', 'left-2']) {
  const spec = { id, limits, languageDir: null, runtimeDir: process.env.BASE + '/runtime' };
  const sandbox = await driver.create(spec);
  await sandbox.bind({ codeDir: process.env.BASE + '/code', layerDirs: [], limits });
  const script = 'echo up; setsid sleep ${LEFT_MARKER} >/dev/null 2>&1 & sleep ${LEFT_MARKER}; sleep ${LEFT_MARKER}';
  const command = { argv: ['/bin/sh', '-c', script], env: { HOME: '/' }, cwd: '/', channel: true };
  const beside = await sandbox.startBeside({ ...command, channel: false });
  const started = await sandbox.start(command);
  for (const { output } of [beside, started]) {
    await new Promise((resolve) => output.once('data', resolve));
  }
  if (id === 'left-2') sandbox.freeze();
}
console.log('ready');
setInterval(() => {}, 1000);
`;
}
