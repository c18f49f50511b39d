/** The first invoke of a function, beside the bare interpreter starting an empty script, in turns. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createFunction,
  deleteFunction,
  publishVersion,
  timeEcho,
  type Bench,
} from './bench-server.ts';
import type { Language } from './languages.ts';
import { median, quantile, type Goal, type Report } from './report.ts';

/** One way for a first invoke to get its environment. */
export interface ColdStart {
  readonly label: string;
  /** Between samples: the last environment is gone, and what is prepared in advance is there again. */
  readonly restMs: number;
  readonly goal: Goal;
  /** Makes a new function that has never run; resolves with the URL that invokes it. */
  deploy(bench: Bench, language: Language, name: string): Promise<string>;
}

const deploy: ColdStart['deploy'] = (bench, language, name) =>
  createFunction(bench, { name, language });

export const poolHit: ColdStart = { label: 'pool hit', restMs: 400, goal: { most: 0.35 }, deploy };
export const poolMiss: ColdStart = { label: 'pool miss', restMs: 150, goal: { most: 1.6 }, deploy };

/** SnapStart: a copy of a process that ran Init when the version was published (ADR 0015). */
export const forkRestore: ColdStart = {
  label: 'fork restore',
  restMs: 150,
  goal: {},
  deploy: async (bench, language, name) => {
    await createFunction(bench, { name, language, hasSnapshots: true });
    return publishVersion(bench, name);
  },
};

/** Two rows, the median and the slow end; that one has no goal, one slow start of few decides it. */
export async function benchCold(
  report: Report,
  bench: Bench,
  language: Language,
  options: { readonly kind: ColdStart; readonly samples: number },
): Promise<void> {
  const { kind, samples } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  // A first function makes the runtime known, so that a pool of it is filled, and opens the connection.
  await timeEcho(agent, await kind.deploy(bench, language, `first-${language.name}`));
  await delay(2 * kind.restMs);
  const coldMs: number[] = [];
  const bareMs: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const name = `cold-${language.name}-${sample}`;
    const url = await kind.deploy(bench, language, name);
    await delay(kind.restMs);
    bareMs.push(await timeEmptyScript(language));
    coldMs.push(await timeEcho(agent, url));
    await deleteFunction(bench, name);
  }
  agent.destroy();
  const common = { driver: bench.driver, runtime: language.runtime, unit: 'ms' as const };
  report.add(
    {
      ...common,
      measure: `cold start, ${kind.label}, p50`,
      hearth: median(coldMs),
      baseline: median(bareMs),
      detail: { samples },
    },
    kind.goal,
  );
  report.add({
    ...common,
    measure: `cold start, ${kind.label}, p99`,
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
