import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test, type TestContext } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { limits } from '../model/limits.ts';
import type { Invocation, PortAnswer, RuntimePort } from '../worker/runtime-port.ts';
import { bodyBytesMax } from './body-room.ts';
import { connectionsMax, createRuntimeHttpApi } from './http-api.ts';

const accepted: PortAnswer = { status: 'accepted' };
const api = createRuntimeHttpApi(systemClock);
const words: unknown[][] = [];
let answer: PortAnswer = accepted;
let base = '';

const port: RuntimePort = {
  next(deliver) {
    words.push(['next']);
    if (answer.status === 'accepted') deliver(invocation);
    return answer;
  },
  expectsResponse: (requestId) => (requestId === 'r1' ? accepted : { status: 'invalidRequestId' }),
  respond(requestId, response) {
    words.push(['respond', requestId, response.contentType, (response.body as Buffer).length]);
    return answer;
  },
  fail(requestId, error) {
    words.push(['fail', requestId, error.errorType, String(error.payload)]);
    return answer;
  },
  initError(error) {
    words.push(['initError', error.errorType, String(error.payload)]);
    return answer;
  },
  restoreNext(restore) {
    words.push(['restoreNext']);
    if (answer.status === 'accepted') restore({ env: {}, optRoot: '/opt' });
    return answer;
  },
  restoreError(error) {
    words.push(['restoreError', error.errorType, String(error.payload)]);
    return answer;
  },
};

const invocation: Invocation = {
  requestId: 'r1',
  payload: Buffer.from('{"key":"välue"}'),
  deadlineMs: 1_700_000_000_123,
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f:PROD',
  traceId: 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1',
  clientContext: '{\n "client": {"app_title": "Grüße, 世界 😀\\n"}}',
  cognitoIdentity: undefined,
  tenantId: 'Blue tenant:1',
};

before(async () => {
  await new Promise<void>((resolve) => api.server.listen(0, '127.0.0.1', () => resolve()));
  const address = api.server.address();
  assert(typeof address === 'object' && address !== null);
  base = `http://127.0.0.1:${address.port}/2018-06-01/runtime`;
});
after(() => api.close());

