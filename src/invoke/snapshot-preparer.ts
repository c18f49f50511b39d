/**
 * Runs the Init of SnapStart versions that are being published and tells the control plane, through the
 * store, what became of it. Off the request path: nobody waits for it but the version's state.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import {
  collections,
  versionDocumentId,
  type SnapshotFailure,
  type SnapshotStatus,
} from '../model/function.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { Store } from '../store/store.ts';
import { describeExit, hostFault, type Fault } from '../worker/faults.ts';
import type { SnapshotOutcome } from '../worker/snapshot-template.ts';
import type { Preparation } from '../worker/snapshots.ts';

/** Inits that have only just begun: each has a full CPU. */
export const freshAtOnceMax = 2;
/** From then on an Init takes nobody's turn: most are over, and what is left may wait or be stuck. */
export const slowAfterMs = 1_000;
/** Versions being initialised, slow ones and all. */
export const preparedAtOnceMax = 12;
/** Of these the versions of one function, which may all be stuck at the same place. */
export const preparedOfFunctionMax = 4;
/** After a failure of the host, which may pass. */
export const retryDelayMs = 1_000;
/** Attempts at what the host could not do, before the version is given up; having no room is none. */
export const attemptsMax = 5;

/** A version that waits for its turn. */
interface Waiting {
  readonly version: RunnableVersion;
  /** From 1. */
  readonly attempt: number;
}

interface Run extends Waiting {
  isSlow: boolean;
}

export interface SnapshotPreparerOptions {
  /** Rejects when the host cannot (Worker.prepareSnapshot). */
  readonly prepare: (version: RunnableVersion) => Promise<Preparation>;
}

export class SnapshotPreparer {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #store: Store;
  readonly #options: SnapshotPreparerOptions;
  /** By key: versions that wait or are being prepared. */
  readonly #known = new Set<string>();
  #waiting: Waiting[] = [];
  readonly #running = new Map<Run, Promise<void>>();
  readonly #timers = new Set<Timer>();
  #isClosed = false;

  constructor(clock: Clock, log: Log, store: Store, options: SnapshotPreparerOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#store = store;
    this.#options = options;
  }

  /** A version is known, new or changed: prepares it once if it waits for its snapshot. */
  offer(version: RunnableVersion): void {
    const isWanted = version.snapStart && version.state === 'Pending';
    if (!isWanted || this.#isClosed || this.#known.has(version.key)) return;
    this.#known.add(version.key);
    this.#prepareInTurn({ version, attempt: 1 });
  }

  /** The version is out of date or gone. */
  forget(versionKey: string): void {
    this.#known.delete(versionKey);
    this.#waiting = this.#waiting.filter(({ version }) => version.key !== versionKey);
  }

  /** Resolves once nothing is under way; what is left is prepared after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    await Promise.all(this.#running.values());
  }

  #prepareInTurn(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#runNext();
  }

  #runNext(): void {
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) this.#run(next);
  }

  /** Functions with fewer versions under way come first, then who came first. */
  #takeNext(): Waiting | undefined {
    const running = [...this.#running.keys()];
    if (this.#isClosed || running.length >= preparedAtOnceMax) return undefined;
    if (running.filter(({ isSlow }) => !isSlow).length >= freshAtOnceMax) return undefined;
    const counts = new Map<string, number>();
    const countOf = ({ version }: Waiting): number => counts.get(version.functionName) ?? 0;
    for (const run of running) counts.set(run.version.functionName, countOf(run) + 1);
    const [next] = this.#waiting
      .filter((waiting) => countOf(waiting) < preparedOfFunctionMax)
      .sort((one, other) => countOf(one) - countOf(other));
    this.#waiting = this.#waiting.filter((waiting) => waiting !== next);
    return next;
  }

  #run(waiting: Waiting): void {
    const run: Run = { ...waiting, isSlow: false };
    const timer = this.#clock.schedule(slowAfterMs, () => {
      run.isSlow = true;
      this.#runNext();
    });
    const done = this.#prepare(waiting).finally(() => {
      timer.cancel();
      this.#running.delete(run);
      this.#runNext();
    });
    this.#running.set(run, done);
  }

  /** Never rejects. */
  async #prepare(waiting: Waiting): Promise<void> {
    const { version } = waiting;
    const outcome = await this.#options
      .prepare(version)
      .catch((error: unknown): Preparation => ({ type: 'failed', fault: hostFault(error) }));
    if (!this.#known.has(version.key) || this.#isClosed) return;
    if (outcome.type === 'noRoom') {
      this.#log.warn({ version: version.key }, 'no room to prepare a snapshot yet');
      this.#prepareLater(waiting);
      return;
    }
    try {
      await this.#report(version, statusOf(waiting, outcome));
      this.#known.delete(version.key);
    } catch (error) {
      this.#log.warn({ err: error, version: version.key }, 'could not prepare a snapshot yet');
      this.#prepareLater({ version, attempt: waiting.attempt + 1 });
    }
  }

  #prepareLater(waiting: Waiting): void {
    const timer = this.#clock.schedule(retryDelayMs, () => {
      this.#timers.delete(timer);
      if (this.#known.has(waiting.version.key)) this.#prepareInTurn(waiting);
    });
    this.#timers.add(timer);
  }

  async #report(version: RunnableVersion, value: SnapshotStatus): Promise<void> {
    const key = {
      collection: collections.snapshotStatus,
      partition: version.functionName,
      id: versionDocumentId(version.version),
    };
    await this.#store.commit([{ type: 'put', key, value, expect: 'any' }]);
  }
}

