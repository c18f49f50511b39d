/**
 * Invoke: from a named function and an event to an answer, in the order of the invoke path
 * (ARCHITECTURE.md): resolve, permit, environment, attempt, outcome. All the branching is here.
 */
import { isUtf8 } from 'node:buffer';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { functionArn, type Identity } from '../model/arn.ts';
import {
  ApiError,
  functionInState,
  functionNotFound,
  invalidClientContext,
  invalidRequestContent,
  isApiError,
  serviceError,
  snapStartFailed,
  snapStartNotReady,
  snapStartTimeout,
  throttled,
} from '../model/errors.ts';
import { describeJsonError } from '../model/json-error.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import { tenantMissing, tenantUnexpected } from '../model/tenant-isolation.ts';
import type { FunctionMetrics, FunctionSeries } from '../telemetry/function-metrics.ts';
import type { FinishedInvocation } from '../worker/invocation-record.ts';
import type { Invocation } from '../worker/runtime-port.ts';
import type { RestoreFailure } from '../worker/held-runtime.ts';
import type { AcquireResult, Lease, Worker } from '../worker/worker.ts';
import { drawVersion } from './alias-route.ts';
import type { Concurrency, Permit } from './concurrency.ts';
import type { FunctionDirectory } from './function-directory.ts';
import { renderOutcome, type InvokeAnswer } from './outcome.ts';
import { provisionedName } from './provisioned-concurrency.ts';

export interface InvokeRequest {
  readonly requestId: string;
  readonly functionName: string;
  readonly qualifier: string | undefined;
  /** JSON text; empty stands for an empty object. */
  readonly payload: Buffer;
  /** Base64 of JSON, from X-Amz-Client-Context. */
  readonly clientContext: string | undefined;
  /** X-Amzn-Trace-Id as it came. */
  readonly traceHeader: string | undefined;
  /** For a function with tenant isolation, and no other. */
  readonly tenantId: string | undefined;
}

export interface InvokeResult extends InvokeAnswer {
  readonly executedVersion: string;
  /** Once the environment is ready again: the report and the log's tail. */
  readonly finished: Promise<FinishedInvocation>;
}

/** An environment was begun for the caller, so its start counts. */
const startedAndFailed: ReadonlySet<AcquireResult['type']> = new Set(['failed', 'restoreFailed']);

const emptyEvent = Buffer.from('{}');

