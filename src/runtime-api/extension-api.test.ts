// What extensions call, over a real server, with a scripted environment behind it.
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { noRuntime, ScriptedExtensions } from '../testing/scripted-extensions.ts';
import type { ExtensionEvent } from '../worker/extension-port.ts';
import { extensionErrorBytesMax, registerBytesMax } from './extension-api.ts';
import { createRuntimeHttpApi } from './http-api.ts';

const api = createRuntimeHttpApi(systemClock);
let extensions = new ScriptedExtensions();
let base = '';

before(async () => {
  await new Promise<void>((resolve) => api.server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = api.server.address() as AddressInfo;
  base = `http://127.0.0.1:${port}/2020-01-01/extension`;
});
beforeEach(() => {
  extensions = new ScriptedExtensions();
  api.attach(noRuntime, extensions);
});
after(() => api.close());

const id = '0d9f3cf8-6a1e-4a0b-9d35-0f7d1f6d2c11';
const identified = { 'Lambda-Extension-Identifier': id };

interface ErrorDocument {
  readonly errorType: string;
  readonly errorMessage: string;
}

async function post(
  path: string,
  body: string | Buffer,
  headers: Record<string, string>,
): Promise<Response> {
  return fetch(`${base}${path}`, { method: 'POST', body, headers });
}

async function refusal(response: Response): Promise<[number, string, string]> {
  const { errorType, errorMessage } = (await response.json()) as ErrorDocument;
  return [response.status, errorType, errorMessage];
}

test('register answers the function and the identifier', async () => {
  const body = '{"events":["INVOKE","SHUTDOWN","INVOKE"]}';
  const response = await post('/register', body, { 'Lambda-Extension-Name': 'agent' });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('lambda-extension-identifier'), id);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.deepEqual(await response.json(), {
    functionName: 'f',
    functionVersion: '$LATEST',
    handler: 'index.handler',
  });
  assert.deepEqual(extensions.calls, [['register', 'agent', ['INVOKE', 'SHUTDOWN']]]);
});

test('register answers the account only when it is asked to', async () => {
  const names = { 'Lambda-Extension-Name': 'agent' };
  const accountId = async (features: string): Promise<unknown> => {
    const headers = { ...names, 'Lambda-Extension-Accept-Feature': features };
    const document = (await (await post('/register', '{}', headers)).json()) as object;
    return 'accountId' in document ? document.accountId : undefined;
  };
  assert.equal(await accountId('accountId'), '000000000000');
  assert.equal(await accountId('other, accountId,'), '000000000000');
  assert.equal(await accountId('other'), undefined);
  assert.deepEqual(extensions.calls[0], ['register', 'agent', []], 'no events is allowed');
});

test('register without a name asks nobody', async () => {
  for (const headers of [{}, { 'Lambda-Extension-Name': '' }]) {
    assert.deepEqual(await refusal(await post('/register', '{}', headers)), [
      403,
      'Extension.InvalidExtensionName',
      'Empty extension name',
    ]);
  }
  assert.deepEqual(extensions.calls, []);
});

const badBodies: readonly (readonly [string | Buffer, string, RegExp])[] = [
  ['', 'InvalidRequestFormat', /not a JSON object/],
  [`{'events': ['INVOKE']}`, 'InvalidRequestFormat', /not a JSON object/],
  ['["INVOKE"]', 'InvalidRequestFormat', /not a JSON object/],
  [Buffer.from([0x7b, 0xff, 0x7d]), 'InvalidRequestFormat', /not a JSON object/],
  ['{"events":"INVOKE"}', 'InvalidRequestFormat', /array of strings/],
  ['{"events":[1]}', 'InvalidRequestFormat', /array of strings/],
  ['{"events":null}', 'InvalidRequestFormat', /array of strings/],
  ['{"configurationKeys":["A"]}', 'InvalidRequestFormat', /configurationKeys are deprecated/],
  ['{"events":["INVOKE","abcdef"]}', 'Extension.InvalidEventType', /^abcdef: Error/],
];
for (const [body, errorType, message] of badBodies) {
  test(`register refuses ${body.toString('utf8') || 'nothing'} and changes nothing`, async () => {
    const headers = { 'Lambda-Extension-Name': 'agent' };
    const [status, type, errorMessage] = await refusal(await post('/register', body, headers));
    assert.deepEqual([status, type], [403, errorType]);
    assert.match(errorMessage, message);
    assert.deepEqual(extensions.calls, []);
  });
}

test('register and errors refuse a body over their bounds', async () => {
  const long = (bytes: number): string => ' '.repeat(bytes - 2) + '{}';
  const names = { 'Lambda-Extension-Name': 'agent' };
  assert.equal((await post('/register', long(registerBytesMax), names)).status, 200);
  const [status, errorType] = await refusal(
    await post('/register', long(registerBytesMax + 1), names),
  );
  assert.deepEqual([status, errorType], [413, 'RequestEntityTooLarge']);
  const error = { ...identified, 'Lambda-Extension-Function-Error-Type': 'Extension.X' };
  const tooLong = await post('/init/error', long(extensionErrorBytesMax + 1), error);
  assert.equal(tooLong.status, 413);
  assert.equal(extensions.calls.length, 1);
});

