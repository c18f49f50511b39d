/** The first invoke of a function, beside the bare interpreter starting an empty script, in turns. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createFunction, deleteFunction, timeEcho, type Bench } from './bench-server.ts';
import type { Language } from './languages.ts';
import { median, quantile, type Report } from './report.ts';

export type PoolUse = 'hit' | 'miss';

/** Between cold starts: the last environment is gone, and with a pool that is full again. */
const restMs = { hit: 400, miss: 150 };
const mostAtMedian = { hit: 0.35, miss: 1.6 };

/** Two rows, the median and the slow end; that one has no goal, one slow start of few decides it. */
export async function benchCold(
  report: Report,
  bench: Bench,
  language: Language,
  options: { readonly pool: PoolUse; readonly samples: number },
): Promise<void> {
  const { pool, samples } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  // A first function makes the runtime known, so that a pool of it is filled, and opens the connection.
  const first = await createFunction(bench, { name: `first-${language.name}`, language });
  await timeEcho(agent, first);
  await delay(2 * restMs[pool]);
  const coldMs: number[] = [];
  const bareMs: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const name = `cold-${language.name}-${sample}`;
    const url = await createFunction(bench, { name, language });
    await delay(restMs[pool]);
    bareMs.push(await timeEmptyScript(language));
    coldMs.push(await timeEcho(agent, url));
    await deleteFunction(bench, name);
  }
  agent.destroy();
  const common = { driver: bench.driver, runtime: language.runtime, unit: 'ms' as const };
  report.add(
    {
      ...common,
      measure: `cold start, pool ${pool}, p50`,
      hearth: median(coldMs),
      baseline: median(bareMs),
      detail: { samples },
    },
    { most: mostAtMedian[pool] },
  );
  report.add({
    ...common,
    measure: `cold start, pool ${pool}, p99`,
    hearth: quantile(coldMs, 0.99),
    baseline: quantile(bareMs, 0.99),
    detail: { hearthP90: quantile(coldMs, 0.9), samples },
  });
}

/** From the start of the bare interpreter to its end. */
export async function timeEmptyScript({ binary, emptyScript }: Language): Promise<number> {
  const startedMs = performance.now();
  await once(spawn(binary, emptyScript, { stdio: 'ignore' }), 'exit');
  return performance.now() - startedMs;
}
