/**
 * The platform's own lines in a function's log. Plain text is in the new style of failure reports
 * (guide page 045: the extra lines of the old style are gone and REPORT carries the status); with
 * LogFormat JSON every event is an object on its line, and the system log level says which are kept.
 */
import type { SystemLogLevel } from '../model/generated/api-types.ts';
import type { PlatformEvent, PlatformRecords } from './platform-event.ts';
import { toJson } from './telemetry-record.ts';

/** The event's line or lines of plain text with their ends; '' where that log has none. */
export function renderTextLine(event: PlatformEvent): string {
  switch (event.type) {
    case 'platform.initStart':
      // An Init within an invocation is suppressed: page 045.
      return event.record.phase === 'init' ? versionLine('INIT_START', event.record) : '';
    case 'platform.restoreStart':
      return versionLine('RESTORE_START', event.record);
    case 'platform.initReport':
      return initReportText(event.record);
    case 'platform.restoreReport':
      return restoreReportText(event.record);
    case 'platform.start':
      return `START RequestId: ${event.record.requestId} Version: ${event.record.version}\n`;
    case 'platform.report':
      return `END RequestId: ${event.record.requestId}\n${reportText(event.record)}`;
    case 'platform.extension':
      return extensionText(event.record);
    case 'platform.telemetrySubscription':
      return subscriptionText('TELEMETRY', event.record);
    case 'platform.logsSubscription':
      return subscriptionText('LOGS', event.record);
    case 'platform.initRuntimeDone':
    case 'platform.restoreRuntimeDone':
    case 'platform.runtimeDone':
    case 'platform.logsDropped':
      return '';
  }
}

function versionLine(
  title: 'INIT_START' | 'RESTORE_START',
  record: { readonly runtimeVersion: string; readonly runtimeVersionArn: string },
): string {
  const { runtimeVersion, runtimeVersionArn } = record;
  return `${title} Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${runtimeVersionArn}\n`;
}

/** On demand only what went wrong; of an Init ahead of invocations always. */
function initReportText(record: PlatformRecords['platform.initReport']): string {
  const { initializationType, phase, status, metrics } = record;
  if (status === 'success') {
    if (initializationType === 'on-demand' || phase === 'invoke') return '';
    return `INIT_REPORT Init Duration: ${metrics.durationMs.toFixed(2)} ms\n`;
  }
  const duration = `Init Duration: ${metrics.durationMs.toFixed(2)} ms`;
  return `INIT_REPORT ${duration}\tPhase: ${phase}\tStatus: ${status}${errorTypeText(record)}\n`;
}

function restoreReportText(record: PlatformRecords['platform.restoreReport']): string {
  const duration = `Restore Duration: ${record.metrics.durationMs.toFixed(2)} ms`;
  const status = record.status === 'success' ? '' : `\tStatus: ${record.status}`;
  return `RESTORE_REPORT ${duration}${status}${errorTypeText(record)}\n`;
}

function errorTypeText(record: { readonly errorType?: string }): string {
  return record.errorType === undefined ? '' : `\tError Type: ${record.errorType}`;
}

function reportText(record: PlatformRecords['platform.report']): string {
  const { requestId, status, errorType, metrics } = record;
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${metrics.durationMs.toFixed(2)} ms`,
    `Billed Duration: ${metrics.billedDurationMs} ms`,
    `Memory Size: ${metrics.memorySizeMB} MB`,
    `Max Memory Used: ${metrics.maxMemoryUsedMB} MB`,
  ];
  const { initDurationMs, restoreDurationMs, billedRestoreDurationMs } = metrics;
  if (initDurationMs !== undefined) fields.push(`Init Duration: ${initDurationMs.toFixed(2)} ms`);
  if (restoreDurationMs !== undefined) {
    fields.push(`Restore Duration: ${restoreDurationMs.toFixed(2)} ms`);
  }
  if (billedRestoreDurationMs !== undefined) {
    fields.push(`Billed Restore Duration: ${billedRestoreDurationMs} ms`);
  }
  if (status !== 'success') fields.push(`Status: ${status}`);
  if (errorType !== undefined) fields.push(`Error Type: ${errorType}`);
  return `${fields.join('\t')}\t\n`;
}

function extensionText(record: PlatformRecords['platform.extension']): string {
  const { name, state, events } = record;
  const list = `[${events.join(', ')}]`;
  return `EXTENSION\tName: ${name}\tState: ${state}\tEvents: ${list}${errorTypeText(record)}\n`;
}

function subscriptionText(
  title: 'TELEMETRY' | 'LOGS',
  record: PlatformRecords['platform.telemetrySubscription'],
): string {
  const { name, state, types } = record;
  const list = types.map((type) => `${type.slice(0, 1).toUpperCase()}${type.slice(1)}`).join(', ');
  return `${title}\tName: ${name}\tState: ${state}\tTypes: [${list}]\n`;
}

const levels: readonly SystemLogLevel[] = ['DEBUG', 'INFO', 'WARN'];

/** Whether `level` leaves the event in a JSON log. */
export function isLoggedAt(level: SystemLogLevel, event: PlatformEvent): boolean {
  return levels.indexOf(systemLogLevelOf(event)) >= levels.indexOf(level);
}

/** The event's line of a JSON log with its end. */
export function renderJsonLine({ type, record }: PlatformEvent, timeMs: number): string {
  return `${toJson({ time: new Date(timeMs).toISOString(), type, record })}\n`;
}

/** As the service's documentation assigns levels to events ("Log-level filtering"). */
export function systemLogLevelOf(event: PlatformEvent): SystemLogLevel {
  switch (event.type) {
    case 'platform.initStart':
    case 'platform.restoreStart':
    case 'platform.start':
    case 'platform.telemetrySubscription':
    case 'platform.logsSubscription':
      return 'INFO';
    case 'platform.initRuntimeDone':
    case 'platform.restoreRuntimeDone':
    case 'platform.runtimeDone':
      return event.record.status === 'success' ? 'DEBUG' : 'WARN';
    case 'platform.initReport':
      if (event.record.status !== 'success') return 'WARN';
      return event.record.initializationType === 'on-demand' ? 'DEBUG' : 'INFO';
    case 'platform.restoreReport':
    case 'platform.report':
      return event.record.status === 'success' ? 'INFO' : 'WARN';
    case 'platform.extension':
      return event.record.errorType === undefined ? 'INFO' : 'WARN';
    case 'platform.logsDropped':
      return 'WARN';
  }
}
