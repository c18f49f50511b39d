// Delivery to one subscriber, over real sockets; only time is simulated.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { silentLog } from '../base/log.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { connectLoopback, TelemetryListener } from '../testing/telemetry-listener.ts';
import type { TelemetryEntry } from './telemetry-record.ts';
import { createTelemetrySender } from './telemetry-sender.ts';
import {
  attemptMsMax,
  retryDelayMsMax,
  retryDelayMsMin,
  TelemetrySubscriber,
} from './telemetry-subscriber.ts';
import type { TelemetryDestination, TelemetrySubscription } from './telemetry-subscription.ts';

const defaults: Omit<TelemetrySubscription, 'destination'> = {
  api: 'telemetry',
  schemaVersion: '2022-12-13',
  types: ['platform', 'function'],
  maxItems: 1000,
  maxBytes: 262_144,
  timeoutMs: 100,
};

interface Rig {
  readonly clock: SimClock;
  readonly subscriber: TelemetrySubscriber;
  /** Resolves with the number of attempts that have failed to connect. */
  readonly connects: { failed: number; onFailed: () => void };
}

function subscribe(
  t: TestContext,
  destination: Partial<TelemetryDestination> & { port: number },
  change: Partial<TelemetrySubscription> = {},
): Rig {
  const clock = new SimClock(Date.UTC(2030, 0, 1));
  const connects = { failed: 0, onFailed: (): void => undefined };
  const connect = (port: number): Promise<Socket> =>
    connectLoopback(port).catch((error: unknown) => {
      connects.failed += 1;
      // The subscriber hears of it in this turn of the event loop.
      setImmediate(connects.onFailed);
      throw error;
    });
  const to: TelemetryDestination = { protocol: 'HTTP', path: '/', method: 'POST', ...destination };
  const subscription = { ...defaults, ...change, destination: to };
  const sender = createTelemetrySender(connect, to);
  const options = { subscription, jsonLines: false };
  const subscriber = new TelemetrySubscriber(clock, silentLog, sender, options);
  t.after(() => subscriber.close());
  return { clock, subscriber, connects };
}

async function listen(t: TestContext): Promise<{ listener: TelemetryListener; port: number }> {
  const listener = new TelemetryListener();
  const port = await listener.listen();
  t.after(() => listener.close());
  return { listener, port };
}

function line(text: string, stream: 'function' | 'extension' = 'function'): TelemetryEntry {
  return { stream, timeMs: Date.UTC(2030, 0, 1), line: Buffer.from(text) };
}

/** Resolves once the answer to a batch has been seen: then nothing is under way. */
async function settled(subscriber: TelemetrySubscriber): Promise<void> {
  await subscriber.flush();
  assert.equal(subscriber.hasPending, false);
}

const recordOf = (text: string): object => ({
  time: '2030-01-01T00:00:00.000Z',
  type: 'function',
  record: text,
});

test('records are sent together once the first has waited for the timeout', async (t) => {
  const { listener, port } = await listen(t);
  const { clock, subscriber } = subscribe(t, { port, path: '/lambda?a=b' });
  subscriber.add(line('one\n'));
  clock.advance(60);
  subscriber.add(line('two\n'));
  subscriber.add(line('not asked for\n', 'extension'));
  clock.advance(39);
  assert.equal(listener.connections, 0);
  clock.advance(1);
  const [batch] = await listener.received(1);
  assert.deepEqual(batch?.records, [recordOf('one\n'), recordOf('two\n')]);
  assert.deepEqual([batch?.method, batch?.path], ['POST', '/lambda?a=b']);
  assert.equal(batch?.headers.host, `sandbox.localdomain:${port}`);
  assert.equal(batch?.headers['content-type'], 'application/json');
});

test('batches share one connection, by the method that was chosen', async (t) => {
  const { listener, port } = await listen(t);
  const { subscriber } = subscribe(t, { port, method: 'PUT' });
  for (const text of ['one', 'two', 'three']) {
    subscriber.add(line(text));
    await settled(subscriber);
  }
  assert.deepEqual(
    listener.batches.map(({ method, records }) => [method, records.length]),
    [
      ['PUT', 1],
      ['PUT', 1],
      ['PUT', 1],
    ],
  );
  assert.equal(listener.connections, 1);
});

