/** From no environment to many at once: invokes of one function beside as many bare interpreters. */
import { Agent } from 'node:http';
import { createFunction, deleteFunction, timeEcho, type Bench } from './bench-server.ts';
import { poolMiss, timeEmptyScript } from './cold.ts';
import type { Language } from './languages.ts';
import { environmentProcesses } from './process-memory.ts';
import { median, quantile, type Report } from './report.ts';

const INVOKES = 50;

/**
 * Without a pool. The medians of the rounds; `environments` says how many were made: an early answer may
 * leave its environment to a late invoke.
 */
export async function benchBurst(
  report: Report,
  bench: Bench,
  language: Language,
  rounds: number,
): Promise<void> {
  const hearth: Burst[] = [];
  const bare: Burst[] = [];
  const environments: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await atOnce(() => timeEmptyScript(language)));
    const name = `burst-${language.name}-${round}`;
    const url = await createFunction(bench, { name, language });
    const agent = new Agent({ keepAlive: true });
    hearth.push(await atOnce(() => timeEcho(agent, url)));
    agent.destroy();
    environments.push(environmentProcesses(bench.server.pid).runtimes.length);
    await deleteFunction(bench, name);
  }
  report.add(
    {
      measure: `burst of ${INVOKES} cold invokes, last answer`,
      driver: bench.driver,
      runtime: language.runtime,
      unit: 'ms',
      hearth: median(hearth.map(({ lastMs }) => lastMs)),
      baseline: median(bare.map(({ lastMs }) => lastMs)),
      detail: {
        hearthP50: median(hearth.map(({ p50Ms }) => p50Ms)),
        hearthP99: median(hearth.map(({ p99Ms }) => p99Ms)),
        baselineP50: median(bare.map(({ p50Ms }) => p50Ms)),
        baselineP99: median(bare.map(({ p99Ms }) => p99Ms)),
        environments: median(environments),
        rounds,
      },
    },
    poolMiss.goal,
  );
}

interface Burst {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lastMs: number;
}

async function atOnce(start: () => Promise<number>): Promise<Burst> {
  const startedMs = performance.now();
  const tookMs = await Promise.all(Array.from({ length: INVOKES }, start));
  const lastMs = performance.now() - startedMs;
  return { p50Ms: median(tookMs), p99Ms: quantile(tookMs, 0.99), lastMs };
}
