/** The managed Node.js runtime, on every Node.js version found: what a function sees and what comes out. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { InstalledRuntime } from '../../../src/worker/runtimes.ts';
import { hostCommand, installedRuntimes, repositoryFolder } from './installed-runtimes.ts';
import { FRAME, RuntimeBench } from './runtime-process.ts';

const { found, missing } = installedRuntimes('nodejs');
for (const { id, reason } of missing) it(`${id}`, { skip: reason }, () => {});
for (const runtime of found) {
  describe(`${runtime.id} (${runtime.version})`, { concurrency: 2 }, () => nodeSuite(runtime));
}

function nodeSuite(runtime: InstalledRuntime): void {
  const major = Number.parseInt(runtime.version, 10);
  const callbacks = major < 24;
  const bench = new RuntimeBench(hostCommand(runtime), {
    AWS_EXECUTION_ENV: `AWS_Lambda_${runtime.id}`,
    LAMBDA_RUNTIME_DIR: runtime.runtimeDir,
  });
  after(() => bench.close());

  const module = (body: string) => ({ 'index.mjs': body });
  const commonJs = (body: string) => ({ 'index.js': body });
  const handler = 'index.handler';
  const logLine = (level: string, message: string, id = '[0-9a-f-]{36}') =>
    new RegExp(
      `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\\t${id}\\t${level}\\t${message}`,
      'm',
    );

  describe('loading', () => {
    it('loads an ES module with top-level await before the first event', async () => {
      const process = await bench.start(
        module(
          `const value = await new Promise((r) => setTimeout(r, 5, 'ready'));
           export const handler = async () => value;`,
        ),
        handler,
      );
      assert.equal(await process.result({}), 'ready');
    });

    it('loads CommonJS, type: module, .cjs, nested folders and nested exports', async () => {
      const cases: [Record<string, string>, string][] = [
        [commonJs('exports.handler = async () => 1'), handler],
        [
          {
            'index.js': 'export const handler = async () => 1',
            'package.json': '{"type":"module"}',
          },
          handler,
        ],
        [
          { 'index.cjs': 'exports.handler = async () => 1', 'package.json': '{"type":"module"}' },
          handler,
        ],
        [{ 'src/deep/main.js': 'exports.run = async () => 1' }, 'src/deep/main.run'],
        [module('export const api = { v1: { get: async () => 1 } }'), 'index.api.v1.get'],
        [commonJs('module.exports = { handler: async () => 1 }'), handler],
      ];
      for (const [files, name] of cases) {
        const process = await bench.start(files, name);
        assert.equal(await process.result({}), 1, name);
        await process.stop();
      }
    });

    it('runs the example functions', async () => {
      const folder = join(repositoryFolder, 'test/fixtures/functions');
      const echo = await bench.startIn(join(folder, 'nodejs-echo'), handler);
      assert.deepEqual(await echo.result({ a: 1 }), { a: 1 });
      const describing = await bench.startIn(join(folder, 'nodejs-echo'), 'index.describe');
      const seen = (await describing.result({})) as { count: number; context: object };
      assert.equal(seen.count, 1);
      const commonJsExample = await bench.startIn(join(folder, 'nodejs-commonjs'), handler);
      assert.deepEqual(await commonJsExample.result(1), { from: 'commonjs', event: 1 });
      const failing = await bench.startIn(join(folder, 'nodejs-failures'), handler);
      assert.equal((await failing.failure({ how: 'throw' })).errorType, 'CustomError');
      assert.equal(await failing.result({}), 'no failure');
    });

    it('imports a handler given by an absolute path', async () => {
      const elsewhere = bench.folder({
        'wrap.mjs': 'export const handler = async () => "wrapped"',
      });
      const process = await bench.start({}, `${elsewhere}/wrap.handler`);
      assert.equal(await process.result({}), 'wrapped');
    });

    it('finds packages of the task first, then of NODE_PATH, for require and import', async () => {
      const layer = bench.folder({
        'nodejs/node_modules/shared/index.js': 'module.exports = "layer"',
        'nodejs/node_modules/both/index.js': 'module.exports = "layer"',
        'nodejs/node_modules/esm-only/package.json':
          '{"type":"module","exports":{"import":"./main.js"}}',
        'nodejs/node_modules/esm-only/main.js': 'export default "exports map"',
      });
      const env = { NODE_PATH: `${layer}/nodejs/node_modules:/nowhere/node_modules` };
      const files = {
        'node_modules/both/index.js': 'module.exports = "task"',
        'index.mjs': `import shared from 'shared'; import both from 'both'; import esm from 'esm-only';
          export const handler = async () => [shared, both, esm];`,
        'cjs.cjs': `exports.handler = async () => [require('shared'), require('both')]`,
      };
      const imported = await bench.start(files, handler, { env });
      assert.deepEqual(await imported.result({}), ['layer', 'task', 'exports map']);
      const required = await bench.start(files, 'cjs.handler', { env });
      assert.deepEqual(await required.result({}), ['layer', 'task']);
    });

    it('reports a missing file as Runtime.ImportModuleError', async () => {
      const { document, output, code } = await bench.initFailure({}, handler);
      assert.equal(document.errorType, 'Runtime.ImportModuleError');
      assert.match(document.errorMessage, /^Error: Cannot find module 'index'\nRequire stack:\n- /);
      assert.equal(
        document.trace?.[0],
        "Runtime.ImportModuleError: Error: Cannot find module 'index'",
      );
      const label = callbacks ? 'Uncaught Exception' : 'Init Error';
      assert.match(
        output,
        logLine('ERROR', `${label} \\t\\{"errorType":"Runtime.ImportModuleError"`, 'undefined'),
      );
      assert.equal(code, 1);
    });

    it('reports a missing dependency of CommonJS and of an ES module', async () => {
      const required = await bench.initFailure(commonJs(`require('absent')`), handler);
      assert.equal(required.document.errorType, 'Runtime.ImportModuleError');
      assert.match(required.document.errorMessage, /^Error: Cannot find module 'absent'/);
      const imported = await bench.initFailure(module(`import 'absent'`), handler);
      assert.equal(imported.document.errorType, 'Error');
      assert.match(imported.document.errorMessage, /^Cannot find package 'absent' imported from /);
    });

    it('reports a missing export as Runtime.HandlerNotFound', async () => {
      const absent = await bench.initFailure(module('export const other = 1'), handler);
      assert.equal(absent.document.errorType, 'Runtime.HandlerNotFound');
      assert.equal(absent.document.errorMessage, 'index.handler is undefined or not exported');
      const wrong = await bench.initFailure(module('export const handler = 1'), handler);
      assert.equal(wrong.document.errorType, 'Runtime.HandlerNotFound');
      assert.equal(wrong.document.errorMessage, 'index.handler is not a function');
    });

    it('reports a bad handler name as Runtime.MalformedHandlerName', async () => {
      for (const name of ['index', '../index.handler']) {
        const { document } = await bench.initFailure(module(''), name);
        assert.equal(document.errorType, 'Runtime.MalformedHandlerName', name);
      }
    });

    it('reports a syntax error as Runtime.UserCodeSyntaxError with its place', async () => {
      const required = await bench.initFailure(commonJs('\n\nlet let = 1'), handler);
      assert.equal(required.document.errorType, 'Runtime.UserCodeSyntaxError');
      assert.match(required.document.errorMessage, /^SyntaxError: /);
      assert.match(required.document.trace?.[1] ?? '', /index\.js:3/);
      const imported = await bench.initFailure(module('\n\nlet let = 1'), handler);
      assert.equal(imported.document.errorType, 'Runtime.UserCodeSyntaxError');
    });

    it('takes ES module syntax in a plain .js file only from Node.js 24 on', async () => {
      const files = commonJs('const x = await 1; export const handler = async () => x');
      if (callbacks) {
        const { document } = await bench.initFailure(files, handler);
        assert.equal(document.errorType, 'Runtime.UserCodeSyntaxError');
      } else {
        const process = await bench.start(files, handler);
        assert.equal(await process.result({}), 1);
      }
    });

    it('reports what the module threw, with its own fields in the log', async () => {
      const { document, output } = await bench.initFailure(
        module(`throw Object.assign(new TypeError('early'), { code: 'E1', detail: { a: 1 } })`),
        handler,
      );
      assert.equal(document.errorType, 'TypeError');
      assert.equal(document.errorMessage, 'early');
      assert.match(document.trace?.[1] ?? '', /index\.mjs:1/);
      assert.match(
        output,
        /"errorType":"TypeError","errorMessage":"early","code":"E1","detail":\{"a":1\},"stack":\[/,
      );
    });

    it('reports a rejection nobody handles during init', async () => {
      const { document, output } = await bench.initFailure(
        module(`Promise.reject(new Error('floating')); await new Promise((r) => setTimeout(r, 50));
          export const handler = async () => 1`),
        handler,
      );
      assert.equal(document.errorType, 'Runtime.UnhandledPromiseRejection');
      assert.match(output, /Unhandled Promise Rejection/);
    });

    it('reports a top-level await that never settles', async () => {
      const { document } = await bench.initFailure(module('await new Promise(() => {})'), handler);
      assert.equal(document.errorType, 'Runtime.NodeJsExit');
    });

    it('exits without a frame when the module calls process.exit', async () => {
      const process = await bench.boot();
      bench.bind(process, bench.folder(module('process.exit(7)')), {}, handler);
      assert.equal(await process.frame(), null);
      assert.equal((await process.exited).code, 7);
    });
  });

  describe('environment', () => {
    it('replaces the whole environment and enters the task root', async () => {
      const process = await bench.boot({ LEFTOVER: 'from the pool' });
      const root = bench.folder(
        module('export const handler = async () => ({ env: process.env, cwd: process.cwd() })'),
      );
      bench.bind(process, root, { env: { GREETING: 'hello' } }, handler);
      await process.expect('NEXT');
      const { env, cwd } = (await process.result({})) as {
        env: Record<string, string>;
        cwd: string;
      };
      assert.equal(cwd, root);
      assert.equal(env['GREETING'], 'hello');
      assert.equal(env['LEFTOVER'], undefined);
      assert.equal(env['AWS_LAMBDA_FUNCTION_NAME'], 'example');
    });

    it('keeps the environment of a process started for its function', async () => {
      const process = await bench.boot({ FROM_WRAPPER: 'yes' });
      const taskRoot = bench.folder(
        module('export const handler = async () => process.env.FROM_WRAPPER'),
      );
      process.send(FRAME.INIT, { handler, taskRoot, env: null });
      await process.expect('NEXT');
      assert.equal(await process.result({}), 'yes');
    });

    it('sets the trace id for each event and removes it when there is none', async () => {
      const process = await bench.start(
        module('export const handler = async () => process.env._X_AMZN_TRACE_ID ?? null'),
        handler,
      );
      assert.equal(await process.result({}, { traceId: 'Root=1-a' }), 'Root=1-a');
      assert.equal(await process.result({}, { traceId: 'Root=1-b' }), 'Root=1-b');
      assert.equal(await process.result({}, { traceId: undefined }), null);
    });

    it('applies TZ', async () => {
      const body = module('export const handler = async () => new Date(0).getHours()');
      const utc = await bench.start(body, handler);
      assert.equal(await utc.result({}), 0);
      const tokyo = await bench.start(body, handler, { env: { TZ: 'Asia/Tokyo' } });
      assert.equal(await tokyo.result({}), 9);
    });

    it('leaves nothing of the runtime in globals, argv or require.main', async () => {
      const process = await bench.start(
        {
          'index.cjs': `const known = new Set(require('./known.json'));
            exports.handler = async () => ({
              globals: Object.getOwnPropertyNames(globalThis).filter((n) => !known.has(n)),
              cached: Object.keys(require.cache), main: String(require.main), streaming: typeof awslambda.streamifyResponse });`,
          'known.json': JSON.stringify([]),
        },
        handler,
      );
      const seen = (await process.result({})) as {
        globals: string[];
        main: string;
        cached: string[];
        streaming: string;
      };
      assert.deepEqual(
        seen.cached.filter((file) => file.includes('/runtimes/')),
        [],
      );
      assert.equal(seen.main, 'undefined');
      assert.equal(seen.streaming, 'function');
      assert(seen.globals.includes('awslambda'));
      assert(!seen.globals.some((name) => /^(channel|invocation|bootstrap|handler)/.test(name)));
    });

    it('keeps the channel from child processes', async () => {
      const process = await bench.start(
        module(`import { execFileSync } from 'node:child_process';
          export const handler = async () => execFileSync('/bin/ls', ['-l', '/proc/self/fd']).toString();`),
        handler,
      );
      assert.doesNotMatch(String(await process.result({})), / 3 -> socket:/);
    });
  });

  describe('results', () => {
    it('answers null for undefined and for what has no JSON form', async () => {
      const process = await bench.start(
        module(`export const handler = async (kind) =>
          ({ none: undefined, function: () => 1, symbol: Symbol('x') })[kind];`),
        handler,
      );
      for (const kind of ['none', 'function', 'symbol']) {
        assert.equal((await process.invoke(kind)).text, 'null', kind);
      }
    });

    it('returns large and non-ASCII results whole', async () => {
      const process = await bench.start(module('export const handler = async (e) => e'), handler);
      const text = 'é漢🙂'.repeat(600_000);
      assert.equal(await process.result(text), text);
      assert.equal(await process.result({ small: 'é' }).then(JSON.stringify), '{"small":"é"}');
    });

    it('fails results that cannot be serialised and goes on', async () => {
      const process = await bench.start(
        module(`export const handler = async (kind) => {
          if (kind === 'circular') { const o = {}; o.o = o; return o; }
          if (kind === 'bigint') return 1n;
          return 'fine';
        }`),
        handler,
      );
      for (const kind of ['circular', 'bigint']) {
        const document = await process.failure(kind);
        assert.equal(document.errorMessage, 'Unable to stringify response body');
        assert.equal(document.errorType, callbacks ? 'Error' : 'Runtime.JSONStringifyError');
      }
      assert.equal(await process.result('x'), 'fine');
    });

    it('fails an event that is not JSON', async () => {
      const process = await bench.start(module('export const handler = async (e) => e'), handler);
      assert.equal((await process.failure(Buffer.from('{'))).errorType, 'SyntaxError');
      assert.equal(await process.result(1), 1);
    });

    it('keeps module state between events', async () => {
      const process = await bench.start(
        module('let n = 0; export const handler = async () => ++n'),
        handler,
      );
      assert.equal(await process.result({}), 1);
      assert.equal(await process.result({}), 2);
    });

    it('collects what a streaming handler writes', async () => {
      const process = await bench.start(
        module(`export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
          stream.setContentType('text/plain');
          stream.write('part one, ');
          await new Promise((r) => setTimeout(r, 5));
          stream.end(context.awsRequestId);
        });
        export const http = awslambda.streamifyResponse(async (event, stream) => {
          stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
          stream.end('body');
        });`),
        handler,
      );
      const outcome = await process.invoke({});
      assert.equal(outcome.text, `part one, ${String(outcome.header['requestId'])}`);
      assert.equal(outcome.header['contentType'], 'text/plain');
    });
  });

  describe('context', () => {
    it('is complete', async () => {
      const process = await bench.start(
        module(`export const handler = async (event, context) => ({
          ...context, keys: Object.keys(context), remaining: context.getRemainingTimeInMillis() })`),
        handler,
      );
      const context = (await process.result(
        {},
        {
          deadlineMs: Date.now() + 5000,
          clientContext: '{"custom":{"a":"b"}}',
          cognitoIdentity: '{"identityId":"id","identityPoolId":"pool"}',
          tenantId: 'BlueTenant',
        },
      )) as Record<string, unknown>;
      assert.equal(context['functionName'], 'example');
      assert.equal(context['functionVersion'], '$LATEST');
      assert.equal(context['memoryLimitInMB'], '128');
      assert.equal(context['logGroupName'], '/aws/lambda/example');
      assert.match(String(context['logStreamName']), /^2026\/01\/01\/\[\$LATEST\]/);
      assert.match(String(context['invokedFunctionArn']), /:function:example$/);
      assert.match(String(context['awsRequestId']), /^0{8}-/);
      assert.deepEqual(context['clientContext'], { custom: { a: 'b' } });
      assert.equal(context['tenantId'], 'BlueTenant');
      assert.deepEqual(context['identity'], {
        cognitoIdentityId: 'id',
        cognitoIdentityPoolId: 'pool',
      });
      assert(Number(context['remaining']) > 3000 && Number(context['remaining']) <= 5000);
      const keys = context['keys'] as string[];
      for (const name of ['callbackWaitsForEmptyEventLoop', 'done', 'succeed', 'fail']) {
        assert.equal(keys.includes(name), callbacks, name);
      }
      const plain = (await process.result({})) as Record<string, unknown>;
      assert.equal(plain['clientContext'], undefined);
      assert.equal(plain['identity'], undefined);
      assert.equal(plain['tenantId'], undefined);
    });
  });

  describe('errors', () => {
    it('formats a thrown error for the caller and for the log', async () => {
      const process = await bench.start(
        module(`class Custom extends Error { constructor(m) { super(m); this.name = 'Custom'; this.detail = 7; } }
          export const handler = async () => { throw new Custom('boom'); }`),
        handler,
      );
      const outcome = await process.invoke({});
      const document = JSON.parse(outcome.text) as Record<string, unknown>;
      assert.deepEqual(Object.keys(document), ['errorType', 'errorMessage', 'trace']);
      assert.equal(document['errorType'], 'Custom');
      assert.equal(document['errorMessage'], 'boom');
      const trace = document['trace'] as string[];
      assert.match(trace[0] ?? '', /: boom$/);
      assert.match(trace[1] ?? '', /^ {4}at .*index\.mjs:2:\d+\)?$/);
      assert.match(
        process.output,
        logLine(
          'ERROR',
          'Invoke Error \\t\\{"errorType":"Custom","errorMessage":"boom",.*"detail":7,.*"stack":\\[',
        ),
      );
      assert.equal(outcome.next, true);
    });

    it('formats thrown values that are not errors', async () => {
      const process = await bench.start(
        module(`export const handler = async (kind) => {
          if (kind === 'text') throw 'just text';
          if (kind === 'object') throw { a: 1 };
          if (kind === 'number') throw 42;
          if (kind === 'hostile') throw { get name() { throw new Error('no'); } };
          throw undefined;
        }`),
        handler,
      );
      assert.deepEqual(await process.failure('text'), {
        errorType: 'string',
        errorMessage: 'just text',
        trace: [],
      });
      assert.deepEqual(await process.failure('object'), {
        errorType: 'object',
        errorMessage: '[object Object]',
        trace: [],
      });
      assert.deepEqual(await process.failure('number'), {
        errorType: 'number',
        errorMessage: '42',
        trace: [],
      });
      assert.equal((await process.failure('hostile')).errorType, 'handled');
      assert.deepEqual(await process.failure('undefined'), {
        errorType: 'string',
        errorMessage: 'handled',
        trace: [],
      });
    });

    it('reports a synchronous throw', async () => {
      const process = await bench.start(
        module(`export const handler = () => { throw new RangeError('sync'); }`),
        handler,
      );
      assert.equal((await process.failure({})).errorType, 'RangeError');
    });

    it('reports an uncaught exception to the caller, then ends the process', async () => {
      const process = await bench.start(
        module(`export const handler = () => new Promise(() => {
          setTimeout(() => { throw new Error('later'); }, 5); })`),
        handler,
      );
      const outcome = await process.invoke({});
      assert.equal(outcome.name, 'ERROR');
      assert.equal(outcome.next, false);
      assert.equal((JSON.parse(outcome.text) as { errorMessage: string }).errorMessage, 'later');
      assert.deepEqual(await process.exited, { code: 129, signal: null });
      assert.match(
        process.output,
        logLine('ERROR', 'Uncaught Exception \\t\\{"errorType":"Error","errorMessage":"later"'),
      );
    });

    it('reports a rejection nobody handles, then ends the process', async () => {
      const process = await bench.start(
        module(`export const handler = async () => {
          Promise.reject(new TypeError('lost'));
          await new Promise((r) => setTimeout(r, 1000)); }`),
        handler,
      );
      const outcome = await process.invoke({});
      const document = JSON.parse(outcome.text) as { errorType: string; errorMessage: string };
      assert.equal(document.errorType, 'Runtime.UnhandledPromiseRejection');
      assert.equal(document.errorMessage, 'TypeError: lost');
      assert.equal(outcome.next, false);
      assert.equal((await process.exited).code, 128);
      assert.match(
        process.output,
        logLine(
          'ERROR',
          'Unhandled Promise Rejection \\t\\{.*"reason":\\{"errorType":"TypeError","errorMessage":"lost",.*"promise":\\{\\}',
        ),
      );
    });

    it('answers, logs, then ends when the handler returned with a rejection left behind', async () => {
      const process = await bench.start(
        module(
          `export const handler = async () => { Promise.reject(new Error('left behind')); return 'done'; }`,
        ),
        handler,
      );
      const outcome = await process.invoke({});
      assert.equal(outcome.text, '"done"');
      assert.equal(outcome.next, false);
      assert.match(process.output, /Unhandled Promise Rejection/);
      assert.equal((await process.exited).code, 128);
    });

    it('ends with the status the handler gives process.exit', async () => {
      const process = await bench.start(
        module(
          `export const handler = async () => { console.log('last words'); process.exit(3); }`,
        ),
        handler,
      );
      process.sendInvoke({});
      assert.equal(await process.frame(), null);
      assert.deepEqual(await process.exited, { code: 3, signal: null });
      assert.match(process.output, /last words/);
    });

    it('reports a promise that can never settle', async () => {
      const process = await bench.start(
        module('export const handler = () => new Promise(() => {})'),
        handler,
      );
      const outcome = await process.invoke({});
      assert.equal(outcome.header['errorType'], 'Runtime.NodeJsExit');
      assert.equal(outcome.next, false);
    });
  });

  describe('callbacks', { skip: callbacks ? false : 'removed in Node.js 24' }, () => {
    it('takes the result or the error of the callback', async () => {
      const process = await bench.start(
        commonJs(`exports.handler = (event, context, callback) =>
          setTimeout(() => callback(event.fail ? new Error('no') : null, 'yes'), 5);`),
        handler,
      );
      assert.equal(await process.result({}), 'yes');
      assert.equal((await process.failure({ fail: true })).errorMessage, 'no');
    });

    it('holds the result back until the event loop is empty', async () => {
      const process = await bench.start(
        commonJs(`exports.handler = (event, context, callback) => {
          setTimeout(() => console.log('after the callback'), 60);
          callback(null, 1);
        };`),
        handler,
      );
      const started = Date.now();
      assert.equal(await process.result({}), 1);
      assert(Date.now() - started >= 55);
      assert.match(process.output, /after the callback/);
    });

    it('answers at once with callbackWaitsForEmptyEventLoop off, and resumes in the next event', async () => {
      const process = await bench.start(
        commonJs(`let late = 'pending';
          exports.handler = (event, context, callback) => {
            context.callbackWaitsForEmptyEventLoop = false;
            if (event.first) { setTimeout(() => { late = 'resumed'; }, 30); return callback(null, late); }
            setTimeout(() => callback(null, late), 60);
          };`),
        handler,
      );
      const started = Date.now();
      assert.equal(await process.result({ first: true }), 'pending');
      assert(Date.now() - started < 1000);
      assert.equal(await process.result({}), 'resumed');
    });

    it('supports done, succeed and fail', async () => {
      const process = await bench.start(
        commonJs(
          `exports.handler = (event, context) => { setTimeout(() => {}, 10_000); context[event.how](event.a, event.b); };`,
        ),
        handler,
      );
      assert.equal(await process.result({ how: 'succeed', a: 'one' }), 'one');
      assert.equal(await process.result({ how: 'done', a: null, b: 'two' }), 'two');
      assert.equal((await process.failure({ how: 'fail', a: 'three' })).errorMessage, 'three');
      assert.equal((await process.failure({ how: 'fail' })).errorMessage, 'handled');
      assert.equal((await process.failure({ how: 'done', a: 'four' })).errorMessage, 'four');
    });

    it('answers null when the handler neither returns a promise nor calls back', async () => {
      const process = await bench.start(commonJs('exports.handler = () => "ignored"'), handler);
      assert.equal((await process.invoke({})).text, 'null');
      assert.equal((await process.invoke({})).text, 'null');
    });

    it('takes only the first outcome', async () => {
      const process = await bench.start(
        commonJs(`exports.handler = async (event, context, callback) => {
          context.callbackWaitsForEmptyEventLoop = false;
          callback(null, 'first'); callback(null, 'second'); return 'third'; };`),
        handler,
      );
      assert.equal(await process.result({}), 'first');
      assert.equal(await process.result({}), 'first');
    });
  });

  describe('without callbacks', { skip: callbacks ? 'from Node.js 24 on' : false }, () => {
    it('refuses a handler that takes a callback', async () => {
      const { document, output } = await bench.initFailure(
        module('export const handler = (event, context, callback) => callback(null, 1)'),
        handler,
      );
      assert.equal(document.errorType, 'Runtime.CallbackHandlerDeprecated');
      assert.match(
        output,
        logLine(
          'ERROR',
          'Init Error \\t\\{"errorType":"Runtime.CallbackHandlerDeprecated"',
          'undefined',
        ),
      );
    });

    it('takes what a synchronous handler returns', async () => {
      const process = await bench.start(
        module('export const handler = (event) => event.a'),
        handler,
      );
      assert.equal(await process.result({ a: 5 }), 5);
    });
  });

  describe('output', () => {
    it('formats console lines and leaves direct writes alone', async () => {
      const process = await bench.start(
        module(`console.log('at init');
          export const handler = async () => {
            console.log('a %s of %d', 'text', 2, { deep: { er: [1] } });
            console.info('i'); console.warn('w'); console.error('e'); console.debug('d'); console.trace('t');
            process.stdout.write('raw ');
            process.stderr.write('bytes\\n');
          }`),
        handler,
      );
      assert.match(process.output, logLine('INFO', 'at init\\n', 'undefined'));
      process.clearOutput();
      const { header } = await process.invoke({});
      const id = String(header['requestId']);
      const lines = process.output.split('\n');
      assert.match(
        lines[0] ?? '',
        logLine('INFO', 'a text of 2 \\{ deep: \\{ er: \\[ 1 \\] \\} \\}$', id),
      );
      assert.deepEqual(
        lines.slice(1, 6).map((line) => line.split('\t').slice(1)),
        [
          [id, 'INFO', 'i'],
          [id, 'WARN', 'w'],
          [id, 'ERROR', 'e'],
          [id, 'DEBUG', 'd'],
          [id, 'TRACE', 't'],
        ],
      );
      assert.equal(lines[6], 'raw bytes');
    });

    it('loses nothing when much is written just before the end', async () => {
      const process = await bench.start(
        module(`export const handler = async () => {
          const line = 'x'.repeat(1023) + '\\n';
          for (let i = 0; i < 2000; i += 1) process.stdout.write(line);
          console.log('last'); process.exit(0); }`),
        handler,
      );
      process.sendInvoke({});
      await process.exited;
      assert.equal(process.output.split('\n').length, 2002);
      assert.match(process.output, /\tlast\n$/);
    });

    it('writes JSON lines and drops lower levels when asked', async () => {
      const process = await bench.start(
        module(`export const handler = async (event) => {
          console.debug('hidden'); console.info('hidden'); console.warn('shown');
          console.error(new TypeError('bad')); console.error('with', new TypeError('worse'));
          const o = { n: 1n }; console.warn(o); console.warn({ plain: [1] });
          if (event.fail) throw new Error('boom'); }`),
        handler,
        { env: { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'WARN' } },
      );
      const { header } = await process.invoke({ fail: true });
      const lines = process.output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.equal(lines.length, 6);
      assert.deepEqual(
        { ...lines[0], timestamp: '' },
        {
          timestamp: '',
          level: 'WARN',
          requestId: header['requestId'],
          message: 'shown',
        },
      );
      const [, thrown, mixed, unserialisable, plain, last] = lines as Record<
        string,
        Record<string, unknown>
      >[];
      assert.equal(thrown?.['message']?.['errorType'], 'TypeError');
      assert(Array.isArray(thrown?.['message']?.['stackTrace']));
      assert.match(String(mixed?.['message']), /^with TypeError: worse/);
      assert.equal(mixed?.['errorMessage'], 'worse');
      assert.equal(unserialisable?.['message'], '{ n: 1n }');
      assert.deepEqual(plain?.['message'], { plain: [1] });
      assert.equal(last?.['level'], 'ERROR');
      assert.equal(last?.['message']?.['errorMessage'], 'boom');
    });

    it('names the tenant in JSON lines of its invocations', async () => {
      const process = await bench.start(
        module(`console.log('init');
          export const handler = async () => {
            console.log('one'); console.log({ n: 1n }); throw new Error('boom'); }`),
        handler,
        { env: { AWS_LAMBDA_LOG_FORMAT: 'JSON' } },
      );
      await process.invoke({}, { tenantId: 'BlueTenant' });
      const lines = process.output.trim().split('\n');
      const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      const tenants = records.map(({ tenantId }) => tenantId);
      assert.deepEqual(tenants, [undefined, 'BlueTenant', 'BlueTenant', 'BlueTenant']);
      assert.deepEqual(Object.keys(records[1] ?? {}), [
        ...['timestamp', 'level', 'requestId', 'tenantId', 'message'],
      ]);
    });
  });

  describe('process', () => {
    it('waits idle, lets SIGTERM end it, and lets a handler trap SIGTERM', async () => {
      const plain = await bench.start(module('export const handler = async () => 1'), handler);
      plain.signal('SIGTERM');
      assert.deepEqual(await plain.exited, { code: null, signal: 'SIGTERM' });
      const trapping = await bench.start(
        module(`process.on('SIGTERM', () => { console.log('trapped'); process.exit(0); });
          export const handler = async () => 1`),
        handler,
      );
      await trapping.result({});
      trapping.signal('SIGTERM');
      assert.deepEqual(await trapping.exited, { code: 0, signal: null });
      assert.match(trapping.output, /trapped/);
    });

    it('exits at once when the host is gone', async () => {
      const booted = await bench.boot();
      booted.closeChannel();
      assert.deepEqual(await booted.exited, { code: 0, signal: null });
      const bound = await bench.start(
        module('setInterval(() => {}, 1000); export const handler = async () => 1'),
        handler,
      );
      bound.closeChannel();
      assert.deepEqual(await bound.exited, { code: 0, signal: null });
    });

    it('takes INIT before it has said BOOTED', async () => {
      const process = await bench.boot();
      const root = bench.folder(module('export const handler = async () => 1'));
      bench.bind(process, root, {}, handler);
      await process.expect('NEXT');
      process.send(FRAME.INIT, { handler, taskRoot: root, env: {} });
      assert.equal(await process.result({}), 1);
    });

    it('applies NODE_OPTIONS once, and all of them, in a process started with them', async () => {
      mkdirSync(join(bench.root, 'wrap'), { recursive: true });
      writeFileSync(
        join(bench.root, 'wrap/pre.cjs'),
        'globalThis.times = (globalThis.times ?? 0) + 1',
      );
      const env = { NODE_OPTIONS: `--require ${join(bench.root, 'wrap/pre.cjs')}` };
      const process = await bench.boot(env);
      const root = bench.folder(module('export const handler = async () => times'));
      process.send(FRAME.INIT, { handler, taskRoot: root, env: null });
      await process.expect('NEXT');
      assert.equal(await process.result({}), 1);
    });
  });
}