export class Invoker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #directory: FunctionDirectory;
  readonly #concurrency: Concurrency;
  readonly #worker: Worker;
  readonly #metrics: FunctionMetrics;
  readonly #identity: Identity;

  constructor(
    clock: Clock,
    random: Random,
    dependencies: {
      directory: FunctionDirectory;
      concurrency: Concurrency;
      worker: Worker;
      metrics: FunctionMetrics;
    },
    identity: Identity,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#directory = dependencies.directory;
    this.#concurrency = dependencies.concurrency;
    this.#worker = dependencies.worker;
    this.#metrics = dependencies.metrics;
    this.#identity = identity;
  }

  /** Invocation type DryRun: everything that can be refused without running the function. */
  dryRun(request: InvokeRequest): void {
    this.#resolve(request);
    eventOf(request);
    clientContextOf(request);
  }

  /** Invocation type RequestResponse. Rejects with an ApiError; a failed function is a result. */
  async invoke(request: InvokeRequest): Promise<InvokeResult> {
    const version = this.#resolve(request);
    const payload = eventOf(request);
    const clientContext = clientContextOf(request);
    const series = this.#seriesOf(request, version);
    const permit = this.#concurrency.acquire(version.functionName, version.version);
    if (typeof permit === 'string') {
      series.noteThrottle();
      throw throttled(permit);
    }
    try {
      const { tenantId } = request;
      const lease =
        this.#acquireAtOnce(version, permit, tenantId) ??
        (await this.#acquire(version, permit, tenantId));
      const invocation = this.#invocation(request, version, { payload, clientContext });
      series.begin(request.requestId);
      // Held until the environment is free again, not until the caller has the answer.
      const attempt = lease.invoke(invocation, () => permit.release());
      const answer = renderOutcome(await attempt.outcome, request.requestId);
      series.noteInvocation(answer.functionError !== undefined);
      return { ...answer, executedVersion: version.version, finished: attempt.finished };
    } catch (error) {
      permit.release();
      series.abandon(request.requestId);
      if (isThrottle(error)) series.noteThrottle();
      throw error;
    }
  }

  /** A provisioned unit whose environment is just being replaced runs on demand. */
  #acquireAtOnce(
    version: RunnableVersion,
    { provisionedFor }: Permit,
    tenantId: string | undefined,
  ): Lease | undefined {
    const { functionName } = version;
    const provisioned =
      provisionedFor === undefined
        ? undefined
        : this.#worker.acquireProvisioned(provisionedName(functionName, provisionedFor));
    return provisioned ?? this.#worker.acquireWarm(version, tenantId);
  }

  /** For an invocation that found no warm environment. */
  async #acquire(
    version: RunnableVersion,
    permit: Permit,
    tenantId: string | undefined,
  ): Promise<Lease> {
    if (!permit.takeStart()) throw throttled('ConcurrentInvocationLimitExceeded');
    const acquired = await this.#worker.acquire(version, tenantId);
    const hasStarted =
      acquired.type === 'lease' ? acquired.isNew : startedAndFailed.has(acquired.type);
    if (!hasStarted) permit.returnStart();
    return leaseOf(acquired);
  }

  #seriesOf({ qualifier }: InvokeRequest, version: RunnableVersion): FunctionSeries {
    return this.#metrics.seriesOf(
      version.functionName,
      qualifier ?? version.version,
      version.version,
    );
  }

  #resolve({ functionName, qualifier, tenantId }: InvokeRequest): RunnableVersion {
    const version = this.#directory.find(functionName, this.#versionFor(functionName, qualifier));
    if (version === undefined) {
      // The service names $LATEST when no qualifier was given.
      const arn = functionArn(this.#identity, functionName, qualifier ?? '$LATEST');
      throw functionNotFound(arn);
    }
    if (version.state === 'Pending' && version.snapStart) throw snapStartNotReady();
    if (version.state !== 'Active') throw functionInState(version.state);
    if (version.perTenant && tenantId === undefined) throw tenantMissing();
    if (!version.perTenant && tenantId !== undefined) throw tenantUnexpected();
    return version;
  }

  /** Of an alias the version that this invocation goes to, else the qualifier itself. */
  #versionFor(functionName: string, qualifier: string | undefined): string | undefined {
    if (qualifier === undefined) return undefined;
    const route = this.#directory.findAlias(functionName, qualifier);
    return route === undefined ? qualifier : drawVersion(route, this.#random);
  }

  #invocation(
    request: InvokeRequest,
    version: RunnableVersion,
    decoded: Pick<Invocation, 'payload' | 'clientContext'>,
  ): Invocation {
    const { requestId, qualifier, tenantId } = request;
    const { functionArn: arn } = version;
    return {
      ...decoded,
      requestId,
      deadlineMs: this.#clock.nowMs() + version.timeoutMs,
      invokedFunctionArn: qualifier === undefined ? arn : `${arn}:${qualifier}`,
      traceId: request.traceHeader ?? this.#newTrace(),
      cognitoIdentity: undefined,
      tenantId,
    };
  }

  /** PassThrough without an upstream decision: not sampled (guide page 017). */
  #newTrace(): string {
    const seconds = Math.floor(this.#clock.nowMs() / 1000).toString(16);
    return `Root=1-${seconds}-${this.#random.hex(12)};Parent=${this.#random.hex(8)};Sampled=0`;
  }
}

function leaseOf(acquired: AcquireResult): Lease {
  switch (acquired.type) {
    case 'lease':
      return acquired.lease;
    case 'noCapacity':
      throw throttled('ConcurrentInvocationLimitExceeded');
    case 'runtimeUnavailable':
      throw new ApiError('InvalidRuntimeException', acquired.reason);
    case 'restoreFailed':
      throw restoreError(acquired.failure);
    case 'failed':
      throw serviceError(acquired.cause);
  }
}

function isThrottle(error: unknown): boolean {
  return isApiError(error) && error.code === 'TooManyRequestsException';
}

function restoreError({ reason }: RestoreFailure): ApiError {
  if (reason === 'timeout') return snapStartTimeout();
  return snapStartFailed(reason === 'init' ? 'Init' : 'afterRestore');
}

function eventOf({ payload }: InvokeRequest): Buffer {
  if (payload.length === 0) return emptyEvent;
  if (!isUtf8(payload)) throw invalidRequestContent(describeJsonError(payload));
  try {
    JSON.parse(payload.toString('utf8'));
    return payload;
  } catch {
    throw invalidRequestContent(describeJsonError(payload));
  }
}

/** The header is base64 of a JSON object; the runtime gets the JSON (guide page 018). */
function clientContextOf({ clientContext: header }: InvokeRequest): string | undefined {
  if (header === undefined || header === '') return undefined;
  try {
    const text = Buffer.from(header, 'base64').toString('utf8');
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text;
  } catch {
    // Not JSON: refused below.
  }
  throw invalidClientContext();
}
