/**
 * One execution environment: a sandbox bound to one function version for life. It is the state
 * machine behind the Runtime API (RuntimePort) on one side and `invoke` on the other; the states are
 * in environment-states.ts. Known by its own endpoint, never by what a runtime says (ADR 0010).
 */
import { assert } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { deferred, type Deferred } from '../base/deferred.ts';
import type { Log } from '../base/log.ts';
import { limits, MIB } from '../model/limits.ts';
import { cpusForMemory, type RunnableVersion } from '../model/runnable-version.ts';
import type { ProcessExit, SandboxBinding, SandboxPaths } from '../sandbox/sandbox.ts';
import type { LogStream } from '../telemetry/log-stream.ts';
import {
  endLine,
  initReportLine,
  initStartLine,
  reportLine,
  restoreReportLine,
  restoreStartLine,
  startLine,
  type InvocationReport,
  type RestoreDurations,
} from '../telemetry/system-log.ts';
import { canMove, type EnvironmentState } from './environment-states.ts';
import { faultErrorType, type Fault } from './faults.ts';
import { OutputDrain } from './output-drain.ts';
import type {
  Invocation,
  PortAnswer,
  RuntimeError,
  RuntimePort,
  RuntimeResponse,
} from './runtime-port.ts';
import { findBootstrap, type RunningRuntime, type RuntimeSandbox } from './runtime-sandbox.ts';
import { changedVariables, RestoreFailure, type HeldRuntime } from './snapshot-template.ts';

/** What one invocation came to. */
export type InvocationOutcome =
  | { readonly type: 'response'; readonly response: RuntimeResponse }
  /** The runtime reported that the handler failed. */
  | { readonly type: 'functionError'; readonly error: RuntimeError }
  | { readonly type: 'fault'; readonly fault: Fault };

export interface FinishedInvocation {
  readonly report: InvocationReport;
  /** Last bytes of the log, platform lines included. */
  readonly logTail: Buffer;
}

/** An invocation under way: the caller's answer and its end are different events. */
export interface Attempt {
  readonly outcome: Promise<InvocationOutcome>;
  /** Once the runtime asked for the next event or was reset, and END and REPORT are written. */
  readonly finished: Promise<FinishedInvocation>;
}

export interface EnvironmentSetup {
  readonly version: RunnableVersion;
  readonly binding: SandboxBinding;
  /** The complete environment of the runtime's process, once the paths inside are known. */
  readonly variables: (paths: SandboxPaths) => Readonly<Record<string, string>>;
  readonly initializationType: string;
  readonly runtimeVersionName: string;
  /** SnapStart: where the runtime comes from instead of Init, once the sandbox is bound. */
  readonly obtainRestored?: (booted: RunningRuntime | null) => Promise<HeldRuntime>;
}

type InitOutcome =
  | { readonly type: 'ready' }
  | { readonly type: 'timeout' }
  | { readonly type: 'failed'; readonly fault: Fault };

interface CurrentInvocation {
  readonly invocation: Invocation;
  readonly startedAtMs: number;
  readonly outcome: Deferred<InvocationOutcome>;
  readonly finished: Deferred<FinishedInvocation>;
  readonly timer: Timer;
  /** Called once, when the environment can take another event (or never again). */
  readonly onReady: () => void;
  /** START was written. */
  started: boolean;
  responded: boolean;
  /** Its runtime is being ended. */
  ending: boolean;
  fault: Fault | null;
}

type Deliver = (invocation: Invocation) => void;

/** From a channel's end to the end of a process that lives on: one that is exiting has its own status. */
const channelGraceMs = 1000;

const responseBytesMax = limits.invokeResponseBytesMax;

const accepted: PortAnswer = { status: 'accepted' };
const invalidRequestId: PortAnswer = { status: 'invalidRequestId' };

