/**
 * Extensions that nobody here wrote, as they were published, on every driver: the external one of an
 * npm package (a whole layer, which subscribes by the Logs API and wraps the runtime), and the internal
 * one of a Python package, where PyPI can be reached.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { PublishLayerVersionCommand, type Runtime } from '@aws-sdk/client-lambda';
import { findRuntimeSearch } from '../../src/config.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';
import { deploy, invoke, zip, type ZipFile } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const run = promisify(execFile);

/** The layer as the package has it: extensions/otel-extension and the folder otel-extension. */
const otelLayer = readFileSync(
  new URL(
    '../../node_modules/@serverless/aws-lambda-otel-extension-dist/extension.zip',
    import.meta.url,
  ),
);
/** What the extension keeps between two of its starts; without walls it is in the host's /tmp. */
function removeOtelState(): void {
  for (const name of ['sls-save-log.json', 'sent-requests.json']) {
    rmSync(join('/tmp', name), { force: true });
  }
}

/** Where the driver cannot mount, the package's launcher has a path that is not there: /opt. */
const otelLauncher = `#!/bin/sh
unset NODE_OPTIONS
exec "$(dirname "$0")/../otel-extension/index.js"
`;
const otelVariables = {
  /** Prints what it does, and its reports instead of sending them. */
  both: { DEBUG_SLS_OTEL_LAYER: '1', SLS_OTEL_REPORT_TYPE: 'json' },
  oci: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/otel-extension/otel-handler' },
  /** No name "sandbox" to listen at: the package's own switch for local use. */
  process: {
    AWS_SAM_LOCAL: 'true',
    NODE_OPTIONS: '--require /opt/otel-extension/wrapper.js',
  },
};

