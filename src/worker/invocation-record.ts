/**
 * One invocation in an environment, from the delivery of its event until its end: what is known of it,
 * what was measured, and the platform events that tell of it.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import type {
  InvocationMetrics,
  PhaseStatus,
  PlatformRecords,
  ReportRecord,
  Span,
  Tracing,
} from '../telemetry/platform-event.ts';
import { faultErrorType, type Fault } from './faults.ts';
import type { Invocation, RuntimeError, RuntimeResponse } from './runtime-port.ts';

/** What one invocation came to. */
export type InvocationOutcome =
  | { readonly type: 'response'; readonly response: RuntimeResponse }
  /** The runtime reported that the handler failed. */
  | { readonly type: 'functionError'; readonly error: RuntimeError }
  | { readonly type: 'fault'; readonly fault: Fault };

export interface FinishedInvocation {
  readonly report: ReportRecord;
  /** Last bytes of the log, platform lines included. */
  readonly logTail: Buffer;
}

/** How the environment came to be, for the report of its first invocation. */
export type StartDurations = Pick<
  InvocationMetrics,
  'initDurationMs' | 'restoreDurationMs' | 'billedRestoreDurationMs'
> & {
  /** What of it the first invocation is billed for: nothing of an Init ahead of all invocations. */
  readonly billedStartMs?: number;
};

export class InvocationRecord {
  readonly invocation: Invocation;
  readonly outcome = deferred<InvocationOutcome>();
  readonly finished = deferred<FinishedInvocation>();
  /** Ends the invocation when the function's timeout is over. */
  timer: Timer | null = null;
  /** START was written: the runtime has the event, or never gets it. */
  hasStarted = false;
  /** The runtime has answered, or can no longer. */
  hasResponded = false;
  /** The runtime has asked for its next event. */
  isRuntimeDone = false;
  /** What runs is being ended because of a fault. */
  isEnding = false;
  fault: Fault | null = null;
  readonly #clock: Clock;
  /** Called once, when the environment can take another event (or never again). */
  #onReleased: (() => void) | null;
  /** Wall clock at which the monotonic clock would have been 0. */
  readonly #epochMs: number;
  /** Monotonic, as all that follow. */
  readonly #arrivedAtMs: number;
  #deliveredAtMs: number;
  #respondedAtMs: number | null = null;
  #runtimeDoneAtMs: number | null = null;
  #endedAtMs: number | null = null;
  #producedBytes = 0;
  #functionErrorType: string | undefined;

  constructor(clock: Clock, invocation: Invocation, onReleased: () => void) {
    this.#clock = clock;
    this.invocation = invocation;
    this.#onReleased = onReleased;
    this.#arrivedAtMs = clock.monotonicMs();
    this.#deliveredAtMs = this.#arrivedAtMs;
    this.#epochMs = clock.nowMs() - this.#arrivedAtMs;
  }

  /** The runtime gets the event now. */
  noteDelivered(): void {
    this.hasStarted = true;
    this.#deliveredAtMs = this.#clock.monotonicMs();
  }

  /** The runtime's answer is here, whole; with the type of the error if it is one. */
  noteResponse(producedBytes: number, functionErrorType: string | undefined): void {
    this.hasResponded = true;
    this.#respondedAtMs = this.#clock.monotonicMs();
    this.#producedBytes = producedBytes;
    this.#functionErrorType = functionErrorType;
  }

  /** The runtime works on it no longer. */
  noteRuntimeDone(): void {
    this.isRuntimeDone = true;
    this.#runtimeDoneAtMs = this.#clock.monotonicMs();
  }

  /** Runtime and extensions are done with it: its duration is known, from the first time on. */
  noteEnd(): void {
    this.#endedAtMs ??= this.#clock.monotonicMs();
    this.timer?.cancel();
  }

  /** The environment is free again; nothing happens the second time. */
  release(): void {
    const onReleased = this.#onReleased;
    this.#onReleased = null;
    onReleased?.();
  }