export class ExecutionEnvironment implements RuntimePort {
  readonly version: RunnableVersion;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #logStream: LogStream;
  readonly #runtimeSandbox: RuntimeSandbox;
  readonly #setup: EnvironmentSetup;
  readonly #drain = new OutputDrain();
  #state: EnvironmentState = 'Starting';
  #variables: Readonly<Record<string, string>> = {};
  #running: RunningRuntime | null = null;
  /** What the runtime's pending "next" is waiting with. */
  #deliver: Deliver | null = null;
  #init: Deferred<InitOutcome> | null = null;
  /** The start of a process that is under way; never rejects. */
  #starting: Promise<void> = Promise.resolve();
  /** The host no longer knows what became of a process: nothing can be started any more. */
  #lost: Error | null = null;
  /** Init has to run (again) before the next event can be delivered. */
  #needsInit = true;
  /** Of the Init before the first invocation; reported once. */
  #initDurationMs: number | undefined;
  /** Of the restore before the first invocation; reported once. */
  #restore: RestoreDurations | undefined;
  #current: CurrentInvocation | null = null;
  /** Over, but END and REPORT are still to be written. */
  #unreported: { readonly ended: CurrentInvocation; readonly durationMs: number } | null = null;
  #stopped: Promise<void> | null = null;

  constructor(
    clock: Clock,
    log: Log,
    runtimeSandbox: RuntimeSandbox,
    options: { setup: EnvironmentSetup; logStream: LogStream },
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#runtimeSandbox = runtimeSandbox;
    this.#setup = options.setup;
    this.#logStream = options.logStream;
    this.version = options.setup.version;
    runtimeSandbox.attach(this);
  }

  get state(): EnvironmentState {
    return this.#state;
  }

  get id(): string {
    return this.#runtimeSandbox.sandbox.id;
  }

  /**
   * Binds the sandbox and runs Init, at most 10 s. A failed or overrun Init is not an error here: it
   * is logged and runs again inside the first invocation. Rejects only when the host failed.
   * @param booted a runtime process of this sandbox that is already waiting to be bound, if any
   */
  async start(booted: RunningRuntime | null): Promise<void> {
    const { runtimeVersionName, version, binding, obtainRestored } = this.#setup;
    const startLineOf = obtainRestored === undefined ? initStartLine : restoreStartLine;
    this.#logStream.write(startLineOf(runtimeVersionName, version.runtimeVersionArn));
    try {
      await this.#runtimeSandbox.bind(binding);
      this.#requireStarting();
      this.#variables = this.#setup.variables(this.#runtimeSandbox.sandbox.paths);
      const startedAtMs = this.#clock.monotonicMs();
      if (obtainRestored === undefined) {
        if (booted !== null) this.#adopt(booted);
        const outcome = await this.#runInit(limits.initDurationMsMax, () => this.#startRuntime());
        await this.#endOfStartInit(outcome, this.#clock.monotonicMs() - startedAtMs);
      } else {
        await this.#restoreFrom(await obtainRestored(booted), startedAtMs);
      }
      await this.#runtimeSandbox.sandbox.setCpus(cpusForMemory(version.memoryMb));
      this.#requireStarting();
      this.#move('Ready');
    } catch (error) {
      if (this.#state === 'Starting') this.#move('Failed');
      throw error;
    }
  }

  /** Stopping may have begun while the host was busy. */
  #requireStarting(): void {
    if (this.#state !== 'Starting') throw new Error('the environment was stopped while it started');
  }

  async #endOfStartInit(outcome: InitOutcome, durationMs: number): Promise<void> {
    if (outcome.type === 'ready') {
      this.#initDurationMs = durationMs;
    } else {
      if (outcome.type === 'failed' && outcome.fault.type === 'host') throw outcome.fault.cause;
      await this.#drain.settle();
      this.#logInitReport(outcome, durationMs, 'init');
    }
  }

