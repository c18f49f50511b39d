/**
 * Handlers that answer no earlier than they are told, with when they were called and which environment
 * that was: invokes sent together then need an environment each, however quick the first ones are.
 */
import type { Agent } from 'node:http';
import { send } from './client.ts';
import type { Language } from './languages.ts';

export const holdCode: Readonly<Record<Language['name'], string>> = {
  node: `const environment = Math.random();
export const handler = async ({ releaseAtMs }) => {
  const calledAtMs = Date.now();
  await new Promise((resolve) => setTimeout(resolve, releaseAtMs - calledAtMs));
  return { environment, calledAtMs };
};
`,
  python: `import random, time
environment = random.random()
def handler(event, context):
    called = time.time() * 1000
    time.sleep(max(0, event["releaseAtMs"] - called) / 1000)
    return {"environment": environment, "calledAtMs": called}
`,
};

/**
 * Invokes each URL once, all at the same moment; resolves with the time from then until each handler ran.
 * Rejects when `holdMs` was too short for an environment each.
 */
export async function invokeHeld(
  agent: Agent,
  urls: readonly string[],
  holdMs: number,
): Promise<number[]> {
  const startedAtMs = Date.now();
  const body = JSON.stringify({ releaseAtMs: startedAtMs + holdMs });
  const answers = (await Promise.all(urls.map((url) => send(agent, url, body)))).map(parseAnswer);
  const distinct = new Set(answers.map(({ environment }) => environment)).size;
  if (distinct !== urls.length) {
    throw new Error(`the machine was too slow: only ${distinct} environments within the time`);
  }
  return answers.map(({ calledAtMs }) => calledAtMs - startedAtMs);
}

function parseAnswer(text: string): { environment: number; calledAtMs: number } {
  try {
    return JSON.parse(text) as { environment: number; calledAtMs: number };
  } catch {
    throw new Error(`wrong answer: ${text}`);
  }
}
