/** One environment's telemetry: platform events and output, written to its log. */
import type { LogStream } from './log-stream.ts';
import type { PlatformEvent } from './platform-event.ts';
import { endLine, initReportLine, initStartLine, reportLine, startLine } from './system-log.ts';

export class EnvironmentTelemetry {
  readonly #logStream: LogStream;

  constructor(logStream: LogStream) {
    this.#logStream = logStream;
  }

  emit(event: PlatformEvent): void {
    const line = renderTextLine(event);
    if (line !== '') this.#logStream.write(line);
  }

  functionOutput(bytes: Buffer): void {
    this.#logStream.write(bytes);
  }

  extensionOutput(_name: string, bytes: Buffer): void {
    this.#logStream.write(bytes);
  }

  takeTail(): Buffer {
    return this.#logStream.takeTail();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  pause(): void {}
  resume(): void {}
  reset(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function renderTextLine(event: PlatformEvent): string {
  switch (event.type) {
    case 'platform.initStart':
      return event.record.phase === 'invoke'
        ? ''
        : initStartLine(event.record.runtimeVersion, event.record.runtimeVersionArn);
    case 'platform.initReport': {
      const { phase, status, errorType, metrics } = event.record;
      if (status === 'success') return '';
      return initReportLine({
        ...{ durationMs: metrics.durationMs, phase, errorType },
        status: status === 'timeout' ? 'timeout' : 'error',
      });
    }
    case 'platform.start':
      return startLine(event.record.requestId, event.record.version);
    case 'platform.report': {
      const { metrics, requestId, status, errorType } = event.record;
      return (
        endLine(requestId) +
        reportLine({
          requestId,
          durationMs: metrics.durationMs,
          billedDurationMs: metrics.billedDurationMs,
          memorySizeMb: metrics.memorySizeMB,
          maxMemoryUsedMb: metrics.maxMemoryUsedMB,
          initDurationMs: metrics.initDurationMs,
          status: status === 'success' || status === 'timeout' ? status : 'error',
          errorType,
        })
      );
    }
    default:
      return '';
  }
}
