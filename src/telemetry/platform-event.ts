/**
 * What the platform tells about one environment: the events of the Telemetry API (guide page 056,
 * schema 2022-12-13). Every other form is rendered from them: the lines of the function's log, the
 * older Logs API, metrics. Durations in milliseconds.
 */

export type InitializationType = 'on-demand' | 'provisioned-concurrency' | 'snap-start';

/** 'invoke' is a suppressed Init: one that runs inside an invocation. */
export type InitPhase = 'init' | 'invoke';

export type PhaseStatus = 'success' | 'failure' | 'error' | 'timeout';

/** A part of an invocation; `start` is the wall clock as ISO 8601. */
export interface Span {
  readonly name: 'responseLatency' | 'responseDuration' | 'runtimeOverhead' | 'extensionOverhead';
  readonly start: string;
  readonly durationMs: number;
}

export interface Tracing {
  readonly type: 'X-Amzn-Trace-Id';
  readonly value: string;
}

interface StartRecord {
  readonly initializationType: InitializationType;
  readonly phase: InitPhase;
  /** As in 'nodejs:24.v7'. */
  readonly runtimeVersion: string;
  readonly runtimeVersionArn: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly instanceId: string;
  /** Memory size in MB. */
  readonly instanceMaxMemory: number;
}

interface DoneRecord {
  readonly initializationType: InitializationType;
  readonly phase: InitPhase;
  readonly status: PhaseStatus;
  readonly errorType?: string;
}

interface RestoreDoneRecord {
  readonly status: PhaseStatus;
  readonly errorType?: string;
}

export interface InvocationMetrics {
  readonly durationMs: number;
  readonly billedDurationMs: number;
  readonly memorySizeMB: number;
  readonly maxMemoryUsedMB: number;
  /** Only for the first invocation of an environment whose Init succeeded. */
  readonly initDurationMs?: number;
  readonly restoreDurationMs?: number;
  readonly billedRestoreDurationMs?: number;
}

/** What an event of one invocation names it by. */
interface InvocationName {
  readonly requestId: string;
  /** With tenant isolation only. */
  readonly tenantId?: string;
}

/** Record of 'platform.report'. */
export interface ReportRecord extends InvocationName {
  readonly status: PhaseStatus;
  readonly errorType?: string;
  readonly metrics: InvocationMetrics;
  readonly spans?: readonly Span[];
  readonly tracing?: Tracing;
}

/** Record by type. */
export interface PlatformRecords {
  'platform.initStart': StartRecord;
  'platform.initRuntimeDone': DoneRecord;
  'platform.initReport': DoneRecord & { readonly metrics: { readonly durationMs: number } };
  'platform.restoreStart': Omit<StartRecord, 'phase'>;
  'platform.restoreRuntimeDone': RestoreDoneRecord;
  'platform.restoreReport': RestoreDoneRecord & {
    readonly metrics: { readonly durationMs: number };
  };
  'platform.start': InvocationName & {
    readonly version: string;
    readonly tracing?: Tracing;
  };
  'platform.runtimeDone': InvocationName & {
    readonly status: PhaseStatus;
    readonly errorType?: string;
    readonly metrics?: { readonly durationMs: number; readonly producedBytes: number };
    readonly spans?: readonly Span[];
    readonly tracing?: Tracing;
  };
  'platform.report': ReportRecord;
  'platform.extension': {
    readonly name: string;
    /** 'Registered', 'Ready', 'LaunchError', 'InitError', 'ExitError' and the like. */
    readonly state: string;
    readonly events: readonly string[];
    readonly errorType?: string;
  };
  'platform.telemetrySubscription': SubscriptionRecord;
  /** In place of the one above for who subscribed by the Logs API. */
  'platform.logsSubscription': SubscriptionRecord;
  'platform.logsDropped': {
    readonly droppedRecords: number;
    readonly droppedBytes: number;
    readonly reason: string;
  };
}

export interface SubscriptionRecord {
  readonly name: string;
  readonly state: string;
  readonly types: readonly string[];
}

export type PlatformEventType = keyof PlatformRecords;

export type PlatformEvent = {
  [Type in PlatformEventType]: { readonly type: Type; readonly record: PlatformRecords[Type] };
}[PlatformEventType];
