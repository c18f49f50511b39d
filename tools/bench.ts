/**
 * `make bench`: what Hearth costs beside the bare thing, in one run on this machine, loopback only.
 * JSON lines while it runs, a table at the end. Takes about three minutes; `--quick` gives a rough
 * answer in less than one.
 *
 *   warm        one caller, a Node.js echo function     vs a bare node:http echo, same client
 *   throughput  16 callers, several environments        vs the same
 *   cold hit    first invoke of a function, pool filled vs the bare language binary, empty script
 *   cold miss   the same without a pool                 vs the same
 *
 * Every measurement is taken side by side with its baseline, in turns, so that what else the machine
 * does hits both. Published beside the goals, measured elsewhere on another machine (ADR 0011), as
 * warm ratio and throughput ratio: miniflare/workerd 3.3 and 0.069, serverless-offline 9.1 and 0.026.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  LambdaClient,
  type Runtime,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { findRuntimeSearch } from '../src/config.ts';
import { createRuntimeCatalog } from '../src/worker/runtimes.ts';
import { type Load, type LoadResult, send } from './bench-client.ts';
import { startThrowawayServer, type ThrowawayServer } from './throwaway-server.ts';
import { zipFiles } from './zip-folder.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const quick = process.argv.includes('--quick');
const rounds = quick ? 2 : 4;
const loadMs = quick ? 700 : 1200;
const warmUpMs = quick ? 1500 : 2000;
const coldSamples = quick ? 6 : 20;
const callersMany = 16;
/** Between cold starts: the last environment is gone, and with a pool that is full again. */
const restMs = { hit: 400, miss: 150 };
/** A whole CPU each, so that the limit of a small function is not what is measured. */
const memoryMb = 1769;
const memoryBudgetMb = 2 * callersMany * memoryMb;
const event = JSON.stringify({ key1: 'value1', key2: 'value2', key3: 'value3', n: 12345 });

interface Language {
  readonly name: string;
  readonly runtime: string;
  readonly file: string;
  readonly handler: string;
  readonly code: string;
  /** The bare binary, starting an empty script. */
  readonly bare: readonly string[];
}

interface Row {
  readonly measure: string;
  readonly driver: string;
  readonly runtime: string;
  readonly unit: 'ms' | 'requests/s';
  readonly hearth: number;
  readonly baseline: number;
  readonly ratio: number;
  readonly goal: string;
  readonly met: boolean;
  readonly detail: Readonly<Record<string, number>>;
}

const rows: Row[] = [];

function add(
  row: Omit<Row, 'ratio' | 'goal' | 'met'>,
  goal: { readonly most?: number; readonly least?: number },
): void {
  const ratio = row.hearth / row.baseline;
  const met = goal.most === undefined ? ratio >= (goal.least ?? 0) : ratio <= goal.most;
  const text = goal.most === undefined ? `>= ${goal.least}` : `<= ${goal.most}`;
  const complete: Row = { ...row, ratio, goal: text, met };
  rows.push(complete);
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value;
  process.stdout.write(`${JSON.stringify(complete, rounded)}\n`);
}

function findLanguages(): Language[] {
  const node: Language = {
    name: 'node',
    runtime: 'nodejs24.x',
    file: 'index.mjs',
    handler: 'index.handler',
    code: 'export const handler = async (event) => event;\n',
    bare: [process.execPath, '-e', ''],
  };
  const python = findPython();
  if (python === undefined) return [node];
  const code = 'def handler(event, context):\n    return event\n';
  return [node, { name: 'python', file: 'index.py', handler: 'index.handler', code, ...python }];
}

/** The newest Python that Hearth runs, and the interpreter that it runs. */
function findPython(): Pick<Language, 'runtime' | 'bare'> | undefined {
  const found = createRuntimeCatalog(findRuntimeSearch())
    .list()
    .flatMap((entry) =>
      entry.available && entry.runtime.language === 'python' ? [entry.runtime] : [],
    )
    .at(-1);
  if (found === undefined) return undefined;
  const binary = join(found.languageDir ?? '', found.executable);
  return { runtime: found.id, bare: [binary, '-c', 'pass'] };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  return (low + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(share * values.length)] ?? NaN;
}

async function startEchoServer(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [`${root}tools/bench-echo-server.ts`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill());
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, url: `http://127.0.0.1:${port}/2015-03-31/functions/echo/invocations` };
}

async function runLoad(load: Omit<Load, 'body'>): Promise<LoadResult> {
  const argument = JSON.stringify({ ...load, body: event });
  const child = spawn(process.execPath, [`${root}tools/bench-client.ts`, argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const result = JSON.parse(line) as LoadResult;
  if (result.wrong > 0) throw new Error(`${result.wrong} wrong answers from ${load.url}`);
  return result;
}

interface Bench {
  readonly driver: string;
  readonly server: ThrowawayServer;
  readonly lambda: LambdaClient;
}

async function withServer(
  driver: string,
  flags: readonly string[],
  measure: (bench: Bench) => Promise<void>,
): Promise<void> {
  const server = await startThrowawayServer(
    ...['--sandbox', driver, '--memory-budget-mb', String(memoryBudgetMb), '--log-level', 'error'],
    ...flags,
  );
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const lambda = new LambdaClient({ endpoint: server.url, region: 'us-east-1', credentials });
  try {
    await measure({ driver, server, lambda });
  } finally {
    lambda.destroy();
    await server.stop();
  }
}

async function createFunction(bench: Bench, language: Language, name: string): Promise<string> {
  const zip = await zipFiles([[language.file, Buffer.from(language.code), 0o100644]]);
  await bench.lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: language.runtime as Runtime,
      Handler: language.handler,
      Role: 'arn:aws:iam::000000000000:role/bench',
      Code: { ZipFile: zip },
      MemorySize: memoryMb,
    }),
  );
  const waiter = { client: bench.lambda, maxWaitTime: 30, minDelay: 0.05, maxDelay: 1 };
  await waitUntilFunctionActiveV2(waiter, { FunctionName: name });
  return `${bench.server.url}/2015-03-31/functions/${name}/invocations`;
}

