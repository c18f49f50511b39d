/**
 * A runtime process of a SnapStart version that was initialised and waits at its snapshot point. It is
 * never given an event: it is what restored environments are made of, as copies of its process where
 * the sandbox driver can make them, else as itself (ADR 0015).
 */
import type { Clock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import { ForkSourceGoneError } from '../sandbox/sandbox.ts';
import type { EnvironmentTelemetry } from '../telemetry/environment-telemetry.ts';
import { runtimeInit, type EnvironmentSetup } from './environment-setup.ts';
import { hostFault, type Fault } from './faults.ts';
import type { HeldRuntime } from './held-runtime.ts';
import { OutputDrain } from './output-drain.ts';
import { initEndEvents, initStartEvent } from './phase-events.ts';
import type { PortAnswer, RuntimeError, RuntimePort, RuntimeRestore } from './runtime-port.ts';
import type { RunningRuntime, RuntimeSandbox } from './runtime-sandbox.ts';

/** What the Init of a template came to. */
export type SnapshotOutcome =
  | { readonly type: 'ready' }
  | { readonly type: 'timeout'; readonly limitMs: number }
  | { readonly type: 'failed'; readonly fault: Fault };

const ready: SnapshotOutcome = { type: 'ready' };
const refused: PortAnswer = { status: 'invalidTransition', from: 'Snapshot', to: 'Invoke' };

/** It was given up or has ended before the turn came to be copied: nothing was done. */
export class TemplateGoneError extends Error {
  override readonly name = 'TemplateGoneError';
}

export class SnapshotTemplate implements RuntimePort {
  readonly runtimeSandbox: RuntimeSandbox;
  readonly #clock: Clock;
  readonly #setup: EnvironmentSetup;
  readonly #telemetry: EnvironmentTelemetry;
  readonly #drain = new OutputDrain();
  readonly #init = deferred<SnapshotOutcome>();
  #running: RunningRuntime | null = null;
  #restore: ((restored: RuntimeRestore) => void) | null = null;
  #variables: Readonly<Record<string, string>> = {};
  /** One copy at a time: the process makes them one after the other, and may be frozen in between. */
  #forking: Promise<unknown> = Promise.resolve();
  #forksUnderWay = 0;
  #isGone = false;

  constructor(
    clock: Clock,
    runtimeSandbox: RuntimeSandbox,
    options: { setup: EnvironmentSetup; telemetry: EnvironmentTelemetry },
  ) {
    this.#clock = clock;
    this.runtimeSandbox = runtimeSandbox;
    this.#setup = options.setup;
    this.#telemetry = options.telemetry;
  }

  /**
   * Runs Init in the sandbox, which is bound already, to the snapshot point; always logs INIT_REPORT
   * (spec part C, 1.2). Never rejects: what the host could not do is a fault, too.
   * @param booted a runtime process of this sandbox that is already waiting to be bound, if any
   */
  async start(booted: RunningRuntime | null = null): Promise<SnapshotOutcome> {
    const { initMsMax: limitMs } = this.#setup;
    const { id } = this.runtimeSandbox.sandbox;
    this.#telemetry.emit(initStartEvent(this.#setup, id, 'init'));
    this.runtimeSandbox.attach(this, null);
    const startedAtMs = this.#clock.monotonicMs();
    const timer = this.#clock.schedule(limitMs, () =>
      this.#init.resolve({ type: 'timeout', limitMs }),
    );
    this.#startRuntime(booted).catch((error: unknown) => this.#fail(hostFault(error)));
    const outcome = await this.#init.promise;
    timer.cancel();
    const durationMs = this.#clock.monotonicMs() - startedAtMs;
    if (outcome.type !== 'ready') await this.#running?.process.kill().catch(() => undefined);
    await this.#drain.settle();
    this.#running?.process.drainOutput();
    const end = { phase: 'init', outcome, durationMs } as const;
    const environment = { extensions: [], hasStartedRuntime: true };
    for (const event of initEndEvents(this.#setup, end, environment)) this.#telemetry.emit(event);
    return outcome;
  }

  async #startRuntime(booted: RunningRuntime | null): Promise<void> {
    const setup = this.#setup;
    const { paths } = this.runtimeSandbox.sandbox;
    this.#variables = setup.variables(paths);
    const running = booted ?? (await this.runtimeSandbox.startManaged(this.#variables));
    this.#running = running;
    const leave = (): void => void (this.#isGone = true);
    running.process.exited.then(leave, leave);
    this.#drain.watch(running.process.output, (bytes) => this.#telemetry.functionOutput(bytes));
    running.process.exited.then(
      (exit) => this.#fail(exit.outOfMemory ? { type: 'outOfMemory' } : { type: 'exit', exit }),
      (error: unknown) => this.#fail(hostFault(error)),
    );
    running.channel?.attach(this);
    running.channel?.sendInit(runtimeInit(setup, paths, running, this.#variables));
  }

  #fail(fault: Fault): void {
    this.#init.resolve({ type: 'failed', fault });
  }

  /** Resolves when its process has ended, however. */
  async ended(): Promise<void> {
    await this.#running?.process.exited.catch(() => undefined);
  }

  /**
   * A copy of its process in another sandbox, which is bound. Rejects when there can be none, with
   * TemplateGoneError if that sandbox is as it was.
   * Only after `start` came to 'ready'.
   */
  async fork(into: RuntimeSandbox): Promise<HeldRuntime> {
    this.#forksUnderWay += 1;
    const forked = this.#forking.then(() => this.#fork(into));
    this.#forking = forked.catch(() => undefined);
    try {
      return await forked;
    } finally {
      this.#forksUnderWay -= 1;
      if (this.#forksUnderWay === 0) this.freeze();
    }
  }

  async #fork(into: RuntimeSandbox): Promise<HeldRuntime> {
    if (this.#running === null || this.#isGone) throw new TemplateGoneError();
    this.runtimeSandbox.sandbox.thaw();
    let running: RunningRuntime;
    try {
      running = await into.fork(this.runtimeSandbox, this.#running);
    } catch (error) {
      this.#isGone = true; // it died, or is stuck: the next in turn does not try
      throw error instanceof ForkSourceGoneError ? new TemplateGoneError() : error;
    }
    const restore = (restored: RuntimeRestore): void => running.channel?.sendRestore(restored);
    return { running, restore, variables: this.#variables };
  }

  /** Gives its own process away, where it cannot be copied: it is no template from then on. */
  release(): HeldRuntime {
    const running = this.#running;
    const restore = this.#restore;
    if (running === null || restore === null) throw new Error('the template has no process');
    this.#drain.unwatch(running.process.output);
    return { running, restore, variables: this.#variables };
  }

  /** It has nothing to do until the next copy is asked for. */
  freeze(): void {
    this.runtimeSandbox.sandbox.freeze();
  }

  async stop(): Promise<void> {
    this.#isGone = true;
    this.#init.resolve({
      type: 'failed',
      fault: { type: 'host', cause: new Error('the template was stopped') },
    });
    // Without more ado: its process may be what copies still depend on, which the sandbox knows.
    await this.runtimeSandbox.destroy();
  }

  // ---- what the runtime says ----

  restoreNext(restore: (restored: RuntimeRestore) => void): PortAnswer {
    if (this.#restore !== null) return refused;
    this.#restore = restore;
    this.#init.resolve(ready);
    return { status: 'accepted' };
  }

  initError(error: RuntimeError): PortAnswer {
    if (this.#restore !== null) return refused;
    this.#fail({ type: 'initError', error });
    return { status: 'accepted' };
  }

  /** A runtime that asks for events without having been at its snapshot point cannot be copied. */
  next(): PortAnswer {
    return refused;
  }

  restoreError(): PortAnswer {
    return refused;
  }

  expectsResponse(): PortAnswer {
    return refused;
  }

  respond(): PortAnswer {
    return refused;
  }

  fail(): PortAnswer {
    return refused;
  }
}
