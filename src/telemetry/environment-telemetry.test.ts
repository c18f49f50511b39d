// What one environment tells: to its log byte for byte, and to subscribers over real sockets.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { silentLog } from '../base/log.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { connectLoopback, TelemetryListener } from '../testing/telemetry-listener.ts';
import {
  EnvironmentTelemetry,
  flushMsMax,
  lineBytesMax,
  type TelemetryOptions,
} from './environment-telemetry.ts';
import { LogStream } from './log-stream.ts';
import type { PlatformEvent } from './platform-event.ts';
import type { TelemetrySubscription } from './telemetry-subscription.ts';

interface Rig {
  readonly clock: SimClock;
  readonly telemetry: EnvironmentTelemetry;
  /** What the log's sink was given so far. */
  readonly logged: () => string;
}

function createTelemetry(t: TestContext, change: Partial<TelemetryOptions> = {}): Rig {
  const clock = new SimClock(Date.UTC(2030, 0, 1));
  let text = '';
  const sink = (_name: unknown, bytes: Buffer): void => void (text += bytes.toString());
  const logStream = new LogStream({ logGroup: 'g', logStream: 's' }, sink, {
    bytesMax: 4096,
    isOfRecords: false,
  });
  const telemetry = new EnvironmentTelemetry(clock, silentLog, logStream, {
    logFormat: 'Text',
    systemLogLevel: 'INFO',
    connect: connectLoopback,
    ...change,
  });
  t.after(() => telemetry.close());
  return { clock, telemetry, logged: () => text };
}

async function listen(t: TestContext): Promise<{ listener: TelemetryListener; port: number }> {
  const listener = new TelemetryListener();
  const port = await listener.listen();
  t.after(() => listener.close());
  return { listener, port };
}

function subscription(
  port: number,
  change: Partial<TelemetrySubscription> = {},
): TelemetrySubscription {
  return {
    api: 'telemetry',
    schemaVersion: '2022-12-13',
    types: ['platform', 'function', 'extension'],
    maxItems: 1000,
    maxBytes: 262_144,
    timeoutMs: 100,
    destination: { protocol: 'HTTP', method: 'POST', port, path: '/' },
    ...change,
  };
}

const types = (listener: TelemetryListener): string[] =>
  listener.batches.flatMap(({ records }) => records.map(({ type }) => type));
const records = (listener: TelemetryListener): unknown[] =>
  listener.batches.flatMap((batch) => batch.records.map(({ record }) => record));

// radkawar/stackd docs/lambda.md, of the tail.
test('a listener hears every event, and the tail has it, filtered from the log or not', (t) => {
  const heard: string[] = [];
  const { telemetry, logged } = createTelemetry(t, {
    ...{ logFormat: 'JSON', systemLogLevel: 'WARN' },
    onEvent: ({ type }) => heard.push(type),
  });
  telemetry.emit(initStart);
  telemetry.emit({ type: 'platform.start', record: { requestId: 'r', version: '1' } });
  assert.deepEqual(heard, ['platform.initStart', 'platform.start']);
  assert.equal(logged(), '');
  const tail = telemetry.takeTail().toString().trim().split('\n');
  assert.deepEqual(
    tail.map((line) => (JSON.parse(line) as { type: string }).type),
    heard,
  );
});

const initStart: PlatformEvent = {
  type: 'platform.initStart',
  record: {
    initializationType: 'on-demand',
    phase: 'init',
    runtimeVersion: 'nodejs:24.v1',
    runtimeVersionArn: 'arn:x',
    functionName: 'f',
    functionVersion: '$LATEST',
    instanceId: 'i',
    instanceMaxMemory: 128,
  },
};
const initDone = {
  initializationType: 'on-demand',
  phase: 'init',
  status: 'success',
} as const;
const initRuntimeDone: PlatformEvent = { type: 'platform.initRuntimeDone', record: initDone };
const initReport: PlatformEvent = {
  type: 'platform.initReport',
  record: { ...initDone, metrics: { durationMs: 80 } },
};
const extension: PlatformEvent = {
  type: 'platform.extension',
  record: { name: 'agent', state: 'Ready', events: ['INVOKE'] },
};
const start: PlatformEvent = {
  type: 'platform.start',
  record: { requestId: 'r1', version: '$LATEST' },
};
const runtimeDone: PlatformEvent = {
  type: 'platform.runtimeDone',
  record: { requestId: 'r1', status: 'success' },
};
const report: PlatformEvent = {
  type: 'platform.report',
  record: {
    requestId: 'r1',
    status: 'success',
    metrics: { durationMs: 1, billedDurationMs: 81, memorySizeMB: 128, maxMemoryUsedMB: 30 },
  },
};