  /**
   * Restore: the runtime is at its snapshot point, runs its hooks and asks for the first event, within
   * 10 s. Throws RestoreFailure when it does not.
   */
  async #restoreFrom({ running, restore, variables }: HeldRuntime, startedAtMs: number): Promise<void> {
    this.#adopt(running);
    this.#requireStarting();
    const restoredAtMs = this.#clock.monotonicMs();
    const { optRoot } = this.#runtimeSandbox.sandbox.paths;
    const env = changedVariables(variables, this.#variables);
    const outcome = await this.#runInit(limits.restoreDurationMsMax, () => restore({ env, optRoot }));
    const endedAtMs = this.#clock.monotonicMs();
    const durationMs = endedAtMs - startedAtMs;
    await this.#drain.settle();
    running.process.drainOutput();
    if (outcome.type === 'failed' && outcome.fault.type === 'host') throw outcome.fault.cause;
    const status = outcome.type === 'ready' ? 'success' : outcome.type === 'timeout' ? 'timeout' : 'error';
    // Guide page 045 shows a hook's failure as this type, whatever the hook raised.
    const errorType = status === 'error' ? 'Runtime.ExitError' : undefined;
    this.#logStream.write(restoreReportLine({ durationMs, status, errorType }));
    if (status !== 'success') throw new RestoreFailure(status === 'timeout' ? 'timeout' : 'hook');
    this.#restore = { durationMs, billedMs: Math.ceil(endedAtMs - restoredAtMs) };
  }

  /** It was restored and has lost its process, which cannot be restored again: of no further use. */
  get isSpent(): boolean {
    return this.#setup.obtainRestored !== undefined && this.#running === null;
  }