/** Throws what the host could not do when another attempt may do better. */
function statusOf({ version, attempt }: Waiting, outcome: SnapshotOutcome): SnapshotStatus {
  const buildId = version.key.slice(version.key.lastIndexOf(':') + 1);
  if (outcome.type === 'ready') return { buildId };
  const isOfHost = outcome.type === 'failed' && outcome.fault.type === 'host';
  if (isOfHost && attempt < attemptsMax) throw outcome.fault.cause;
  return { buildId, failure: failureOf(outcome) };
}

function failureOf(outcome: Exclude<SnapshotOutcome, { type: 'ready' }>): SnapshotFailure {
  if (outcome.type === 'failed') return faultFailure(outcome.fault);
  const seconds = outcome.limitMs / 1000;
  return {
    code: 'FunctionError.InitTimeout',
    reason: `Initialization of the function did not finish within ${seconds} seconds.`,
  };
}

function faultFailure(fault: Fault): SnapshotFailure {
  switch (fault.type) {
    case 'initError':
      return {
        code: 'FunctionError.RuntimeInitError',
        reason: `Initialization of the function failed: ${messageOf(fault.error.payload)}`,
      };
    case 'exit':
      return { code: 'FunctionError.RuntimeInitError', reason: describeExit(fault.exit) };
    case 'outOfMemory':
      return {
        code: 'FunctionError.InitResourceExhausted',
        reason: 'Initialization of the function needed more memory than it has.',
      };
    case 'invalidEntrypoint':
      return { code: 'FunctionError.InvalidEntryPoint', reason: fault.message };
    case 'extension':
      return { code: 'FunctionError.ExtensionInitError', reason: fault.message };
    case 'timeout':
    case 'responseTooLarge':
    case 'host':
      return { code: 'InternalError', reason: 'The function could not be initialized.' };
  }
}

const reasonLengthMax = 1_000;

/** What an error document says, as far as it is one. */
function messageOf(payload: Buffer): string {
  try {
    const { errorType, errorMessage } = JSON.parse(payload.toString()) as Record<string, unknown>;
    return `${String(errorType)}: ${String(errorMessage)}`.slice(0, reasonLengthMax);
  } catch {
    return 'the runtime gave no reason.';
  }
}
