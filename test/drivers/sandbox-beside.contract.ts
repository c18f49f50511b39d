/**
 * What every sandbox driver must do with processes beside the main one, with `kill` and with `connect`.
 * Real processes only, as in sandbox.contract.ts.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import {
  CONNECT_TIMEOUT_MS,
  PROCESSES_BESIDE_MAX,
  SandboxStartError,
  type Sandbox,
  type SandboxCommand,
  type SandboxDriver,
  type SandboxLimits,
} from '../../src/sandbox/sandbox.ts';
import { hostTraces, processesWith, type ContractOptions } from './sandbox.contract.ts';

const LIMITS: SandboxLimits = { memoryMb: 256, cpus: null, temporaryStorageMb: 512 };
const NODE_LANGUAGE_DIR = dirname(dirname(process.execPath));

export function besideContract(name: string, options: ContractOptions): void {
  describe(`sandbox driver ${name}, processes beside the main one`, { skip: options.skip }, () => {
    let folder = '';
    let driver: SandboxDriver;
    let sequence = 0;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'hearth-beside-'));
      for (const part of ['code', 'runtime']) mkdirSync(join(folder, part));
      driver = await options.makeDriver(join(folder, 'run'));
    });

    after(async () => {
      await driver?.close();
      const traces = hostTraces(join(folder, 'run'));
      rmSync(folder, { recursive: true, force: true });
      assert.deepEqual(traces, []);
    });

    async function create(limits: SandboxLimits = LIMITS): Promise<Sandbox> {
      sequence += 1;
      const sandbox = await driver.create({
        id: `beside-${sequence}`,
        limits,
        languageDir: NODE_LANGUAGE_DIR,
        runtimeDir: join(folder, 'runtime'),
      });
      await sandbox.bind({ codeDir: join(folder, 'code'), layerDirs: [], limits });
      return sandbox;
    }

    const shell = (script: string, more: Partial<SandboxCommand> = {}): SandboxCommand => ({
      argv: ['/bin/sh', '-c', script],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      channel: false,
      ...more,
    });

    const node = (sandbox: Sandbox, script: string): SandboxCommand =>
      shell('', { argv: [`${sandbox.paths.languageDir}/bin/node`, '-e', script] });

    test('one starts before the main process, one after it, each with its own output', async () => {
      const sandbox = await create();
      const early = await sandbox.startBeside(shell('echo early; echo error >&2; exec cat'));
      const main = await sandbox.start(shell('echo main; read _ <&3; exit 5', { channel: true }));
      const late = await sandbox.startBeside(shell('echo late; exit 7'));
      assert.equal(early.channel, null);
      assert.equal(await text(early.output), 'early\nerror\n', 'and standard input is empty');
      assert.equal(await text(late.output), 'late\n');
      assert.deepEqual(await late.exited, { code: 7, signal: null, outOfMemory: false });
      assert.equal((await early.exited).code, 0);
      main.channel!.end('go\n');
      assert.equal(await text(main.output), 'main\n');
      assert.equal((await main.exited).code, 5);
      await sandbox.destroy();
    });

    test('environment, arguments and working folder are exactly the given ones', async () => {
      const sandbox = await create();
      const env = { A: '1', EMPTY: '', TEXT: 'two words "ä" \n end' };
      const script = 'JSON.stringify([process.env, process.argv.slice(1), process.cwd()])';
      for (const given of [env, {}, { HOME: '' }, { HOME: '/nowhere' }]) {
        const cwd = sandbox.paths.temporaryDir;
        const argv = [
          `${sandbox.paths.languageDir}/bin/node`,
          '-p',
          script,
          '--',
          '',
          "it's",
          '-n',
        ];
        const beside = await sandbox.startBeside({ argv, env: given, cwd, channel: false });
        const seen = JSON.parse(await text(beside.output)) as unknown;
        assert.deepEqual(seen, [given, ['', "it's", '-n'], cwd]);
      }
      await sandbox.destroy();
    });

    test('no descriptor but its own three is open in it', async () => {
      const sandbox = await create();
      const count = node(sandbox, "console.log(require('node:fs').readdirSync('/proc/self/fd'))");
      const alone = await sandbox.start(count);
      const expected = await text(alone.output);
      await alone.exited;
      const main = await sandbox.start(shell('read _ <&3', { channel: true }));
      const beside = await sandbox.startBeside(count);
      assert.equal(await text(beside.output), expected);
      assert.equal((await main.kill()).signal, 'SIGKILL');
      await sandbox.destroy();
    });

    test('the end of one ends its group, and nothing else', async () => {
      const sandbox = await create();
      const marker = `${62_000 + sequence}.25`;
      const beside = await sandbox.startBeside(shell(`sleep ${marker} & echo up; read _; exit 3`));
      const main = await sandbox.start(shell('read _ <&3; echo alive', { channel: true }));
      assert.equal(await text(beside.output), 'up\n');
      assert.equal((await beside.exited).code, 3);
      await settled(() => processesWith(`sleep\0${marker}`).length === 0);
      main.channel!.end('go\n');
      assert.equal(await text(main.output), 'alive\n');
      await main.exited;
      await sandbox.destroy();
    });

    test('the end of the main process ends its group, and no other process', async () => {
      const sandbox = await create();
      const marker = `${63_000 + sequence}.25`;
      const beside = await sandbox.startBeside(
        shell('trap "echo term; exit 4" TERM; echo up; while :; do sleep 0.02; done'),
      );
      const lines = reader(beside.output);
      await lines.until('up\n');
      const main = await sandbox.start(shell(`sleep ${marker} & kill -SEGV $$`));
      main.output.resume();
      assert.equal((await main.exited).signal, 'SIGSEGV');
      await settled(() => processesWith(`sleep\0${marker}`).length === 0);
      await assert.rejects(sandbox.start(shell('echo no')), SandboxStartError);
      await assert.rejects(sandbox.startBeside(shell('echo no')), SandboxStartError);
      beside.signal('SIGTERM');
      assert.equal((await beside.exited).code, 4);
      await lines.until('up\nterm\n');
      beside.signal('SIGKILL');
      await sandbox.destroy();
    });

    test('signal and kill of one reach only that one', async () => {
      const sandbox = await create();
      const loop = shell('echo up; while :; do sleep 0.02; done');
      const [first, second] = await Promise.all([
        sandbox.startBeside(loop),
        sandbox.startBeside(loop),
      ]);
      const main = await sandbox.start(shell('echo up; read _ <&3; echo alive', { channel: true }));
      const outputs = [first, second, main].map(({ output }) => reader(output));
      await Promise.all(outputs.map((output) => output.until('up\n')));
      first.signal('SIGTERM');
      assert.equal((await first.exited).signal, 'SIGTERM');
      const exit = await second.kill();
      assert.equal(exit.signal, 'SIGKILL');
      assert.deepEqual(await second.kill(), exit);
      main.channel!.write('go\n');
      await outputs[2]!.until('up\nalive\n');
      await main.exited;
      await sandbox.destroy();
    });

    test('kill ends all, whatever they did, and the sandbox starts anew with /tmp as it was', async () => {
      const sandbox = await create();
      const file = `'${sandbox.paths.temporaryDir}/file'`;
      for (const round of [1, 2, 3]) {
        const marker = `${64_000 + sequence}.${round}5`;
        const leaver = `setsid sleep ${marker} >/dev/null 2>&1 & echo up; sleep ${marker}`;
        const besides = await Promise.all([1, 2, 3].map(() => sandbox.startBeside(shell(leaver))));
        const main = await sandbox.start(
          shell(`echo ${round} >> ${file}; cat ${file}; sleep ${marker}`),
        );
        const rounds = [1, 2, 3].slice(0, round).map((number) => `${number}\n`);
        await reader(main.output).until(rounds.join(''));
        for (const { output } of besides) await reader(output).until('up\n');
        await settled(() => processesWith(`sleep\0${marker}`).length === 7);
        if (round === 2) assert.equal((await main.kill()).signal, 'SIGKILL');
        if (round === 3) sandbox.freeze();
        await sandbox.kill();
        assert.deepEqual(processesWith(`sleep\0${marker}`), []);
        for (const { exited } of [main, ...besides]) assert.equal((await exited).signal, 'SIGKILL');
      }
      await sandbox.kill();
      await sandbox.destroy();
    });

    test('kill: while processes are being started', async () => {
      const sandbox = await create();
      const sleeper = shell('sleep 1000');
      const starts = [
        sandbox.startBeside(sleeper),
        sandbox.startBeside(sleeper),
        sandbox.start(sleeper),
      ];
      await sandbox.kill();
      for (const start of await Promise.allSettled(starts)) {
        if (start.status === 'rejected') assert.ok(start.reason instanceof SandboxStartError);
        else {
          start.value.output.resume();
          assert.equal((await start.value.exited).signal, 'SIGKILL');
        }
      }
      const again = await sandbox.start(shell('echo again'));
      assert.equal(await text(again.output), 'again\n');
      await sandbox.destroy();
    });

    test('destroy: while processes are being started, and with several', async () => {
      const starting = await create();
      const sleeper = shell('sleep 1000');
      const starts = [
        starting.startBeside(sleeper),
        starting.startBeside(sleeper),
        starting.start(sleeper),
      ];
      await starting.destroy();
      for (const start of await Promise.allSettled(starts)) {
        if (start.status === 'fulfilled') start.value.output.destroy();
      }
      const several = await create();
      const besides = await Promise.all([1, 2, 3, 4].map(() => several.startBeside(sleeper)));
      several.freeze();
      await several.destroy();
      for (const { output, exited } of besides) {
        output.resume();
        assert.equal((await exited).signal, 'SIGKILL');
      }
    });

    test('what cannot be started is a SandboxStartError and changes nothing', async () => {
      const sandbox = await create();
      const missing = { argv: ['/no/such/file'] };
      await assert.rejects(sandbox.startBeside(shell('', missing)), SandboxStartError);
      await assert.rejects(sandbox.startBeside(shell('', { cwd: '/no/such' })), SandboxStartError);
      const noChannel = sandbox.startBeside(shell('', { channel: true }));
      await assert.rejects(noChannel, { name: 'AssertionError' });
      const marker = `${65_000 + sequence}.25`;
      const main = await sandbox.start(shell(`setsid sleep ${marker} >/dev/null 2>&1 & echo fine`));
      assert.equal(await text(main.output), 'fine\n');
      await main.exited;
      assert.deepEqual(processesWith(`sleep\0${marker}`), [], 'nothing was started beside it');
      await sandbox.destroy();
    });

    test(`there may be ${PROCESSES_BESIDE_MAX}, and no more`, async () => {
      const sandbox = await create({ ...LIMITS, memoryMb: 1024 });
      const starts = Array.from({ length: PROCESSES_BESIDE_MAX }, () =>
        sandbox.startBeside(shell('sleep 1000')),
      );
      await assert.rejects(sandbox.startBeside(shell('true')), SandboxStartError);
      const besides = await Promise.all(starts);
      for (const { output } of besides) output.resume();
      await assert.rejects(sandbox.startBeside(shell('true')), SandboxStartError);
      await besides[0]!.kill();
      const last = await sandbox.startBeside(shell('echo last'));
      assert.equal(await text(last.output), 'last\n');
      await sandbox.destroy();
    });

    test('a main process that is too long for a line, beside another', async () => {
      const sandbox = await create();
      const beside = await sandbox.startBeside(shell('sleep 1000'));
      beside.output.resume();
      const long = 'x'.repeat(100_000);
      const main = await sandbox.start(
        shell(`echo ${long}; read line <&3; echo $line`, { channel: true }),
      );
      main.channel!.end('go\n');
      assert.equal(await text(main.output), `${long}\ngo\n`);
      assert.equal((await main.exited).code, 0);
      await sandbox.kill();
      assert.equal((await beside.exited).signal, 'SIGKILL');
      await sandbox.destroy();
    });

    test('freeze and thaw: all stop and all go on', async () => {
      const sandbox = await create();
      const ticker = shell('while :; do echo tick; sleep 0.01; done');
      const besides = await Promise.all([sandbox.startBeside(ticker), sandbox.startBeside(ticker)]);
      const outputs = [await sandbox.start(ticker), ...besides].map(({ output }) => reader(output));
      await Promise.all(outputs.map(({ more }) => more()));
      sandbox.freeze();
      await pause(50); // what is in the pipes arrives
      const frozenAt = outputs.map(({ length }) => length());
      await pause(100);
      assert.deepEqual(
        outputs.map(({ length }) => length()),
        frozenAt,
      );
      sandbox.thaw();
      await Promise.all(outputs.map(({ more }) => more()));
      await sandbox.destroy();
    });

    test('freeze: what is being started stops once it is', async () => {
      const sandbox = await create();
      const ticker = shell('while :; do echo tick; sleep 0.01; done');
      const starting = sandbox.startBeside(ticker);
      sandbox.freeze();
      const output = reader((await starting).output);
      await pause(50);
      const frozenAt = output.length();
      await pause(100);
      assert.equal(output.length(), frozenAt);
      sandbox.thaw();
      await output.more();
      await sandbox.destroy();
    });

    test(
      'memoryPeakBytes: of all processes together',
      { skip: process.platform !== 'linux' },
      async () => {
        const sandbox = await create();
        const use = node(
          sandbox,
          "globalThis.kept = Buffer.alloc(60 << 20, 1); console.log('used'); setInterval(() => {}, 1000)",
        );
        const started = [await sandbox.startBeside(use), await sandbox.start(use)];
        for (const { output } of started) await reader(output).until('used\n');
        const megabytes = sandbox.memoryPeakBytes() / 2 ** 20;
        assert.ok(megabytes > 140 && megabytes <= 256, `${megabytes} MB`);
        await sandbox.destroy();
      },
    );

    test(
      'the memory limit is for all together; whom it kills knows',
      { skip: !options.walls },
      async () => {
        const sandbox = await create({ ...LIMITS, memoryMb: 128 });
        const main = await sandbox.start(shell('echo up; read _ <&3; exit 0', { channel: true }));
        await reader(main.output).until('up\n');
        const before = await sandbox.startBeside(shell('exit 1'));
        before.output.resume();
        assert.equal((await before.exited).outOfMemory, false);
        const beside = await sandbox.startBeside(node(sandbox, 'Buffer.alloc(200 << 20, 1)'));
        beside.output.resume();
        assert.deepEqual(await beside.exited, { code: null, signal: 'SIGKILL', outOfMemory: true });
        assert.equal(sandbox.memoryPeakBytes(), 128 << 20);
        const after = await sandbox.startBeside(shell('exit 0'));
        after.output.resume();
        assert.equal((await after.exited).outOfMemory, false, 'it came later');
        await sandbox.kill();
        const anew = await sandbox.start(shell('exit 0'));
        anew.output.resume();
        assert.equal((await anew.exited).outOfMemory, false);
        await sandbox.destroy();
      },
    );

    test('connect: reaches a listener inside, and is refused where there is none', async () => {
      const sandbox = await create();
      const listener = await sandbox.startBeside(node(sandbox, ECHO_SERVER));
      const port = Number(await firstLine(listener.output));
      const socket = await sandbox.connect(port);
      socket.end('hello');
      assert.equal(await text(socket), 'hello');
      const open = await sandbox.connect(port);
      const closed = new Promise((resolve) => open.once('close', resolve));
      await listener.kill();
      await assert.rejects(sandbox.connect(port), { code: 'ECONNREFUSED' });
      await sandbox.destroy();
      await closed;
      await assert.rejects(sandbox.connect(port), /destroyed/);
    });

    test('connect: by the name that subscribers use inside', { skip: !options.walls }, async () => {
      const sandbox = await create();
      const script = ECHO_SERVER.replace('127.0.0.1', 'sandbox.localdomain');
      const listener = await sandbox.startBeside(node(sandbox, script));
      const socket = await sandbox.connect(Number(await firstLine(listener.output)));
      socket.end('hello');
      assert.equal(await text(socket), 'hello');
      await sandbox.destroy();
    });

    test(`connect: gives up after ${CONNECT_TIMEOUT_MS} ms`, async () => {
      const sandbox = await create();
      const listener = await sandbox.startBeside(node(sandbox, DEAF_SERVER));
      const port = Number(await firstLine(listener.output));
      sandbox.freeze();
      // Nobody accepts: the kernel takes as many as the listener's queue holds, and then no more.
      const connects = Array.from({ length: 4 }, () => sandbox.connect(port));
      const results = await Promise.allSettled(connects);
      const reasons = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason] : [],
      );
      assert.ok(reasons.length > 0);
      for (const reason of reasons)
        assert.equal((reason as NodeJS.ErrnoException).code, 'ETIMEDOUT');
      await sandbox.destroy();
    });

    test(
      'nothing is left on the host, descriptors included',
      { skip: process.platform !== 'linux' },
      async () => {
        const runFolder = join(folder, 'run');
        const round = async (): Promise<void> => {
          const sandbox = await create();
          const listener = await sandbox.startBeside(node(sandbox, ECHO_SERVER));
          const port = Number(await firstLine(listener.output));
          const main = await sandbox.start(shell('sleep 1000', { channel: true }));
          await sandbox.connect(port);
          await sandbox.kill();
          const again = await sandbox.startBeside(shell('sleep 1000'));
          await assert.rejects(
            sandbox.startBeside(shell('', { argv: ['/none'] })),
            SandboxStartError,
          );
          await sandbox.destroy();
          for (const { output, channel } of [listener, main, again]) {
            output.destroy();
            channel?.destroy();
          }
        };
        await round();
        await pause(300); // network namespaces and boxes are made in advance
        const descriptors = (): number => readdirSync('/proc/self/fd').length;
        const traces = (): number => hostTraces(runFolder).length;
        const [descriptorsBefore, tracesBefore] = [descriptors(), traces()];
        for (let count = 0; count < 5; count += 1) await round();
        const slack = options.walls ? 4 : 0; // network namespaces come and go by fours
        await settled(
          () => descriptors() <= descriptorsBefore + slack && traces() <= tracesBefore + slack,
        );
      },
    );
  });
}

/** Collects an output; `until` resolves when it is exactly that, `more` when anything was added. */
function reader(output: Readable): {
  until(expected: string): Promise<void>;
  more(): Promise<unknown>;
  length(): number;
} {
  let received = '';
  output.on('data', (chunk: Buffer) => (received += String(chunk)));
  return {
    until: async (expected) => {
      while (received.length < expected.length) await once(output, 'data');
      assert.equal(received, expected);
    },
    more: () => once(output, 'data'),
    length: () => received.length,
  };
}

async function firstLine(output: Readable): Promise<string> {
  const [line] = (await once(output, 'data')) as [Buffer];
  return String(line).trim();
}

const pause = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs));

/** Fails when it takes longer than the kernel needs to take things down. */
async function settled(isDone: () => boolean): Promise<void> {
  for (let round = 0; round < 500 && !isDone(); round += 1) await pause(10);
  assert.ok(isDone(), `still not: ${isDone.toString()}`);
}

/** Prints its port; sends back what it gets. */
const ECHO_SERVER = `
const server = require('node:net').createServer((socket) => socket.pipe(socket));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

/** Prints its port; its queue has room for two connections. */
const DEAF_SERVER = ECHO_SERVER.replace("'127.0.0.1',", "'127.0.0.1', 1,");
