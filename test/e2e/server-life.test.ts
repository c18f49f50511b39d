/**
 * How the whole program starts, refuses to start, and ends, with requests in flight and without; and
 * that what a client or a small host does to it costs nobody else anything.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test, type TestContext } from 'node:test';
import { deploy, invoke } from './functions.ts';
import { drivers, HearthProcess, launcher } from './hearth-process.ts';

const sleeper = {
  files: {
    'index.js': `exports.handler = async ({ ms = 0, said }) => {
      if (said !== undefined) console.log(said);
      await new Promise((resolve) => setTimeout(resolve, ms));
      return 'slept';
    };`,
  },
  Timeout: 60,
};

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** A server that is expected to end by itself. */
async function runToEnd(...args: readonly string[]): Promise<Ended> {
  const child = spawn(launcher, ['serve', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [stderr, [code]] = await Promise.all([
    buffer(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stderr: stderr.toString() };
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-life-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Until the server has printed `text`, which a function said. */
async function printed(hearth: HearthProcess, text: string): Promise<void> {
  while (!hearth.stderr.includes(text)) await once(hearth.child.stderr!, 'data');
}

describe('a server that cannot start says why in one line, and ends', () => {
  test('port in use', async (t) => {
    const folder = await temporaryFolder(t);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const address = other.address();
    assert(typeof address === 'object' && address !== null);
    const port = String(address.port);
    const { code, stderr } = await runToEnd('--port', port, '--data', folder);
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`${port}: another program has this port; choose one with --port`),
    );
    assert.doesNotMatch(stderr, /^\s+at /m);
  });

  test('an address that is not this machine’s', async (t) => {
    const folder = await temporaryFolder(t);
    const flags = ['--port', '0', '--data', folder, '--host', '192.0.2.1', '--insecure'];
    const { code, stderr } = await runToEnd(...flags);
    assert.equal(code, 1);
    assert.match(stderr, /192\.0\.2\.1.*not an address of this machine/);
    assert.doesNotMatch(stderr, /^\s+at /m);
  });

  test('a data folder that cannot be', async (t) => {
    const file = join(await temporaryFolder(t), 'file');
    await writeFile(file, '');
    for (const data of [file, join(file, 'below')]) {
      const { code, stderr } = await runToEnd('--port', '0', '--data', data);
      assert.equal(code, 1);
      assert.match(stderr, /hearth: the data folder \S+ cannot be used: /);
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
  });

  test('a data folder that another server has', async (t) => {
    const hearth = await HearthProcess.start({ driver: 'process', flags: ['--pool-size', '0'] });
    t.after(() => hearth.stopAndRemove());
    const { code, stderr } = await runToEnd('--port', '0', '--data', hearth.dataFolder);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`is in use by process ${hearth.pid}`));
    assert.equal((await fetch(`${hearth.url}/healthz`)).status, 200);
  });

  test('an OCI runtime that is missing', async (t) => {
    const folder = await temporaryFolder(t);
    const flags = ['--sandbox', 'oci', '--runtime-path', '/nonexistent/runc'];
    const { code, stderr } = await runToEnd('--port', '0', '--data', folder, ...flags);
    assert.equal(code, 1);
    assert.match(stderr, /hearth: .*(\/nonexistent\/runc|root|Linux)/);
  });
});

for (const driver of drivers) {
  describe(`the end of a server on the ${driver} driver`, () => {
    test('SIGTERM lets a request in flight finish, and then ends with status 0', async (t) => {
      const hearth = await HearthProcess.start({ driver, flags: ['--function-logs'] });
      t.after(() => hearth.stopAndRemove());
      await deploy(hearth.client, 'sleeper', sleeper);
      const inFlight = invoke(hearth.client, 'sleeper', { ms: 1000, said: 'begun' });
      await printed(hearth, 'begun');
      const exited = once(hearth.child, 'exit');
      hearth.child.kill('SIGTERM');
      await printed(hearth, 'stopping');
      await assert.rejects(fetch(`${hearth.url}/healthz`), 'no new connection is taken');
      const answer = await inFlight;
      assert.equal(answer.result, 'slept');
      assert.match(answer.log, /^REPORT RequestId/m);
      assert.deepEqual(await exited, [0, null]);
    });

    test('a second SIGTERM ends at once, and the next start finds nothing in its way', async (t) => {
      const flags = ['--function-logs'];
      const hearth = await HearthProcess.start({ driver, flags });
      t.after(() => hearth.stopAndRemove());
      await deploy(hearth.client, 'sleeper', sleeper);
      const inFlight = invoke(hearth.client, 'sleeper', { ms: 30_000, said: 'begun' });
      await printed(hearth, 'begun');
      const exited = once(hearth.child, 'exit');
      hearth.child.kill('SIGTERM');
      await printed(hearth, 'stopping');
      hearth.child.kill('SIGTERM');
      await assert.rejects(inFlight);
      assert.deepEqual(await exited, [1, null]);
      const { dataFolder } = hearth;
      const again = await HearthProcess.start({ driver, dataFolder, flags });
      try {
        assert.equal((await invoke(again.client, 'sleeper')).result, 'slept');
      } finally {
        assert.equal(await again.stop(), 0);
      }
    });

    test('nobody reading what the server prints is no reason to end', async (t) => {
      const hearth = await HearthProcess.start({ driver, flags: ['--function-logs'] });
      t.after(() => hearth.stopAndRemove());
      await deploy(hearth.client, 'sleeper', sleeper);
      hearth.child.stderr?.destroy();
      hearth.child.stdout?.destroy();
      for (let round = 0; round < 3; round += 1) {
        assert.equal((await invoke(hearth.client, 'sleeper', { said: 'unheard' })).result, 'slept');
      }
      assert.equal(await hearth.stop(), 0);
    });
  });

  describe(`a small host on the ${driver} driver`, () => {
    let hearth: HearthProcess;
    before(async () => {
      const flags = ['--environments-max', '1', '--memory-budget-mb', '128', '--function-logs'];
      hearth = await HearthProcess.start({ driver, flags });
    });
    after(() => hearth.stopAndRemove());

    test('one environment serves two functions and many callers, one after the other', async () => {
      for (const name of ['first', 'second']) {
        await deploy(hearth.client, name, {
          files: { 'index.js': `exports.handler = async ({ n }) => '${name} ' + n;` },
        });
      }
      const names = Array.from({ length: 12 }, (_, n) => (n % 2 === 0 ? 'first' : 'second'));
      const all = await Promise.all(names.map((name, n) => invoke(hearth.client, name, { n })));
      assert.deepEqual(
        all.map(({ result }) => result),
        names.map((name, n) => `${name} ${n}`),
      );
    });

    test('a client that goes away leaves an environment that is free again', async () => {
      await deploy(hearth.client, 'sleeper', sleeper);
      const leaving = new AbortController();
      const left = fetch(`${hearth.url}/2015-03-31/functions/sleeper/invocations`, {
        ...{ method: 'POST', body: '{"ms":300,"said":"all alone"}', signal: leaving.signal },
      });
      await printed(hearth, 'all alone');
      leaving.abort();
      await assert.rejects(left);
      // There is room for one environment only: this waits for it.
      const next = await invoke(hearth.client, 'sleeper');
      assert.equal(next.result, 'slept');
      assert.doesNotMatch(next.log, /INIT_START/);
    });

    test('a runtime that closes its channel, writes rubbish to it or forks is only its own loss', async () => {
      await deploy(hearth.client, 'hostile', {
        Timeout: 30,
        Runtime: 'python3.11',
        Handler: 'app.handler',
        files: {
          'app.py': `
import os, subprocess, time
def handler(event, context):
    how = event.get("how")
    if how == "close":
        os.close(3)
        time.sleep(60)
    if how == "rubbish":
        os.write(3, b"\\xff" * 64)
        time.sleep(60)
    if how == "fork":
        subprocess.Popen(["/bin/sh", "-c", "sleep 600"], start_new_session=True)
        os._exit(5)
    if how == "flood":
        end = time.time() + 1
        while time.time() < end:
            os.write(1, b"x" * 65536)
    return "well"
`,
        },
      });
      const types: unknown[] = [];
      for (const how of ['close', 'rubbish', 'fork', 'flood']) {
        const startedAtMs = performance.now();
        const { result } = await invoke(hearth.client, 'hostile', { how });
        types.push((result as { errorType?: string }).errorType ?? result);
        assert(performance.now() - startedAtMs < 15_000, `${how} does not wait for the timeout`);
        assert.equal((await invoke(hearth.client, 'hostile')).result, 'well');
      }
      assert.deepEqual(types, [
        ...['Runtime.ExitError', 'Runtime.ExitError', 'Runtime.ExitError', 'well'],
      ]);
    });
  });
}
