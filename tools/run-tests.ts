/**
 * Runs the tests with Node's own runner and reporter, in two groups: files that only compute run two
 * at a time, files that start sandboxes or load the machine run one at a time, so that a measured or
 * timed test never shares the machine. One closing summary for both.
 *
 *   node tools/run-tests.ts [part-of-a-path ...]
 */
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

/** No single file may take longer; one that leaves a handle open ends here, as a failure. */
const fileTimeoutMs = 10 * 60_000;
/** CI stops at 90 minutes; the suite promises 25. */
const totalTimeoutMs = 24 * 60_000;

const root = fileURLToPath(new URL('..', import.meta.url));

/** Start sandboxes, whole programs or heavy load; paths begin so. */
const alonePaths = [
  'src/sandbox/',
  'src/worker/',
  'src/invoke/',
  'test/conformance/invoke',
  'test/drivers/',
  'test/e2e/',
  'test/performance/',
  'test/security/',
];

interface Counts {
  tests: number;
  suites: number;
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

type TestEvent = { type: string; data: unknown };

const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'], {
  cwd: root,
})
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => {
    const parts = process.argv.slice(2);
    return parts.length === 0 || parts.some((part) => file.includes(part));
  })
  .sort();
const isAlone = (file: string): boolean => alonePaths.some((path) => file.startsWith(path));
const groups = [
  { files: files.filter((file) => !isAlone(file)), concurrency: 2 },
  { files: files.filter(isAlone), concurrency: 1 },
];

const startedMs = performance.now();
const total: Counts = {
  tests: 0,
  suites: 0,
  passed: 0,
  failed: 0,
  cancelled: 0,
  skipped: 0,
  todo: 0,
};
const abort = new AbortController();
const totalTimer = setTimeout(() => {
  process.stdout.write(`\nrun-tests: stopped after ${totalTimeoutMs / 60_000} minutes\n`);
  process.exitCode = 1;
  abort.abort();
}, totalTimeoutMs);
totalTimer.unref();

/** Both groups as one stream of events: each group's own closing lines are replaced by one sum. */
async function* runGroups(): AsyncGenerator<TestEvent> {
  for (const group of groups) {
    if (group.files.length === 0 || abort.signal.aborted) continue;
    const stream = run({
      cwd: root,
      files: group.files.map((file) => `${root}${file}`),
      concurrency: group.concurrency,
      timeout: fileTimeoutMs,
      signal: abort.signal,
    });
    for await (const event of stream as AsyncIterable<TestEvent>) {
      const data = event.data as { nesting?: number; file?: string; counts?: Counts };
      if (event.type === 'test:summary') {
        if (data.file === undefined && data.counts) add(data.counts);
      } else if (event.type !== 'test:diagnostic' || data.file !== undefined) {
        yield event;
      }
    }
  }
  yield* closingLines();
}

function add(counts: Counts): void {
  for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key] ?? 0;
}

function* closingLines(): Generator<TestEvent> {
  const durationMs = performance.now() - startedMs;
  const lines: [string, number][] = [
    ['tests', total.tests],
    ['suites', total.suites],
    ['pass', total.passed],
    ['fail', total.failed],
    ['cancelled', total.cancelled],
    ['skipped', total.skipped],
    ['todo', total.todo],
    ['duration_ms', durationMs],
  ];
  for (const [name, value] of lines) {
    yield {
      type: 'test:diagnostic',
      data: { nesting: 0, level: 'info', message: `${name} ${value}` },
    };
  }
}

const reporter = new spec();
reporter.pipe(process.stdout);
for await (const event of runGroups()) {
  const failed =
    event.type === 'test:fail' && (event.data as { todo?: unknown }).todo === undefined;
  if (failed) process.exitCode = 1;
  reporter.write(event);
}
reporter.end();
clearTimeout(totalTimer);
if (total.tests === 0) {
  process.stdout.write(`run-tests: no test matched ${relative(process.cwd(), root)}\n`);
  process.exitCode = 1;
}
