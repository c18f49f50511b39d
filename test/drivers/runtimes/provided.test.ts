/** The example custom runtimes of test/fixtures against our HTTP Runtime API. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { createRuntimeHttpApi } from '../../../src/runtime-api/http-api.ts';
import type { Invocation, PortAnswer, RuntimePort } from '../../../src/worker/runtime-port.ts';
import { repositoryFolder } from './installed-runtimes.ts';

const fixtures = join(repositoryFolder, 'test/fixtures');
const accepted: PortAnswer = { status: 'accepted' };

type Said =
  | { readonly what: 'ready' }
  | { readonly what: 'response'; readonly text: string }
  | { readonly what: 'error' | 'initError'; readonly errorType: string; readonly text: string };

/** An environment's port that records what the runtime says and hands it events. */
class ScriptedPort implements RuntimePort {
  readonly #said: Said[] = [];
  #heard: (() => void) | null = null;
  #deliver: ((invocation: Invocation) => void) | null = null;
  #requests = 0;

  next(deliver: (invocation: Invocation) => void): PortAnswer {
    this.#deliver = deliver;
    return this.#say({ what: 'ready' });
  }

  expectsResponse(): PortAnswer {
    return accepted;
  }

  respond(_requestId: string, response: { body: AsyncIterable<Buffer> | Buffer }): PortAnswer {
    assert(Buffer.isBuffer(response.body));
    return this.#say({ what: 'response', text: response.body.toString() });
  }

  fail(_requestId: string, error: { errorType: string; payload: Buffer }): PortAnswer {
    const { errorType, payload } = error;
    return this.#say({ what: 'error', errorType, text: payload.toString() });
  }

  initError({ errorType, payload }: { errorType: string; payload: Buffer }): PortAnswer {
    return this.#say({ what: 'initError', errorType, text: payload.toString() });
  }

  /** Custom runtimes have no snapshots. */
  restoreNext(): PortAnswer {
    return { status: 'invalidTransition', from: 'Ready', to: 'RestoreReady' };
  }

  restoreError(): PortAnswer {
    return this.restoreNext();
  }

  async heard(): Promise<Said> {
    while (this.#said.length === 0) await new Promise<void>((resolve) => (this.#heard = resolve));
    return this.#said.shift() as Said;
  }

  send(event: string): void {
    this.#requests += 1;
    this.#deliver?.({
      requestId: `00000000-0000-4000-8000-${String(this.#requests).padStart(12, '0')}`,
      payload: Buffer.from(event),
      deadlineMs: 1_800_000_000_000,
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:example',
      traceId: 'Root=1-a;Parent=b;Sampled=0',
      clientContext: undefined,
      cognitoIdentity: undefined,
      tenantId: undefined,
    });
  }

  #say(said: Said): PortAnswer {
    this.#said.push(said);
    this.#heard?.();
    return accepted;
  }
}

const cleanups: (() => void)[] = [];
after(() => {
  for (const cleanup of cleanups.reverse()) cleanup();
});

async function start(bootstrap: string, taskRoot: string, handler: string) {
  const port = new ScriptedPort();
  const api = createRuntimeHttpApi(systemClock);
  api.attach(port, null);
  await new Promise<void>((resolve) => {
    api.server.listen(0, '127.0.0.1', () => resolve());
  });
  const { port: number } = api.server.address() as AddressInfo;
  const child: ChildProcess = spawn(bootstrap, [], {
    stdio: 'ignore',
    env: {
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${number}`,
      LAMBDA_TASK_ROOT: taskRoot,
      _HANDLER: handler,
      PATH: '/usr/local/bin:/usr/bin:/bin',
    },
  });
  cleanups.push(() => {
    child.kill('SIGKILL');
    api.close();
  });
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  return { port, exited };
}

function missing(program: string): string | false {
  const present = ['/usr/bin', '/bin'].some((folder) => existsSync(join(folder, program)));
  return present || process.env['CI'] !== undefined ? false : `no ${program} on this machine`;
}

describe('shell bootstrap', { skip: missing('curl') }, () => {
  const folder = join(fixtures, 'functions/provided-shell');

  it('answers events and reports failures', async () => {
    const { port } = await start(join(folder, 'bootstrap'), folder, 'function.handler');
    assert.deepEqual(await port.heard(), { what: 'ready' });
    port.send('{"a":"é"}');
    const answer = await port.heard();
    assert(answer.what === 'response');
    assert.deepEqual(JSON.parse(answer.text), { from: 'shell', event: { a: 'é' } });
    assert.deepEqual(await port.heard(), { what: 'ready' });
    port.send('{"fail":1}');
    const failure = await port.heard();
    assert(failure.what === 'error');
    assert.equal(failure.errorType, 'Handler.Failed');
    assert.deepEqual(await port.heard(), { what: 'ready' });
  });

  it('reports a missing handler and exits', async () => {
    const { port, exited } = await start(join(folder, 'bootstrap'), folder, 'function.absent');
    const said = await port.heard();
    assert(said.what === 'initError');
    assert.equal(said.errorType, 'Runtime.NoSuchHandler');
    assert.equal((await exited).code, 1);
  });
});

describe('compiled bootstrap', { skip: missing('cc') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-bootstrap-c-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const bootstrap = join(folder, 'bootstrap');
  const compile = () => {
    if (existsSync(bootstrap)) return;
    const source = join(fixtures, 'bootstrap-c/bootstrap.c');
    execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', bootstrap, source], { stdio: 'pipe' });
  };

  it('answers with the event, however large', async () => {
    compile();
    const { port } = await start(bootstrap, folder, 'echo');
    for (const event of ['{}', '"é"', JSON.stringify('x'.repeat(5_000_000))]) {
      assert.deepEqual(await port.heard(), { what: 'ready' });
      port.send(event);
      assert.deepEqual(await port.heard(), { what: 'response', text: event });
    }
  });

  it('sees every header of an event', async () => {
    compile();
    const { port } = await start(bootstrap, folder, 'trace');
    await port.heard();
    port.send('{}');
    const answer = await port.heard();
    assert(answer.what === 'response');
    assert.deepEqual(JSON.parse(answer.text), {
      requestId: '00000000-0000-4000-8000-000000000001',
      deadlineMs: 1_800_000_000_000,
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:example',
      traceId: 'Root=1-a;Parent=b;Sampled=0',
    });
  });

  it('reports errors of events and of init', async () => {
    compile();
    const failing = await start(bootstrap, folder, 'error');
    await failing.port.heard();
    failing.port.send('{}');
    const error = await failing.port.heard();
    assert(error.what === 'error');
    assert.equal(error.errorType, 'Example.Failed');
    const unready = await start(bootstrap, folder, 'initerror');
    const initError = await unready.port.heard();
    assert(initError.what === 'initError');
    assert.equal(initError.errorType, 'Example.NotReady');
    assert.deepEqual(await unready.exited, { code: 1, signal: null });
  });

  it('ends as it is told', async () => {
    compile();
    const crashing = await start(bootstrap, folder, 'crash');
    await crashing.port.heard();
    crashing.port.send('{}');
    assert.deepEqual(await crashing.exited, { code: null, signal: 'SIGABRT' });
    const leaving = await start(bootstrap, folder, 'initexit');
    assert.deepEqual(await leaving.exited, { code: 8, signal: null });
  });
});
