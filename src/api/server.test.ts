import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { apiLimits } from '../model/api-limits.ts';
import { ApiError } from '../model/errors.ts';
import { limits, MIB } from '../model/limits.ts';
import type { OperationHandlers } from './operation.ts';
import { createApiServer, type ApiServer, type ApiServerOptions } from './server.ts';

const echo: OperationHandlers = {
  Invoke: async ({ Payload }) => ({ StatusCode: 200, Payload, ExecutedVersion: '$LATEST' }),
};
const invokePath = '/2015-03-31/functions/f/invocations';

interface Running {
  readonly server: ApiServer;
  readonly port: number;
}

async function start(
  context: TestContext,
  handlers: OperationHandlers = echo,
  options: Partial<ApiServerOptions> = {},
): Promise<Running> {
  const server = createApiServer(systemClock, systemRandom, silentLog, handlers, {
    loopbackOnly: true,
    ...options,
  });
  const { port } = await server.listen('127.0.0.1', 0);
  context.after(() => server.close({ drainMs: 0 }));
  return { server, port };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

function call(port: number, options: Call = {}): Promise<Answer> {
  const { method = 'POST', path = invokePath, headers = {}, body, agent } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, body: Buffer.concat(chunks).toString() });
      });
    });
    request.end(body);
  });
}

