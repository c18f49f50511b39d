/** What a hostile client of the Runtime API meets: real sockets, simulated time. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { SimClock } from '../testing/sim-clock.ts';
import { createRuntimeHttpApi } from './http-api.ts';

const closedMs = 1000;

interface Api {
  readonly clock: SimClock;
  readonly port: number;
}

async function serveApi(context: TestContext): Promise<Api> {
  const clock = new SimClock(0);
  const api = createRuntimeHttpApi(clock);
  context.after(() => api.close());
  api.server.listen(0, '127.0.0.1');
  await once(api.server, 'listening');
  const address = api.server.address();
  assert(typeof address === 'object' && address !== null);
  return { clock, port: address.port };
}

/** Sends bytes on a connection of its own; resolves with all that comes back. */
async function sendRaw({ port }: Api, bytes: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  socket.on('error', () => socket.destroy());
  return text(socket).catch(() => '');
}

/** The status of one honest call, which is 403 as no function is bound; null when it cannot be made. */
function call({ port }: Api): Promise<number | null> {
  return new Promise((resolve) => {
    const path = '/2018-06-01/runtime/invocation/next';
    const request = httpRequest({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? null);
    });
    request.on('error', () => resolve(null));
    request.end();
  });
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

test('a request before the answer to the last ends the connection', async (context) => {
  const api = await serveApi(context);
  const answers = await sendRaw(api, get.repeat(1000));
  assert.ok((answers.match(/HTTP\/1\.1/g)?.length ?? 0) <= 1, answers.slice(0, 500));
  assert.equal(await call(api), 403, 'and nothing else');
});

test('garbage is answered until the allowance is used up, then nobody of the sandbox can connect', async (context) => {
  const api = await serveApi(context);
  assert.match(await sendRaw(api, 'garbage\r\n\r\n'), /^HTTP\/1\.1 400 /);
  for (let count = 0; count < 8; count += 1) await sendRaw(api, 'garbage\r\n\r\n');
  assert.equal(await call(api), null);
  api.clock.advance(closedMs - 1);
  assert.equal(await call(api), null);
  api.clock.advance(1);
  assert.equal(await call(api), 403);
});

test('calls in earnest, each on a connection of its own, never use it up', async (context) => {
  const api = await serveApi(context);
  for (let second = 0; second < 5; second += 1) {
    for (let count = 0; count < 100; count += 1) assert.equal(await call(api), 403);
    api.clock.advance(1000);
  }
});
