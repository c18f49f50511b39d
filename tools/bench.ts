/**
 * `make bench`: what Hearth costs beside the bare thing, in one run on this machine, loopback only.
 * JSON lines while it runs, a table at the end. Takes about five minutes; `--quick` gives a rough
 * answer in two. `ONLY=row` (or words after the script's name) measures only some rows:
 *
 *   load        warm invokes of a Node.js echo          vs a bare node:http echo, same client
 *   cold        first invoke of a function              vs the bare language binary, empty script
 *   burst       50 first invokes at once                vs 50 of those at once
 *   memory      idle environments                       vs bare interpreters with the same handler
 *   held        200 environments at once                vs 200 bare interpreters; the bare echo
 *   neighbours  a function beside an attacker           vs the same function before
 *   functions   calls and a start with 10,000 functions vs with 10
 *
 * Every measurement is taken side by side with its baseline, in turns, so that what else the machine
 * does hits both. Published beside the goals, measured elsewhere on another machine (ADR 0011), as
 * warm ratio and throughput ratio: miniflare/workerd 3.3 and 0.069, serverless-offline 9.1 and 0.026.
 */
import { cpus, loadavg } from 'node:os';
import { WHOLE_CPU_MB, withServer, type Bench } from './bench/bench-server.ts';
import { benchBurst } from './bench/burst.ts';
import { benchCold, forkRestore, poolHit, poolMiss } from './bench/cold.ts';
import { benchHeld, ENVIRONMENTS, HELD_MEMORY_MB } from './bench/held.ts';
import { benchIdleMemory } from './bench/idle-memory.ts';
import { benchFunctions } from './bench/functions.ts';
import { findLanguages } from './bench/languages.ts';
import { benchLoad, CALLERS_MANY, startEchoServer } from './bench/load.ts';
import { benchNeighbours } from './bench/neighbours.ts';
import { printLine, progress, Report } from './bench/report.ts';

const quick = process.argv.includes('--quick');
const only = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const [node, ...others] = findLanguages();
if (node === undefined) throw new Error('there is no Node.js to measure');
const languages = [node, ...others];
const loadOptions = quick
  ? { rounds: 2, loadMs: 700, warmUpMs: 1500 }
  : { rounds: 4, loadMs: 1200, warmUpMs: 2000 };
const coldSamples = quick ? 6 : 20;
const burstRounds = quick ? 1 : 2;
const functionsOptions = quick
  ? { rounds: 3, callsPerRound: 40, starts: 2 }
  : { rounds: 10, callsPerRound: 50, starts: 5 };

interface Section {
  readonly name: string;
  /** The only driver that it is measured with. */
  readonly driver?: string;
  run(driver: string): Promise<void>;
}

/** Of a server that is started for it with these flags. */
function onServer(
  flags: readonly string[],
  measure: (bench: Bench) => Promise<void>,
): Pick<Section, 'run'> {
  return { run: (driver) => withServer(driver, flags, measure) };
}

const report = new Report();
const echo = await startEchoServer();
const budget = ['--memory-budget-mb', String(64 * WHOLE_CPU_MB)];

const sections: readonly Section[] = [
  {
    name: 'load',
    ...onServer([...budget, '--environments-max', String(4 * CALLERS_MANY)], (bench) =>
      benchLoad(report, bench, node, { ...loadOptions, echoUrl: echo.url }),
    ),
  },
  {
    name: 'cold',
    ...onServer([...budget, '--pool-size', '2'], async (bench) => {
      for (const language of languages) {
        await benchCold(report, bench, language, { kind: poolHit, samples: coldSamples });
      }
    }),
  },
  {
    name: 'cold',
    ...onServer([...budget, '--pool-size', '0'], async (bench) => {
      for (const language of languages) {
        await benchCold(report, bench, language, { kind: poolMiss, samples: coldSamples });
      }
    }),
  },
  {
    name: 'cold',
    ...onServer([...budget, '--pool-size', '0'], async (bench) => {
      for (const language of languages) {
        if (language.name !== 'python') continue; // the one with SnapStart
        await benchCold(report, bench, language, { kind: forkRestore, samples: coldSamples });
      }
    }),
  },
  {
    name: 'burst',
    ...onServer([...budget, '--pool-size', '0'], async (bench) => {
      for (const language of languages) await benchBurst(report, bench, language, burstRounds);
    }),
  },
  ...languages.map((language) => ({
    name: 'memory',
    ...onServer(['--pool-size', '0'], (bench) => benchIdleMemory(report, bench, language)),
  })),
  {
    name: 'held',
    ...onServer(
      [
        ...['--pool-size', '0', '--environments-max', String(ENVIRONMENTS + 1)],
        ...['--memory-budget-mb', String(ENVIRONMENTS * HELD_MEMORY_MB + WHOLE_CPU_MB)],
      ],
      (bench) => benchHeld(report, bench, { node, echoUrl: echo.url, load: loadOptions }),
    ),
  },
  {
    name: 'neighbours',
    // The other driver has no walls.
    driver: 'oci',
    ...onServer(budget, (bench) => benchNeighbours(report, bench, languages)),
  },
  {
    name: 'functions',
    // What is stored is the same under either.
    driver: 'process',
    run: (driver) => benchFunctions(report, driver, node, functionsOptions),
  },
];

printLine({
  machine: {
    cpu: cpus()[0]?.model ?? '',
    cores: cpus().length,
    node: process.version,
    // What others did in the last minute: above half of the cores, the figures say little.
    loadBefore: loadavg()[0],
  },
  quick,
});
for (const driver of ['process', 'oci']) {
  for (const { name, driver: onlyDriver = driver, run } of sections) {
    if (onlyDriver !== driver) continue;
    if (only.length > 0 && !only.some((word) => name.startsWith(word))) continue;
    progress(`${driver}: ${name}`);
    try {
      await run(driver);
    } catch (error) {
      printLine({ driver, skipped: name, because: String(error) });
      // Without root or an OCI runtime there is nothing to measure; anything else is a failure.
      if (driver !== 'oci' || process.getuid?.() === 0) process.exitCode = 1;
    }
  }
}
echo.child.kill();
report.printTable();
