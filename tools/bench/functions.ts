/**
 * Many stored functions: what one call takes with 10,000 functions, each with a published version and an
 * alias, beside a server with 10; how long the server takes to start with them, and what it holds of each.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerOn, type ThrowawayServer } from '../throwaway-server.ts';
import { zipFiles } from '../zip-folder.ts';
import { timeEcho, WHOLE_CPU_MB } from './bench-server.ts';
import { call } from './call.ts';
import type { Language } from './languages.ts';
import { rssMb } from './process-memory.ts';
import { median, progress, type Goal, type Report, type Unit } from './report.ts';

const FUNCTIONS_MANY = 10_000;
const FUNCTIONS_FEW = 10;
const MANY = '10,000 functions';
const CALLERS = 16;
/** A page as both can give it. */
const PAGE_ITEMS = FUNCTIONS_FEW;
const START_MS_MAX = 3_000;
const RATIO_MAX = 1.2;
const RATE_RATIO_MIN = 0.83;

export interface FunctionsOptions {
  /** Each with so many calls of a kind, in turns on either server. */
  readonly rounds: number;
  readonly callsPerRound: number;
  readonly starts: number;
}

/** A server whose data folder outlives it. */
class Side {
  readonly count: number;
  readonly folder: string;
  readonly agent = new Agent({ keepAlive: true });
  readonly #driver: string;
  readonly #zip: string;
  readonly #language: Language;
  #server: ThrowawayServer | undefined;

  constructor(
    count: number,
    parts: {
      readonly folder: string;
      readonly driver: string;
      readonly zip: string;
      readonly language: Language;
    },
  ) {
    this.count = count;
    this.folder = parts.folder;
    this.#driver = parts.driver;
    this.#zip = parts.zip;
    this.#language = parts.language;
  }

