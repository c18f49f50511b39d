/** The platform's lines, byte for byte: tools parse them (guide page 045). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  endLine,
  initReportLine,
  initStartLine,
  reportLine,
  startLine,
  type InvocationReport,
} from './system-log.ts';

const report: InvocationReport = {
  requestId: 'r1',
  durationMs: 12.345,
  billedDurationMs: 13,
  memorySizeMb: 128,
  maxMemoryUsedMb: 31,
  initDurationMs: undefined,
  status: 'success',
  errorType: undefined,
};
const common =
  'REPORT RequestId: r1\tDuration: 12.35 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB\t';

test('START, END and INIT_START', () => {
  assert.equal(startLine('r1', '$LATEST'), 'START RequestId: r1 Version: $LATEST\n');
  assert.equal(endLine('r1'), 'END RequestId: r1\n');
  assert.equal(
    initStartLine('nodejs:22.v1', 'arn:x'),
    'INIT_START Runtime Version: nodejs:22.v1\tRuntime Version ARN: arn:x\n',
  );
});

test('REPORT has Init Duration, Status and Error Type only when there are any', () => {
  assert.equal(reportLine(report), `${common}\n`);
  assert.equal(
    reportLine({ ...report, initDurationMs: 80 }),
    `${common}Init Duration: 80.00 ms\t\n`,
  );
  assert.equal(reportLine({ ...report, status: 'timeout' }), `${common}Status: timeout\t\n`);
  assert.equal(
    reportLine({
      ...report,
      initDurationMs: 80,
      status: 'error',
      errorType: 'Runtime.ExitError',
    }),
    `${common}Init Duration: 80.00 ms\tStatus: error\tError Type: Runtime.ExitError\t\n`,
  );
});

test('INIT_REPORT', () => {
  assert.equal(
    initReportLine({ durationMs: 1236.04, phase: 'init', status: 'timeout', errorType: undefined }),
    'INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout\n',
  );
  assert.equal(
    initReportLine({ durationMs: 1, phase: 'invoke', status: 'error', errorType: 'Runtime.X' }),
    'INIT_REPORT Init Duration: 1.00 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.X\n',
  );
});
