import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import type {
  Invocation,
  PortAnswer,
  RuntimePort,
  RuntimeRestore,
} from '../worker/runtime-port.ts';
import { openRuntimeChannel } from './channel.ts';

const accepted: PortAnswer = { status: 'accepted' };
const server = createServer();
let host: Socket;
let runtime: Socket;

before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve())));
after(() => void server.close());

async function connectPair(): Promise<void> {
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  const connected = once(server, 'connection') as Promise<[Socket]>;
  runtime = connect(address.port, '127.0.0.1');
  [host] = await connected;
}

function frame(type: number, header: object, payload = ''): Buffer {
  const headerBytes = Buffer.from(JSON.stringify(header));
  const body = Buffer.from(payload);
  const bytes = Buffer.alloc(9 + headerBytes.length + body.length);
  bytes.writeUInt32BE(5 + headerBytes.length + body.length, 0);
  bytes.writeUInt8(type, 4);
  bytes.writeUInt32BE(headerBytes.length, 5);
  headerBytes.copy(bytes, 9);
  body.copy(bytes, 9 + headerBytes.length);
  return bytes;
}

/** Records what the runtime says and resolves `said(n)` once it has said n things. */
function recordingPort(): {
  port: RuntimePort;
  words: unknown[][];
  said(count: number): Promise<void>;
} {
  const words: unknown[][] = [];
  let wake: () => void = () => undefined;
  const say = (...word: unknown[]): PortAnswer => {
    words.push(word);
    wake();
    return accepted;
  };
  return {
    words,
    port: {
      next: (deliver) => say('next', deliver),
      expectsResponse: () => accepted,
      respond: (requestId, response) => say('respond', requestId, String(response.body)),
      fail: (requestId, error) => say('fail', requestId, error.errorType, String(error.payload)),
      initError: (error) => say('initError', error.errorType, String(error.payload)),
      restoreNext: (restore) => say('restoreNext', restore),
      restoreError: (error) => say('restoreError', error.errorType, String(error.payload)),
    },
    async said(count) {
      while (words.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

test('channel passes frames on, however the stream cuts them', async () => {
  await connectPair();
  const channel = openRuntimeChannel(host);
  const { port, words, said } = recordingPort();
  channel.attach(port);
  const bytes = Buffer.concat([
    frame(0x81, {}),
    frame(0x82, {}),
    frame(0x84, { requestId: 'r1' }, '{"ok":true}'),
    frame(0x85, { requestId: 'r2', errorType: 'Error' }, '{"errorType":"Error"}'),
    frame(0x83, { errorType: 'Runtime.ImportModuleError' }, '{}'),
    frame(0x70, { unknown: true }),
  ]);
  for (const byte of bytes) runtime.write(Buffer.of(byte));
  await channel.booted;
  await said(4);
  assert.deepEqual(
    words.map(([word]) => word),
    ['next', 'respond', 'fail', 'initError'],
  );
  assert.deepEqual(words[1], ['respond', 'r1', '{"ok":true}']);
  assert.deepEqual(words[2], ['fail', 'r2', 'Error', '{"errorType":"Error"}']);
  runtime.destroy();
});

test('channel tells a runtime at its snapshot point to go on', async () => {
  await connectPair();
  const channel = openRuntimeChannel(host);
  const { port, words, said } = recordingPort();
  channel.attach(port);
  runtime.write(frame(0x88, {}));
  runtime.write(frame(0x89, { errorType: 'ValueError' }, '{"errorType":"ValueError"}'));
  await said(2);
  assert.deepEqual(words[1], ['restoreError', 'ValueError', '{"errorType":"ValueError"}']);
  const restored: RuntimeRestore = { env: { A: 'b' }, optRoot: '/opt' };
  (words[0]?.[1] as (restore: RuntimeRestore) => void)(restored);
  const [bytes] = (await once(runtime, 'data')) as [Buffer];
  assert.deepEqual(bytes, frame(0x04, restored));
  assert.deepEqual(channel.forkRequest, frame(0x03, {}));
  runtime.destroy();
});

test('channel delivers an event of several megabytes in one frame', async () => {
  await connectPair();
  const channel = openRuntimeChannel(host);
  const { port, words, said } = recordingPort();
  channel.attach(port);
  runtime.write(frame(0x82, {}));
  await said(1);
  const payload = Buffer.alloc(6 * 1024 * 1024, 'a');
  const invocation: Invocation = {
    requestId: 'r3',
    payload,
    deadlineMs: 1,
    invokedFunctionArn: 'arn',
    traceId: 'Root=1',
    clientContext: undefined,
    cognitoIdentity: undefined,
    tenantId: undefined,
  };
  (words[0]?.[1] as (invocation: Invocation) => void)(invocation);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of runtime as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= 4 && length >= 4 + Buffer.concat(chunks).readUInt32BE(0)) break;
  }
  const received = Buffer.concat(chunks);
  const headerEnd = 9 + received.readUInt32BE(5);
  assert.equal(received.readUInt8(4), 0x02);
  const header = JSON.parse(received.toString('utf8', 9, headerEnd)) as { requestId: string };
  assert.equal(header.requestId, 'r3');
  assert.equal(received.length - headerEnd, payload.length);
});

test('channel takes values of any type in a header, also those that are no text', async () => {
  await connectPair();
  const channel = openRuntimeChannel(host);
  const { port, words, said } = recordingPort();
  channel.attach(port);
  const odd = { toString: null };
  runtime.write(frame(0x84, { requestId: odd, contentType: odd }, '{}'));
  runtime.write(frame(0x85, { requestId: ['r1'], errorType: odd }, '{}'));
  await said(2);
  assert.deepEqual(words, [
    ['respond', '', '{}'],
    ['fail', '', 'Runtime.UnknownReason', '{}'],
  ]);
  runtime.destroy();
});

for (const [what, bytes] of [
  ['a length over the bound', Buffer.from([0xff, 0xff, 0xff, 0xff])],
  ['a length under the smallest frame', Buffer.from([0, 0, 0, 1])],
  ['a header longer than its frame', Buffer.from([0, 0, 0, 5, 0x82, 0, 0, 0, 9])],
  ['a header over the bound', frame(0x83, { errorType: 'E'.repeat(64 * 1024) })],
  ['a header that is not JSON', Buffer.from([0, 0, 0, 6, 0x82, 0, 0, 0, 1, 0x7b])],
] as const) {
  test(`channel ends the conversation at ${what}`, async () => {
    await connectPair();
    const channel = openRuntimeChannel(host);
    runtime.write(bytes);
    runtime.on('error', () => undefined);
    await once(host, 'close');
    await assert.rejects(channel.booted, /ended before it had booted/);
  });
}

test('closed resolves whichever end closes, and for input that is no frame', async () => {
  await connectPair();
  const channel = openRuntimeChannel(host);
  runtime.end();
  await channel.closed;

  await connectPair();
  const own = openRuntimeChannel(host);
  own.close();
  await own.closed;

  await connectPair();
  const broken = openRuntimeChannel(host);
  runtime.on('error', () => undefined);
  runtime.write(Buffer.from('ffffffffffffffff', 'hex'));
  await broken.closed;
  // What is said to it from now on is dropped without a sound.
  broken.sendInit({
    ...{ handler: '', taskRoot: '', optRoot: '', env: {}, initializationType: '' },
  });
  runtime.destroy();
});

test('channel closes on a runtime that keeps sending frames out of place', async () => {
  const strange: Record<string, Buffer> = {
    'a second request for the next event': frame(0x82, {}),
    'answers to nothing': frame(0x84, { requestId: 'forged' }, '1'),
    'unknown types': frame(0x7f, {}),
  };
  for (const [name, bytes] of Object.entries(strange)) {
    await connectPair();
    const channel = openRuntimeChannel(host);
    const { port, words, said } = recordingPort();
    const refused: PortAnswer = { status: 'invalidRequestId' };
    channel.attach({ ...port, respond: () => refused });
    runtime.write(frame(0x82, {}));
    await said(1);
    runtime.on('error', () => undefined);
    runtime.write(Buffer.concat(Array.from({ length: 64 }, () => bytes)));
    runtime.write(frame(0x83, {}, 'still heard'));
    await said(2);
    assert.deepEqual(words[1], ['initError', 'Runtime.UnknownReason', 'still heard'], name);
    runtime.write(bytes);
    await channel.closed;
  }
});

test('channel takes any number of events that were asked for one by one', async () => {
  await connectPair();
  const channel = openRuntimeChannel(host);
  const { port, words, said } = recordingPort();
  channel.attach(port);
  for (let count = 1; count <= 200; count += 1) {
    runtime.write(frame(0x82, {}));
    await said(count);
    const [, deliver] = words[count - 1] as [string, (invocation: Invocation) => void];
    deliver({
      requestId: `r${count}`,
      payload: Buffer.from('{}'),
      deadlineMs: 1,
      invokedFunctionArn: 'arn',
      traceId: 'trace',
      clientContext: undefined,
      cognitoIdentity: undefined,
      tenantId: undefined,
    });
  }
  channel.close();
});