  get server(): ThrowawayServer {
    if (this.#server === undefined) throw new Error('the server is not running');
    return this.#server;
  }

  get api(): string {
    return `${this.server.url}/2015-03-31/functions`;
  }

  /** Resolves with how long it took until it served. */
  async start(): Promise<number> {
    const flags = ['--sandbox', this.#driver, '--log-level', 'error', '--pool-size', '0'];
    this.#server = await startServerOn(this.folder, flags);
    return this.#server.readyMs;
  }

  async stop(): Promise<void> {
    const status = await this.#server?.stop();
    this.#server = undefined;
    if (status !== undefined && status !== 0) throw new Error(`the server ended badly: ${status}`);
  }

  /** With a version and an alias for it. */
  async create(name: string): Promise<void> {
    const { runtime, handler } = this.#language;
    await call(this.agent, 'POST', this.api, {
      FunctionName: name,
      Runtime: runtime,
      Handler: handler,
      Role: 'arn:aws:iam::000000000000:role/bench',
      Code: { ZipFile: this.#zip },
      MemorySize: WHOLE_CPU_MB,
      Timeout: 30,
      Publish: true,
    });
  }

  async createAlias(name: string): Promise<void> {
    const alias = { Name: 'live', FunctionVersion: '1' };
    await call(this.agent, 'POST', `${this.api}/${name}/aliases`, alias);
  }

  async createAll(): Promise<void> {
    await inParallel(this.count, async (index) => {
      await this.create(functionName(index));
      await this.createAlias(functionName(index));
    });
  }

  /** The marker behind half of all functions. */
  async middleMarker(): Promise<string> {
    let marker = '';
    for (let seen = 0; seen < this.count / 2; seen += 50) {
      const page = await this.list(50, marker);
      if (page.NextMarker === undefined) return '';
      marker = page.NextMarker;
    }
    return marker;
  }

  async list(
    items: number,
    marker: string,
  ): Promise<{ NextMarker?: string; Functions: unknown[] }> {
    const query = new URLSearchParams({ MaxItems: String(items) });
    if (marker !== '') query.set('Marker', marker);
    const page = await call(this.agent, 'GET', `${this.api}?${query.toString()}`);
    return page as { NextMarker?: string; Functions: unknown[] };
  }
}

function functionName(index: number): string {
  return `stored-${String(index).padStart(5, '0')}`;
}

async function inParallel(count: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await task(next - 1);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** One kind of call: the n-th on a side. */
interface Kind {
  readonly measure: string;
  run(side: Side, call: number): Promise<unknown>;
  /** Not timed. */
  after?(side: Side, call: number): Promise<unknown>;
}

export async function benchFunctions(
  report: Report,
  driver: string,
  language: Language,
  options: FunctionsOptions,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'));
  const code = Buffer.from(language.code);
  const zip = (await zipFiles([[language.file, code, 0o100644]])).toString('base64');
  const side = (count: number): Side =>
    new Side(count, { folder: join(folder, String(count)), driver, zip, language });
  const sides = { few: side(FUNCTIONS_FEW), many: side(FUNCTIONS_MANY) };
  const common = { driver, runtime: language.runtime };
  const add = (
    measure: string,
    unit: Unit,
    figures: {
      readonly many: number;
      readonly few: number;
      readonly detail?: Readonly<Record<string, number>>;
    },
    goal: Goal = {},
  ): void => {
    const { many: hearth, few: baseline, detail = {} } = figures;
    report.add({ ...common, measure, unit, hearth, baseline, detail }, goal);
  };
  try {
    await sides.few.start();
    await sides.many.start();
    await sides.few.createAll();
    const startedMs = performance.now();
    await sides.many.createAll();
    const allMs = performance.now() - startedMs;
    progress(`${FUNCTIONS_MANY} functions created in ${(allMs / 1000).toFixed(1)} s`);

    for (const kind of await kindsOf(sides)) {
      const { few, many } = await inTurns(sides, kind, options);
      add(`${kind.measure}, ${MANY}`, 'ms', { few, many }, { most: RATIO_MAX });
    }
    const rates = await createRates(sides, options);
    const detail = { allFunctionsPerSecond: (FUNCTIONS_MANY / allMs) * 1000 };
    add(
      `create, ${CALLERS} callers, ${MANY}`,
      'requests/s',
      { ...rates, detail },
      { least: RATE_RATIO_MIN },
    );

    const starts = await timeStarts(sides, options.starts);
    add(`start, ${MANY}`, 'ms', starts, { hearthMost: START_MS_MAX });
    const rss = { few: rssMb(sides.few.server.pid), many: rssMb(sides.many.server.pid) };
    const kilobytesEach = ((rss.many - rss.few) * 1024) / (FUNCTIONS_MANY - FUNCTIONS_FEW);
    add(`server memory after a start, ${MANY}`, 'MB', { ...rss, detail: { kilobytesEach } });
  } finally {
    for (const one of Object.values(sides)) {
      one.agent.destroy();
      await one.stop();
    }
    await rm(folder, { recursive: true, force: true });
  }
}

type Sides = Readonly<Record<'few' | 'many', Side>>;
type Figures = Readonly<Record<'few' | 'many', number>>;

async function kindsOf(sides: Sides): Promise<Kind[]> {
  const markers = new Map<Side, string>();
  for (const side of Object.values(sides)) markers.set(side, await side.middleMarker());
  // Spread over all that there are.
  const anyName = (side: Side, index: number): string => functionName((index * 7_919) % side.count);
  return [
    {
      measure: 'create',
      run: (side, index) => side.create(`made-${index}`),
      after: (side, index) => call(side.agent, 'DELETE', `${side.api}/made-${index}`),
    },
    {
      measure: 'get',
      run: (side, index) => call(side.agent, 'GET', `${side.api}/${anyName(side, index)}`),
    },
    {
      measure: 'get an alias',
      run: (side, index) =>
        call(side.agent, 'GET', `${side.api}/${anyName(side, index)}/aliases/live`),
    },
    {
      measure: `list, a page of ${PAGE_ITEMS}`,
      run: (side) => side.list(PAGE_ITEMS, markers.get(side) ?? ''),
    },
    {
      measure: 'invoke by alias, warm',
      run: (side) =>
        timeEcho(side.agent, `${side.api}/${functionName(0)}/invocations?Qualifier=live`),
    },
  ];
}

/** As many of the few's calls before anything is timed as make up for what creating many has warmed up. */
const WARM_UP_CALLS = 300;

/** The medians over all rounds, of calls one after the other. */
async function inTurns(
  sides: Sides,
  kind: Kind,
  { rounds, callsPerRound }: FunctionsOptions,
): Promise<Figures> {
  const tookMs = { few: [] as number[], many: [] as number[] };
  let index = 0;
  const time = async (side: Side): Promise<number> => {
    index += 1;
    const startedMs = performance.now();
    await kind.run(side, index);
    const one = performance.now() - startedMs;
    await kind.after?.(side, index);
    return one;
  };
  for (const side of Object.values(sides)) {
    for (let count = 0; count < WARM_UP_CALLS; count += 1) await time(side);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const name of ['few', 'many'] as const) {
      for (let count = 0; count < callsPerRound; count += 1) {
        tookMs[name].push(await time(sides[name]));
      }
    }
  }
  return { few: median(tookMs.few), many: median(tookMs.many) };
}

/** Functions created in a second, by callers at once; they are deleted again. */
async function createRates(
  sides: Sides,
  { rounds, callsPerRound }: FunctionsOptions,
): Promise<Figures> {
  const rates = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of ['few', 'many'] as const) {
      const side = sides[name];
      const startedMs = performance.now();
      await inParallel(callsPerRound, (index) => side.create(`made-${index}`));
      rates[name].push((callsPerRound * 1000) / (performance.now() - startedMs));
      await inParallel(callsPerRound, async (index) => {
        await call(side.agent, 'DELETE', `${side.api}/made-${index}`);
      });
    }
  }
  return { few: median(rates.few), many: median(rates.many) };
}

/** Of processes that begin cold; the last ones stay. */
async function timeStarts(sides: Sides, starts: number): Promise<Figures> {
  const tookMs = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round < starts; round += 1) {
    for (const name of ['few', 'many'] as const) {
      await sides[name].stop();
      tookMs[name].push(await sides[name].start());
    }
  }
  return { few: median(tookMs.few), many: median(tookMs.many) };
}
