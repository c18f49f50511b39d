/**
 * One run of the data plane from a seed: real store feed, directory, admission, invoker and worker on
 * a clock that the run moves, with scripted sandboxes that fail. Random steps, and after each of them
 * what must always hold; at the end everything must be answered and given back.
 */
import assert from 'node:assert/strict';
import { silentLog } from '../../src/base/log.ts';
import { Concurrency } from '../../src/invoke/concurrency.ts';
import { FunctionDirectory } from '../../src/invoke/function-directory.ts';
import { Invoker, type InvokeRequest } from '../../src/invoke/invoke.ts';
import { ProvisionReporter } from '../../src/invoke/provision-reporter.ts';
import { ProvisionedConcurrency } from '../../src/invoke/provisioned-concurrency.ts';
import { aliasCollections, type ProvisionedStatusRecord } from '../../src/model/alias.ts';
import { isApiError } from '../../src/model/errors.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { createMemoryStore } from '../../src/testing/memory-store.ts';
import { MetricSamples } from '../../src/testing/metric-samples.ts';
import {
  ScriptedHost,
  turns,
  type Faults,
  type ScriptedSandbox,
} from '../../src/testing/scripted-sandbox.ts';
import { SimClock } from '../../src/testing/sim-clock.ts';
import type { ProvisionedState } from '../../src/worker/provisioned-pool.ts';
import { Worker } from '../../src/worker/worker.ts';
import { AdmissionModel } from './admission-model.ts';
import { ScriptedPlayer, type Expected } from './scripted-player.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedFunctions } from './simulated-functions.ts';

export interface EpisodeReport {
  readonly steps: number;
  readonly invocations: number;
  readonly delivered: number;
  /** How many calls ended in which way. */
  readonly endings: ReadonlyMap<string, number>;
  /** How many invocations had a provisioned unit. */
  readonly provisioned: number;
  /** How many permits were refused for which reason. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** What an episode is made of; a canary breaks one of them before the first step. */
export interface EpisodeParts {
  readonly concurrency: Concurrency;
  readonly worker: Worker;
  readonly invoker: Invoker;
  readonly host: ScriptedHost;
  /** What the checks go by; the worker has its own copy. */
  readonly limits: { environmentsMax: number; memoryBudgetMb: number };
}

export interface EpisodeOptions {
  readonly seed: number;
  readonly steps: number;
  readonly sabotage?: (parts: EpisodeParts) => void;
}

const endingsAllowed: readonly string[] = [
  'TooManyRequestsException',
  'ServiceException',
  'ResourceNotFoundException',
  'ResourceConflictException',
];

const stepWeights = { invoke: 25, act: 45, wait: 15, skip: 0.3, change: 2, settle: 25 };

/** Longer than all that a caller may have to wait for, together. */
const drainMs = 200_000;

export async function runEpisode(options: EpisodeOptions): Promise<EpisodeReport> {
  const episode = new Episode(options);
  const onUncaught = (error: unknown): void => episode.violate(error);
  process.on('unhandledRejection', onUncaught);
  try {
    return await episode.run();
  } finally {
    process.off('unhandledRejection', onUncaught);
  }
}

class Episode {
  readonly #steps: number;
  readonly #random: SeededRandom;
  readonly #clock = new SimClock(1_700_000_000_000);
  readonly #host = new ScriptedHost();
  readonly #store = createMemoryStore();
  readonly #functions: SimulatedFunctions;
  readonly #player: ScriptedPlayer;
  readonly #model: AdmissionModel;
  readonly #directory: FunctionDirectory;
  readonly #reporter: ProvisionReporter;
  readonly #provisioned: ProvisionedConcurrency;
  readonly #metrics = new Metrics({ isFunction: () => true });
  readonly #worker: Worker;
  readonly #invoker: Invoker;
  readonly #limits: ReturnType<typeof randomLimits>;
  /** By request id. */
  readonly #expected = new Map<string, Expected>();
  readonly #unanswered = new Set<string>();
  readonly #endings = new Map<string, number>();
  readonly #present = new Set<ScriptedSandbox>();
  #unfinished = 0;
  #pins = 0;
  #requests = 0;
  #violation: unknown = null;

