/** Memory of idle environments beside as many bare interpreters that loaded the same handler and wait. */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { withBareInterpreters } from './bare-interpreters.ts';
import { createFunction, timeEcho, type Bench } from './bench-server.ts';
import type { Language } from './languages.ts';
import { environmentProcesses, pssMb, rssMb } from './process-memory.ts';
import type { Report } from './report.ts';

/** The interpreter's pages are shared by so many on either side. */
const COUNT = 10;
/** What an interpreter still frees after its first event is gone by then, and environments are frozen. */
const SETTLE_MS = 1000;

export async function benchIdleMemory(
  report: Report,
  bench: Bench,
  language: Language,
): Promise<void> {
  let baseline = NaN;
  await withBareInterpreters(language, COUNT, async ({ pids }) => {
    await delay(SETTLE_MS);
    baseline = pssMb(pids) / COUNT;
  });
  const serverBeforeMb = rssMb(bench.server.pid);
  const agent = new Agent({ keepAlive: true });
  // A function each, so that there are as many environments as functions.
  for (let index = 0; index < COUNT; index += 1) {
    const name = `idle-${language.name}-${index}`;
    await timeEcho(agent, await createFunction(bench, { name, language, memoryMb: 128 }));
  }
  agent.destroy();
  await delay(SETTLE_MS);
  const { runtimes, all } = environmentProcesses(bench.server.pid);
  if (runtimes.length !== COUNT) throw new Error(`${runtimes.length} environments, not ${COUNT}`);
  report.add(
    {
      measure: 'idle environment, memory (PSS)',
      driver: bench.driver,
      runtime: language.runtime,
      unit: 'MB',
      hearth: pssMb(all) / COUNT,
      baseline,
      detail: {
        environments: COUNT,
        runtimeAlone: pssMb(runtimes) / COUNT,
        serverRssPerEnvironment: (rssMb(bench.server.pid) - serverBeforeMb) / COUNT,
      },
    },
    { most: 1.15 },
  );
}
