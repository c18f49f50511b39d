import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlatformEvent } from './platform-event.ts';
import { renderEntry, type RecordForm, type TelemetryEntry } from './telemetry-record.ts';

const telemetry: RecordForm = { api: 'telemetry', schemaVersion: '2022-12-13', jsonLines: false };
const logs: RecordForm = { api: 'logs', schemaVersion: '2020-08-15', jsonLines: false };
const timeMs = Date.UTC(2030, 0, 2, 3, 4, 5, 67);
const time = '2030-01-02T03:04:05.067Z';

function render(event: PlatformEvent, form: RecordForm): unknown[] {
  return renderEntry({ stream: 'platform', timeMs, event }, form).map((text) => JSON.parse(text));
}

function renderOutput(text: string, form: RecordForm): unknown {
  const entry: TelemetryEntry = { stream: 'extension', timeMs, line: Buffer.from(text) };
  const [record, ...rest] = renderEntry(entry, form).map((json) => JSON.parse(json) as unknown);
  assert.deepEqual(rest, []);
  return record;
}

const metrics = { durationMs: 1.5, billedDurationMs: 2, memorySizeMB: 128, maxMemoryUsedMB: 30 };
const report: PlatformEvent = {
  type: 'platform.report',
  record: { requestId: 'r1', status: 'error', errorType: 'Runtime.ExitError', metrics },
};
const runtimeDone: PlatformEvent = {
  type: 'platform.runtimeDone',
  record: { requestId: 'r1', status: 'error', errorType: 'E' },
};
const start: PlatformEvent = {
  type: 'platform.start',
  record: {
    requestId: 'r1',
    version: '1',
    tracing: { type: 'X-Amzn-Trace-Id', value: 'Root=1' },
  },
};

test('the Telemetry API has the platform’s events as they are', () => {
  for (const event of [report, runtimeDone, start]) {
    assert.deepEqual(render(event, telemetry), [{ time, ...event }]);
  }
});

test('the Logs API has its own records', () => {
  assert.deepEqual(render(start, logs), [
    { time, type: 'platform.start', record: { requestId: 'r1', version: '1' } },
  ]);
  assert.deepEqual(render(report, logs), [
    { time, type: 'platform.fault', record: 'RequestId: r1 Error: Runtime.ExitError' },
    { time, type: 'platform.end', record: { requestId: 'r1' } },
    { time, type: 'platform.report', record: { requestId: 'r1', metrics } },
  ]);
});

test('the Logs API has runtimeDone since its second schema', () => {
  assert.deepEqual(render(runtimeDone, logs), []);
  assert.deepEqual(render(runtimeDone, { ...logs, schemaVersion: '2021-03-18' }), [
    { time, type: 'platform.runtimeDone', record: { requestId: 'r1', status: 'failure' } },
  ]);
});

test('each API has its own subscriptions, and the Logs API none of the phases of Init', () => {
  const record = { name: 'a', state: 'Subscribed', types: ['platform'] };
  const toTelemetry: PlatformEvent = { type: 'platform.telemetrySubscription', record };
  const toLogs: PlatformEvent = { type: 'platform.logsSubscription', record };
  assert.equal(render(toTelemetry, telemetry).length, 1);
  assert.equal(render(toTelemetry, logs).length, 0);
  assert.equal(render(toLogs, telemetry).length, 0);
  assert.equal(render(toLogs, logs).length, 1);
  const initDone: PlatformEvent = {
    type: 'platform.initRuntimeDone',
    record: { initializationType: 'on-demand', phase: 'init', status: 'success' },
  };
  assert.equal(render(initDone, logs).length, 0);
});

test('a line is a string with its end', () => {
  const text = 'grüße "quoted" \\ \u0007\n';
  assert.deepEqual(renderOutput(text, telemetry), { time, type: 'extension', record: text });
  assert.deepEqual(renderOutput(text, logs), { time, type: 'extension', record: text });
});

test('a JSON object is one only in a JSON log and a schema that has them', () => {
  const line = ' {"level":"INFO","n":1.23456} \n';
  const object = { time, type: 'extension', record: { level: 'INFO', n: 1.234_56 } };
  const text = { time, type: 'extension', record: line };
  const json = { ...telemetry, jsonLines: true };
  assert.deepEqual(renderOutput(line, json), object);
  assert.deepEqual(renderOutput(line, { ...json, schemaVersion: '2025-01-29' }), object);
  assert.deepEqual(renderOutput(line, { ...json, schemaVersion: '2022-07-01' }), text);
  assert.deepEqual(renderOutput(line, telemetry), text);
  assert.deepEqual(renderOutput(line, { ...logs, jsonLines: true }), text);
  for (const other of ['{"cut":\n', '[1]\n', '12\n']) {
    const record = { time, type: 'extension', record: other };
    assert.deepEqual(renderOutput(other, json), record);
  }
});
