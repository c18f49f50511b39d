/**
 * What subscribers are sent: `{time, type, record}` objects as JSON text, in the schema of the API by
 * which they subscribed (Telemetry API: guide page 056; Logs API: the service's documentation).
 */
import type { PlatformEvent, PlatformRecords } from './platform-event.ts';
import type { TelemetryStreamType, TelemetrySubscription } from './telemetry-subscription.ts';

/** One thing to tell: an event of the platform, or a line that code printed, with its end. */
export type TelemetryEntry =
  | { readonly stream: 'platform'; readonly timeMs: number; readonly event: PlatformEvent }
  | {
      readonly stream: Exclude<TelemetryStreamType, 'platform'>;
      readonly timeMs: number;
      readonly line: Buffer;
    };

export interface RecordForm {
  readonly api: TelemetrySubscription['api'];
  readonly schemaVersion: string;
  /** The function's LogFormat is JSON. */
  readonly jsonLines: boolean;
}

/** The first schema that has printed JSON objects as objects. */
const objectLinesSchema = '2022-12-13';
/** The only schema of the Logs API that has platform.runtimeDone. */
const runtimeDoneSchema = '2021-03-18';

/** The records of one entry, each one line of JSON; none where the API does not know the event. */
export function renderEntry(entry: TelemetryEntry, form: RecordForm): string[] {
  const time = new Date(entry.timeMs).toISOString();
  if (entry.stream !== 'platform') {
    const head = toJson({ time, type: entry.stream }).slice(0, -1);
    return [`${head},"record":${renderLine(entry.line, form)}}`];
  }
  if (form.api === 'logs') {
    return logsRecords(entry.event, form).map((record) => toJson({ time, ...record }));
  }
  if (entry.event.type === 'platform.logsSubscription') return [];
  const { type, record } = entry.event;
  return [toJson({ time, type, record })];
}

/** JSON with fractions of at most three digits: durations are known to the microsecond. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'number' ? Math.round(member * 1000) / 1000 : member,
  );
}

function renderLine(line: Buffer, form: RecordForm): string {
  const text = line.toString();
  const mayBeObject =
    form.api === 'telemetry' && form.jsonLines && form.schemaVersion >= objectLinesSchema;
  return mayBeObject && isJsonObject(text) ? text.trim() : JSON.stringify(text);
}

function isJsonObject(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface LogsRecord {
  readonly type: string;
  readonly record: unknown;
}

function logsRecords(event: PlatformEvent, form: RecordForm): readonly LogsRecord[] {
  switch (event.type) {
    case 'platform.start': {
      const { requestId, version } = event.record;
      return [{ type: event.type, record: { requestId, version } }];
    }
    case 'platform.runtimeDone': {
      if (form.schemaVersion < runtimeDoneSchema) return [];
      const { requestId, status } = event.record;
      const record = { requestId, status: status === 'error' ? 'failure' : status };
      return [{ type: event.type, record }];
    }
    case 'platform.report':
      return logsReport(event.record);
    case 'platform.extension':
    case 'platform.logsSubscription':
    case 'platform.logsDropped':
      return [event];
    default:
      return [];
  }
}

/** The one event of newer schemas was three: the fault, if there is one, the end and the figures. */
function logsReport(report: PlatformRecords['platform.report']): readonly LogsRecord[] {
  const { requestId, metrics, tracing, errorType } = report;
  const fault = `RequestId: ${requestId} Error: ${errorType}`;
  return [
    ...(errorType === undefined ? [] : [{ type: 'platform.fault', record: fault }]),
    { type: 'platform.end', record: { requestId } },
    {
      type: 'platform.report',
      record: { requestId, metrics, ...(tracing === undefined ? {} : { tracing }) },
    },
  ];
}
