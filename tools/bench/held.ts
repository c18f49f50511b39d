/** Many environments at once, beside as many bare interpreters: what they cost, and what an invoke beside them does. */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { withBareInterpreters } from './bare-interpreters.ts';
import { createFunction, type Bench } from './bench-server.ts';
import { holdCode, invokeHeld } from './hold.ts';
import type { Language } from './languages.ts';
import { measureBoth, type LoadOptions } from './load.ts';
import { environmentProcesses, pssMb, rssMb } from './process-memory.ts';
import { progress, type Report } from './report.ts';

export const FUNCTIONS = 20;
const ENVIRONMENTS_EACH = 10;
export const ENVIRONMENTS = FUNCTIONS * ENVIRONMENTS_EACH;
export const HELD_MEMORY_MB = 128;

/** Until then nobody answers, so each invoke needs an environment of its own. */
const HOLD_MS = { process: 10_000, oci: 20_000 };
/** All are frozen by then. */
const SETTLE_MS = 1000;

/** Three rows: the time until all are there, their memory, and a warm invoke of another function. */
export async function benchHeld(
  report: Report,
  bench: Bench,
  options: { readonly node: Language; readonly echoUrl: string; readonly load: LoadOptions },
): Promise<void> {
  const { node, echoUrl, load } = options;
  const bare = { reachedMs: NaN, memoryMb: NaN };
  await withBareInterpreters(node, ENVIRONMENTS, async ({ pids, reachedMs }) => {
    bare.reachedMs = reachedMs;
    await delay(SETTLE_MS);
    bare.memoryMb = pssMb(pids);
  });
  const serverBeforeMb = rssMb(bench.server.pid);
  const reachedMs = await hold(bench, node);
  await delay(SETTLE_MS);
  const { runtimes, all } = environmentProcesses(bench.server.pid);
  if (runtimes.length !== ENVIRONMENTS) throw new Error(`${runtimes.length} are held`);
  const common = { driver: bench.driver, runtime: node.runtime };
  report.add({
    ...common,
    measure: `${ENVIRONMENTS} environments at once, the last runs`,
    unit: 'ms',
    hearth: reachedMs,
    baseline: bare.reachedMs,
    detail: {},
  });
  report.add(
    {
      ...common,
      measure: `${ENVIRONMENTS} idle environments, memory (PSS)`,
      unit: 'MB',
      hearth: pssMb(all),
      baseline: bare.memoryMb,
      detail: {
        serverRss: rssMb(bench.server.pid),
        serverRssPerEnvironment: (rssMb(bench.server.pid) - serverBeforeMb) / ENVIRONMENTS,
      },
    },
    { most: 1.15 },
  );
  const url = await createFunction(bench, { name: 'probe', language: node });
  const probe = await measureBoth({ hearth: url, baseline: echoUrl }, 1, load);
  report.add(
    {
      ...common,
      measure: `warm p50 beside ${ENVIRONMENTS} idle environments`,
      unit: 'ms',
      hearth: probe.hearth.p50Ms,
      baseline: probe.baseline.p50Ms,
      detail: { hearthP99: probe.hearth.p99Ms, baselineP99: probe.baseline.p99Ms },
    },
    { most: 3 },
  );
  await stopAndLook(bench, all);
}

/** Makes all environments; resolves with the time from the first invoke until the last handler ran. */
async function hold(bench: Bench, node: Language): Promise<number> {
  const language = { ...node, code: holdCode.node };
  const urls: string[] = [];
  for (let index = 0; index < FUNCTIONS; index += 1) {
    const options = { name: `held-${index}`, language, memoryMb: HELD_MEMORY_MB };
    urls.push(await createFunction(bench, { ...options, timeoutSeconds: 120 }));
  }
  const agent = new Agent({ keepAlive: true });
  const each = urls.flatMap((url) => Array.from({ length: ENVIRONMENTS_EACH }, () => url));
  const holdMs = HOLD_MS[bench.driver === 'oci' ? 'oci' : 'process'];
  const calledMs = await invokeHeld(agent, each, holdMs);
  agent.destroy();
  return Math.max(...calledMs);
}

/** Stopping ends every process of every environment. */
async function stopAndLook(bench: Bench, pids: readonly number[]): Promise<void> {
  const startedMs = performance.now();
  await bench.server.stop();
  const left = pids.filter(isAlive);
  if (left.length > 0) throw new Error(`${left.length} processes are left after the stop`);
  progress(`stopping them took ${Math.round(performance.now() - startedMs)} ms; none is left`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
