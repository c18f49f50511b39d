/**
 * One execution environment: a sandbox bound to one function version, and maybe one tenant, for life. It is the state
 * machine behind the Runtime API (RuntimePort) and the Extensions API (extension-calls.ts) on one side and
 * `invoke` on the other; the states are in environment-states.ts, Init is in environment-init.ts, what runs in
 * environment-processes.ts. Known by its own endpoint, never by what it says (ADR 0010).
 */
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { limits, MIB } from '../model/limits.ts';
import { cpusForMemory, type RunnableVersion } from '../model/runnable-version.ts';
import type { EnvironmentTelemetry } from '../telemetry/environment-telemetry.ts';
import { EnvironmentInit, type FailedPhase } from './environment-init.ts';
import { EnvironmentProcesses } from './environment-processes.ts';
import type { EnvironmentSetup } from './environment-setup.ts';
import { canMove, type EnvironmentState } from './environment-states.ts';
import { ExtensionCalls } from './extension-calls.ts';
import type { ExtensionEvent, ShutdownReason } from './extension-port.ts';
import { hostFault, type Fault } from './faults.ts';
import {
  InvocationRecord,
  type FinishedInvocation,
  type InvocationOutcome,
} from './invocation-record.ts';
import type {
  Invocation,
  PortAnswer,
  RuntimeError,
  RuntimePort,
  RuntimeResponse,
} from './runtime-port.ts';
import type { RunningRuntime, RuntimeSandbox } from './runtime-sandbox.ts';
import { tenancyOf, type Tenancy } from './tenancy.ts';

/** An invocation under way: the caller's answer and its end are different events. */
export interface Attempt {
  readonly outcome: Promise<InvocationOutcome>;
  /** Once runtime and extensions asked for the next event, or one failed, and END and REPORT are written. */
  readonly finished: Promise<FinishedInvocation>;
}

type Deliver = (invocation: Invocation) => void;

const responseBytesMax = limits.invokeResponseBytesMax;

const accepted: PortAnswer = { status: 'accepted' };
const invalidRequestId: PortAnswer = { status: 'invalidRequestId' };

export class ExecutionEnvironment implements RuntimePort {
  readonly tenancy: Tenancy;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #telemetry: EnvironmentTelemetry;
  readonly #runtimeSandbox: RuntimeSandbox;
  readonly #setup: EnvironmentSetup;
  readonly #processes: EnvironmentProcesses;
  readonly #init: EnvironmentInit;
  readonly #extensionCalls: ExtensionCalls;
  #state: EnvironmentState = 'Starting';
  /** What the runtime's pending "next" is waiting with. */
  #deliver: Deliver | null = null;
  /** Init has to run (again) before the next event can be delivered. */
  #needsInit = true;
  #current: InvocationRecord | null = null;
  #invocationCount = 0;
  /** Over, but END and REPORT are still to be written. */
  #unreported: InvocationRecord | null = null;
  #stopped: Promise<void> | null = null;