/** One cold invocation of a function with an extension that subscribes in between. */
function coldInvoke(telemetry: EnvironmentTelemetry, subscribe: () => void): void {
  telemetry.emit(initStart);
  telemetry.extensionOutput('agent', Buffer.from('agent starts\n'));
  subscribe();
  telemetry.functionOutput(Buffer.from('loading\n'));
  telemetry.emit(initRuntimeDone);
  telemetry.emit(extension);
  telemetry.emit(initReport);
  telemetry.closeSubscriptions();
  telemetry.emit(start);
  telemetry.functionOutput(Buffer.from('one\ntw'));
  telemetry.functionOutput(Buffer.from('o\n'));
  telemetry.emit(runtimeDone);
  telemetry.emit(report);
}

const coldLog =
  'INIT_START Runtime Version: nodejs:24.v1\tRuntime Version ARN: arn:x\n' +
  'agent starts\n' +
  'TELEMETRY\tName: agent\tState: Subscribed\tTypes: [Platform, Function, Extension]\n' +
  'loading\n' +
  'EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE]\n' +
  'START RequestId: r1 Version: $LATEST\n' +
  'one\ntwo\n' +
  'END RequestId: r1\n' +
  'REPORT RequestId: r1\tDuration: 1.00 ms\tBilled Duration: 81 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\n';

test('a cold invocation is told in order, from the start of its Init', async (t) => {
  const { listener, port } = await listen(t);
  const { telemetry, logged } = createTelemetry(t);
  coldInvoke(telemetry, () => telemetry.subscribe('agent', subscription(port)));
  await telemetry.flush();
  assert.deepEqual(types(listener), [
    'platform.initStart',
    'extension',
    'platform.telemetrySubscription',
    'function',
    'platform.initRuntimeDone',
    'platform.extension',
    'platform.initReport',
    'platform.start',
    'function',
    'function',
    'platform.runtimeDone',
    'platform.report',
  ]);
  assert.deepEqual(records(listener)[2], {
    name: 'agent',
    state: 'Subscribed',
    types: ['platform', 'function', 'extension'],
  });
  assert.deepEqual(records(listener).slice(8, 10), ['one\n', 'two\n']);
  assert.equal(logged(), coldLog);
  assert.equal(telemetry.takeTail().toString(), coldLog);
});

test('the Logs API is told in its own words', async (t) => {
  const { listener, port } = await listen(t);
  const { telemetry, logged } = createTelemetry(t);
  const wanted = subscription(port, {
    api: 'logs',
    schemaVersion: '2021-03-18',
    types: ['platform', 'function'],
  });
  coldInvoke(telemetry, () => telemetry.subscribe('agent', wanted));
  await telemetry.flush();
  assert.deepEqual(types(listener), [
    'platform.logsSubscription',
    'function',
    'platform.extension',
    'platform.start',
    'function',
    'function',
    'platform.runtimeDone',
    'platform.end',
    'platform.report',
  ]);
  assert.match(logged(), /^LOGS\tName: agent\tState: Subscribed\tTypes: \[Platform, Function\]$/m);
  assert.equal(telemetry.subscribedApi('agent'), 'logs');
  assert.equal(telemetry.subscribedApi('other'), undefined);
});

test('a JSON log has the events of its level, subscribers have all', async (t) => {
  const { listener, port } = await listen(t);
  const { telemetry, logged } = createTelemetry(t, { logFormat: 'JSON' });
  coldInvoke(telemetry, () => telemetry.subscribe('agent', subscription(port)));
  telemetry.functionOutput(Buffer.from('{"level":"INFO","message":"hi"}\n'));
  await telemetry.flush();
  assert.equal(types(listener).length, 13);
  assert.deepEqual(records(listener).at(-1), { level: 'INFO', message: 'hi' });
  const lines = logged().trimEnd().split('\n');
  const logged1 = lines.map((text) => {
    const isObject = text.startsWith('{"time"');
    return isObject ? (JSON.parse(text) as { type: string }).type : text;
  });
  assert.deepEqual(logged1, [
    'platform.initStart',
    'agent starts',
    'platform.telemetrySubscription',
    'loading',
    'platform.extension',
    'platform.start',
    'one',
    'two',
    'platform.report',
    '{"level":"INFO","message":"hi"}',
  ]);
});

