// Subscriptions to telemetry, over a real server, with a scripted environment behind it.
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { noRuntime, ScriptedExtensions } from '../testing/scripted-extensions.ts';
import { createRuntimeHttpApi } from './http-api.ts';
import { subscriptionBytesMax } from './telemetry-api.ts';

const api = createRuntimeHttpApi(systemClock);
let extensions = new ScriptedExtensions();
let origin = '';

before(async () => {
  await new Promise<void>((resolve) => api.server.listen(0, '127.0.0.1', () => resolve()));
  origin = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  extensions = new ScriptedExtensions();
  api.attach(noRuntime, extensions);
});
after(() => api.close());

const id = '0d9f3cf8-6a1e-4a0b-9d35-0f7d1f6d2c11';
const paths = { telemetry: '/2022-07-01/telemetry', logs: '/2020-08-15/logs' } as const;

async function put(name: keyof typeof paths, body: object | string): Promise<Response> {
  return fetch(`${origin}${paths[name]}`, {
    method: 'PUT',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'Lambda-Extension-Identifier': id },
  });
}

const destination = { protocol: 'HTTP', URI: 'http://sandbox.localdomain:8080/lambda?a=b' };
const telemetry = { schemaVersion: '2022-12-13', types: ['platform', 'function'], destination };
const logs = { types: ['extension', 'platform'], destination };
const defaults = { maxItems: 10_000, maxBytes: 262_144, timeoutMs: 1000 };
const parsedDestination = { protocol: 'HTTP', method: 'POST', port: 8080, path: '/lambda?a=b' };

test('a telemetry subscription is passed on with its defaults', async () => {
  const response = await put('telemetry', telemetry);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '"OK"');
  const subscription = {
    api: 'telemetry',
    schemaVersion: '2022-12-13',
    types: ['platform', 'function'],
    ...defaults,
    destination: parsedDestination,
  };
  assert.deepEqual(extensions.calls, [
    ['expectsSubscription', id],
    ['subscribe', id, subscription],
  ]);
});

test('a logs subscription has a default schema and may choose its method', async () => {
  const chosen = { ...logs, destination: { ...destination, method: 'PUT', encoding: 'JSON' } };
  assert.equal((await put('logs', chosen)).status, 200);
  const subscription = {
    api: 'logs',
    schemaVersion: '2020-08-15',
    types: ['platform', 'extension'],
    ...defaults,
    destination: { ...parsedDestination, method: 'PUT' },
  };
  assert.deepEqual(extensions.calls.at(-1), ['subscribe', id, subscription]);
  assert.equal((await put('logs', { ...logs, schemaVersion: '2021-03-18' })).status, 200);
});

test('buffering is taken at its bounds, TCP by its port, and the short host name', async () => {
  const least = { maxItems: 1000, maxBytes: 262_144, timeoutMs: 25 };
  const most = { maxItems: 10_000, maxBytes: 1_048_576, timeoutMs: 30_000 };
  const tcp = { protocol: 'TCP', port: 80 };
  const short = { protocol: 'HTTP', URI: 'http://sandbox:80' };
  await put('telemetry', { ...telemetry, buffering: least, destination: tcp });
  await put('telemetry', { ...telemetry, buffering: most, destination: short });
  const subscriptions = extensions.calls.filter(([name]) => name === 'subscribe').map((c) => c[2]);
  const common = {
    api: 'telemetry',
    schemaVersion: '2022-12-13',
    types: ['platform', 'function'],
  };
  const root = { method: 'POST', port: 80, path: '/' };
  assert.deepEqual(subscriptions, [
    { ...common, ...least, destination: { ...root, protocol: 'TCP' } },
    { ...common, ...most, destination: { ...root, protocol: 'HTTP' } },
  ]);
});