/** Sends raw bytes and gathers what comes back until the server closes. */
async function talk(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

describe('api server', () => {
  test('answers an operation with its request id', async (context) => {
    const { port } = await start(context);
    const answer = await call(port, { body: '{"a":1}' });
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '{"a":1}');
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.headers['content-length'], '7');
    assert.equal(answer.headers['x-amz-executed-version'], '$LATEST');
    assert.match(answer.headers['x-amzn-requestid'] as string, /^[0-9a-f-]{36}$/);
  });

  test('gives the handler its context', async (context) => {
    const { port } = await start(context, {
      GetAccountSettings: async (_, { baseUrl, requestId, headers }) => {
        throw new ApiError(
          'ServiceException',
          JSON.stringify([baseUrl, requestId, headers['x-a']]),
        );
      },
    });
    const path = '/2016-08-19/account-settings/';
    const answer = await call(port, { method: 'GET', path, headers: { 'x-a': '1' } });
    const [baseUrl, requestId, header] = JSON.parse(JSON.parse(answer.body).Message);
    assert.equal(baseUrl, `http://127.0.0.1:${port}`);
    assert.equal(requestId, answer.headers['x-amzn-requestid']);
    assert.equal(header, '1');
  });

  test('an operation without handler answers 501 with its name', async (context) => {
    const { port } = await start(context, {});
    const answer = await call(port, { method: 'GET', path: '/2015-03-31/functions' });
    assert.equal(answer.status, 501);
    assert.equal(answer.headers['x-amzn-errortype'], 'NotImplementedException');
    const { Type, Message } = JSON.parse(answer.body);
    assert.equal(Type, 'User');
    assert.match(Message, /ListFunctions is not implemented/);
  });

  test('invalid input does not reach the handler', async (context) => {
    const { port } = await start(context);
    const answer = await call(port, { path: invokePath.replace('/f/', '/a%20b/'), body: '{}' });
    assert.equal(answer.status, 400);
    assert.equal(answer.headers['x-amzn-errortype'], 'ValidationException');
    assert.match(JSON.parse(answer.body).message, /^1 validation error detected: Value 'a b' at/);
  });

  test('an unexpected exception says nothing to the client', async (context) => {
    for (const fail of [
      () => Promise.reject(new Error('secret')),
      () => {
        throw new Error('secret');
      },
      () => Promise.reject(new ApiError('NoSuchException', 'secret')),
      async () => ({ StatusCode: 200, FunctionError: 'not a header\n' }),
    ]) {
      const { port } = await start(context, { Invoke: fail });
      const answer = await call(port, { body: '{}' });
      assert.equal(answer.status, 500);
      assert.equal(answer.headers['x-amzn-errortype'], 'ServiceException');
      assert.deepEqual(JSON.parse(answer.body), {
        Type: 'Service',
        Message: 'An internal error occurred.',
      });
    }
  });

  test('unknown paths, and known ones under another method, are no operations', async (context) => {
    const { port } = await start(context);
    // cloudflare-worker-lambda-gateway #1, serverless-application-model #430
    const unknown = ['/nothing', '/', '//2015-03-31/functions/f/invocations', '/2015-03-31/f/x'];
    const methods = ['GET', 'PUT', 'OPTIONS', 'PATCH'];
    for (const request of [
      ...unknown.map((path) => ({ path, body: 'x' })),
      ...methods.map((method) => ({ method })),
    ]) {
      const answer = await call(port, request);
      assert.equal(answer.status, 403, JSON.stringify(request));
      assert.equal(answer.headers['x-amzn-errortype'], 'AccessDeniedException');
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
      assert.deepEqual(JSON.parse(answer.body), {
        Message: 'Unable to determine service/operation name to be authorized',
      });
    }
    assert.equal((await call(port, { method: 'TRACE' })).status, 403);
  });

  test('healthz follows isReady', async (context) => {
    let isReady = false;
    const { port } = await start(context, echo, { isReady: () => isReady });
    const path = '/healthz';
    assert.equal((await call(port, { method: 'GET', path })).status, 503);
    isReady = true;
    assert.equal((await call(port, { method: 'GET', path })).status, 200);
  });

  test('metrics are answered as text, behind the same defence, and are unknown without any', async (context) => {
    const metrics = { contentType: 'text/plain; version=0.0.4', render: async () => 'a 1\n' };
    const get = { method: 'GET', path: '/metrics' };
    const { port } = await start(context, echo, { metrics });
    const answer = await call(port, get);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4');
    assert.equal(answer.body, 'a 1\n');
    assert.equal((await call(port, { ...get, headers: { Host: 'evil.example' } })).status, 403);
    const foreign = { Origin: 'https://evil.example' };
    assert.equal((await call(port, { ...get, headers: foreign })).status, 403);
    assert.equal((await call(port, { ...get, method: 'POST' })).status, 403);
    const without = await start(context);
    assert.equal((await call(without.port, get)).status, 403);
  });

  test('metrics that cannot be told answer ServiceException', async (context) => {
    const metrics = { contentType: 'text/plain', render: () => Promise.reject(new Error('no')) };
    const { port } = await start(context, echo, { metrics });
    assert.equal((await call(port, { method: 'GET', path: '/metrics' })).status, 500);
  });

  test('extra routes come before the route table', async (context) => {
    const { port } = await start(context, echo, {
      extraRoutes: (request, response) => {
        if (request.url === '/boom') throw new Error('boom');
        if (request.url !== '/code') return false;
        response.end('code');
        return true;
      },
    });
    assert.equal((await call(port, { method: 'GET', path: '/code' })).body, 'code');
    assert.equal((await call(port, { body: '{}' })).status, 200);
    assert.equal((await call(port, { method: 'GET', path: '/boom' })).status, 500);
  });

  test('a port in use is an error of listen', async (context) => {
    const { port } = await start(context);
    const other = createApiServer(systemClock, systemRandom, silentLog, echo, {
      loopbackOnly: true,
    });
    await assert.rejects(other.listen('127.0.0.1', port), { code: 'EADDRINUSE' });
  });
});

describe('api server and browsers', () => {
  test('refuses foreign hosts and origins', async (context) => {
    const { port } = await start(context);
    for (const headers of [{ host: 'example.com' }, { origin: 'https://example.com' }]) {
      const answer = await call(port, { headers, body: '{}' });
      assert.equal(answer.status, 403);
      assert.equal(answer.headers['x-amzn-errortype'], 'AccessDeniedException');
    }
    const own = { origin: `http://127.0.0.1:${port}` };
    assert.equal((await call(port, { headers: own, body: '{}' })).status, 200);
  });

  test('takes any host when not loopback only', async (context) => {
    const { port } = await start(context, echo, { loopbackOnly: false });
    const headers = { host: 'hearth.example.com', origin: 'https://example.com' };
    assert.equal((await call(port, { headers, body: '{}' })).status, 200);
  });
});