  constructor(
    clock: Clock,
    random: Random,
    log: Log,
    runtimeSandbox: RuntimeSandbox,
    options: { setup: EnvironmentSetup; telemetry: EnvironmentTelemetry },
  ) {
    const { setup, telemetry } = options;
    this.#clock = clock;
    this.#log = log;
    this.#runtimeSandbox = runtimeSandbox;
    this.#setup = setup;
    this.#telemetry = telemetry;
    this.tenancy = tenancyOf(setup.version, setup.tenantId);
    this.#processes = new EnvironmentProcesses(clock, random, log, runtimeSandbox, {
      ...{ setup, telemetry, port: this },
      listener: {
        onFailure: (fault) => this.#onFailure(fault),
        onExtensionNext: () => this.#onExtensionNext(),
      },
    });
    this.#init = new EnvironmentInit(clock, {
      ...{ id: this.id, setup, telemetry, processes: this.#processes },
      requireStarting: () => this.#requireStarting(),
      onReady: () => void (this.#needsInit = this.#deliver === null),
      reset: (reason, report) => this.#reset(reason, report),
    });
    this.#extensionCalls = new ExtensionCalls({
      ...{ version: setup.version, telemetry },
      extensions: () => this.#processes.extensions,
      isInitializing: () => this.#init.isUnderWay,
    });
    this.attach();
  }

  /** From now on it hears what is said in its sandbox; again after somebody else did. */
  attach(): void {
    this.#runtimeSandbox.attach(this, this.#extensionCalls);
  }

  get version(): RunnableVersion {
    return this.tenancy.version;
  }

  get state(): EnvironmentState {
    return this.#state;
  }

  get id(): string {
    return this.#runtimeSandbox.sandbox.id;
  }

  // ---- Init ----

  /**
   * Binds the sandbox and runs Init, at most `initMsMax`. A failed or overrun Init is not an error here:
   * it is told and runs again inside the first invocation. Rejects only when the host failed, or when a
   * version with SnapStart could not be restored (RestoreFailure).
   * @param booted a runtime process of this sandbox that is already waiting to be bound, if any
   */
  async start(booted: RunningRuntime | null): Promise<void> {
    const { obtainRestored } = this.#setup;
    this.#init.emitStart(obtainRestored === undefined ? 'init' : 'restore');
    try {
      await this.#runtimeSandbox.bind(this.#setup.binding);
      this.#requireStarting();
      if (obtainRestored === undefined) await this.#init.runFirst(booted);
      else await this.#init.restoreFrom(() => obtainRestored(booted));
      await this.#runtimeSandbox.sandbox.setCpus(cpusForMemory(this.version.memoryMb));
      this.#requireStarting();
      this.#move('Ready');
    } catch (error) {
      if (this.#state === 'Starting') this.#move('Failed');
      throw error;
    }
  }

  /** It was restored and has lost its runtime, which cannot be restored again: of no further use. */
  get isSpent(): boolean {
    return this.#setup.obtainRestored !== undefined && !this.#processes.hasRuntime;
  }

  /** Stopping may have begun while the host was busy. */
  #requireStarting(): void {
    if (this.#state !== 'Starting') throw new Error('the environment was stopped while it started');
  }

  /** Runtime and extensions have each asked for their first event. */
  #endInitIfReady(): void {
    if (!this.#init.isUnderWay || this.#deliver === null) return;
    if (this.#processes.extensions.isReady) this.#init.end({ type: 'ready' });
  }

  // ---- what the runtime says ----

  next(deliver: Deliver): PortAnswer {
    if (this.#init.isUnderWay) {
      this.#deliver = deliver;
      // What the function printed comes before what the platform says next.
      this.#processes.drainOutput();
      this.#processes.extensions.closeRegistration();
      this.#endInitIfReady();
      return accepted;
    }
    const current = this.#current;
    // Without a runtime, or while it is being ended, this is its last word.
    const isExpected = current === null || (current.hasResponded && !current.isEnding);
    if (!this.#processes.hasRuntime || !isExpected) {
      return { status: 'invalidTransition', from: 'InvocationRunning', to: 'Ready' };
    }
    this.#deliver = deliver;
    if (current !== null && !current.isRuntimeDone) this.#onRuntimeDone(current);
    return accepted;
  }

  expectsResponse(requestId: string): PortAnswer {
    const current = this.#current;
    if (current === null || current.invocation.requestId !== requestId) return invalidRequestId;
    if (!this.#processes.hasRuntime) return invalidRequestId;
    if (!current.hasStarted || current.hasResponded) {
      return { status: 'invalidTransition', from: 'InvocationResponse', to: 'InvocationResponse' };
    }
    return accepted;
  }

  respond(requestId: string, response: RuntimeResponse): PortAnswer {
    const answer = this.expectsResponse(requestId);
    const current = this.#current;
    if (answer.status !== 'accepted' || current === null) return answer;
    const { body } = response;
    const sizeBytes = Buffer.isBuffer(body) ? body.length : 0;
    current.noteResponse(sizeBytes, undefined);
    if (sizeBytes > responseBytesMax) return refuseTooLarge(current, sizeBytes);
    current.outcome.resolve({ type: 'response', response });
    return accepted;
  }

  fail(requestId: string, error: RuntimeError): PortAnswer {
    const answer = this.expectsResponse(requestId);
    const current = this.#current;
    if (answer.status !== 'accepted' || current === null) return answer;
    const sizeBytes = error.payload.length;
    current.noteResponse(sizeBytes, error.errorType);
    if (sizeBytes > responseBytesMax) return refuseTooLarge(current, sizeBytes);
    current.outcome.resolve({ type: 'functionError', error });
    return accepted;
  }

  initError(error: RuntimeError): PortAnswer {
    if (!this.#init.isUnderWay) {
      return { status: 'invalidTransition', from: this.#state, to: 'InitError' };
    }
    const fault: Fault = { type: 'initError', error: withinBound(error) };
    this.#init.end({ type: 'failed', fault });
    return accepted;
  }

  /** Only a template has a snapshot point. */
  restoreNext(): PortAnswer {
    return { status: 'invalidTransition', from: this.#state, to: 'RestoreReady' };
  }

  restoreError(error: RuntimeError): PortAnswer {
    if (this.#setup.obtainRestored !== undefined) return this.initError(error);
    return { status: 'invalidTransition', from: this.#state, to: 'RestoreError' };
  }

  #onExtensionNext(): void {
    if (this.#init.isUnderWay) this.#endInitIfReady();
    else if (this.#current !== null) this.#finishIfDone(this.#current);
  }

  // ---- what the platform asks ----

  /**
   * Delivers one event. Only in Ready or Frozen. `onReleased` is called once, as soon as the next event
   * could come: before END and REPORT, which are written when the answer is on its way.
   */
  invoke(invocation: Invocation, onReleased: () => void): Attempt {
    const isItsTenant = invocation.tenantId === this.tenancy.tenantId;
    assert(isItsTenant, 'an environment serves one tenant');
    this.#writeReport();
    this.thaw();
    this.#move('Invoking');
    this.#invocationCount += 1;
    const current = new InvocationRecord(this.#clock, invocation, onReleased);
    current.timer = this.#clock.schedule(this.version.timeoutMs, () => this.#onTimeout(current));
    this.#current = current;
    if (this.#needsInit) {
      this.#initThenDeliver(current).catch((error: unknown) => {
        if (this.#current === current) this.#onHostFault(current, error);
        else this.#releaseLost(current, error);
      });
    } else {
      this.#deliverTo(current);
    }
    return { outcome: current.outcome.promise, finished: current.finished.promise };
  }

  #deliverTo(current: InvocationRecord): void {
    const deliver = this.#deliver;
    assert(deliver !== null, 'a runtime that is ready waits for an event');
    this.#deliver = null;
    this.#emitStart(current);
    try {
      const { extensions } = this.#processes;
      if (!extensions.isEmpty) extensions.invoke(invokeEvent(current.invocation));
      deliver(current.invocation);
    } catch (error) {
      this.#onHostFault(current, error);
    }
  }

  #emitStart(current: InvocationRecord): void {
    if (current.hasStarted) return;
    current.noteDelivered();
    this.#telemetry.emit({ type: 'platform.start', record: current.startRecord(this.version) });
  }

  /** A suppressed Init: its time counts into the invocation's. */
  async #initThenDeliver(current: InvocationRecord): Promise<void> {
    this.#init.takeStartDurations();
    // Of what failed while nobody was waiting.
    await this.#processes.end('FAILURE');
    await this.#runtimeSandbox.sandbox.setCpus(null);
    if (this.#current !== current || current.isEnding) return;
    this.#init.emitStart('invoke');
    // The invocation's own timer bounds this Init too: it ends #init when it fires.
    const outcome = await this.#init.run(this.version.timeoutMs + 1, 'invoke', {
      onFailed: (failed) => {
        if (this.#current !== current) return;
        settle(current, this.#faultOf(failed));
        this.#concludeFailed(current);
      },
    });
    if (outcome.type !== 'ready') {
      this.#release(current);
      return;
    }
    if (this.#current !== current) return;
    await this.#runtimeSandbox.sandbox.setCpus(cpusForMemory(this.version.memoryMb));
    if (this.#current !== current) return;
    if (current.fault !== null) await this.#endWithFault(current, current.fault);
    else this.#deliverTo(current);
  }

  #faultOf(outcome: FailedPhase): Fault {
    return outcome.type === 'failed' ? outcome.fault : this.#timeoutFault;
  }

  get #timeoutFault(): Fault {
    return { type: 'timeout', timeoutMs: this.version.timeoutMs };
  }

  #onTimeout(current: InvocationRecord): void {
    if (this.#current !== current) return;
    const fault = this.#timeoutFault;
    // The caller need not wait until the runtime has been ended.
    settle(current, fault);
    if (this.#init.isUnderWay) this.#init.end({ type: 'timeout' });
    else void this.#endWithFault(current, fault);
  }

  // ---- the end of an invocation ----

  #onRuntimeDone(current: InvocationRecord): void {
    if (!this.#processes.extensions.isEmpty) this.#processes.drainOutput();
    this.#emitRuntimeDone(current);
    this.#finishIfDone(current);
  }

  #emitRuntimeDone(current: InvocationRecord): void {
    if (current.isRuntimeDone) return;
    current.noteRuntimeDone();
    this.#telemetry.emit({ type: 'platform.runtimeDone', record: current.runtimeDoneRecord() });
  }

  /** The runtime and all extensions have asked for their next event. */
  #finishIfDone(current: InvocationRecord): void {
    if (!current.isRuntimeDone || current.isEnding) return;
    if (!this.#processes.extensions.isSettled) return;
    this.#conclude(current);
    this.#release(current);
  }

  /** Its duration is known; END and REPORT follow once the caller's answer is on its way. */
  #conclude(current: InvocationRecord): void {
    current.noteEnd();
    this.#current = null;
    this.#unreported = current;
    setImmediate(() => this.#writeReport());
  }

  #release(current: InvocationRecord): void {
    const isUsable = !this.#processes.isLost && current.fault?.type !== 'host';
    if (this.#state === 'Invoking') this.#move(isUsable ? 'Ready' : 'Failed');
    current.release();
  }

  /** Something that should run does not. */
  #onFailure(fault: Fault): void {
    this.#needsInit = true;
    this.#deliver = null;
    if (this.#init.isUnderWay) this.#init.end({ type: 'failed', fault });
    else if (this.#current !== null) void this.#endWithFault(this.#current, fault);
    // Nobody is waiting: what is left ends in the background, or before the next Init.
    else this.#processes.end('FAILURE').catch((error: unknown) => this.#onLost(error));
  }

  #onHostFault(current: InvocationRecord, error: unknown): void {
    void this.#endWithFault(current, hostFault(error));
  }

  #onLost(error: unknown): void {
    this.#processes.lose(hostFault(error).cause);
  }

  /** Its end has been told, but what it left running cannot be ended. */
  #releaseLost(current: InvocationRecord, error: unknown): void {
    this.#onLost(error);
    this.#release(current);
  }

  async #endWithFault(current: InvocationRecord, fault: Fault): Promise<void> {
    if (this.#current !== current || current.isEnding) return;
    current.isEnding = true;
    settle(current, fault);
    try {
      const reason = fault.type === 'timeout' ? 'TIMEOUT' : 'FAILURE';
      await this.#reset(reason, () => this.#concludeFailed(current));
    } catch (error) {
      this.#onLost(error);
    }
    this.#concludeFailed(current);
    this.#release(current);
  }

  #concludeFailed(current: InvocationRecord): void {
    if (this.#current !== current) return;
    this.#emitStart(current);
    this.#emitRuntimeDone(current);
    this.#conclude(current);
  }

  /**
   * Ends everything that runs; Init runs again with the next invocation, /tmp stays. `report` is called
   * when the log so far is complete: where there are extensions, while they can still hear of it.
   */
  async #reset(reason: ShutdownReason, report: () => void): Promise<void> {
    const hasExtensions = !this.#processes.extensions.isEmpty;
    if (!hasExtensions) await this.#processes.end(reason);
    await this.#processes.settleOutput();
    report();
    if (hasExtensions) {
      this.#writeReport();
      await this.#processes.end(reason);
    }
    this.#needsInit = true;
    this.#deliver = null;
  }

  /** Writes END and REPORT of the invocation that is over, if that is still to be done. */
  #writeReport(): void {
    const ended = this.#unreported;
    if (ended === null) return;
    this.#unreported = null;
    this.#processes.drainOutput();
    const report = ended.reportRecord(this.version, {
      ...this.#init.takeStartDurations(),
      maxMemoryUsedMb: this.#memoryUsedMb(ended.fault),
    });
    this.#telemetry.emit({ type: 'platform.report', record: report });
    ended.finished.resolve({ report, logTail: this.#telemetry.takeTail() });
  }

  #memoryUsedMb(fault: Fault | null): number {
    if (fault?.type === 'outOfMemory') return this.version.memoryMb;
    const usedMb = Math.ceil(this.#runtimeSandbox.sandbox.memoryPeakBytes() / MIB);
    return Math.min(usedMb, this.version.memoryMb);
  }

  // ---- freezing and stopping ----

  /**
   * Stops the processes where they are, until the next event. Only when idle, and not while something is
   * being ended; else nothing happens. What subscribers are still to be told is sent first.
   */
  freeze(): void {
    if (!this.#telemetry.hasPending) {
      this.#freeze();
      return;
    }
    const idleSince = this.#invocationCount;
    void this.#telemetry.flush().then(() => {
      if (this.#invocationCount === idleSince) this.#freeze();
    });
  }

  #freeze(): void {
    if (this.#state !== 'Ready' || this.#processes.isEnding) return;
    try {
      this.#runtimeSandbox.sandbox.freeze();
      this.#telemetry.pause();
      this.#move('Frozen');
    } catch (error) {
      this.#log.warn({ error, sandbox: this.id }, 'could not freeze an environment');
    }
  }

  thaw(): void {
    if (this.#state !== 'Frozen') return;
    this.#runtimeSandbox.sandbox.thaw();
    this.#telemetry.resume();
    this.#move('Ready');
  }

  /**
   * Ends everything and leaves nothing on the host: extensions get SHUTDOWN and their time. An invocation
   * in flight ends with a fault.
   */
  stop(): Promise<void> {
    if (this.#stopped === null) {
      // Set before stopping begins: what stopping sets off may ask to stop once more.
      const stopped = deferred<void>();
      this.#stopped = stopped.promise;
      this.#stop().then(stopped.resolve, stopped.reject);
    }
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    try {
      this.thaw();
    } catch (error) {
      this.#log.warn({ error, sandbox: this.id }, 'could not thaw an environment');
    }
    this.#move('Stopping');
    const stopping: Fault = { type: 'host', cause: new Error('the environment was stopped') };
    this.#init.end({ type: 'failed', fault: stopping });
    const current = this.#current;
    if (current !== null) {
      settle(current, stopping);
      current.isEnding = true;
      this.#concludeFailed(current);
      current.release();
    }
    this.#writeReport();
    if (!this.#processes.extensions.isEmpty) await this.#endExtensions();
    await this.#processes.destroy();
    await this.#telemetry.close();
    this.#move('Stopped');
  }

  async #endExtensions(): Promise<void> {
    try {
      await this.#processes.end('SPINDOWN');
    } catch (error) {
      this.#log.warn({ error, sandbox: this.id }, 'could not end the extensions of an environment');
    }
  }

  #move(to: EnvironmentState): void {
    assert(canMove(this.#state, to), `an environment cannot go from ${this.#state} to ${to}`);
    this.#state = to;
  }
}

/** The caller gets its answer, if it has none yet. */
function settle(current: InvocationRecord, fault: Fault): void {
  current.fault = fault;
  current.hasResponded = true;
  current.outcome.resolve({ type: 'fault', fault });
}

function refuseTooLarge(current: InvocationRecord, sizeBytes: number): PortAnswer {
  const maxBytes = responseBytesMax;
  settle(current, { type: 'responseTooLarge', sizeBytes, maxBytes });
  return { status: 'tooLarge', maxBytes };
}

function invokeEvent(invocation: Invocation): ExtensionEvent {
  const { deadlineMs, requestId, invokedFunctionArn, traceId } = invocation;
  const tracing = { type: 'X-Amzn-Trace-Id', value: traceId } as const;
  return { eventType: 'INVOKE', deadlineMs, requestId, invokedFunctionArn, tracing };
}

/** An error document that no caller could be given is replaced. */
function withinBound(error: RuntimeError): RuntimeError {
  if (error.payload.length <= responseBytesMax) return error;
  const errorType = error.errorType;
  const errorMessage = `The error document was longer than ${responseBytesMax} bytes.`;
  return { errorType, payload: Buffer.from(JSON.stringify({ errorType, errorMessage })) };
}
