/** The platform's lines, byte for byte: tools parse them (guide page 045). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SystemLogLevel } from '../model/generated/api-types.ts';
import type { PlatformEvent, PlatformRecords } from './platform-event.ts';
import { isLoggedAt, renderJsonLine, renderTextLine, systemLogLevelOf } from './system-log.ts';

const startRecord: PlatformRecords['platform.initStart'] = {
  initializationType: 'on-demand',
  phase: 'init',
  runtimeVersion: 'nodejs:22.v1',
  runtimeVersionArn: 'arn:x',
  functionName: 'f',
  functionVersion: '$LATEST',
  instanceId: 'i',
  instanceMaxMemory: 128,
};
const initStart: PlatformEvent = { type: 'platform.initStart', record: startRecord };
const start: PlatformEvent = {
  type: 'platform.start',
  record: { requestId: 'r1', version: '$LATEST' },
};
const metrics: PlatformRecords['platform.report']['metrics'] = {
  durationMs: 12.345,
  billedDurationMs: 13,
  memorySizeMB: 128,
  maxMemoryUsedMB: 31,
};

function report(change: Partial<PlatformRecords['platform.report']> = {}): PlatformEvent {
  const record = { requestId: 'r1', status: 'success', metrics, ...change } as const;
  return { type: 'platform.report', record };
}

function initReport(change: Partial<PlatformRecords['platform.initReport']> = {}): PlatformEvent {
  const record = {
    ...{ initializationType: 'on-demand', phase: 'init', status: 'success' },
    metrics: { durationMs: 1236.04 },
    ...change,
  } as const;
  return { type: 'platform.initReport', record } as PlatformEvent;
}

function extension(errorType?: string): PlatformEvent {
  const record =
    errorType === undefined
      ? { name: 'agent', state: 'Ready', events: ['INVOKE', 'SHUTDOWN'] }
      : { name: 'agent', state: 'LaunchError', events: [], errorType };
  return { type: 'platform.extension', record };
}

test('START and INIT_START', () => {
  assert.equal(renderTextLine(start), 'START RequestId: r1 Version: $LATEST\n');
  assert.equal(
    renderTextLine(initStart),
    'INIT_START Runtime Version: nodejs:22.v1\tRuntime Version ARN: arn:x\n',
  );
});

test('END and REPORT, with Init Duration, Status and Error Type only when there are any', () => {
  const common =
    'END RequestId: r1\nREPORT RequestId: r1\tDuration: 12.35 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB\t';
  assert.equal(renderTextLine(report()), `${common}\n`);
  assert.equal(
    renderTextLine(report({ metrics: { ...metrics, initDurationMs: 80 } })),
    `${common}Init Duration: 80.00 ms\t\n`,
  );
  assert.equal(renderTextLine(report({ status: 'timeout' })), `${common}Status: timeout\t\n`);
  const failed = report({
    metrics: { ...metrics, initDurationMs: 80 },
    status: 'error',
    errorType: 'Runtime.ExitError',
  });
  assert.equal(
    renderTextLine(failed),
    `${common}Init Duration: 80.00 ms\tStatus: error\tError Type: Runtime.ExitError\t\n`,
  );
  const restored = { ...metrics, restoreDurationMs: 398.97, billedRestoreDurationMs: 182 };
  assert.equal(
    renderTextLine(report({ metrics: restored })),
    `${common}Restore Duration: 398.97 ms\tBilled Restore Duration: 182 ms\t\n`,
  );
});

test('INIT_REPORT of a failure always, of a success only ahead of invocations', () => {
  assert.equal(
    renderTextLine(initReport({ status: 'timeout' })),
    'INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout\n',
  );
  assert.equal(
    renderTextLine(initReport({ phase: 'invoke', status: 'error', errorType: 'Extension.Crash' })),
    'INIT_REPORT Init Duration: 1236.04 ms\tPhase: invoke\tStatus: error\tError Type: Extension.Crash\n',
  );
  assert.equal(renderTextLine(initReport()), '');
  assert.equal(
    renderTextLine(initReport({ initializationType: 'provisioned-concurrency' })),
    'INIT_REPORT Init Duration: 1236.04 ms\n',
  );
});

test('RESTORE_START and RESTORE_REPORT', () => {
  assert.equal(
    renderTextLine({ type: 'platform.restoreStart', record: startRecord }),
    'RESTORE_START Runtime Version: nodejs:22.v1\tRuntime Version ARN: arn:x\n',
  );
  const restored = { status: 'success', metrics: { durationMs: 511.25 } } as const;
  const text = (record: PlatformRecords['platform.restoreReport']): string =>
    renderTextLine({ type: 'platform.restoreReport', record });
  assert.equal(text(restored), 'RESTORE_REPORT Restore Duration: 511.25 ms\n');
  assert.equal(
    text({ ...restored, status: 'error', errorType: 'Runtime.ExitError' }),
    'RESTORE_REPORT Restore Duration: 511.25 ms\tStatus: error\tError Type: Runtime.ExitError\n',
  );
});

test('EXTENSION, TELEMETRY and LOGS', () => {
  assert.equal(
    renderTextLine(extension()),
    'EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n',
  );
  assert.equal(
    renderTextLine(extension('PermissionDenied')),
    'EXTENSION\tName: agent\tState: LaunchError\tEvents: []\tError Type: PermissionDenied\n',
  );
  const record = { name: 'agent', state: 'Subscribed', types: ['platform', 'function'] };
  assert.equal(
    renderTextLine({ type: 'platform.telemetrySubscription', record }),
    'TELEMETRY\tName: agent\tState: Subscribed\tTypes: [Platform, Function]\n',
  );
  assert.equal(
    renderTextLine({ type: 'platform.logsSubscription', record }),
    'LOGS\tName: agent\tState: Subscribed\tTypes: [Platform, Function]\n',
  );
});

test('the text log has no line of a suppressed Init and of what only subscribers are told', () => {
  const suppressed = { ...startRecord, phase: 'invoke' } as const;
  assert.equal(renderTextLine({ type: 'platform.initStart', record: suppressed }), '');
  assert.equal(
    renderTextLine({
      type: 'platform.runtimeDone',
      record: { requestId: 'r1', status: 'success' },
    }),
    '',
  );
});

const timeMs = Date.UTC(2030, 0, 2, 3, 4, 5, 67);

test('a JSON line is the event with its time', () => {
  assert.equal(
    renderJsonLine(start, timeMs),
    '{"time":"2030-01-02T03:04:05.067Z","type":"platform.start","record":{"requestId":"r1","version":"$LATEST"}}\n',
  );
  const fine = report({ metrics: { ...metrics, durationMs: 12.345_678 } });
  const line = JSON.parse(renderJsonLine(fine, timeMs)) as {
    record: PlatformRecords['platform.report'];
  };
  assert.equal(line.record.metrics.durationMs, 12.346);
});

const runtimeDone = (status: 'success' | 'timeout'): PlatformEvent => ({
  type: 'platform.runtimeDone',
  record: { requestId: 'r1', status },
});
const assigned: readonly (readonly [PlatformEvent, SystemLogLevel])[] = [
  [initStart, 'INFO'],
  [start, 'INFO'],
  [report(), 'INFO'],
  [report({ status: 'timeout' }), 'WARN'],
  [runtimeDone('success'), 'DEBUG'],
  [runtimeDone('timeout'), 'WARN'],
  [initReport(), 'DEBUG'],
  [initReport({ initializationType: 'snap-start' }), 'INFO'],
  [initReport({ status: 'error', errorType: 'Runtime.ExitError' }), 'WARN'],
  [extension(), 'INFO'],
  [extension('PermissionDenied'), 'WARN'],
];
for (const [event, level] of assigned) {
  test(`${event.type} ${JSON.stringify(event.record).slice(0, 60)} has the level ${level}`, () => {
    assert.equal(systemLogLevelOf(event), level);
    const levels: readonly SystemLogLevel[] = ['DEBUG', 'INFO', 'WARN'];
    const keptAt = levels.filter((least) => isLoggedAt(least, event));
    assert.deepEqual(keptAt, levels.slice(0, levels.indexOf(level) + 1));
  });
}
