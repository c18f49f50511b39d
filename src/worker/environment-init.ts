/**
 * Init of one execution environment: its first one, a restore in place of that, and those inside an
 * invocation. Runs each within its time, tells of it, and knows what the first one took.
 */
import type { Clock } from '../base/clock.ts';
import { deferred, type Deferred } from '../base/deferred.ts';
import { limits } from '../model/limits.ts';
import type { EnvironmentTelemetry } from '../telemetry/environment-telemetry.ts';
import type { InitPhase } from '../telemetry/platform-event.ts';
import type { EnvironmentProcesses } from './environment-processes.ts';
import type { EnvironmentSetup } from './environment-setup.ts';
import type { ShutdownReason } from './extension-port.ts';
import { RestoreFailure, type HeldRuntime } from './held-runtime.ts';
import type { StartDurations } from './invocation-record.ts';
import {
  initEndEvents,
  initStartEvent,
  restoreEndEvents,
  restoreStartEvent,
  type PhaseOutcome,
} from './phase-events.ts';
import type { RunningRuntime } from './runtime-sandbox.ts';

export type FailedPhase = Exclude<PhaseOutcome, { type: 'ready' }>;

export interface EnvironmentInitParts {
  /** Of its sandbox. */
  readonly id: string;
  readonly setup: EnvironmentSetup;
  readonly telemetry: EnvironmentTelemetry;
  readonly processes: EnvironmentProcesses;
  /** Throws when stopping has begun while the host was busy. */
  readonly requireStarting: () => void;
  /** Everything runs, and nothing was told of it yet. */
  readonly onReady: () => void;
  /** Ends everything that runs; calls `report` when the log so far is complete. */
  readonly reset: (reason: ShutdownReason, report: () => void) => Promise<void>;
}

export class EnvironmentInit {
  readonly #clock: Clock;
  readonly #parts: EnvironmentInitParts;
  #underWay: Deferred<PhaseOutcome> | null = null;
  /** Of the Init or restore before the first invocation; reported once. */
  #startDurations: StartDurations = {};

  constructor(clock: Clock, parts: EnvironmentInitParts) {
    this.#clock = clock;
    this.#parts = parts;
  }

  get isUnderWay(): boolean {
    return this.#underWay !== null;
  }

  /** What is under way, if anything is, has come out so; the first word counts. */
  end(outcome: PhaseOutcome): void {
    this.#underWay?.resolve(outcome);
  }

  /** What the first one took, for the report of the first invocation alone. */
  takeStartDurations(): StartDurations {
    const durations = this.#startDurations;
    this.#startDurations = {};
    return durations;
  }

  emitStart(phase: InitPhase | 'restore'): void {
    const { id, setup, telemetry } = this.#parts;
    if (phase === 'restore') telemetry.emit(restoreStartEvent(setup, id));
    else telemetry.emit(initStartEvent(setup, id, phase));
  }

  /** Rejects only when the host failed. */
  async runFirst(booted: RunningRuntime | null): Promise<void> {
    const { processes, setup } = this.#parts;
    processes.bound(booted);
    const startedAtMs = this.#clock.monotonicMs();
    const outcome = await this.run(setup.initMsMax, 'init');
    const initDurationMs = this.#clock.monotonicMs() - startedAtMs;
    if (outcome.type === 'ready') {
      // Provisioned environments are billed for their Init by itself (guide page 019).
      const isBilled = setup.initializationType === 'on-demand';
      this.#startDurations = { initDurationMs, ...(isBilled && { billedStartMs: initDurationMs }) };
    }
    if (outcome.type === 'failed' && outcome.fault.type === 'host') throw outcome.fault.cause;
  }

  /**
   * Restore: a runtime at its snapshot point runs its hooks and asks for the first event, together with
   * the extensions at most 10 s. Throws RestoreFailure when that does not come to pass.
   */
  async restoreFrom(obtain: () => Promise<HeldRuntime>): Promise<void> {
    const startedAtMs = this.#clock.monotonicMs();
    this.#parts.processes.boundTo(await obtain());
    this.#parts.requireStarting();
    const obtainedAtMs = this.#clock.monotonicMs();
    const outcome = await this.run(limits.restoreDurationMsMax, 'restore', { startedAtMs });
    if (outcome.type === 'failed' && outcome.fault.type === 'host') throw outcome.fault.cause;
    if (outcome.type === 'timeout') throw new RestoreFailure('timeout');
    if (outcome.type === 'failed') throw new RestoreFailure('hook');
    const endedAtMs = this.#clock.monotonicMs();
    const billedRestoreDurationMs = Math.ceil(endedAtMs - obtainedAtMs);
    const restoreDurationMs = endedAtMs - startedAtMs;
    const billedStartMs = billedRestoreDurationMs;
    this.#startDurations = { restoreDurationMs, billedRestoreDurationMs, billedStartMs };
  }

  /**
   * Runs Init once, or the rest of a restore, within `msMax` from now; afterwards the runtime waits in
   * "next", or nothing runs. `onFailed` is called while extensions can still hear of it.
   */
  async run(
    msMax: number,
    phase: InitPhase | 'restore',
    {
      startedAtMs = this.#clock.monotonicMs(),
      onFailed,
    }: { startedAtMs?: number; onFailed?: (outcome: FailedPhase) => void } = {},
  ): Promise<PhaseOutcome> {
    const { processes, telemetry, onReady, reset } = this.#parts;
    const underWay = deferred<PhaseOutcome>();
    this.#underWay = underWay;
    const timer = this.#clock.schedule(msMax, () => underWay.resolve({ type: 'timeout' }));
    processes.start();
    const outcome = await underWay.promise;
    timer.cancel();
    this.#underWay = null;
    const durationMs = this.#clock.monotonicMs() - startedAtMs;
    const emitEnd = (): void => this.#emitEnd(phase, outcome, durationMs);
    if (outcome.type === 'ready') {
      // A runtime may be quicker with its "next" than the host with the news that it has started.
      await processes.started;
      onReady();
      emitEnd();
      telemetry.closeSubscriptions();
    } else {
      const reason = outcome.type === 'timeout' ? 'TIMEOUT' : 'FAILURE';
      await reset(reason, () => {
        emitEnd();
        onFailed?.(outcome);
      });
    }
    return outcome;
  }

  #emitEnd(phase: InitPhase | 'restore', outcome: PhaseOutcome, durationMs: number): void {
    // Nothing of the function's came to its end.
    if (outcome.type === 'failed' && outcome.fault.type === 'host') return;
    const { setup, telemetry, processes } = this.#parts;
    const { extensions, hasStartedRuntime } = processes;
    const events =
      phase === 'restore'
        ? restoreEndEvents(outcome, durationMs)
        : initEndEvents(
            setup,
            { phase, outcome, durationMs },
            { extensions: extensions.records(), hasStartedRuntime },
          );
    for (const event of events) telemetry.emit(event);
  }
}
