/**
 * The seeded simulation: some hundred thousand random steps through admission, waiting, starts, faults
 * and deletions, with what always holds checked after each. A failure names its seed;
 * `HEARTH_SEED=<seed>` runs that one episode again, step by step the same.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, test } from 'node:test';
import { runEpisode, type EpisodeParts, type EpisodeReport } from './episode.ts';
import { SeededRandom } from './seeded-random.ts';

const stepsPerEpisode = 4000;
const episodeCount = 75;

/** Runs episodes until one fails, and names its seed then. */
async function runEpisodes(
  seeds: readonly number[],
  sabotage?: (parts: EpisodeParts) => void,
): Promise<EpisodeReport[]> {
  const reports: EpisodeReport[] = [];
  for (const seed of seeds) {
    try {
      const options = { seed, steps: stepsPerEpisode };
      reports.push(await runEpisode(sabotage === undefined ? options : { ...options, sabotage }));
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`HEARTH_SEED=${seed} fails: ${message}`, { cause: error });
    }
  }
  return reports;
}

function seedsFrom(masterSeed: number, count: number): number[] {
  const random = new SeededRandom(masterSeed);
  return Array.from({ length: count }, () => random.integer(0, 2 ** 32 - 1));
}

function total(maps: readonly ReadonlyMap<string, number>[], name: string): number {
  return maps.reduce((sum, counts) => sum + (counts.get(name) ?? 0), 0);
}

test('what always holds holds over random steps, and all that can happen does', async (t) => {
  const replayed = process.env['HEARTH_SEED'];
  if (replayed !== undefined) {
    await runEpisodes([Number(replayed)]);
    return;
  }
  const masterSeed = randomInt(2 ** 32);
  t.diagnostic(`seed of the seeds: ${masterSeed}`);
  const reports = await runEpisodes(seedsFrom(masterSeed, episodeCount));
  const steps = reports.reduce((sum, report) => sum + report.steps, 0);
  assert(steps >= 200_000, `${steps} steps`);
  const endings = reports.map((report) => report.endings);
  for (const ending of ['success', 'Unhandled', 'TooManyRequestsException', 'ServiceException']) {
    assert(total(endings, ending) > 100, `${ending}: ${total(endings, ending)}`);
  }
  const refusals = reports.map((report) => report.refusals);
  const reasons = [
    'ConcurrentInvocationLimitExceeded',
    'ReservedFunctionConcurrentInvocationLimitExceeded',
    'FunctionInvocationRateLimitExceeded',
    'ReservedFunctionInvocationRateLimitExceeded',
  ];
  for (const reason of reasons) assert(total(refusals, reason) > 0, reason);
  const provisioned = reports.reduce((sum, report) => sum + report.provisioned, 0);
  assert(provisioned > 1000, `${provisioned} invocations on provisioned units`);
  t.diagnostic(`${provisioned} invocations on provisioned units`);
  t.diagnostic(`${steps} steps, ${total(endings, 'success')} successful invocations`);
});

test('a seed gives the same run again', async () => {
  const [first, second] = await runEpisodes([4711, 4711]);
  assert.deepEqual(second, first);
});

