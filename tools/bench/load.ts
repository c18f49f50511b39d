/** Warm invokes, from one caller and from many, beside a bare `node:http` echo server with the same client. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createFunction, event, type Bench } from './bench-server.ts';
import type { Load, LoadResult } from './client.ts';
import type { Language } from './languages.ts';
import { median, type Report } from './report.ts';

export interface LoadOptions {
  readonly rounds: number;
  readonly loadMs: number;
  readonly warmUpMs: number;
}

export const CALLERS_MANY = 16;
const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export async function startEchoServer(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [program('echo-server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill());
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, url: `http://127.0.0.1:${port}/2015-03-31/functions/echo/invocations` };
}

/** Load from a process of its own; rejects when one answer was wrong. */
export async function runLoad(load: Omit<Load, 'body'>): Promise<LoadResult> {
  const argument = JSON.stringify({ ...load, body: event });
  const child = spawn(process.execPath, [program('client.ts'), argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const result = JSON.parse(line) as LoadResult;
  if (result.wrong > 0) throw new Error(`${result.wrong} wrong answers from ${load.url}`);
  return result;
}

export async function benchLoad(
  report: Report,
  bench: Bench,
  language: Language,
  options: LoadOptions & { readonly echoUrl: string },
): Promise<void> {
  const hearthUrl = await createFunction(bench, { name: 'warm', language });
  const urls = { hearth: hearthUrl, baseline: options.echoUrl };
  const common = { driver: bench.driver, runtime: language.runtime };
  const one = await measureBoth(urls, 1, options);
  report.add(
    {
      ...common,
      measure: 'warm, one caller, p50',
      unit: 'ms',
      hearth: one.hearth.p50Ms,
      baseline: one.baseline.p50Ms,
      detail: {
        hearthP99: one.hearth.p99Ms,
        baselineP99: one.baseline.p99Ms,
        requests: one.hearth.requests,
      },
    },
    { most: 3 },
  );
  const many = await measureBoth(urls, CALLERS_MANY, options);
  report.add(
    {
      ...common,
      measure: `throughput, ${CALLERS_MANY} callers`,
      unit: 'requests/s',
      hearth: many.hearth.perSecond,
      baseline: many.baseline.perSecond,
      detail: {
        hearthP50: many.hearth.p50Ms,
        hearthP99: many.hearth.p99Ms,
        requests: many.hearth.requests,
      },
    },
    { least: 0.25 },
  );
}

/** Both servers in turns, the medians of the rounds. */
export async function measureBoth(
  urls: { readonly hearth: string; readonly baseline: string },
  callers: number,
  { rounds, loadMs, warmUpMs }: LoadOptions,
): Promise<Record<'hearth' | 'baseline', LoadResult>> {
  const results = { hearth: [] as LoadResult[], baseline: [] as LoadResult[] };
  for (const side of ['baseline', 'hearth'] as const) {
    await runLoad({ url: urls[side], callers, durationMs: warmUpMs });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const side of ['baseline', 'hearth'] as const) {
      results[side].push(await runLoad({ url: urls[side], callers, durationMs: loadMs }));
    }
  }
  return { hearth: summarize(results.hearth), baseline: summarize(results.baseline) };
}

/** All requests; of the figures, the medians of the rounds. */
export function summarize(all: readonly LoadResult[]): LoadResult {
  return {
    requests: all.reduce((sum, one) => sum + one.requests, 0),
    wrong: 0,
    perSecond: median(all.map((one) => one.perSecond)),
    p50Ms: median(all.map((one) => one.p50Ms)),
    p99Ms: median(all.map((one) => one.p99Ms)),
  };
}
