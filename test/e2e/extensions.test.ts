/**
 * External extensions through the whole program on every driver: their place in Init, INVOKE and
 * SHUTDOWN, what they may see, how they fail, and what telemetry they are told.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteFunctionCommand,
  PublishLayerVersionCommand,
  PutFunctionConcurrencyCommand,
  TooManyRequestsException,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { deploy, invoke, zip, type Invoked } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const teller = readFileSync(new URL('../fixtures/extensions/teller.cjs', import.meta.url));

const handler = `
const fs = require('node:fs');
console.log('function initialized');
let count = 0;
exports.handler = async ({ exit, sleep, mark }) => {
  const isMarked = mark !== undefined && fs.existsSync(mark);
  if (mark !== undefined) fs.writeFileSync(mark, '');
  if (exit) process.exit(3);
  if (sleep) await new Promise((resolve) => setTimeout(resolve, sleep));
  console.log('function works');
  return { count: ++count, isMarked };
};
`;

/** The values that an extension said about `what`, in order. */
function told(log: string, what: string): Record<string, unknown>[] {
  return [...log.matchAll(new RegExp(`\\bteller\\.cjs ${what} (.*)$`, 'gm'))].map(
    ([, json = 'null']) => JSON.parse(json) as Record<string, unknown>,
  );
}