describe('a fault is caught:', () => {
  const seeds = seedsFrom(1, 40);
  const canaries: Readonly<Record<string, [RegExp, (parts: EpisodeParts) => void]>> = {
    'one permit too many': [
      /in flight|conserved/,
      ({ concurrency }) => {
        const acquire = concurrency.acquire.bind(concurrency);
        const free = {
          provisionedFor: undefined,
          release() {},
          takeStart: () => true,
          returnStart() {},
        };
        let refused = 0;
        concurrency.acquire = (...call) => {
          const acquired = acquire(...call);
          if (typeof acquired !== 'string') return acquired;
          refused += 1;
          return refused % 10 === 0 ? free : acquired;
        };
      },
    ],
    'a permit that is not given back': [
      /conserved/,
      ({ concurrency }) => {
        const acquire = concurrency.acquire.bind(concurrency);
        let given = 0;
        concurrency.acquire = (...call) => {
          const acquired = acquire(...call);
          if (typeof acquired === 'string') return acquired;
          given += 1;
          return given % 20 === 0 ? { ...acquired, release() {} } : acquired;
        };
      },
    ],
    'reserves that nobody keeps': [
      /in flight$|requests in one second/,
      ({ concurrency }) => {
        concurrency.setReserved = () => undefined;
      },
    ],
    'provisioned units that are in the shared pool, too': [
      /in flight( on demand)?$|free units|refused/,
      ({ concurrency }) => {
        const { setProvisioned } = concurrency;
        concurrency.setProvisioned = (name, qualifier, { version, count }) =>
          setProvisioned.call(concurrency, name, qualifier, { version, count: count * 2 });
      },
    ],
    'provisioned units that nobody may use': [
      /refused with free units|refused within|refused: not full/,
      ({ concurrency }) => {
        const { setProvisioned } = concurrency;
        concurrency.setProvisioned = (name, qualifier, { count }) =>
          setProvisioned.call(concurrency, name, qualifier, { version: 'none', count });
      },
    ],
    'provisioned environments that are never given back': [
      /environments kept|another version|crossed versions/,
      ({ worker }) => {
        worker.withdraw = () => undefined;
      },
    ],
    'an environment of another version': [
      /another version|crossed versions/,
      ({ worker }) => {
        const acquireWarm = worker.acquireWarm.bind(worker);
        const seen = new Map<string, Parameters<typeof acquireWarm>[0]>();
        worker.acquireWarm = (version, tenantId) => {
          const other = seen.get(version.functionName) ?? version;
          seen.set(version.functionName, version);
          return acquireWarm(other, tenantId);
        };
      },
    ],
    'an environment of another tenant': [
      /serves one tenant|of another tenant|crossed tenants/,
      ({ worker }) => {
        const acquireWarm = worker.acquireWarm.bind(worker);
        const seen = new Map<string, string | undefined>();
        worker.acquireWarm = (version, tenantId) => {
          const other = seen.get(version.key) ?? tenantId;
          seen.set(version.key, tenantId);
          return acquireWarm(version, other);
        };
      },
    ],
    'an environment given to two': [
      /two invocations|cannot go from .* to Invoking/,
      ({ worker }) => {
        const acquireWarm = worker.acquireWarm.bind(worker);
        const leases = new Map<string, ReturnType<typeof acquireWarm>>();
        worker.acquireWarm = (version, tenantId) => {
          const key = `${version.key} ${tenantId}`;
          const lease = acquireWarm(version, tenantId) ?? leases.get(key);
          leases.set(key, lease);
          return lease;
        };
      },
    ],
    'an answer that never comes': [
      /every caller gets an answer/,
      ({ invoker }) => {
        const invoke = invoker.invoke.bind(invoker);
        let count = 0;
        invoker.invoke = (request) => {
          count += 1;
          return count === 100 ? new Promise(() => undefined) : invoke(request);
        };
      },
    ],
    'an event that is delivered twice': [
      /ran twice/,
      ({ host }) => {
        const { script } = host;
        host.script = (runtime) => {
          script(runtime);
          const { onInvoke } = runtime;
          runtime.onInvoke = (invocation) => {
            onInvoke(invocation);
            onInvoke(invocation);
          };
        };
      },
    ],
    'more environments than the host has room for': [
      / environments$/,
      ({ limits }) => {
        limits.environmentsMax -= 1;
      },
    ],
    'more memory than the host has room for': [
      / MB$/,
      ({ limits }) => {
        limits.memoryBudgetMb -= 128;
      },
    ],
  };
  for (const [name, [expected, sabotage]] of Object.entries(canaries)) {
    test(name, () => assert.rejects(runEpisodes(seeds, sabotage), { message: expected }));
  }
});