test('a full batch does not wait', async (t) => {
  const { listener, port } = await listen(t);
  const { subscriber } = subscribe(t, { port });
  for (let added = 0; added < defaults.maxItems; added += 1) subscriber.add(line('x'));
  const [byItems] = await listener.received(1);
  assert.equal(byItems?.records.length, defaults.maxItems);
  await settled(subscriber);
  subscriber.add(line('x'.repeat(defaults.maxBytes - 1000)));
  assert.equal(listener.batches.length, 1);
  subscriber.add(line('y'.repeat(1000)));
  const [, byBytes] = await listener.received(2);
  assert.equal(byBytes?.records.length, 2);
});

test('a listener that comes up late gets everything, tried later and later', async (t) => {
  const { port } = await listenOnce();
  const { clock, subscriber, connects } = subscribe(t, { port });
  subscriber.add(line('early\n'));
  const delaysMs: number[] = [];
  for (let delayMs = retryDelayMsMin; ; delayMs = Math.min(2 * delayMs, retryDelayMsMax)) {
    const failed = new Promise<void>((resolve) => (connects.onFailed = resolve));
    if (connects.failed === 0) void subscriber.flush();
    else clock.advance(1);
    await failed;
    delaysMs.push(delayMs);
    clock.advance(delayMs - 1);
    await eventLoopTurn();
    assert.equal(connects.failed, delaysMs.length, 'not before its time');
    if (delaysMs.filter((ms) => ms === retryDelayMsMax).length === 2) break;
  }
  assert.deepEqual(delaysMs, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
  subscriber.add(line('later\n'));
  const listener = new TelemetryListener();
  await listener.listen(port);
  t.after(() => listener.close());
  clock.advance(1);
  const [first] = await listener.received(1);
  assert.deepEqual(first?.records, [recordOf('early\n')]);
  await settled(subscriber);
  assert.deepEqual(listener.batches[1]?.records, [recordOf('later\n')]);
});

test('a batch that is answered with an error comes again', async (t) => {
  const { listener, port } = await listen(t);
  listener.answer = (response) => void response.writeHead(500).end('no');
  const { clock, subscriber } = subscribe(t, { port });
  subscriber.add(line('one'));
  await subscriber.flush();
  assert.equal(subscriber.hasPending, true, 'flush does not wait for what failed');
  listener.answer = (response) => void response.writeHead(204).end();
  clock.advance(retryDelayMsMin);
  const [first, second] = await listener.received(2);
  assert.deepEqual(second?.records, first?.records);
  await settled(subscriber);
});

test('a listener that does not answer is tried again', async (t) => {
  const { listener, port } = await listen(t);
  listener.answer = () => undefined;
  const { clock, subscriber } = subscribe(t, { port });
  subscriber.add(line('one'));
  const flushed = subscriber.flush();
  await listener.received(1);
  clock.advance(attemptMsMax);
  await flushed;
  listener.answer = (response) => void response.end();
  clock.advance(retryDelayMsMin);
  await listener.received(2);
  await settled(subscriber);
  assert.equal(listener.connections, 2);
});

test('what a slow listener has no room for is dropped, counted and told once', async (t) => {
  const { listener, port } = await listen(t);
  const answers: (() => void)[] = [];
  listener.answer = (response) => void answers.push(() => response.end());
  const { subscriber } = subscribe(t, { port });
  const dropped = 321;
  for (let added = 0; added < 2 * defaults.maxItems + dropped; added += 1) {
    subscriber.add(line('x\n'));
  }
  await listener.received(1);
  answers.shift()?.();
  const [first, second] = await listener.received(2);
  assert.equal(first?.records.length, defaults.maxItems);
  assert.equal(second?.records.length, defaults.maxItems);
  listener.answer = (response) => void response.end();
  answers.shift()?.();
  await settled(subscriber);
  const rest = listener.batches.slice(2).flatMap(({ records }) => records);
  assert.equal(rest.length, 1);
  assert.equal(rest[0]?.type, 'platform.logsDropped');
  const { reason, ...counts } = rest[0].record as { reason: string };
  assert.deepEqual(counts, { droppedRecords: dropped, droppedBytes: dropped * 'x\n'.length });
  assert.match(reason, /slower/);
});

test('a line for which there is no room is not rendered', (t) => {
  const { subscriber } = subscribe(t, { port: 1 }, { maxItems: 1000 });
  for (let added = 0; added < 2 * defaults.maxItems; added += 1) subscriber.add(line('x\n'));
  const bytes = Buffer.from('x\n');
  t.mock.method(bytes, 'toString', () => assert.fail('it was rendered'));
  subscriber.add({ stream: 'function', timeMs: 0, line: bytes });
});

test('nothing is sent while the environment is frozen', async (t) => {
  const { listener, port } = await listen(t);
  const { clock, subscriber } = subscribe(t, { port });
  subscriber.add(line('one'));
  subscriber.pause();
  clock.advance(10 * defaults.timeoutMs);
  subscriber.add(line('two'));
  await subscriber.flush();
  await eventLoopTurn();
  assert.equal(listener.connections, 0);
  assert.equal(subscriber.hasPending, true);
  subscriber.resume();
  clock.advance(defaults.timeoutMs);
  const [batch] = await listener.received(1);
  assert.deepEqual(batch?.records, [recordOf('one'), recordOf('two')]);
});

test('the time in which the environment is frozen is not the listener’s', async (t) => {
  const { listener, port } = await listen(t);
  let answer = (): void => undefined;
  listener.answer = (response) => {
    answer = () => void response.end();
  };
  const { clock, subscriber } = subscribe(t, { port });
  subscriber.add(line('one'));
  void subscriber.flush();
  await listener.received(1);
  subscriber.pause();
  clock.advance(10 * attemptMsMax);
  subscriber.resume();
  clock.advance(attemptMsMax - 1);
  answer();
  await settled(subscriber);
  assert.equal(listener.batches.length, 1);
});

test('a batch that failed before the freeze comes again after it', async (t) => {
  const { listener, port } = await listen(t);
  listener.answer = (response) => void response.writeHead(503).end();
  const { subscriber } = subscribe(t, { port });
  subscriber.add(line('one'));
  await subscriber.flush();
  subscriber.pause();
  listener.answer = (response) => void response.end();
  subscriber.resume();
  await listener.received(2);
  await settled(subscriber);
});

test('a closed subscriber leaves nothing behind', async (t) => {
  const { listener, port } = await listen(t);
  listener.answer = () => undefined;
  const { clock, subscriber } = subscribe(t, { port });
  subscriber.add(line('one'));
  const flushed = subscriber.flush();
  await listener.received(1);
  await subscriber.close();
  await flushed;
  assert.equal(subscriber.hasPending, false);
  subscriber.add(line('two'));
  clock.advance(10 * attemptMsMax);
  await eventLoopTurn();
  assert.equal(listener.batches.length, 1);
});

/** A TCP listener and what it was sent. */
async function listenTcp(t: TestContext, port = 0) {
  const sockets: Socket[] = [];
  let text = '';
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (bytes) => {
      text += bytes.toString();
      server.emit('text');
    });
    socket.on('error', () => undefined);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  };
  t.after(close);
  const lines = async (count: number): Promise<unknown[]> => {
    while (text.split('\n').length <= count) await once(server, 'text');
    assert(text.endsWith('\n'));
    return text
      .trimEnd()
      .split('\n')
      .map((json) => JSON.parse(json) as unknown);
  };
  return { port: (server.address() as AddressInfo).port, sockets, lines, close };
}