  constructor({ seed, steps, sabotage }: EpisodeOptions) {
    this.#steps = steps;
    this.#random = new SeededRandom(seed);
    const random = this.#random;
    this.#limits = randomLimits(random);
    const { accountMax, newEnvironmentsMax } = this.#limits;
    const concurrency = new Concurrency(this.#clock, { accountMax, newEnvironmentsMax });
    this.#model = new AdmissionModel(this.#clock, concurrency, this.#limits);
    this.#player = new ScriptedPlayer(random, this.#expected, {
      misbehaviour: random.pick([0.002, 0.02, 0.1]),
      onViolation: (error) => this.violate(error),
    });
    this.#host.script = this.#player.play;
    this.#injectFaults(random.pick([0, 0.01, 0.05]));
    this.#worker = this.#createWorker();
    this.#directory = new FunctionDirectory({
      onVersion: (version) => {
        this.#worker.expectVersion(version);
        this.#provisioned.onVersion(version);
      },
      onRetired: (key) => this.#worker.retire(key),
      onReserve: (name, reserved) => this.#model.setReserved(name, reserved),
      onDeleted: (name) => this.#model.forget(name),
    });
    this.#reporter = new ProvisionReporter(silentLog, this.#store);
    this.#provisioned = new ProvisionedConcurrency({
      ...{ directory: this.#directory, concurrency: this.#model, reporter: this.#reporter },
      worker: watchProvisioned(this.#worker, (error) => this.violate(error)),
    });
    this.#invoker = new Invoker(
      this.#clock,
      random,
      {
        directory: this.#directory,
        concurrency: this.#model as unknown as Concurrency,
        worker: this.#worker,
        metrics: this.#metrics.functions,
      },
      { accountId: '000000000000', region: 'us-east-1' },
    );
    this.#functions = new SimulatedFunctions(random, this.#store, accountMax);
    sabotage?.({
      concurrency,
      worker: this.#worker,
      invoker: this.#invoker,
      host: this.#host,
      limits: this.#limits,
    });
  }

  violate(error: unknown): void {
    this.#violation ??= error;
  }

  async run(): Promise<EpisodeReport> {
    await this.#directory.open(this.#store);
    await this.#provisioned.open(this.#store);
    await this.#functions.createAll();
    for (let step = 0; step < this.#steps; step += 1) {
      await this.#step();
      this.#check();
    }
    await this.#drain();
    const { size: invocations } = this.#expected;
    const delivered = this.#player.deliveredCount;
    const { refusals, provisionedCount } = this.#model;
    return {
      ...{ steps: this.#steps, invocations, delivered, endings: this.#endings },
      ...{ refusals, provisioned: provisionedCount },
    };
  }

  async #step(): Promise<void> {
    const random = this.#random;
    switch (random.weighted(stepWeights)) {
      case 'invoke':
        this.#invoke();
        break;
      case 'act':
        this.#player.act();
        break;
      case 'wait':
        this.#clock.advance(random.integer(0, 60));
        break;
      case 'skip':
        this.#clock.advance(random.pick([500, 3000, 12_000, 40_000]));
        break;
      case 'change':
        await this.#functions.change();
        break;
      case 'settle':
        await turns(random.integer(1, 6));
        break;
    }
  }

  #invoke(): void {
    const { functionName, qualifier, tenantId } = this.#functions.pickTarget();
    this.#requests += 1;
    const requestId = `request-${this.#requests}`;
    const version = this.#directory.find(functionName, qualifier);
    if (version !== undefined) this.#expected.set(requestId, { version, tenantId });
    const request: InvokeRequest = {
      ...{ requestId, functionName, qualifier },
      payload: Buffer.from('{}'),
      clientContext: undefined,
      traceHeader: 'Root=1',
      tenantId,
    };
    this.#unanswered.add(requestId);
    this.#call(request).catch((error: unknown) => this.violate(error));
  }

  async #call(request: InvokeRequest): Promise<void> {
    const { requestId } = request;
    try {
      const result = await this.#invoker.invoke(request);
      this.#answered(requestId, result.functionError ?? 'success');
      assert.equal(result.executedVersion, this.#expected.get(requestId)?.version.version);
      if (result.functionError === undefined) {
        assert.equal(String(result.payload), JSON.stringify(requestId), 'answer of another call');
      }
      this.#unfinished += 1;
      await result.finished;
      this.#unfinished -= 1;
    } catch (error) {
      if (error instanceof HostFault) {
        // The API answers ServiceException to what is not an API error.
        this.#answered(requestId, 'ServiceException');
        return;
      }
      if (!isApiError(error)) throw error;
      assert(endingsAllowed.includes(error.code), `${error.code}: ${error.message}`);
      this.#answered(requestId, error.code);
    }
  }

  #answered(requestId: string, ending: string): void {
    assert(this.#unanswered.delete(requestId), `${requestId} was answered twice`);
    this.#endings.set(ending, (this.#endings.get(ending) ?? 0) + 1);
  }

  #check(): void {
    if (this.#violation !== null) throw this.#violation as Error;
    this.#model.check();
    let environments = 0;
    let memoryMb = 0;
    for (const sandbox of this.#present) {
      if (sandbox.isDestroyed) this.#present.delete(sandbox);
      else if (sandbox.binding !== null) {
        environments += 1;
        memoryMb += sandbox.binding.limits.memoryMb;
      }
    }
    const { environmentsMax, memoryBudgetMb } = this.#limits;
    assert(environments <= environmentsMax, `${environments} of ${environmentsMax} environments`);
    assert(memoryMb <= memoryBudgetMb || environments === 1, `${memoryMb} of ${memoryBudgetMb} MB`);
  }

  /** Nothing new comes and no runtime says more: time alone must answer everybody. */
  async #drain(): Promise<void> {
    for (let passedMs = 0; passedMs < drainMs; passedMs += 500) {
      this.#clock.advance(500);
      await turns(1);
      this.#check();
    }
    assert.deepEqual([...this.#unanswered], [], 'every caller gets an answer');
    assert.equal(this.#unfinished, 0, 'every invocation is finished');
    this.#model.checkIdle();
    await this.#checkProvisioned();
    await this.#checkMetrics();
    let isClosed = false;
    const closing = this.#worker.close().then(() => void (isClosed = true));
    for (let turn = 0; turn < 100 && !isClosed; turn += 1) {
      this.#clock.advance(1000);
      await turns(2);
    }
    assert(isClosed, 'the worker closes');
    await closing;
    this.#provisioned.close();
    this.#directory.close();
    await this.#reporter.settled();
    await this.#store.close();
    this.#check();
    assert.equal(this.#pins, 0, 'all code is released');
    const left = [...this.#present].filter((sandbox) => !sandbox.isDestroyed);
    assert.equal(left.length, 0, 'no sandbox is left');
  }

  /** Statuses tell of what is wanted and of nothing else, and no environment is kept beyond that. */
  async #checkProvisioned(): Promise<void> {
    const { wanted } = this.#functions;
    const found = await this.#store.list<ProvisionedStatusRecord>(
      aliasCollections.provisionedStatus,
      { limit: 100 },
    );
    const told = new Map(found.map(({ partition, id, value }) => [`${partition}:${id}`, value]));
    assert.deepEqual([...told.keys()].sort(), [...wanted.keys()].sort(), 'a status for each');
    let kept = 0;
    let keptMax = 0;
    for (const [name, { requested, generation }] of wanted) {
      const status = told.get(name);
      assert.equal(status?.generation, generation, 'a status of another generation');
      keptMax += status.status === 'FAILED' ? 0 : requested + 1;
    }
    for (const runtime of this.#host.runtimes) {
      const isProvisioned = runtime.inits[0]?.initializationType === 'provisioned-concurrency';
      const isThere = runtime.isInitialized && !runtime.hasEnded && !runtime.sandbox.isDestroyed;
      // One whose Init is under way when it is no longer wanted ends with that, at last by its time limit.
      if (isProvisioned && isThere) kept += 1;
    }
    assert(kept <= keptMax, `${kept} provisioned environments kept, ${keptMax} at most`);
  }

  /** Metrics tell of every call what its caller was told, and once. */
  async #checkMetrics(): Promise<void> {
    const samples = new MetricSamples(await this.#metrics.render());
    const ended = (ending: string): number => this.#endings.get(ending) ?? 0;
    const failed = ended('Unhandled');
    assert.equal(samples.sum('hearth_invocations_total'), ended('success') + failed);
    assert.equal(samples.sum('hearth_errors_total'), failed);
    assert.equal(samples.sum('hearth_throttles_total'), ended('TooManyRequestsException'));
    assert.equal(samples.sum('hearth_duration_seconds_count'), ended('success') + failed);
    assert.equal(this.#metrics.functions.underWayCount, 0);
  }

  #createWorker(): Worker {
    const { driver, catalog, transports } = this.#host;
    const watched = {
      ...driver,
      create: async (spec: Parameters<typeof driver.create>[0]) => {
        const sandbox = (await driver.create(spec)) as ScriptedSandbox;
        this.#present.add(sandbox);
        return sandbox;
      },
    };
    const { environmentsMax, memoryBudgetMb, waitersMax, poolSize } = this.#limits;
    const dependencies = { driver: watched, catalog, transports };
    return new Worker(this.#clock, this.#random, silentLog, dependencies, {
      ...{ region: 'us-east-1', waitMsMax: 5000, idleMsMax: 20_000, freezeAfterMs: 10 },
      lifetimeMsMax: 60_000,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' },
      ...{ environmentsMax, memoryBudgetMb, waitersMax, poolSize },
      openCode: (hash) => {
        this.#pins += 1;
        const release = (): void => void (this.#pins -= 1);
        return Promise.resolve({ folder: `/code/${hash}`, hasSharedLibraries: false, release });
      },
      logSink: () => undefined,
      listener: this.#metrics,
    });
  }

  /** Each step of the host fails or takes its time with this probability. */
  #injectFaults(probability: number): void {
    const fault = (): Promise<void> | void => {
      if (!this.#random.chance(probability)) return;
      if (this.#random.chance(0.5)) throw new HostFault();
      return new Promise((resolve) => {
        this.#clock.schedule(this.#random.integer(1, 2000), resolve);
      });
    };
    const { faults } = this.#host;
    const slow: (keyof Faults)[] = [
      'create',
      'serve',
      'bind',
      'start',
      'setCpus',
      'kill',
      'destroy',
    ];
    for (const step of slow) faults[step] = fault;
    // Freezing takes no time: it works or it does not.
    faults.thaw = () => {
      if (this.#random.chance(probability)) throw new HostFault();
    };
  }
}

/** What the worker says of provisioned environments has to be possible. */
function watchProvisioned(
  worker: Worker,
  onViolation: (error: unknown) => void,
): Pick<Worker, 'provide' | 'withdraw'> {
  const check = (requested: number, wasComplete: boolean, state: ProvisionedState): boolean => {
    const { status, allocated, available, units } = state;
    const isComplete = wasComplete || (status === 'READY' && units === requested);
    assert(allocated <= requested, `${allocated} of ${requested} provisioned environments`);
    assert(available <= allocated && available <= units, 'more available than there are');
    assert(units <= requested, 'more units than were asked for');
    assert(units === 0 || isComplete || status === 'IN_PROGRESS', 'units before all were up');
    assert(
      status !== 'FAILED' || (units === 0 && allocated === 0),
      'failed, and yet there are some',
    );
    return isComplete;
  };
  return {
    provide: (name, wish) => {
      let isComplete = false;
      const onState = (state: ProvisionedState): void => {
        try {
          isComplete = check(wish.requested, isComplete, state);
        } catch (error) {
          onViolation(error);
        }
        wish.onState(state);
      };
      const state = worker.provide(name, { ...wish, onState });
      isComplete = check(wish.requested, false, state);
      return state;
    },
    withdraw: (name) => worker.withdraw(name),
  };
}

class HostFault extends Error {
  override readonly message = 'a fault of the host';
}

function randomLimits(random: SeededRandom) {
  return {
    accountMax: random.pick([1, 5, 20, 60]),
    newEnvironmentsMax: random.pick([2, 20, 1000]),
    environmentsMax: random.pick([1, 3, 12, 40]),
    memoryBudgetMb: random.pick([128, 1024, 4096, 16_384]),
    waitersMax: random.pick([0, 3, 30]),
    poolSize: random.pick([0, 0, 2]),
  };
}