for (const driver of drivers) {
  describe(`extensions on the ${driver} driver`, () => {
    let hearth: HearthProcess;
    let client: LambdaClient;
    let layer: string;
    let deployed = 0;

    before(async () => {
      hearth = await HearthProcess.start({
        driver,
        flags: ['--function-logs', '--idle-seconds', '1'],
      });
      ({ client } = hearth);
      layer = await publish({ 'extensions/teller.cjs': { text: teller, mode: 0o100755 } });
    });
    after(() => hearth.stopAndRemove());

    async function publish(files: Parameters<typeof zip>[0]): Promise<string> {
      const Content = { ZipFile: await zip(files) };
      const { LayerVersionArn: arn } = await client.send(
        new PublishLayerVersionCommand({ LayerName: 'extension', Content }),
      );
      assert(arn !== undefined);
      return arn;
    }

    async function deployWith(
      mode: string,
      options: { Timeout?: number; Layers?: string[] } = {},
    ): Promise<string> {
      deployed += 1;
      const name = `with-${mode}-${deployed}`;
      // Environments share the host's ports where the driver has no walls.
      const Variables = { MODE: mode, COLOUR: 'green', LISTENER_PORT: String(4300 + deployed) };
      await deploy(client, name, {
        files: { 'index.js': handler },
        Layers: [layer],
        MemorySize: 512,
        ...{ Environment: { Variables }, Timeout: 10, ...options },
      });
      return name;
    }

    /** At most one environment: the next invocation is throttled until the last one's is free again. */
    async function holdOne(name: string): Promise<void> {
      await client.send(
        new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 1 }),
      );
    }

    async function invokeOnceFree(name: string, event: unknown = {}): Promise<Invoked> {
      for (let attempt = 0; attempt < 600; attempt += 1) {
        try {
          return await invoke(client, name, event);
        } catch (error) {
          if (!(error instanceof TooManyRequestsException)) throw error;
          await sleep(10);
        }
      }
      throw new Error(`${name} did not become free`);
    }

    /** Until the server's output has it: what extensions say when nobody waits for an answer. */
    async function logged(pattern: RegExp): Promise<string> {
      for (let attempt = 0; attempt < 600; attempt += 1) {
        const log = hearth.stderr;
        if (pattern.test(log)) return log;
        await sleep(10);
      }
      throw new Error(`nothing like ${pattern} in the log:\n${hearth.stderr}`);
    }

    test('start before the runtime, hear of each invocation, and of the end', async () => {
      const name = await deployWith('');
      const first = await invoke(client, name);
      assert.deepEqual(first.result, { count: 1, isMarked: false }, first.log);
      assert.deepEqual(told(first.log, 'registered'), [
        {
          ...{ functionName: name, functionVersion: '$LATEST', handler: 'index.handler' },
          accountId: '000000000000',
        },
      ]);
      const places = [
        'teller.cjs registered',
        'function initialized',
        'EXTENSION\t',
        '\nSTART',
        '\nEND',
      ];
      const found = places.map((text) => first.log.indexOf(text));
      assert.deepEqual(
        found.toSorted((a, b) => a - b),
        found,
        first.log,
      );
      assert(!found.includes(-1), first.log);
      assert.match(
        first.log,
        /^EXTENSION\tName: teller\.cjs\tState: Ready\tEvents: \[INVOKE, SHUTDOWN\]$/m,
      );
      const [variables = []] = told(first.log, 'variables') as unknown as string[][];
      for (const shown of ['COLOUR', 'AWS_ACCESS_KEY_ID', 'AWS_LAMBDA_FUNCTION_NAME']) {
        assert(variables.includes(shown), shown);
      }
      for (const hidden of ['_HANDLER', 'AWS_EXECUTION_ENV', 'LAMBDA_TASK_ROOT']) {
        assert(!variables.includes(hidden), hidden);
      }
      const second = await invoke(client, name);
      const [event] = told(second.log, 'event');
      assert.equal(event?.['eventType'], 'INVOKE');
      assert.equal(event['requestId'], second.requestId);
      assert.match(String(event['invokedFunctionArn']), new RegExp(`:function:${name}$`));
      assert(Number(event['deadlineMs']) > Date.now());
      const log = await logged(/teller\.cjs event \{"eventType":"SHUTDOWN"/);
      const shutdown = told(log, 'event').at(-1);
      assert.equal(shutdown?.['shutdownReason'], 'SPINDOWN');
      await client.send(new DeleteFunctionCommand({ FunctionName: name }));
    });

    test('may work on after the answer, which belongs to the duration', async () => {
      const name = await deployWith('slow');
      await invoke(client, name);
      const startedAtMs = performance.now();
      await invoke(client, name, {}, { LogType: 'None' });
      const answeredMs = performance.now() - startedAtMs;
      const { log, result } = await invoke(client, name);
      assert.match(log, /teller\.cjs done/);
      assert(Number(/\tDuration: ([\d.]+) ms/.exec(log)?.[1]) >= 400, log);
      assert(answeredMs < 400, `answered after ${answeredMs} ms`);
      // The one that answered early was still busy: another environment took the next.
      assert.deepEqual(result, { count: 1, isMarked: false });
    });

    test('that report an error in Init fail it, and the invocation', async () => {
      const name = await deployWith('init-error');
      const answer = await invoke(client, name);
      assert.equal(answer.functionError, 'Unhandled');
      const { errorType, errorMessage } = answer.result as Record<string, string>;
      assert.equal(errorType, 'Extension.ConfigInvalid');
      assert.match(String(errorMessage), /teller\.cjs reported Extension\.ConfigInvalid/);
      assert.match(
        answer.log,
        /INIT_REPORT .*Phase: init\tStatus: error\tError Type: Extension\.ConfigInvalid/,
      );
      assert.match(
        answer.log,
        /^EXTENSION\tName: teller\.cjs\tState: InitError\t.*Extension\.ConfigInvalid$/m,
      );
      // It had registered, so the runtime may have begun its own Init.
      assert.doesNotMatch(answer.log, /function works/);
    });

    for (const [mode, errorType] of [
      ['crash', 'Extension.Crash'],
      ['exit-error', 'Extension.ConfigInvalid'],
    ] as const) {
      test(`that fail by ${mode} in an invocation mark it as failed`, async () => {
        const name = await deployWith(mode);
        const answer = await invoke(client, name, { sleep: 3000 });
        assert.equal((answer.result as Record<string, string>)['errorType'], errorType, answer.log);
        assert.match(answer.log, new RegExp(`Status: error\tError Type: ${errorType}`));
      });
    }

    test('are started anew after the runtime has failed, with what is in /tmp', async () => {
      const name = await deployWith('');
      await holdOne(name);
      // Without walls this is the host's: unique, and removed below.
      const mark = `/tmp/hearth-extensions-${process.pid}-${driver}`;
      after(() => rmSync(mark, { force: true }));
      const crash = await invoke(client, name, { exit: true, mark });
      assert.equal((crash.result as Record<string, string>)['errorType'], 'Runtime.ExitError');
      const again = await invokeOnceFree(name, { mark });
      assert.deepEqual(again.result, { count: 1, isMarked: true });
      assert.equal(told(again.log, 'registered').length, 1, again.log);
      assert.doesNotMatch(again.log, /INIT_START/);
      assert.match(hearth.stderr, /"shutdownReason":"FAILURE"/);
    });

    test('hear of a timeout, and are killed when they outstay their time', async () => {
      const name = await deployWith('linger', { Timeout: 1 });
      await holdOne(name);
      const answer = await invoke(client, name, { sleep: 5000 });
      assert.equal((answer.result as Record<string, string>)['errorType'], 'Sandbox.Timedout');
      const { log } = await invokeOnceFree(name);
      const reasons = told(hearth.stderr, 'event').map((event) => event['shutdownReason']);
      assert(reasons.includes('TIMEOUT'));
      const late = told(hearth.stderr, 'still').map(Number);
      assert(late.length > 3 && Math.max(...late) < 1000, String(late));
      assert.match(log, /function works/);
    });

    test('that cannot be started fail Init', async () => {
      const broken = await publish({ 'extensions/broken': { text: 'x', mode: 0o100644 } });
      const name = await deployWith('', { Layers: [broken] });
      const answer = await invoke(client, name);
      assert.equal((answer.result as Record<string, string>)['errorType'], 'Extension.LaunchError');
    });

    for (const [mode, types] of [
      [
        'subscribe',
        [
          'platform.initStart',
          'platform.telemetrySubscription',
          'function',
          'platform.initRuntimeDone',
          'platform.extension',
          'platform.initReport',
          'platform.start',
          'function',
          'platform.runtimeDone',
          'platform.report',
        ],
      ],
      [
        'logs',
        [
          'platform.logsSubscription',
          'function',
          'platform.extension',
          'platform.start',
          'function',
          'platform.runtimeDone',
          'platform.end',
          'platform.report',
        ],
      ],
    ] as const) {
      test(`that ${mode} are told of all in order`, async () => {
        const name = await deployWith(mode);
        const answer = await invoke(client, name);
        assert.equal(answer.functionError, undefined, answer.text);
        const isOwn = (event: Record<string, unknown>): boolean =>
          JSON.stringify(event).includes(answer.requestId);
        await invoke(client, name);
        const log = await logged(
          new RegExp(`telemetry .*"platform\\.report".*${answer.requestId}`),
        );
        const events = told(log, 'telemetry');
        const end = events.findIndex((one) => one['type'] === 'platform.report' && isOwn(one));
        const all = events.slice(0, end + 1).map((event) => event['type']);
        assert.deepEqual(all.slice(-types.length), types);
        for (const event of events) assert(!Number.isNaN(Date.parse(String(event['time']))));
        await client.send(new DeleteFunctionCommand({ FunctionName: name }));
      });
    }
  });
}
