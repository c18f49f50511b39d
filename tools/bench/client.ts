/**
 * The benchmark's client, in a process of its own: so many callers, each with one keep-alive
 * connection, each sending its next request when it has its answer. The same for every server.
 *
 *   node tools/bench/client.ts '{"url": ..., "callers": 1, "durationMs": 2000, "body": ...}'
 */
import { Agent, request } from 'node:http';

export interface Load {
  readonly url: string;
  readonly callers: number;
  readonly durationMs: number;
  readonly body: string;
}

export interface LoadResult {
  readonly requests: number;
  /** Answers that were not status 200 with the body that was sent. */
  readonly wrong: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One request; resolves with the body, or with what went wrong in words. */
export function send(agent: Agent, url: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = String(Buffer.concat(chunks));
        const isFine = response.headers['x-amz-function-error'] === undefined;
        resolve(response.statusCode === 200 && isFine ? text : `${response.statusCode} ${text}`);
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function run(load: Load): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.callers });
  const latenciesMs: number[] = [];
  let wrong = 0;
  const startedMs = performance.now();
  const endMs = startedMs + load.durationMs;
  const call = async (): Promise<void> => {
    for (let sentMs = performance.now(); sentMs < endMs;) {
      if ((await send(agent, load.url, load.body)) !== load.body) wrong += 1;
      const nowMs = performance.now();
      latenciesMs.push(nowMs - sentMs);
      sentMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: load.callers }, call));
  const elapsedMs = performance.now() - startedMs;
  agent.destroy();
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number): number => latenciesMs[Math.floor(share * latenciesMs.length)] ?? NaN;
  return {
    requests: latenciesMs.length,
    wrong,
    perSecond: (latenciesMs.length / elapsedMs) * 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

if (import.meta.main) {
  const result = await run(JSON.parse(process.argv[2] ?? '') as Load);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