interface OtelAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** The attributes of each measure that the extension reported under a name, in order. */
function measures(log: string, measure: string): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  for (const [, json = ''] of log.matchAll(/^\S+ {2}(\[\{"resourceMetrics".*)$/gm)) {
    JSON.parse(json, (_key, value: unknown) => {
      const { name, histogram, sum } = Object(value) as Record<string, Record<string, unknown>>;
      if (String(name) !== measure) return value;
      const points = (histogram ?? sum)?.['dataPoints'] as { attributes: OtelAttribute[] }[];
      for (const { attributes } of points) found.push(attributesOf(attributes));
      return value;
    });
  }
  return found;
}

/** The line that reports a measure of one invocation, whole. */
function reportOf(measure: string, requestId = ''): RegExp {
  return new RegExp(`^\\S+ {2}\\[\\{"resourceMetrics".*"${measure}".*${requestId}.*\\n`, 'm');
}

function attributesOf(attributes: readonly OtelAttribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** What the REPORT line says. */
function reported(log: string, requestId: string): Record<string, number> {
  const [line = ''] = new RegExp(`REPORT RequestId: ${requestId}.*$`, 'm').exec(log) ?? [];
  const [, duration, billed, memory] =
    /Duration: ([\d.]+) ms\tBilled Duration: (\d+) ms.*Max Memory Used: (\d+) MB/.exec(line) ?? [];
  return { duration: Number(duration), billed: Number(billed), memory: Number(memory) };
}

const sigtermFunction = `
import signal
import lambda_sigterm

lambda_sigterm.register()
signal.signal(signal.SIGTERM, lambda number, frame: print("sigterm captured", flush=True))

def handler(event, context):
    return "works"
`;
const python = createRuntimeCatalog(findRuntimeSearch())
  .list()
  .findLast(({ id, available }) => id.startsWith('python') && available)?.id as Runtime | undefined;

/** lambda-sigterm and what it imports, as a layer; or why it is not to be had. */
async function sigtermLayer(): Promise<Buffer | string> {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-third-party-'));
  const packages = ['lambda-sigterm==0.1.2', 'urllib3==2.5.0'];
  const options = ['--no-deps', '--only-binary=:all:', '--retries=0', '--timeout=10'];
  const pip = ['-m', 'pip', 'install', '--quiet', '--target', folder, ...options, ...packages];
  try {
    await run('python3', pip, { timeout: 60_000 });
    const files: Record<string, ZipFile> = {};
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.py'))
        files[`python/${name}`] = { text: readFileSync(join(folder, name)) };
    }
    return await zip(files);
  } catch (error) {
    return `lambda-sigterm cannot be installed here: ${String(error)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let sigterm: ReturnType<typeof sigtermLayer> | undefined;

for (const driver of drivers) {
  describe(`extensions of others on the ${driver} driver`, () => {
    let hearth: HearthProcess;

    before(async () => {
      if (driver === 'process') removeOtelState();
      const flags = ['--function-logs', '--idle-seconds', '1'];
      hearth = await HearthProcess.start({ driver, flags });
    });
    after(async () => {
      await hearth.stopAndRemove();
      if (driver === 'process') removeOtelState();
    });

    async function publish(name: string, ZipFile: Buffer): Promise<string> {
      const { LayerVersionArn: arn } = await hearth.client.send(
        new PublishLayerVersionCommand({ LayerName: name, Content: { ZipFile } }),
      );
      assert(arn !== undefined);
      return arn;
    }

    test('@serverless/aws-lambda-otel-extension-dist reports what it is told', async () => {
      const Layers = [await publish('otel', otelLayer)];
      if (driver === 'process') {
        const launcher = { 'extensions/otel-extension': { text: otelLauncher, mode: 0o100755 } };
        Layers.push(await publish('otel-launcher', await zip(launcher)));
      }
      const Variables = { ...otelVariables.both, ...otelVariables[driver] };
      await deploy(hearth.client, 'observed', {
        files: { 'index.js': "exports.handler = async () => 'works';" },
        // Its wrapper hands the function a callback, which later versions refuse.
        Runtime: 'nodejs22.x',
        ...{ Layers, MemorySize: 512, Timeout: 10, Environment: { Variables } },
      });
      const requestIds: string[] = [];
      for (const isColdStart of [true, false]) {
        const { result, log, requestId } = await invoke(hearth.client, 'observed');
        assert.equal(result, 'works', log);
        requestIds.push(requestId);
        await hearth.reported(requestId);
        // Told by the function, through the wrapper and the extension's own server.
        await hearth.logged(reportOf('faas.invoke', requestId));
        const invoked = measures(hearth.stderr, 'faas.invoke').at(-1);
        assert.equal(invoked?.['faas.execution'], requestId);
        assert.equal(invoked['faas.coldstart'], isColdStart);
      }
      // Told by the platform, through the Logs API: its figures are those of the REPORT line.
      await hearth.logged(reportOf('faas.duration', requestIds[1]));
      const { stderr } = hearth;
      const durations = measures(stderr, 'faas.duration');
      assert.deepEqual(
        durations.map((one) => one['faas.execution']),
        requestIds,
      );
      for (const [index, requestId] of requestIds.entries()) {
        const { duration = NaN, billed, memory } = reported(stderr, requestId);
        const told = durations[index] ?? {};
        // The line has one digit less.
        assert(Math.abs(Number(told['faas.duration']) - duration) < 0.006, String(duration));
        assert.equal(told['faas.billed_duration'], billed);
        assert.equal(told['faas.max_memory_used_mb'], memory);
      }
      assert.match(
        stderr,
        /EXTENSION\tName: otel-extension\tState: Ready\tEvents: \[INVOKE, SHUTDOWN\]/,
      );
      await hearth.logged(/Processing event: {2}SHUTDOWN/);
      const events = [...hearth.stderr.matchAll(/Processing event: {2}(\w+)/g)].map(
        ([, type]) => type,
      );
      assert.deepEqual(events, ['INVOKE', 'INVOKE', 'SHUTDOWN']);
      const complaint = /\b(?:(?:register|next|subscription) failed|failed to parse)\b.*/.exec(
        hearth.stderr,
      );
      assert.equal(complaint, null);
    });

    test('lambda-sigterm makes a Python function hear of its end', async (t) => {
      sigterm ??= sigtermLayer();
      const layer = await sigterm;
      if (python === undefined || typeof layer === 'string') {
        t.skip(typeof layer === 'string' ? layer : 'no Python here');
        return;
      }
      const Layers = [await publish('sigterm', layer)];
      await deploy(hearth.client, 'ending', {
        files: { 'index.py': sigtermFunction },
        ...{ Runtime: python, Layers, MemorySize: 256 },
      });
      const { result, log } = await invoke(hearth.client, 'ending');
      assert.equal(result, 'works', log);
      assert.match(log, /^EXTENSION\tName: lambda-sigterm\tState: Ready\tEvents: \[\]$/m);
      await hearth.logged(/sigterm captured/);
    });
  });
}
