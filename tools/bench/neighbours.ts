/** A function's invokes while another function attacks, beside its invokes just before. */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ATTACK_TIMEOUT_SECONDS,
  attackFile,
  attacks,
  type Attack,
} from '../../test/fixtures/attacks/attacks.ts';
import { createFunction, deleteFunction, type Bench } from './bench-server.ts';
import { send, type LoadResult } from './client.ts';
import type { Language } from './languages.ts';
import { runLoad, summarize } from './load.ts';
import { rssMb } from './process-memory.ts';
import type { Report } from './report.ts';

/** One attack may fall on a busy moment of the host: several, each beside its own quiet moment. */
const ROUNDS = 3;
const WARM_UP_MS = 1000;
const BEFORE_MS = 1000;
const DURING_MS = 1500;
/** From the first hostile invoke to the first measured one: its environment is there, or in its Init. */
const HEAD_START_MS = 300;
/** One hostile invoke lasts so long, then comes the next; the client's own start counts. */
const ATTACK_MS = 2500;

export async function benchNeighbours(
  report: Report,
  bench: Bench,
  languages: readonly Language[],
): Promise<void> {
  const node = languages.find(({ name }) => name === 'node');
  if (node === undefined) return;
  const url = await createFunction(bench, { name: 'neighbour', language: node });
  await runLoad({ url, callers: 1, durationMs: WARM_UP_MS });
  for (const attack of attacks) {
    const runtime = runtimeOf(attack, languages);
    if (runtime === undefined) continue;
    const { mode, ...file } = await attackFile(attack);
    const language = { ...file, runtime, handler: 'index.handler' };
    const { name, memoryMb } = attack;
    const timeoutSeconds = ATTACK_TIMEOUT_SECONDS;
    const attackUrl = await createFunction(bench, {
      name,
      language,
      mode,
      memoryMb,
      timeoutSeconds,
    });
    const measured = { before: [] as LoadResult[], during: [] as LoadResult[] };
    const answers: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      measured.before.push(await runLoad({ url, callers: 1, durationMs: BEFORE_MS }));
      const stop = startAttacking(attackUrl);
      await delay(HEAD_START_MS);
      measured.during.push(await runLoad({ url, callers: 1, durationMs: DURING_MS }));
      answers.push(...(await stop()));
    }
    const [before, during] = [summarize(measured.before), summarize(measured.during)];
    const serverRss = rssMb(bench.server.pid);
    await deleteFunction(bench, name);
    report.add(
      {
        measure: `neighbour of ${name}, p99`,
        driver: bench.driver,
        runtime: node.runtime,
        unit: 'ms',
        hearth: during.p99Ms,
        baseline: before.p99Ms,
        detail: {
          duringP50: during.p50Ms,
          beforeP50: before.p50Ms,
          requests: during.requests,
          attacks: answers.length,
          serverRss,
        },
      },
      { most: 3 },
    );
    const wrong = answers.find((answer) => !attack.answer.test(answer));
    if (wrong !== undefined) throw new Error(`${name} was answered with ${wrong}`);
  }
}

function runtimeOf(attack: Attack, languages: readonly Language[]): string | undefined {
  if (attack.language === 'custom') return 'provided.al2023';
  return languages.find(({ name }) => name === attack.language)?.runtime;
}

/** Invokes it again and again; the returned function stops that and resolves with all answers. */
function startAttacking(url: string): () => Promise<readonly string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answers: string[] = [];
  let stopped = false;
  const attacking = (async () => {
    while (!stopped) answers.push(await send(agent, url, JSON.stringify({ ms: ATTACK_MS })));
  })();
  return async () => {
    stopped = true;
    await attacking;
    agent.destroy();
    return answers;
  };
}