/** Both servers in turns, the medians of the rounds. */
async function measureLoad(
  urls: { readonly hearth: string; readonly baseline: string },
  callers: number,
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
  const summary = (all: LoadResult[]): LoadResult => ({
    requests: all.reduce((sum, one) => sum + one.requests, 0),
    wrong: 0,
    perSecond: median(all.map((one) => one.perSecond)),
    p50Ms: median(all.map((one) => one.p50Ms)),
    p99Ms: median(all.map((one) => one.p99Ms)),
  });
  return { hearth: summary(results.hearth), baseline: summary(results.baseline) };
}

async function benchWarm(bench: Bench, language: Language, echoUrl: string): Promise<void> {
  const urls = { hearth: await createFunction(bench, language, 'warm'), baseline: echoUrl };
  const { driver } = bench;
  const { runtime } = language;
  const one = await measureLoad(urls, 1);
  add(
    {
      measure: 'warm, one caller, p50',
      driver,
      runtime,
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
  const many = await measureLoad(urls, callersMany);
  add(
    {
      measure: `throughput, ${callersMany} callers`,
      driver,
      runtime,
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

async function timeBareStart(command: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: 'ignore' });
  await once(child, 'exit');
  return performance.now() - startedMs;
}

async function benchCold(
  bench: Bench,
  language: Language,
  kind: 'hit' | 'miss',
  goal: { readonly most: number },
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  // A first function makes the runtime known, so that a pool of it is filled, and opens the connection.
  const first = await createFunction(bench, language, `first-${language.name}`);
  await send(agent, first, event);
  await delay(2 * restMs[kind]);
  const coldMs: number[] = [];
  const bareMs: number[] = [];
  for (let sample = 0; sample < coldSamples; sample += 1) {
    const name = `cold-${language.name}-${sample}`;
    const url = await createFunction(bench, language, name);
    await delay(restMs[kind]);
    bareMs.push(await timeBareStart(language.bare));
    const startedMs = performance.now();
    const answer = await send(agent, url, event);
    coldMs.push(performance.now() - startedMs);
    // Python writes the same JSON with other spaces.
    if (answer.replaceAll(' ', '') !== event)
      throw new Error(`wrong answer from ${url}: ${answer}`);
    await bench.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  }
  agent.destroy();
  add(
    {
      measure: `cold start, pool ${kind}`,
      driver: bench.driver,
      runtime: language.runtime,
      unit: 'ms',
      hearth: median(coldMs),
      baseline: median(bareMs),
      detail: { hearthP90: quantile(coldMs, 0.9), samples: coldMs.length },
    },
    goal,
  );
}

function printTable(): void {
  const header = ['measure', 'driver', 'runtime', 'hearth', 'baseline', 'ratio', 'goal', ''];
  const number = (value: number, unit: string): string =>
    unit === 'ms' ? `${value.toFixed(2)} ms` : `${value.toFixed(0)}/s`;
  const lines = rows.map((row) => [
    row.measure,
    row.driver,
    row.runtime,
    number(row.hearth, row.unit),
    number(row.baseline, row.unit),
    row.ratio.toFixed(row.ratio < 1 ? 3 : 2),
    row.goal,
    row.met ? 'ok' : '[short]',
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...lines].map((line) => line[column]?.length ?? 0)),
  );
  process.stdout.write('\n');
  for (const line of [header, widths.map((width) => '-'.repeat(width)), ...lines]) {
    const cells = line.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

const machine = {
  cpu: cpus()[0]?.model ?? '',
  cores: cpus().length,
  node: process.version,
  // What others did in the last minute: above half of the cores, the figures say little.
  loadBefore: loadavg()[0],
};
process.stdout.write(`${JSON.stringify({ machine, quick })}\n`);
const languages = findLanguages();
const echo = await startEchoServer();
for (const driver of ['process', 'oci']) {
  try {
    await withServer(driver, ['--pool-size', '2'], async (bench) => {
      await benchWarm(bench, languages[0]!, echo.url);
      for (const language of languages) await benchCold(bench, language, 'hit', { most: 0.35 });
    });
    await withServer(driver, ['--pool-size', '0'], async (bench) => {
      for (const language of languages) await benchCold(bench, language, 'miss', { most: 1.6 });
    });
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ driver, skipped: String(error) })}\n`);
    // Without root or an OCI runtime there is nothing to measure; anything else is a failure.
    if (driver !== 'oci' || process.getuid?.() === 0) process.exitCode = 1;
  }
}
echo.child.kill();
printTable();