async function post(
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${base}${path}`, { method: 'POST', body, headers });
}

test('runtime api refuses every call before a function is bound', async () => {
  const response = await fetch(`${base}/invocation/next`);
  assert.equal(response.status, 403);
  await response.text();
  api.attach(port, null);
});

test('next answers the event with the documented headers', async () => {
  const response = await fetch(`${base}/invocation/next`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('lambda-runtime-aws-request-id'), 'r1');
  assert.equal(response.headers.get('lambda-runtime-deadline-ms'), '1700000000123');
  assert.equal(
    response.headers.get('lambda-runtime-invoked-function-arn'),
    invocation.invokedFunctionArn,
  );
  assert.equal(response.headers.get('lambda-runtime-trace-id'), invocation.traceId);
  const clientContext = response.headers.get('lambda-runtime-client-context') ?? '';
  assert.match(clientContext, /^[\x20-\x7e]+$/, 'what a header can carry');
  assert.deepEqual(JSON.parse(clientContext), JSON.parse(invocation.clientContext ?? ''));
  assert.equal(response.headers.get('lambda-runtime-cognito-identity'), null);
  assert.equal(response.headers.get('lambda-runtime-aws-tenant-id'), 'Blue tenant:1');
  assert.equal(await response.text(), '{"key":"välue"}');
});

test('response answers 202 with a status', async () => {
  const response = await post('/invocation/r1/response', '"done"');
  assert.equal(response.status, 202);
  assert.deepEqual(await response.json(), { status: 'OK' });
  assert.deepEqual(words.at(-1), ['respond', 'r1', 'text/plain;charset=UTF-8', 6]);
});

test('response answers 400 for a request id that is not in flight', async () => {
  const response = await post('/invocation/other/response', '"done"');
  assert.equal(response.status, 400);
  assert.equal(((await response.json()) as { errorType: string }).errorType, 'InvalidRequestID');
});

test('response passes a body over the bound on as too long, not as it came', async () => {
  answer = { status: 'tooLarge', maxBytes: limits.invokeResponseBytesMax };
  const response = await post(
    '/invocation/r1/response',
    'a'.repeat(limits.invokeResponseBytesMax * 2),
  );
  answer = accepted;
  assert.equal(response.status, 413);
  assert.equal(
    ((await response.json()) as { errorType: string }).errorType,
    'RequestEntityTooLarge',
  );
  const length = words.at(-1)?.[3] as number;
  assert(length > limits.invokeResponseBytesMax && length < limits.invokeResponseBytesMax * 1.1);
});

test('error takes its type from the header, else from the document', async () => {
  const document = JSON.stringify({ errorMessage: 'no', errorType: 'FromDocument' });
  const header = { 'Lambda-Runtime-Function-Error-Type': 'Runtime.FromHeader' };
  assert.equal((await post('/invocation/r1/error', document, header)).status, 202);
  assert.deepEqual(words.at(-1), ['fail', 'r1', 'Runtime.FromHeader', document]);
  assert.equal((await post('/init/error', document)).status, 202);
  assert.deepEqual(words.at(-1), ['initError', 'FromDocument', document]);
  assert.equal((await post('/init/error', 'not json')).status, 202);
  assert.deepEqual(words.at(-1), ['initError', 'Runtime.UnknownReason', 'not json']);
});

test('error cuts a type that goes on and on', async () => {
  const document = JSON.stringify({ errorType: 'E'.repeat(100_000) });
  assert.equal((await post('/invocation/r1/error', document)).status, 202);
  assert.equal((words.at(-1)?.[2] as string).length, 1024);
});

test('restore/next answers 200 once restored, and restore/error 202', async () => {
  const restored = await fetch(`${base}/restore/next`);
  assert.equal(restored.status, 200);
  assert.equal(await restored.text(), '');
  const header = { 'Lambda-Runtime-Function-Error-Type': 'Runtime.RestoreError' };
  assert.equal((await post('/restore/error', '{}', header)).status, 202);
  assert.deepEqual(words.at(-1), ['restoreError', 'Runtime.RestoreError', '{}']);
  answer = { status: 'invalidTransition', from: 'Ready', to: 'RestoreReady' };
  assert.equal((await fetch(`${base}/restore/next`)).status, 403);
  answer = accepted;
});

test('a transition that is not allowed answers 403', async () => {
  answer = { status: 'invalidTransition', from: 'Ready', to: 'InitError' };
  const response = await post('/init/error', '{}');
  answer = accepted;
  assert.equal(response.status, 403);
  assert.equal(
    ((await response.json()) as { errorType: string }).errorType,
    'InvalidStateTransition',
  );
});

test('unknown paths answer 404 and wrong methods 405', async () => {
  assert.equal((await fetch(`${base}/nothing`)).status, 404);
  assert.equal((await post('/invocation/next', '')).status, 405);
  assert.equal((await fetch(`${base}/init/error`)).status, 405);
  assert.equal((await fetch(`${base}/restore/error`)).status, 405);
  assert.equal((await post('/restore/next', '')).status, 405);
});

function connectTo(t: TestContext): Socket {
  const { port: tcpPort } = new URL(base);
  const socket = connect(Number(tcpPort), '127.0.0.1').on('error', () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

test('bodies that never end take no more memory than their bound, and give it back', async (t) => {
  const bodyBytes = limits.invokeResponseBytesMax;
  const head = `POST /2018-06-01/runtime/invocation/r1/response HTTP/1.1\r\nHost: host\r\n`;
  const body = Buffer.alloc(bodyBytes - 1, 'a');
  const tooMany = Math.ceil(bodyBytesMax / bodyBytes) + 1;
  const closed: Promise<void>[] = [];
  const onConnection = (socket: Socket): void => {
    closed.push(new Promise((resolve) => socket.once('close', () => resolve())));
  };
  api.server.on('connection', onConnection);
  t.after(() => api.server.off('connection', onConnection));
  const sockets = Array.from({ length: tooMany }, () => {
    const socket = connectTo(t);
    socket.write(`${head}Content-Length: ${bodyBytes}\r\n\r\n`);
    socket.write(body);
    return socket;
  });
  await Promise.race(
    sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
  );
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  // Room again, for as many one after the other.
  for (let sent = 0; sent < tooMany; sent += 1) {
    const response = await post('/invocation/r1/response', 'a'.repeat(bodyBytes));
    assert.equal(response.status, 202);
    await response.text();
  }
});

test('a connection that cannot be accepted does not end the server', () => {
  const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
  assert.doesNotThrow(() => api.server.emit('error', error));
});

test('a function cannot take more connections than its bound', async (t) => {
  const { port: tcpPort } = new URL(base);
  const sockets = Array.from({ length: connectionsMax + 8 }, () =>
    connect(Number(tcpPort), '127.0.0.1').on('error', () => undefined),
  );
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  // Those over the bound are closed by the server; undici's own pool holds some of the places.
  await Promise.all(sockets.slice(-8).map((socket) => once(socket, 'close')));
  assert(sockets.filter(({ destroyed }) => !destroyed).length <= connectionsMax);
});