test('over TCP every record is a line, on one connection', async (t) => {
  const { port, sockets, lines } = await listenTcp(t);
  const { subscriber } = subscribe(t, { protocol: 'TCP', port });
  subscriber.add(line('one\n'));
  subscriber.add(line('two\n'));
  await settled(subscriber);
  subscriber.add(line('three\n'));
  await settled(subscriber);
  assert.deepEqual(await lines(3), ['one\n', 'two\n', 'three\n'].map(recordOf));
  assert.equal(sockets.length, 1);
});

test('over TCP a lost connection is made again', async (t) => {
  const first = await listenTcp(t);
  const { clock, subscriber, connects } = subscribe(t, { protocol: 'TCP', port: first.port });
  subscriber.add(line('one\n'));
  await settled(subscriber);
  await first.lines(1);
  first.close();
  // Until the subscriber's end has seen it, a write would still be taken.
  while (connects.failed === 0) {
    const failed = new Promise<void>((resolve) => (connects.onFailed = resolve));
    subscriber.add(line('lost\n'));
    await Promise.race([subscriber.flush(), failed]);
    await eventLoopTurn();
  }
  const second = await listenTcp(t, first.port);
  clock.advance(retryDelayMsMax);
  await settled(subscriber);
  assert.deepEqual((await second.lines(1))[0], recordOf('lost\n'));
});

/** A port where nobody listens any more. */
async function listenOnce(): Promise<{ port: number }> {
  const listener = new TelemetryListener();
  const port = await listener.listen();
  await listener.close();
  return { port };
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
