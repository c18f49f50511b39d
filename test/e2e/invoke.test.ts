/**
 * Synchronous invocation from end to end, on every driver: the whole program, the AWS SDK, real
 * sandboxes and runtimes. What the caller gets for every way a function can end, and what the log says.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  InvokeCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { deploy, invoke, settled, zip } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const reportPattern =
  /^REPORT RequestId: [0-9a-f-]{36}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: \d+ MB\tMax Memory Used: \d+ MB\t(Init Duration: \d+\.\d\d ms\t)?(Status: \w+\t)?(Error Type: [\w.]+\t)?$/m;

for (const driver of drivers) {
  describe(`invoke on the ${driver} driver`, () => {
    let hearth: HearthProcess;
    let client: LambdaClient;

    before(async () => {
      hearth = await HearthProcess.start({ driver });
      ({ client } = hearth);
    });
    after(() => hearth.stopAndRemove());

    test('a result comes back with its log, and Init is reported once', async () => {
      await deploy(client, 'echo', {
        files: {
          'index.js':
            "let count = 0; exports.handler = async (event) => { console.log('saw', event.n); return { event, count: ++count }; };",
        },
      });
      const cold = await invoke(client, 'echo', { n: 1 });
      assert.deepEqual(cold.result, { event: { n: 1 }, count: 1 });
      assert.equal(cold.status, 200);
      assert.equal(cold.version, '$LATEST');
      assert.equal(cold.functionError, undefined);
      assert.match(cold.log, /^INIT_START Runtime Version: nodejs:24\./);
      assert.match(
        cold.log,
        new RegExp(`^START RequestId: ${cold.requestId} Version: \\$LATEST$`, 'm'),
      );
      assert.match(cold.log, new RegExp(`\\t${cold.requestId}\\tINFO\\tsaw 1$`, 'm'));
      assert.match(cold.log, new RegExp(`^END RequestId: ${cold.requestId}$`, 'm'));
      assert.match(cold.log, reportPattern);
      assert.match(cold.log, /Init Duration/);
      const warm = await invoke(client, 'echo', { n: 2 });
      assert.deepEqual(warm.result, { event: { n: 2 }, count: 2 });
      assert.doesNotMatch(warm.log, /Init Duration|INIT_START|saw 1/);
      assert.match(warm.log, reportPattern);
    });

    test('without LogType the log stays behind, and an empty payload is an empty event', async () => {
      const response = await client.send(new InvokeCommand({ FunctionName: 'echo' }));
      assert.equal(response.LogResult, undefined);
      const result = JSON.parse(response.Payload?.transformToString() ?? '') as { event: unknown };
      assert.deepEqual(result.event, {});
    });

    test('a payload that is not JSON is refused', async () => {
      await assert.rejects(
        client.send(new InvokeCommand({ FunctionName: 'echo', Payload: 'not json' })),
        { name: 'InvalidRequestContentException' },
      );
    });

    test('DryRun answers 204 and runs nothing', async () => {
      const before = (await invoke(client, 'echo')).result as { count: number };
      const dry = await invoke(client, 'echo', {}, { InvocationType: 'DryRun', LogType: 'None' });
      assert.equal(dry.status, 204);
      const next = (await invoke(client, 'echo')).result as { count: number };
      assert.equal(next.count, before.count + 1);
    });

    test('what does not exist is not found', async () => {
      await assert.rejects(invoke(client, 'nobody'), {
        name: 'ResourceNotFoundException',
        message:
          'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST',
      });
      await assert.rejects(invoke(client, 'echo', {}, { Qualifier: '7' }), {
        name: 'ResourceNotFoundException',
      });
    });

    test('a failed handler is a result with the language’s own error document', async () => {
      await deploy(client, 'node-error', {
        files: {
          'index.mjs':
            "export const handler = async () => { const e = new RangeError('too far'); throw e; };",
        },
      });
      const node = await invoke(client, 'node-error');
      assert.equal(node.status, 200);
      assert.equal(node.functionError, 'Unhandled');
      const nodeError = node.result as { errorType: string; errorMessage: string; trace: string[] };
      assert.equal(nodeError.errorType, 'RangeError');
      assert.equal(nodeError.errorMessage, 'too far');
      assert.match(nodeError.trace.join('\n'), /RangeError: too far\n.*index\.mjs/);
      assert.match(node.log, /\tERROR\tInvoke Error \t\{"errorType":"RangeError"/);

      await deploy(client, 'python-error', {
        Runtime: 'python3.11',
        Handler: 'app.handler',
        files: { 'app.py': "def handler(event, context):\n    raise KeyError('missing')\n" },
      });
      const python = await invoke(client, 'python-error');
      assert.equal(python.functionError, 'Unhandled');
      const pythonError = python.result as Record<string, unknown>;
      assert.equal(pythonError['errorType'], 'KeyError');
      assert.equal(pythonError['errorMessage'], "'missing'");
      assert.equal(pythonError['requestId'], python.requestId);
      assert.match(
        String((pythonError['stackTrace'] as string[])[0]),
        /app\.py", line 2, in handler/,
      );
      assert.match(python.log, /\[ERROR\] KeyError: 'missing'/);
    });

    test('a module that cannot be loaded fails in Init, and again inside the invocation', async () => {
      await deploy(client, 'import-error', { files: { 'index.js': "require('not-there');" } });
      const first = await invoke(client, 'import-error');
      assert.equal(first.functionError, 'Unhandled');
      assert.equal((first.result as { errorType: string }).errorType, 'Runtime.ImportModuleError');
      assert.match(
        first.log,
        /^INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: error\tError Type: Runtime\.ImportModuleError$/m,
      );
      assert.match(first.log, /^INIT_REPORT .*\tPhase: invoke\tStatus: error/m);
      assert.match(first.log, /\tStatus: error\tError Type: Runtime\.ImportModuleError\t$/m);
      const second = await invoke(client, 'import-error');
      assert.doesNotMatch(second.log, /Phase: init\t/);
    });

    test('a runtime that exits ends the invocation, and the reset keeps /tmp', async () => {
      await deploy(client, 'exits', {
        files: {
          'index.js': `
            const fs = require('node:fs'); const os = require('node:os');
            let fresh = true;
            exports.handler = async ({ exit }) => {
              const file = os.tmpdir() + '/kept';
              if (exit !== undefined) { fs.writeFileSync(file, 'here'); process.exit(exit); }
              const was = fresh; fresh = false;
              return { fresh: was, kept: fs.existsSync(file) };
            };`,
        },
      });
      await invoke(client, 'exits');
      const one = await invoke(client, 'exits', { exit: 7 });
      assert.equal(one.functionError, 'Unhandled');
      assert.deepEqual(one.result, {
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${one.requestId} Error: Runtime exited with error: exit status 7`,
      });
      assert.match(one.log, /\tStatus: error\tError Type: Runtime\.ExitError\t$/m);
      const next = await invoke(client, 'exits');
      assert.deepEqual(next.result, { fresh: true, kept: true });
      assert.doesNotMatch(next.log, /INIT_START|Init Duration/);
      const zero = await invoke(client, 'exits', { exit: 0 });
      assert.match(zero.text, /Error: Runtime exited without providing a reason/);
    });

    test('a timeout ends the invocation after the function’s timeout', async () => {
      await deploy(client, 'sleeps', {
        Timeout: 1,
        files: {
          'index.js':
            'exports.handler = (event) => new Promise((resolve) => setTimeout(resolve, event.ms ?? 0));',
        },
      });
      await invoke(client, 'sleeps');
      const late = await invoke(client, 'sleeps', { ms: 30_000 });
      assert.equal(late.functionError, 'Unhandled');
      assert.deepEqual(late.result, {
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${late.requestId} Error: Task timed out after 1.00 seconds`,
      });
      assert.match(late.log, /\tStatus: timeout\t$/m);
      const [, duration = '0'] = /Duration: (\d+)/.exec(late.log) ?? [];
      assert(Number(duration) >= 1000, late.log);
      assert.equal((await invoke(client, 'sleeps')).functionError, undefined);
    });

    test('an Init longer than 10 s is retried inside the first invocation', async () => {
      await deploy(client, 'slow-init', {
        Timeout: 30,
        Runtime: 'python3.11',
        Handler: 'app.handler',
        files: {
          'app.py': `
import os, time
path = (os.environ.get('TMPDIR') or '/tmp') + '/slow-init-${driver}-${process.pid}'
if not os.path.exists(path):
    open(path, 'w').close()
    time.sleep(60)
os.remove(path)
def handler(event, context):
    return 'ready'
`,
        },
      });
      const response = await invoke(client, 'slow-init');
      assert.equal(response.result, 'ready');
      assert.match(
        response.log,
        /^INIT_REPORT Init Duration: \d{5}\.\d\d ms\tPhase: init\tStatus: timeout$/m,
      );
      assert.doesNotMatch(response.log, /\tInit Duration/);
    });

    test(
      'out of memory is told from other exits',
      { skip: driver === 'process' && 'the process driver has no memory limit' },
      async () => {
        await deploy(client, 'hungry', {
          Timeout: 20,
          MemorySize: 128,
          Runtime: 'python3.11',
          Handler: 'app.handler',
          files: {
            'app.py':
              'def handler(event, context):\n    kept = []\n    while True:\n        kept.append(bytearray(b"x" * (8 << 20)))\n',
          },
        });
        const killed = await invoke(client, 'hungry');
        assert.deepEqual(killed.result, {
          errorType: 'Runtime.OutOfMemory',
          errorMessage: `RequestId: ${killed.requestId} Error: Runtime exited with error: signal: killed`,
        });
        assert.match(killed.log, /Max Memory Used: 128 MB\t.*Error Type: Runtime\.OutOfMemory\t$/m);
      },
    );

    test('payloads are bounded both ways', async () => {
      await deploy(client, 'sizes', {
        files: {
          'index.js':
            "exports.handler = async (event) => event.respond ? 'a'.repeat(event.respond) : JSON.stringify(event).length;",
        },
      });
      const sixMib = 6 * 1024 * 1024;
      const full = await invoke(client, 'sizes', { a: 'x'.repeat(sixMib - 8) });
      assert.equal(full.result, sixMib);
      await assert.rejects(invoke(client, 'sizes', { a: 'x'.repeat(sixMib) }), {
        name: 'RequestEntityTooLargeException',
        message: 'Request must be smaller than 6291456 bytes for the InvokeFunction operation',
      });
      const large = await invoke(client, 'sizes', { respond: sixMib - 2 });
      assert.equal((large.result as string).length, sixMib - 2);
      const tooLarge = await invoke(client, 'sizes', { respond: sixMib + 200 });
      assert.equal(tooLarge.functionError, 'Unhandled');
      assert.deepEqual(tooLarge.result, {
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage:
          'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      });
      assert.equal((await invoke(client, 'sizes', {})).result, 2);
    });

    test('the log tail is the last 4 KB', async () => {
      await deploy(client, 'talks', {
        files: {
          'index.js':
            "exports.handler = async () => { for (let i = 0; i < 2000; i += 1) console.log('line ' + i); };",
        },
      });
      const { log } = await invoke(client, 'talks');
      assert.equal(Buffer.byteLength(log), 4096);
      assert.match(log, /line 1999\n/);
      assert.match(log, reportPattern);
      assert.doesNotMatch(log, /line 1\n/);
    });

    test('context, client context, trace and environment are what is documented', async () => {
      await deploy(client, 'context', {
        Timeout: 9,
        MemorySize: 256,
        Environment: { Variables: { COLOUR: 'green', PATH_LIKE: '$HOME/x' } },
        files: {
          'index.js': `exports.handler = async (event, context) => ({
            context: { ...context, remaining: context.getRemainingTimeInMillis() }, env: process.env });`,
        },
      });
      const clientContext = { client: { app_title: 'tests' }, custom: { k: 'v' } };
      const { result, requestId } = await invoke(
        client,
        'context',
        {},
        {
          ClientContext: Buffer.from(JSON.stringify(clientContext)).toString('base64'),
        },
      );
      const { context, env } = result as {
        context: Record<string, unknown>;
        env: Record<string, string>;
      };
      assert.equal(context['awsRequestId'], requestId);
      assert.equal(context['functionName'], 'context');
      assert.equal(context['functionVersion'], '$LATEST');
      assert.equal(context['memoryLimitInMB'], '256');
      assert.equal(
        context['invokedFunctionArn'],
        'arn:aws:lambda:us-east-1:000000000000:function:context',
      );
      assert.deepEqual((context['clientContext'] as Record<string, unknown>)['custom'], { k: 'v' });
      const remaining = context['remaining'] as number;
      assert(remaining > 5000 && remaining <= 9000, String(remaining));
      assert.equal(env['COLOUR'], 'green');
      assert.equal(env['PATH_LIKE'], '$HOME/x');
      assert.equal(env['_HANDLER'], 'index.handler');
      assert.equal(env['AWS_REGION'], 'us-east-1');
      assert.equal(env['AWS_DEFAULT_REGION'], 'us-east-1');
      assert.equal(env['AWS_EXECUTION_ENV'], 'AWS_Lambda_nodejs24.x');
      assert.equal(env['AWS_LAMBDA_FUNCTION_NAME'], 'context');
      assert.equal(env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'], '256');
      assert.equal(env['AWS_LAMBDA_FUNCTION_VERSION'], '$LATEST');
      assert.equal(env['AWS_LAMBDA_INITIALIZATION_TYPE'], 'on-demand');
      assert.equal(env['AWS_LAMBDA_LOG_GROUP_NAME'], '/aws/lambda/context');
      assert.match(
        env['AWS_LAMBDA_LOG_STREAM_NAME'] ?? '',
        /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/,
      );
      assert.match(
        env['_X_AMZN_TRACE_ID'] ?? '',
        /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0/,
      );
      assert.equal(env['TZ'], ':UTC');
      assert.equal(env['LANG'], 'en_US.UTF-8');
      if (driver === 'oci') {
        assert.equal(env['LAMBDA_TASK_ROOT'], '/var/task');
        assert.equal(env['LAMBDA_RUNTIME_DIR'], '/var/runtime');
      }
    });

    test('versions keep their code while $LATEST moves on', async () => {
      await deploy(client, 'moves', {
        files: { 'index.js': "exports.handler = async () => 'one';" },
      });
      await client.send(new PublishVersionCommand({ FunctionName: 'moves' }));
      assert.equal((await invoke(client, 'moves')).result, 'one');
      await client.send(
        new UpdateFunctionCodeCommand({
          FunctionName: 'moves',
          ZipFile: await zip({
            'index.js': "exports.handler = async () => process.env.THIRD ?? 'two';",
          }),
        }),
      );
      await settled(client, 'moves');
      assert.equal((await invoke(client, 'moves')).result, 'two');
      const pinned = await invoke(client, 'moves', {}, { Qualifier: '1' });
      assert.equal(pinned.result, 'one');
      assert.equal(pinned.version, '1');
      await client.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: 'moves',
          Environment: { Variables: { THIRD: 'three' } },
        }),
      );
      await settled(client, 'moves');
      assert.equal((await invoke(client, 'moves:$LATEST')).result, 'three');
      assert.equal((await invoke(client, '000000000000:function:moves:1')).result, 'one');
    });

    test('one environment serves one request at a time, and as many as needed run', async () => {
      await deploy(client, 'parallel', {
        MemorySize: 1769,
        files: {
          'index.js': `
            const id = Math.random(); let inside = 0;
            exports.handler = async () => {
              inside += 1; const peak = inside;
              await new Promise((resolve) => setTimeout(resolve, 300));
              inside -= 1; return { id, peak };
            };`,
        },
      });
      const all = await Promise.all(Array.from({ length: 6 }, () => invoke(client, 'parallel')));
      const results = all.map(({ result }) => result as { id: number; peak: number });
      assert.equal(new Set(results.map(({ id }) => id)).size, 6);
      assert(results.every(({ peak }) => peak === 1));
      const warm = (await invoke(client, 'parallel')).result as { id: number };
      assert(results.some(({ id }) => id === warm.id));
    });
  });
}