test('without subscribers only the log is written', async (t) => {
  const { telemetry, logged } = createTelemetry(t);
  telemetry.functionOutput(Buffer.from('half a li'));
  telemetry.extensionOutput('agent', Buffer.from('ne\n'));
  telemetry.emit(start);
  assert.equal(logged(), 'half a line\nSTART RequestId: r1 Version: $LATEST\n');
  await telemetry.flush();
  assert.equal(telemetry.hasPending, false);
});

test('who subscribes twice is told once', async (t) => {
  const { listener, port } = await listen(t);
  const { telemetry } = createTelemetry(t);
  telemetry.subscribe('agent', subscription(port));
  telemetry.subscribe('agent', subscription(port));
  await telemetry.flush();
  assert.deepEqual(types(listener), ['platform.telemetrySubscription']);
});

test('a line without an end is told when it is flushed, or too long', async (t) => {
  const { listener, port } = await listen(t);
  const { telemetry } = createTelemetry(t);
  telemetry.subscribe('agent', subscription(port, { types: ['function'] }));
  telemetry.functionOutput(Buffer.from('no end'));
  assert.equal(telemetry.hasPending, true);
  await telemetry.flush();
  assert.equal(telemetry.hasPending, false);
  assert.deepEqual(records(listener), ['no end']);
  telemetry.functionOutput(Buffer.alloc(lineBytesMax + 1, 'x'));
  await telemetry.flush();
  assert.deepEqual(
    (records(listener) as string[]).map((text) => text.length),
    [6, lineBytesMax, 1],
  );
});

test('one that is stuck holds up neither the others nor the log', async (t) => {
  const stuck = await listen(t);
  const { listener, port } = await listen(t);
  stuck.listener.answer = () => undefined;
  const { clock, telemetry, logged } = createTelemetry(t);
  telemetry.subscribe('stuck', subscription(stuck.port));
  telemetry.subscribe('agent', subscription(port, { types: ['platform'] }));
  telemetry.closeSubscriptions();
  const bound = 100;
  for (let round = 0; round < 3; round += 1) {
    for (let line = 0; line < 1000; line += 1)
      telemetry.functionOutput(Buffer.from('x'.repeat(100)));
    telemetry.functionOutput(Buffer.from('\n'));
    telemetry.emit(report);
    clock.advance(bound);
    await listener.received(round + 1);
  }
  await stuck.listener.received(1);
  let isFlushed = false;
  const flushed = telemetry.flush().then(() => (isFlushed = true));
  clock.advance(flushMsMax - 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isFlushed, false);
  clock.advance(1);
  await flushed;
  assert.equal(telemetry.hasPending, true);
  assert.equal(types(listener).filter((type) => type === 'platform.report').length, 3);
  assert.equal(logged().match(/^REPORT/gm)?.length, 3);
});

test('after a reset there are no subscribers until they subscribe again', async (t) => {
  const { listener, port } = await listen(t);
  const { telemetry } = createTelemetry(t);
  coldInvoke(telemetry, () => telemetry.subscribe('agent', subscription(port)));
  await telemetry.flush();
  const before = types(listener).length;
  await telemetry.reset();
  telemetry.emit(initStart);
  assert.equal(telemetry.hasPending, false);
  assert.equal(telemetry.subscribedApi('agent'), undefined);
  telemetry.subscribe('agent', subscription(port));
  await telemetry.flush();
  assert.deepEqual(types(listener).slice(before), [
    'platform.initStart',
    'platform.telemetrySubscription',
  ]);
});

test('what is told between two Inits is nobody’s', async (t) => {
  const { listener, port } = await listen(t);
  const { telemetry } = createTelemetry(t);
  coldInvoke(telemetry, () => undefined);
  await telemetry.reset();
  telemetry.emit(initReport);
  telemetry.functionOutput(Buffer.from('last words\n'));
  telemetry.emit(initStart);
  telemetry.subscribe('agent', subscription(port));
  await telemetry.flush();
  assert.deepEqual(types(listener), ['platform.initStart', 'platform.telemetrySubscription']);
});

test('delivery stands still while the environment is frozen', async (t) => {
  const { listener, port } = await listen(t);
  const { clock, telemetry } = createTelemetry(t);
  telemetry.subscribe('agent', subscription(port));
  telemetry.pause();
  clock.advance(1000);
  assert.equal(telemetry.hasPending, true);
  assert.equal(listener.connections, 0);
  telemetry.resume();
  clock.advance(100);
  await listener.received(1);
});