  startRecord(version: RunnableVersion): PlatformRecords['platform.start'] {
    const { requestId } = this.invocation;
    const tracing = this.#tracing;
    return { requestId, version: version.version, ...this.#tenantMember, tracing };
  }

  runtimeDoneRecord(): PlatformRecords['platform.runtimeDone'] {
    const doneAtMs = this.#runtimeDoneAtMs ?? this.#clock.monotonicMs();
    const durationMs = doneAtMs - this.#deliveredAtMs;
    return {
      requestId: this.invocation.requestId,
      ...this.#tenantMember,
      ...this.#runtimeStatus(),
      metrics: { durationMs, producedBytes: this.#producedBytes },
      spans: this.#runtimeSpans(doneAtMs),
      tracing: this.#tracing,
    };
  }

  #runtimeStatus(): { status: PhaseStatus; errorType?: string } {
    const { status, errorType } = this.#status();
    if (status !== 'success') return { status, ...errorTypeMember(errorType) };
    const functionError = this.#functionErrorType;
    return functionError === undefined
      ? { status }
      : { status: 'error', ...errorTypeMember(functionError) };
  }

  #runtimeSpans(doneAtMs: number): readonly Span[] {
    const respondedAtMs = this.#respondedAtMs;
    if (respondedAtMs === null) return [];
    return [
      this.#span('responseLatency', this.#deliveredAtMs, respondedAtMs),
      // The answer arrives whole: the time it takes to come is in the latency.
      this.#span('responseDuration', respondedAtMs, respondedAtMs),
      this.#span('runtimeOverhead', respondedAtMs, doneAtMs),
    ];
  }

  #span(name: Span['name'], fromMs: number, untilMs: number): Span {
    const start = new Date(this.#epochMs + fromMs).toISOString();
    return { name, start, durationMs: untilMs - fromMs };
  }

  /** Durations of an Init or a restore that was before this invocation; `maxMemoryUsedMb` in MB. */
  reportRecord(
    version: RunnableVersion,
    measured: StartDurations & { readonly maxMemoryUsedMb: number },
  ): ReportRecord {
    const endedAtMs = this.#endedAtMs ?? this.#clock.monotonicMs();
    const durationMs = endedAtMs - this.#arrivedAtMs;
    const { maxMemoryUsedMb, billedStartMs = 0, ...startDurations } = measured;
    const metrics: InvocationMetrics = {
      durationMs,
      billedDurationMs: Math.ceil(durationMs + billedStartMs),
      memorySizeMB: version.memoryMb,
      maxMemoryUsedMB: maxMemoryUsedMb,
      ...startDurations,
    };
    const { status, errorType } = this.#status();
    const { requestId } = this.invocation;
    const spans = this.#extensionSpans(endedAtMs);
    return {
      ...{ requestId, ...this.#tenantMember, status, ...errorTypeMember(errorType) },
      ...{ metrics, spans },
      tracing: this.#tracing,
    };
  }

  #extensionSpans(endedAtMs: number): readonly Span[] {
    const doneAtMs = this.#runtimeDoneAtMs;
    if (doneAtMs === null || endedAtMs <= doneAtMs) return [];
    return [this.#span('extensionOverhead', doneAtMs, endedAtMs)];
  }

  #status(): { status: PhaseStatus; errorType: string | undefined } {
    const { fault } = this;
    if (fault === null || fault.type === 'responseTooLarge') {
      return { status: 'success', errorType: undefined };
    }
    return fault.type === 'timeout'
      ? { status: 'timeout', errorType: undefined }
      : { status: 'error', errorType: faultErrorType(fault) };
  }

  get #tenantMember(): { tenantId?: string } {
    const { tenantId } = this.invocation;
    return tenantId === undefined ? {} : { tenantId };
  }

  get #tracing(): Tracing {
    return { type: 'X-Amzn-Trace-Id', value: this.invocation.traceId };
  }
}

function errorTypeMember(errorType: string | undefined): { errorType?: string } {
  return errorType === undefined ? {} : { errorType };
}
