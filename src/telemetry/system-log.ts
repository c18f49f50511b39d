/**
 * The platform's own lines in a function's log, plain text, in the new style of failure reports
 * (guide page 045: the extra lines of the old style are gone and REPORT carries the status).
 */

export interface InvocationReport {
  readonly requestId: string;
  readonly durationMs: number;
  readonly billedDurationMs: number;
  readonly memorySizeMb: number;
  readonly maxMemoryUsedMb: number;
  /** Only for the first invocation of an environment whose Init succeeded. */
  readonly initDurationMs: number | undefined;
  /** Only for the first invocation of an environment that was restored from a snapshot. */
  readonly restore?: RestoreDurations | undefined;
  readonly status: 'success' | 'timeout' | 'error';
  /** With status 'error'. */
  readonly errorType: string | undefined;
}

export interface RestoreDurations {
  readonly durationMs: number;
  /** Of it, what the function's hooks and the runtime took. */
  readonly billedMs: number;
}

export interface InitReport {
  readonly durationMs: number;
  readonly phase: 'init' | 'invoke';
  readonly status: 'success' | 'timeout' | 'error';
  readonly errorType: string | undefined;
}

export function initStartLine(runtimeVersion: string, runtimeVersionArn: string): string {
  return `INIT_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${runtimeVersionArn}\n`;
}

export function initReportLine(report: InitReport): string {
  const error = report.errorType === undefined ? '' : `\tError Type: ${report.errorType}`;
  return `INIT_REPORT Init Duration: ${report.durationMs.toFixed(2)} ms\tPhase: ${report.phase}\tStatus: ${report.status}${error}\n`;
}

export function restoreStartLine(runtimeVersion: string, runtimeVersionArn: string): string {
  return `RESTORE_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${runtimeVersionArn}\n`;
}

/** A success has no status (public logs); a failure as guide page 045 shows it. */
export function restoreReportLine(report: Omit<InitReport, 'phase'>): string {
  const status = report.status === 'success' ? '' : `\tStatus: ${report.status}`;
  const error = report.errorType === undefined ? '' : `\tError Type: ${report.errorType}`;
  return `RESTORE_REPORT Restore Duration: ${report.durationMs.toFixed(2)} ms${status}${error}\n`;
}

export function startLine(requestId: string, version: string): string {
  return `START RequestId: ${requestId} Version: ${version}\n`;
}

export function endLine(requestId: string): string {
  return `END RequestId: ${requestId}\n`;
}

export function reportLine(report: InvocationReport): string {
  const init =
    report.initDurationMs === undefined
      ? ''
      : `Init Duration: ${report.initDurationMs.toFixed(2)} ms\t`;
  const { restore: restored } = report;
  const restore =
    restored === undefined
      ? ''
      : `Restore Duration: ${restored.durationMs.toFixed(2)} ms\tBilled Restore Duration: ${restored.billedMs} ms\t`;
  const status = report.status === 'success' ? '' : `Status: ${report.status}\t`;
  const error = report.errorType === undefined ? '' : `Error Type: ${report.errorType}\t`;
  return (
    `REPORT RequestId: ${report.requestId}\tDuration: ${report.durationMs.toFixed(2)} ms\t` +
    `Billed Duration: ${report.billedDurationMs} ms\tMemory Size: ${report.memorySizeMb} MB\t` +
    `Max Memory Used: ${report.maxMemoryUsedMb} MB\t${init}${restore}${status}${error}\n`
  );
}