const events: readonly ExtensionEvent[] = [
  {
    eventType: 'INVOKE',
    deadlineMs: 1_800_000_000_000,
    requestId: 'r1',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    tracing: { type: 'X-Amzn-Trace-Id', value: 'Root=1-a;Parent=b;Sampled=1' },
  },
  { eventType: 'SHUTDOWN', shutdownReason: 'SPINDOWN', deadlineMs: 1_800_000_002_000 },
];
for (const event of events) {
  test(`next waits for ${event.eventType} and answers it`, async () => {
    const arrived = new Promise<void>((resolve) => {
      const nextEvent = extensions.nextEvent.bind(extensions);
      extensions.nextEvent = (...args) => {
        queueMicrotask(resolve);
        return nextEvent(...args);
      };
    });
    const answer = fetch(`${base}/event/next`, { headers: identified });
    await arrived;
    extensions.waiting[0]?.('e1', event);
    const response = await answer;
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('lambda-extension-event-identifier'), 'e1');
    assert.deepEqual(await response.json(), event);
    assert.deepEqual(extensions.calls, [['nextEvent', id]]);
  });
}

test('errors are passed on with their type and document', async () => {
  const headers = { ...identified, 'Lambda-Extension-Function-Error-Type': 'Extension.X' };
  const document = '{"errorMessage":"no","errorType":"Y","stackTrace":[]}';
  const response = await post('/init/error', document, headers);
  assert.equal(response.status, 202);
  assert.deepEqual(await response.json(), { status: 'OK' });
  assert.equal((await post('/exit/error', '', headers)).status, 202);
  assert.deepEqual(extensions.calls, [
    ['initError', id, 'Extension.X', document],
    ['exitError', id, 'Extension.X', ''],
  ]);
});

test('an error without a type is refused', async () => {
  for (const path of ['/init/error', '/exit/error']) {
    assert.deepEqual(await refusal(await post(path, '{}', identified)), [
      403,
      'Extension.MissingHeader',
      'Lambda-Extension-Function-Error-Type not found',
    ]);
  }
  assert.deepEqual(extensions.calls, []);
});

test('every call but register needs an identifier of the right form', async () => {
  const calls = [
    ['GET', '/2020-01-01/extension/event/next'],
    ['POST', '/2020-01-01/extension/init/error'],
    ['POST', '/2020-01-01/extension/exit/error'],
    ['PUT', '/2022-07-01/telemetry'],
    ['PUT', '/2020-08-15/logs'],
  ] as const;
  for (const [method, path] of calls) {
    const url = new URL(path, base);
    assert.deepEqual(await refusal(await fetch(url, { method })), [
      403,
      'Extension.MissingExtensionIdentifier',
      'Missing Lambda-Extension-Identifier header',
    ]);
    const headers = { 'Lambda-Extension-Identifier': 'not-a-uuid' };
    assert.deepEqual(await refusal(await fetch(url, { method, headers })), [
      403,
      'Extension.InvalidExtensionIdentifier',
      'Invalid Lambda-Extension-Identifier',
    ]);
  }
  assert.deepEqual(extensions.calls, []);
});

test('what the environment refuses is answered with its words', async () => {
  const words = { errorType: 'Extension.InvalidExtensionState', errorMessage: 'not now' };
  extensions.refusal = { status: 'refused', httpStatus: 403, ...words };
  const headers = {
    ...identified,
    'Lambda-Extension-Name': 'agent',
    'Lambda-Extension-Function-Error-Type': 'Extension.X',
  };
  const expected = [403, words.errorType, words.errorMessage];
  assert.deepEqual(await refusal(await post('/register', '{}', headers)), expected);
  assert.deepEqual(await refusal(await post('/init/error', '{}', headers)), expected);
  assert.deepEqual(await refusal(await post('/exit/error', '{}', headers)), expected);
  assert.deepEqual(await refusal(await fetch(`${base}/event/next`, { headers })), expected);
});

test('without extensions every call is refused', async () => {
  api.attach(noRuntime, null);
  const register = await post('/register', '{}', { 'Lambda-Extension-Name': 'agent' });
  assert.deepEqual((await refusal(register)).slice(0, 2), [403, 'Extension.RegistrationClosed']);
  const next = await fetch(`${base}/event/next`, { headers: identified });
  assert.deepEqual(await refusal(next), [
    403,
    'Extension.UnknownExtensionIdentifier',
    `Unknown extension ${id}`,
  ]);
});

test('wrong methods answer 405 and unknown paths 404', async () => {
  assert.equal((await fetch(`${base}/register`)).status, 405);
  assert.equal((await post('/event/next', '', identified)).status, 405);
  assert.equal((await post('/', '', identified)).status, 404);
});
