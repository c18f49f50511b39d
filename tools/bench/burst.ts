/** From no environment to many at once: invokes of one function beside as many bare interpreters. */
import { Agent } from 'node:http';
import { createFunction, deleteFunction, type Bench } from './bench-server.ts';
import { timeEmptyScript } from './cold.ts';
import { holdCode, invokeHeld } from './hold.ts';
import type { Language } from './languages.ts';
import { median, quantile, type Report } from './report.ts';

const INVOKES = 50;

/** Nobody answers before: each invoke needs an environment of its own. */
const HOLD_MS = 6000;

/** Without a pool; until the last handler runs. The medians of the rounds. */
export async function benchBurst(
  report: Report,
  bench: Bench,
  language: Language,
  rounds: number,
): Promise<void> {
  const hearth: Burst[] = [];
  const bare: Burst[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const bareMs = Array.from({ length: INVOKES }, () => timeEmptyScript(language));
    bare.push(summary(await Promise.all(bareMs)));
    const name = `burst-${language.name}-${round}`;
    const held = { ...language, code: holdCode[language.name] };
    const url = await createFunction(bench, { name, language: held });
    const agent = new Agent({ keepAlive: true });
    const urls = Array.from({ length: INVOKES }, () => url);
    hearth.push(summary(await invokeHeld(agent, urls, HOLD_MS)));
    agent.destroy();
    await deleteFunction(bench, name);
  }
  report.add({
    measure: `burst of ${INVOKES} cold invokes, the last runs`,
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
      rounds,
    },
  });
}

interface Burst {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lastMs: number;
}

function summary(tookMs: readonly number[]): Burst {
  return { p50Ms: median(tookMs), p99Ms: quantile(tookMs, 0.99), lastMs: Math.max(...tookMs) };
}
