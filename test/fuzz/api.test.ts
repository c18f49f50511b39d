/** Whatever arrives at the API's port: an answer below 500 (or 501), and a server that lives on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { createApiServer, type ApiServer } from '../../src/api/server.ts';
import type { OperationHandlers } from '../../src/api/operation.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { operations } from '../../src/model/service-model.ts';

const budgetMs = 2_500;
const agent = new Agent({ keepAlive: true });
let server: ApiServer;
let port = 0;

before(async () => {
  // Every second operation has a handler that answers nothing, so that both ends of the way are tried.
  const names = [...operations.keys()].filter((_, index) => index % 2 === 0);
  const handlers = Object.fromEntries(names.map((name) => [name, async () => ({})]));
  server = createApiServer(systemClock, systemRandom, silentLog, handlers as OperationHandlers, {
    loopbackOnly: true,
  });
  ({ port } = await server.listen('127.0.0.1', 0));
});

after(async () => {
  agent.destroy();
  await server.close({ drainMs: 0 });
});

interface FuzzedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

function send({ method, path, headers, body }: FuzzedRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, agent };
    const request = httpRequest(options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function isAlive(): Promise<boolean> {
  const body = new Uint8Array(0);
  return (await send({ method: 'GET', path: '/healthz', headers: {}, body })) === 200;
}

const anyMethod = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE');
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('f', '1', 'live', 'arn%3Aaws%3Alambda') },
  { weight: 1, arbitrary: fc.constantFrom('', '%', '%zz', '%00', '..', ':', '$LATEST', '%2F') },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: 'binary', maxLength: 300 })
      .map((text) => encodeURIComponent(text.toWellFormed())),
  },
);
const operation = fc.constantFrom(...operations.values());
const knownTarget = fc
  .tuple(operation, fc.infiniteStream(segment))
  .map(([{ method, path }, stream]) => ({
    method,
    path: path.replace(/\{\w+\}/g, () => String(stream.next().value)),
  }));
const anyTarget = fc.record({
  method: anyMethod,
  path: fc.oneof(
    fc.webPath().map((text) => `/${text}`),
    knownTarget.map(({ path }) => path),
  ),
});
const query = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters().map((text) => `?${text}`),
  fc.constantFrom('?MaxItems=x', '?List=ALL&find=', '?tagKeys=%', '?Qualifier=&Qualifier=;#'),
);
const target = fc
  .tuple(
    fc.oneof({ weight: 5, arbitrary: knownTarget }, { weight: 1, arbitrary: anyTarget }),
    query,
  )
  // What node's own client refuses to send is tried by the raw test below.
  .map(([{ method, path }, text]) => ({
    method,
    path: (path + text).replace(/[^\u0021-\u00ff]/g, '_'),
  }));

const memberNames = [
  ...new Set(
    [...operations.values()].flatMap(({ input }) => input?.members.map((m) => m.name) ?? []),
  ),
];
const jsonKey = fc.oneof(fc.constantFrom(...memberNames, '__proto__', 'constructor'), fc.string());
const jsonBody = fc
  .dictionary(jsonKey, fc.oneof(fc.jsonValue(), fc.string({ maxLength: 5_000 })), { maxKeys: 6 })
  .map((value) => Buffer.from(JSON.stringify(value)));
const body = fc.oneof(
  { weight: 3, arbitrary: jsonBody },
  { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }) },
);
const headerName = fc.constantFrom(
  'x-amz-invocation-type',
  'x-amz-log-type',
  'x-amz-client-context',
  'content-type',
  'origin',
  'host',
  'expect',
  'authorization',
);
const someHeaders = fc.dictionary(headerName, fc.stringMatching(/^[\x21-\x7e]{0,40}$/), {
  maxKeys: 3,
});
const headers = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: someHeaders },
);

describe('api server', () => {
  test('answers random requests below 500, or 501', async () => {
    const request = fc
      .record({ target, headers, body })
      .map((parts) => ({ ...parts.target, headers: parts.headers, body: parts.body }));
    await fc.assert(
      fc.asyncProperty(request, async (fuzzed) => {
        const status = await send(fuzzed);
        assert.ok(status === 501 || (status >= 200 && status < 500), String(status));
      }),
      { numRuns: 4_000, interruptAfterTimeLimit: budgetMs },
    );
    assert.ok(await isAlive());
  });

  test('survives bytes that are not HTTP', async () => {
    const start = fc.constantFrom(
      '',
      'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'POST /2015-03-31/functions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n',
      'POST /2015-03-31/functions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{',
      'GET /2015-03-31/functions/\xff\x01 HTTP/1.1\r\nHost: localhost\r\n',
      'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
    );
    const rest = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(start, rest, fc.boolean(), async (head, tail, resets) => {
        const socket = connect(port, '127.0.0.1');
        let answer = '';
        socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write(head, 'latin1');
        if (resets) {
          socket.write(tail);
          socket.resetAndDestroy();
        } else {
          socket.end(tail);
        }
        await once(socket, 'close');
        assert.doesNotMatch(answer, /^HTTP\/1\.1 5(?!01)/m);
      }),
      { numRuns: 500, interruptAfterTimeLimit: budgetMs },
    );
    assert.ok(await isAlive());
  });

  test('canary: the check fails on a server that answers 500', async () => {
    const broken = createApiServer(
      systemClock,
      systemRandom,
      silentLog,
      { ListFunctions: () => Promise.reject(new Error('broken')) },
      { loopbackOnly: true },
    );
    const address = await broken.listen('127.0.0.1', 0);
    try {
      const response = await fetch(`http://127.0.0.1:${address.port}/2015-03-31/functions`);
      assert.equal(response.status, 500);
    } finally {
      await broken.close({ drainMs: 0 });
    }
  });
});
