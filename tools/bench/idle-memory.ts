/** Memory of idle environments beside as many bare interpreters that loaded the same handler and wait. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createFunction, event, timeEcho, type Bench } from './bench-server.ts';
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
  const baseline = await bareMemoryMb(language);
  const serverBeforeMb = rssMb(bench.server.pid);
  const agent = new Agent({ keepAlive: true });
  // A function each, so that there are as many environments as functions.
  for (let index = 0; index < COUNT; index += 1) {
    const name = `idle-${language.name}-${index}`;
    await timeEcho(agent, await createFunction(bench, { name, language, memoryMb: 128 }));
  }
  await delay(SETTLE_MS);
  const { runtimes, all } = environmentProcesses(bench.server.pid);
  const count = runtimes.length;
  report.add(
    {
      measure: 'idle environment, memory (PSS)',
      driver: bench.driver,
      runtime: language.runtime,
      unit: 'MB',
      hearth: pssMb(all) / COUNT,
      baseline,
      detail: {
        environments: count,
        runtimeAlone: pssMb(runtimes) / COUNT,
        serverRssPerEnvironment: (rssMb(bench.server.pid) - serverBeforeMb) / COUNT,
      },
    },
    { most: 1.15 },
  );
  agent.destroy();
  if (count !== COUNT) throw new Error(`${count} environments, not ${COUNT}`);
}

/** PSS of one of COUNT bare interpreters that have answered one event and wait for the next, in MiB. */
async function bareMemoryMb(language: Language): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'));
  const { file, code } = language.pipeLoop;
  await writeFile(join(folder, language.file), language.code);
  await writeFile(join(folder, file), code);
  const children = Array.from({ length: COUNT }, () =>
    spawn(language.binary, [join(folder, file)], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  try {
    const answers = children.map((child) => once(child.stdout, 'data'));
    for (const child of children) child.stdin.write(`${event}\n`);
    await Promise.all(answers);
    await delay(SETTLE_MS);
    return pssMb(children.map((child) => child.pid ?? 0)) / COUNT;
  } finally {
    const ended = children.map((child) => once(child, 'exit'));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ended);
    await rm(folder, { recursive: true, force: true });
  }
}