describe('api server body limits', () => {
  const message = `Request must be smaller than ${limits.invokeRequestBytesMax} bytes for the InvokeFunction operation`;

  test('takes a body of the limit, refuses one byte more', async (context) => {
    const { port } = await start(context);
    const body = Buffer.alloc(limits.invokeRequestBytesMax, '1');
    const accepted = await call(port, { body });
    assert.equal(accepted.status, 200);
    assert.equal(accepted.body.length, body.length);
    const answer = await call(port, { body: Buffer.concat([body, Buffer.from('1')]) });
    assert.equal(answer.status, 413);
    assert.equal(answer.headers['x-amzn-errortype'], 'RequestEntityTooLargeException');
    assert.deepEqual(JSON.parse(answer.body), { Type: 'User', message });
  });

  test('refuses by Content-Length before a byte of the body is sent', async (context) => {
    const { port } = await start(context, echo, { refusedBodyMs: 50 });
    const answer = await talk(
      port,
      `POST ${invokePath} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.ok(answer.includes(message));
  });

  test('refuses a chunked body while reading, and the connection lives on', async (context) => {
    const { port } = await start(context);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    context.after(() => agent.destroy());
    const headers = { 'transfer-encoding': 'chunked' };
    const answer = await call(port, { headers, body: Buffer.alloc(16 * MIB), agent });
    assert.equal(answer.status, 413);
    assert.equal((await call(port, { body: '{}', agent })).status, 200);
  });

  test('operations have limits of their own', async (context) => {
    const { port } = await start(context, { ...echo, CreateFunction: async () => ({}) });
    const path = '/2015-03-31/functions';
    const body = Buffer.alloc(8 * MIB, ' ');
    body.write('{"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r","Code":{}}');
    assert.equal((await call(port, { path, body })).status, 201);
    const alias = await call(port, { path: `${path}/f/aliases`, body });
    assert.equal(alias.status, 413);
    assert.match(alias.body, /1048576 bytes for the CreateAlias operation/);
  });

  test('operations that carry code or a checkpoint take more', async (context) => {
    const { port } = await start(context, echo, { refusedBodyMs: 20 });
    const cases: [string, number, string][] = [
      ['POST /2015-03-31/functions', 70_167_211, 'CreateFunction'],
      ['PUT /2015-03-31/functions/f/code', 70_167_211, 'UpdateFunctionCode'],
      ['POST /2018-10-31/layers/l/versions', 70_167_211, 'PublishLayerVersion'],
      ['POST /2025-12-01/durable-executions/d/checkpoint', 8 * MIB, 'CheckpointDurableExecution'],
    ];
    for (const [target, bytesMax, action] of cases) {
      const length = `Content-Length: ${bytesMax + 1}`;
      const answer = await talk(port, `${target} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n`);
      const message = `Request must be smaller than ${bytesMax} bytes for the ${action} operation`;
      assert.ok(answer.includes(message), answer);
    }
  });

  test('Expect: 100-continue is answered with the refusal instead of a go-ahead', async (context) => {
    const { port } = await start(context);
    const head = `POST ${invokePath} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n`;
    const refused = await talk(port, `${head}Content-Length: 7000000\r\n\r\n`);
    assert.match(refused, /^HTTP\/1\.1 413 /);
    assert.match(refused, /\r\nConnection: close\r\n/i);
    const socket = await open(port);
    socket.write(`${head}Content-Length: 2\r\n\r\n`);
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 100 Continue\r\n/);
    socket.write('{}');
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 OK\r\n/);
    socket.destroy();
  });

  test('headers are bounded', async (context) => {
    const { port } = await start(context);
    const headers = { 'x-long': 'x'.repeat(apiLimits.headerBytesMax) };
    assert.equal((await call(port, { method: 'GET', headers })).status, 431);
  });
});

describe('api server and slow or broken clients', () => {
  test('bounds the time of headers and of the whole request', async (context) => {
    const { port } = await start(context, echo, {
      headersTimeoutMs: 100,
      requestTimeoutMs: 200,
      timeoutCheckIntervalMs: 20,
    });
    const head = `POST ${invokePath} HTTP/1.1\r\nHost: localhost\r\n`;
    const slow = [head, `${head}Content-Length: 5\r\n\r\n{`];
    for (const text of slow) assert.match(await talk(port, text), /^HTTP\/1\.1 408 /);
    // A connection that never says anything is ended too.
    await talk(port, '');
  });

  test('ends a kept connection that stays idle', async (context) => {
    const { port } = await start(context, echo, {
      keepAliveTimeoutMs: 20,
      timeoutCheckIntervalMs: 20,
    });
    assert.match(await talk(port, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'), / 200 OK/);
  });

  test('what is not HTTP is answered 400', async (context) => {
    const { port } = await start(context);
    assert.match(await talk(port, 'hello\r\n\r\n'), /^HTTP\/1\.1 400 /);
    const noHost = `GET /healthz HTTP/1.1\r\n\r\n`;
    assert.match(await talk(port, noHost), /^HTTP\/1\.1 400 /);
  });

  test('a client that goes away harms nobody', async (context) => {
    const called = deferred<void>();
    const release = deferred<void>();
    const { port } = await start(context, {
      Invoke: async () => {
        called.resolve();
        await release.promise;
        return { StatusCode: 200, Payload: Buffer.alloc(4 * MIB) };
      },
    });
    const head = `POST ${invokePath} HTTP/1.1\r\nHost: localhost\r\n`;
    const midBody = await open(port);
    midBody.write(`${head}Content-Length: 100\r\n\r\n{`);
    midBody.resetAndDestroy();
    const waiting = await open(port);
    waiting.write(`${head}Content-Length: 2\r\n\r\n{}`);
    await called.promise;
    waiting.resetAndDestroy();
    await once(waiting, 'close');
    release.resolve();
    assert.equal((await call(port, { body: '{}' })).status, 200);
  });
});

describe('api server streams', () => {
  test('sends a payload stream as it comes', async (context) => {
    const next = deferred<void>();
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first ');
      await next.promise;
      yield Buffer.from('second');
    }
    const { port } = await start(context, { Invoke: async () => ({ Payload: chunks() }) });
    const socket = await open(port);
    socket.write(`POST ${invokePath} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('first')) next.resolve();
    });
    await once(socket, 'end');
    assert.match(text, /first [^]*second/);
  });

  test('a stream that fails cuts the connection', async (context) => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first');
      throw new Error('broken');
    }
    const { port } = await start(context, { Invoke: async () => ({ Payload: chunks() }) });
    await assert.rejects(call(port, { body: '{}' }), { code: 'ECONNRESET' });
  });

  test('a client that leaves ends the source', async (context) => {
    const ended = deferred<void>();
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(1 * MIB);
      } finally {
        ended.resolve();
      }
    }
    const { port } = await start(context, { Invoke: async () => ({ Payload: chunks() }) });
    const socket = await open(port);
    socket.write(`POST ${invokePath} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await once(socket, 'data');
    socket.destroy();
    await ended.promise;
  });
});

describe('api server close', () => {
  test('lets a request in flight finish, and ends idle connections', async (context) => {
    const called = deferred<void>();
    const release = deferred<void>();
    const { server, port } = await start(context, {
      Invoke: async () => {
        called.resolve();
        await release.promise;
        return { StatusCode: 200, Payload: Buffer.from('done') };
      },
    });
    const agent = new Agent({ keepAlive: true });
    context.after(() => agent.destroy());
    await call(port, { method: 'GET', path: '/healthz', agent });
    const answer = call(port, { body: '{}', agent: new Agent({ keepAlive: true }) });
    await called.promise;
    const closed = server.close({ drainMs: 60_000 });
    await assert.rejects(call(port), { code: 'ECONNREFUSED' });
    release.resolve();
    const { body, headers } = await answer;
    assert.equal(body, 'done');
    assert.equal(headers.connection, 'close');
    await closed;
  });

  test('cuts what is still running when the time is over', async (context) => {
    const called = deferred<void>();
    const { server, port } = await start(context, {
      Invoke: () => {
        called.resolve();
        return new Promise(() => {});
      },
    });
    const answer = assert.rejects(call(port, { body: '{}' }), { code: 'ECONNRESET' });
    await called.promise;
    await server.close({ drainMs: 20 });
    await answer;
  });
});