  #logInitReport(
    outcome: Exclude<InitOutcome, { type: 'ready' }>,
    durationMs: number,
    phase: 'init' | 'invoke',
  ): void {
    const report =
      outcome.type === 'timeout'
        ? { durationMs, phase, status: 'timeout' as const, errorType: undefined }
        : { durationMs, phase, status: 'error' as const, errorType: faultErrorType(outcome.fault) };
    this.#logStream.write(initReportLine(report));
  }

  /** Runs Init once, within `limitMs`; afterwards the runtime waits in "next" or is gone. */
  async #runInit(limitMs: number, begin: () => Promise<void> | void): Promise<InitOutcome> {
    const init = deferred<InitOutcome>();
    this.#init = init;
    const timer = this.#clock.schedule(limitMs, () => init.resolve({ type: 'timeout' }));
    this.#starting = (async () => begin())().catch((error: unknown) => {
      init.resolve({ type: 'failed', fault: hostFault(error) });
    });
    const outcome = await init.promise;
    timer.cancel();
    this.#init = null;
    if (outcome.type === 'ready') {
      // A runtime may be quicker with its "next" than the host with the news that it has started.
      await this.#starting;
      this.#needsInit = this.#deliver === null;
    } else {
      await this.#reset();
    }
    return outcome;
  }

  async #startRuntime(): Promise<void> {
    const { version, initializationType } = this.#setup;
    const variables = this.#variables;
    const sandbox = this.#runtimeSandbox;
    if (this.#lost !== null) throw this.#lost;
    if (sandbox.runtime.kind === 'custom') {
      await this.#startBootstrap();
      return;
    }
    if (this.#running === null) this.#adopt(await sandbox.startManaged(variables));
    this.#running?.channel?.sendInit({
      handler: version.handler,
      taskRoot: sandbox.sandbox.paths.taskRoot,
      optRoot: sandbox.sandbox.paths.optRoot,
      env: variables,
      initializationType,
    });
  }

  async #startBootstrap(): Promise<void> {
    const { binding } = this.#setup;
    const { sandbox } = this.#runtimeSandbox;
    const bootstrap = await findBootstrap(sandbox, binding);
    if (bootstrap === null) {
      const { taskRoot, optRoot } = sandbox.paths;
      const message = `Couldn't find valid bootstrap(s): [${taskRoot}/bootstrap ${optRoot}/bootstrap]`;
      this.#init?.resolve({ type: 'failed', fault: { type: 'invalidEntrypoint', message } });
      return;
    }
    try {
      this.#adopt(await this.#runtimeSandbox.startCustom(bootstrap, this.#variables));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'SandboxStartError') throw error;
      const message = `fork/exec ${bootstrap}: ${error.message}`;
      this.#init?.resolve({ type: 'failed', fault: { type: 'invalidEntrypoint', message } });
    }
  }

  #adopt(running: RunningRuntime): void {
    this.#running = running;
    this.#drain.watch(running.process.output, (bytes) => this.#logStream.write(bytes));
    running.channel?.attach(this);
    running.process.exited.then(
      (exit) => this.#onExit(running, exit),
      (error: unknown) => this.#onLost(running, error),
    );
    void running.channel?.closed.then(() => this.#onChannelClosed(running));
  }

  // ---- what the runtime says ----

  next(deliver: Deliver): PortAnswer {
    if (this.#init !== null) {
      this.#deliver = deliver;
      this.#init.resolve({ type: 'ready' });
      return accepted;
    }
    const current = this.#current;
    // Without a runtime, or while it is being ended, this is its last word.
    const isExpected = current === null || (current.responded && !current.ending);
    if (this.#running === null || !isExpected) {
      return { status: 'invalidTransition', from: 'InvocationRunning', to: 'Ready' };
    }
    this.#deliver = deliver;
    if (current !== null) this.#finish(current);
    return accepted;
  }

  expectsResponse(requestId: string): PortAnswer {
    const current = this.#current;
    if (current === null || current.invocation.requestId !== requestId) return invalidRequestId;
    if (this.#running === null) return invalidRequestId;
    if (!current.started || current.responded) {
      return { status: 'invalidTransition', from: 'InvocationResponse', to: 'InvocationResponse' };
    }
    return accepted;
  }

  respond(requestId: string, response: RuntimeResponse): PortAnswer {
    const answer = this.expectsResponse(requestId);
    const current = this.#current;
    if (answer.status !== 'accepted' || current === null) return answer;
    current.responded = true;
    const { body } = response;
    if (Buffer.isBuffer(body) && body.length > responseBytesMax) {
      return this.#refuseTooLarge(current, body.length);
    }
    current.outcome.resolve({ type: 'response', response });
    return accepted;
  }

  fail(requestId: string, error: RuntimeError): PortAnswer {
    const answer = this.expectsResponse(requestId);
    const current = this.#current;
    if (answer.status !== 'accepted' || current === null) return answer;
    current.responded = true;
    if (error.payload.length > responseBytesMax) {
      return this.#refuseTooLarge(current, error.payload.length);
    }
    current.outcome.resolve({ type: 'functionError', error });
    return accepted;
  }

  #refuseTooLarge(current: CurrentInvocation, sizeBytes: number): PortAnswer {
    const maxBytes = responseBytesMax;
    current.fault = { type: 'responseTooLarge', sizeBytes, maxBytes };
    current.outcome.resolve({ type: 'fault', fault: current.fault });
    return { status: 'tooLarge', maxBytes };
  }

  initError(error: RuntimeError): PortAnswer {
    if (this.#init === null) {
      return { status: 'invalidTransition', from: this.#state, to: 'InitError' };
    }
    const fault: Fault = { type: 'initError', error: withinBound(error) };
    this.#init.resolve({ type: 'failed', fault });
    return accepted;
  }

  /** Only a template has a snapshot point. */
  restoreNext(): PortAnswer {
    return { status: 'invalidTransition', from: this.#state, to: 'RestoreReady' };
  }

  restoreError(error: RuntimeError): PortAnswer {
    if (this.#setup.obtainRestored === undefined) {
      return { status: 'invalidTransition', from: this.#state, to: 'RestoreError' };
    }
    return this.initError(error);
  }

  // ---- what the platform asks ----

  /**
   * Delivers one event. Only in Ready or Frozen. `onReady` is called once, as soon as the next event
   * could come: before END and REPORT, which are written when the answer is on its way.
   */
  invoke(invocation: Invocation, onReady: () => void): Attempt {
    this.#writeReport();
    this.thaw();
    this.#move('Invoking');
    const current: CurrentInvocation = {
      invocation,
      startedAtMs: this.#clock.monotonicMs(),
      outcome: deferred(),
      finished: deferred(),
      timer: this.#clock.schedule(this.version.timeoutMs, () => this.#onTimeout(current)),
      onReady,
      started: false,
      responded: false,
      ending: false,
      fault: null,
    };
    this.#current = current;
    if (this.#needsInit) {
      this.#initThenDeliver(current).catch((error: unknown) =>
        this.#failCurrent(current, hostFault(error)),
      );
    } else {
      this.#deliverTo(current);
    }
    return { outcome: current.outcome.promise, finished: current.finished.promise };
  }

  #deliverTo(current: CurrentInvocation): void {
    const deliver = this.#deliver;
    assert(deliver !== null, 'a runtime that is ready waits for an event');
    this.#deliver = null;
    this.#startLine(current);
    try {
      deliver(current.invocation);
    } catch (error) {
      this.#failCurrent(current, hostFault(error));
    }
  }

  #startLine(current: CurrentInvocation): void {
    if (current.started) return;
    current.started = true;
    this.#logStream.write(startLine(current.invocation.requestId, this.version.version));
  }

  /** A suppressed Init: no INIT_START line, its time counts into the invocation's. */
  async #initThenDeliver(current: CurrentInvocation): Promise<void> {
    this.#initDurationMs = undefined;
    const startedAtMs = this.#clock.monotonicMs();
    await this.#runtimeSandbox.sandbox.setCpus(null);
    if (this.#current !== current || current.ending) return;
    // The invocation's own timer bounds this Init too: it resolves #init when it fires.
    const outcome = await this.#runInit(this.version.timeoutMs + 1, () => this.#startRuntime());
    if (this.#current !== current) return;
    await this.#runtimeSandbox.sandbox.setCpus(cpusForMemory(this.version.memoryMb));
    if (this.#current !== current) return;
    if (outcome.type === 'ready') {
      if (current.fault === null) this.#deliverTo(current);
      else await this.#endWithFault(current, current.fault);
      return;
    }
    await this.#drain.settle();
    this.#logInitReport(outcome, this.#clock.monotonicMs() - startedAtMs, 'invoke');
    const fault: Fault =
      outcome.type === 'timeout'
        ? { type: 'timeout', timeoutMs: this.version.timeoutMs }
        : outcome.fault;
    this.#failCurrent(current, fault);
  }

  #onTimeout(current: CurrentInvocation): void {
    if (this.#current !== current) return;
    const fault: Fault = { type: 'timeout', timeoutMs: this.version.timeoutMs };
    current.fault = fault;
    current.responded = true;
    // The caller need not wait until the runtime has been ended.
    current.outcome.resolve({ type: 'fault', fault });
    if (this.#init !== null) this.#init.resolve({ type: 'timeout' });
    else void this.#endWithFault(current, fault);
  }

  async #endWithFault(current: CurrentInvocation, fault: Fault): Promise<void> {
    if (current.ending) return;
    current.ending = true;
    try {
      await this.#reset();
    } catch (error) {
      this.#lost ??= hostFault(error).cause;
    }
    await this.#drain.settle();
    this.#failCurrent(current, fault);
  }

  #failCurrent(current: CurrentInvocation, fault: Fault): void {
    if (this.#current !== current) return;
    current.fault = fault;
    current.responded = true;
    this.#startLine(current);
    current.outcome.resolve({ type: 'fault', fault });
    this.#finish(current);
  }

  /** Ends the runtime's process; Init runs again with the next invocation, /tmp stays. */
  async #reset(): Promise<void> {
    // What is being started can be ended only once it is there.
    await this.#starting;
    this.#needsInit = true;
    this.#deliver = null;
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    running.channel?.close();
    await running.process.kill();
  }

  async #onExit(running: RunningRuntime, exit: ProcessExit): Promise<void> {
    // What the process said before it ended may still be on its way up.
    await this.#drain.settle();
    if (this.#running !== running) return;
    this.#running = null;
    this.#needsInit = true;
    this.#deliver = null;
    running.channel?.close();
    const fault: Fault = exit.outOfMemory ? { type: 'outOfMemory' } : { type: 'exit', exit };
    if (this.#init !== null) this.#init.resolve({ type: 'failed', fault });
    else if (this.#current !== null) this.#failCurrent(this.#current, fault);
  }

  /** Nobody can tell how the process ended, or whether it did. */
  #onLost(running: RunningRuntime, error: unknown): void {
    this.#log.error({ error, sandbox: this.id }, 'lost track of a runtime');
    const fault = hostFault(error);
    this.#lost ??= fault.cause;
    if (this.#running !== running) return;
    this.#running = null;
    this.#needsInit = true;
    this.#deliver = null;
    if (this.#init !== null) this.#init.resolve({ type: 'failed', fault });
    else if (this.#current !== null) this.#failCurrent(this.#current, fault);
  }

  /** A managed runtime without its channel can neither get an event nor answer one. */
  #onChannelClosed(running: RunningRuntime): void {
    if (this.#running !== running) return;
    this.#clock.schedule(channelGraceMs, () => {
      // How this ends, `exited` tells.
      if (this.#running === running) running.process.kill().catch(() => undefined);
    });
  }

  #finish(current: CurrentInvocation): void {
    current.timer.cancel();
    this.#current = null;
    const durationMs = this.#clock.monotonicMs() - current.startedAtMs;
    this.#unreported = { ended: current, durationMs };
    const isUsable = this.#lost === null && current.fault?.type !== 'host';
    if (this.#state === 'Invoking') this.#move(isUsable ? 'Ready' : 'Failed');
    // The caller's answer goes out first: it is waiting, the log is not.
    setImmediate(() => this.#writeReport());
    current.onReady();
  }

  /** Writes END and REPORT of the invocation that is over, if that is still to be done. */
  #writeReport(): void {
    if (this.#unreported === null) return;
    const { ended, durationMs } = this.#unreported;
    this.#unreported = null;
    this.#running?.process.drainOutput();
    const report = this.#report(ended, durationMs);
    this.#initDurationMs = undefined;
    this.#restore = undefined;
    this.#logStream.write(endLine(report.requestId) + reportLine(report));
    ended.finished.resolve({ report, logTail: this.#logStream.takeTail() });
  }

  #report(current: CurrentInvocation, durationMs: number): InvocationReport {
    const { fault } = current;
    const initDurationMs = this.#initDurationMs;
    const restore = this.#restore;
    const extraMs = initDurationMs ?? restore?.billedMs ?? 0;
    const failed = fault !== null && fault.type !== 'responseTooLarge';
    return {
      requestId: current.invocation.requestId,
      durationMs,
      billedDurationMs: Math.ceil(durationMs + extraMs),
      memorySizeMb: this.version.memoryMb,
      maxMemoryUsedMb: this.#memoryUsedMb(fault),
      initDurationMs,
      restore,
      status: !failed ? 'success' : fault.type === 'timeout' ? 'timeout' : 'error',
      errorType: failed && fault.type !== 'timeout' ? faultErrorType(fault) : undefined,
    };
  }

  #memoryUsedMb(fault: Fault | null): number {
    if (fault?.type === 'outOfMemory') return this.version.memoryMb;
    const usedMb = Math.ceil(this.#runtimeSandbox.sandbox.memoryPeakBytes() / MIB);
    return Math.min(usedMb, this.version.memoryMb);
  }

  /** Stops the processes where they are, until the next event. Only when idle; else nothing happens. */
  freeze(): void {
    if (this.#state !== 'Ready') return;
    try {
      this.#runtimeSandbox.sandbox.freeze();
      this.#move('Frozen');
    } catch (error) {
      this.#log.warn({ error, sandbox: this.id }, 'could not freeze an environment');
    }
  }

  thaw(): void {
    if (this.#state !== 'Frozen') return;
    this.#runtimeSandbox.sandbox.thaw();
    this.#move('Ready');
  }

  /** Ends everything and leaves nothing on the host. An invocation in flight ends with a fault. */
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
    this.#running?.channel?.close();
    this.#running = null;
    this.#init?.resolve({ type: 'failed', fault: stopping });
    if (this.#current !== null) this.#failCurrent(this.#current, stopping);
    this.#writeReport();
    await this.#runtimeSandbox.destroy();
    this.#move('Stopped');
  }

  #move(to: EnvironmentState): void {
    assert(canMove(this.#state, to), `an environment cannot go from ${this.#state} to ${to}`);
    this.#state = to;
  }
}

/** An error document that no caller could be given is replaced. */
function withinBound(error: RuntimeError): RuntimeError {
  if (error.payload.length <= responseBytesMax) return error;
  const errorType = error.errorType;
  const errorMessage = `The error document was longer than ${responseBytesMax} bytes.`;
  return { errorType, payload: Buffer.from(JSON.stringify({ errorType, errorMessage })) };
}

function hostFault(error: unknown): Extract<Fault, { type: 'host' }> {
  return { type: 'host', cause: error instanceof Error ? error : new Error(String(error)) };
}