const uri = (URI: unknown): object => ({ destination: { protocol: 'HTTP', URI } });
const refused: readonly (readonly [object, RegExp])[] = [
  [{ schemaVersion: undefined }, /^schemaVersion should be one of 2022-07-01, 2022-12-13/],
  [{ schemaVersion: '2021-03-18' }, /^schemaVersion should be one of/],
  [{ types: undefined }, /^types should not be empty$/],
  [{ types: [] }, /^types should not be empty$/],
  [{ types: ['platform', 'system'] }, /^types should be of platform, function, extension$/],
  [{ buffering: 1 }, /^buffering should be an object$/],
  [{ buffering: { maxItems: 999 } }, /^buffering.maxItems .* from 1000 to 10000$/],
  [{ buffering: { maxItems: 10_001 } }, /^buffering.maxItems/],
  [{ buffering: { maxBytes: 262_143 } }, /^buffering.maxBytes .* from 262144 to 1048576$/],
  [{ buffering: { maxBytes: 1_048_577 } }, /^buffering.maxBytes/],
  [{ buffering: { timeoutMs: 24 } }, /^buffering.timeoutMs .* from 25 to 30000$/],
  [{ buffering: { timeoutMs: 30_001 } }, /^buffering.timeoutMs/],
  [{ buffering: { timeoutMs: 99.5 } }, /^buffering.timeoutMs/],
  [{ buffering: { timeoutMs: '100' } }, /^buffering.timeoutMs/],
  [{ destination: undefined }, /^destination should be an object$/],
  [
    { destination: { protocol: 'UDP', port: 8080 } },
    /^destination.protocol should be HTTP or TCP$/,
  ],
  [{ destination: { protocol: 'TCP' } }, /^port should be an integer from 1 to 65535$/],
  [{ destination: { protocol: 'TCP', port: 9001 } }, /^port 9001 is reserved$/],
  [{ destination: { protocol: 'TCP', port: 65_536 } }, /^port should be an integer/],
  [uri(undefined), /^destination.URI should be a URI$/],
  [uri('nothing'), /^destination.URI should be a URI$/],
  [uri('http://sandbox.localdomain/x:80'), /^URI port is not provided$/],
  [uri('https://sandbox.localdomain:8080'), /^URI scheme should be http$/],
  [uri('http://example.com:8080'), /^URI host should be sandbox.localdomain$/],
  [uri('http://127.0.0.1:8080'), /^URI host should be sandbox.localdomain$/],
  [uri('http://sandbox.localdomain:9001'), /^port 9001 is reserved$/],
  [uri('http://sandbox.localdomain:0'), /^port should be an integer/],
];
for (const [change, message] of refused) {
  test(`telemetry refuses ${JSON.stringify(change)}`, async () => {
    const response = await put('telemetry', { ...telemetry, ...change });
    const { errorType, errorMessage } = (await response.json()) as Record<string, string>;
    assert.deepEqual([response.status, errorType], [400, 'Telemetry.ValidationError']);
    assert.match(errorMessage ?? '', message);
    assert.deepEqual(extensions.calls, [['expectsSubscription', id]]);
  });
}

test('every fault of a request is named', async () => {
  const response = await put('logs', {
    types: [],
    destination: { protocol: 'HTTP', URI: 'http://sandbox.localdomain', method: 'GET' },
  });
  assert.equal(response.status, 400);
  assert.deepEqual(await response.json(), {
    errorType: 'Logs.ValidationError',
    errorMessage:
      'types should not be empty; destination.method should be PUT or POST; URI port is not provided',
  });
  const encoded = await put('logs', { ...logs, destination: { ...destination, encoding: 'XML' } });
  assert.equal(encoded.status, 400);
  for (const body of ['', '[]', 'null', '{"types": [platform]}']) {
    assert.equal((await put('logs', body)).status, 400, body);
  }
});

test('a body over its bound is refused', async () => {
  const text = JSON.stringify(telemetry);
  const padded = text.padEnd(subscriptionBytesMax);
  assert.equal((await put('telemetry', padded)).status, 200);
  const response = await put('telemetry', `${padded} `);
  assert.equal(response.status, 413);
  await response.text();
});

test('what the environment refuses is answered before the body is looked at', async () => {
  const words = { errorType: 'Telemetry.SubscriptionClosed', errorMessage: 'closed already' };
  extensions.refusal = { status: 'refused', httpStatus: 403, ...words };
  const response = await put('telemetry', 'not json');
  assert.equal(response.status, 403);
  assert.deepEqual(await response.json(), words);
  assert.deepEqual(extensions.calls, [['expectsSubscription', id]]);
});

test('other methods answer 405', async () => {
  assert.equal((await fetch(`${origin}${paths.telemetry}`)).status, 405);
  assert.equal((await fetch(`${origin}${paths.logs}`, { method: 'POST' })).status, 405);
});
