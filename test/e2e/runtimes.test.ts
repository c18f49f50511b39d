/**
 * Every runtime that this host offers, through the whole program on every driver; and custom runtimes
 * in the Runtime API's corners: what it answers to a runtime that keeps to no order.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { findRuntimeSearch } from '../../src/config.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';
import { deploy, invoke } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const runtimes = createRuntimeCatalog(findRuntimeSearch()).list();
const fixtures = new URL('../fixtures/', import.meta.url);

const nodeModule = `
import { setTimeout as sleep } from 'node:timers/promises';
const ready = await sleep(1, 'awaited at the top');
export const handler = async (event, context) => {
  console.log('grüße', { from: context.functionName });
  return { ready, version: process.version, event };
};
`;
const pythonModule = `
import logging, sys
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    logging.info("grüße from %s", context.function_name)
    return {"version": "%d.%d" % sys.version_info[:2], "event": event, "left": context.get_remaining_time_in_millis() > 0}
`;

/** A bootstrap that breaks every rule of the order and reports what it was told. */
const rudeBootstrap = `#!/usr/bin/python3
import http.client, json, os, sys
HOST = os.environ["AWS_LAMBDA_RUNTIME_API"]
BASE = "/2018-06-01/runtime"
def call(method, path, body=None):
    connection = http.client.HTTPConnection(HOST)
    connection.request(method, BASE + path, body)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response, text
def post(path, body=b"null"):
    response, text = call("POST", path, body)
    return [response.status, json.loads(text).get("errorType")]
last = None
while True:
    response, text = call("GET", "/invocation/next")
    request = response.headers["Lambda-Runtime-Aws-Request-Id"]
    event = json.loads(text)
    told = {}
    told["wrong id"] = post("/invocation/00000000-0000-0000-0000-000000000000/response")
    told["init error after init"] = post("/init/error", b"{}")
    told["next before a response"] = [call("GET", "/invocation/next")[0].status]
    if last is not None:
        told["late response"] = post("/invocation/" + last + "/response")
    if event.get("large"):
        told["too large"] = post("/invocation/" + request + "/response", b'"' + b"a" * (7 << 20) + b'"')
        print("TOLD", json.dumps(told), flush=True)
        print("DUPLICATE", post("/invocation/" + request + "/response"), flush=True)
    elif event.get("fail"):
        print("ERROR", post("/invocation/" + request + "/error", b'{"errorType":"Mine","errorMessage":"no"}'), flush=True)
    else:
        print("RESPONSE", post("/invocation/" + request + "/response", json.dumps(told).encode()), flush=True)
    last = request
`;

for (const driver of drivers) {
  describe(`runtimes on the ${driver} driver`, () => {
    let hearth: HearthProcess;
    let client: LambdaClient;

    before(async () => {
      hearth = await HearthProcess.start({ driver, flags: ['--pool-size', '1'] });
      ({ client } = hearth);
    });
    after(() => hearth.stopAndRemove());

    for (const runtime of runtimes) {
      const { id } = runtime;
      if (!id.startsWith('nodejs') && !id.startsWith('python')) continue;
      test(`${id} runs a handler`, { skip: !runtime.available && runtime.reason }, async () => {
        const isNode = id.startsWith('nodejs');
        const name = id.replace('.', '-');
        await deploy(client, name, {
          Runtime: id as 'nodejs24.x',
          Handler: 'lib/app.handler',
          MemorySize: 512,
          files: isNode ? { 'lib/app.mjs': nodeModule } : { 'lib/app.py': pythonModule },
        });
        const event = { text: 'ünï', list: [1, 2.5, null, true] };
        for (const start of ['cold', 'warm']) {
          const answer = await invoke(client, name, event);
          const result = answer.result as Record<string, unknown>;
          assert.equal(answer.functionError, undefined, `${start}: ${answer.text}`);
          assert.deepEqual(result['event'], event);
          const [, major = ''] = /^[a-z]+(.*?)(\.x)?$/.exec(id) ?? [];
          assert(String(result['version']).replace('v', '').startsWith(major), answer.text);
          assert.match(answer.log, /grüße/);
          if (isNode) assert.equal(result['ready'], 'awaited at the top');
        }
      });
    }

    test('a runtime that is missing here says so plainly', async () => {
      await deploy(client, 'missing', {
        Runtime: 'dotnet8',
        Handler: 'A::B::C',
        files: { a: 'a' },
      });
      await assert.rejects(invoke(client, 'missing'), (error: Error & { $metadata: unknown }) => {
        assert.equal(error.name, 'InvalidRuntimeException');
        assert.match(error.message, /\.NET/);
        return true;
      });
    });

    test('a shell script is a runtime', async () => {
      const folder = new URL('functions/provided-shell/', fixtures);
      const script = await readFile(new URL('bootstrap', folder));
      await deploy(client, 'shell', {
        Runtime: 'provided.al2023',
        Handler: 'function.handler',
        MemorySize: 1024,
        Timeout: 10,
        files: {
          bootstrap: { text: script, mode: 0o100755 },
          'function.sh': await readFile(new URL('function.sh', folder), 'utf8'),
        },
      });
      for (const n of [1, 2, 3]) {
        const answer = await invoke(client, 'shell', { n });
        assert.equal(answer.functionError, undefined, answer.text);
        assert.match(answer.text, new RegExp(`"n": ?${n}`));
        assert.equal(/Init Duration/.test(answer.log), n === 1);
      }
    });

    test('a compiled program is a runtime', { skip: noCompiler() }, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'hearth-c-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const source = new URL('bootstrap-c/bootstrap.c', fixtures).pathname;
      execFileSync('cc', ['-O1', '-o', join(folder, 'bootstrap'), source]);
      const text = await readFile(join(folder, 'bootstrap'));
      await deploy(client, 'compiled', {
        Runtime: 'provided.al2',
        Handler: 'any.thing',
        files: { bootstrap: { text, mode: 0o100755 } },
      });
      for (const n of [1, 2, 3]) {
        const answer = await invoke(client, 'compiled', { n });
        assert.equal(answer.functionError, undefined, answer.text);
      }
    });

    test('a bootstrap that is missing or not executable is an invalid entrypoint', async () => {
      for (const [name, files] of [
        ['no-bootstrap', { other: 'x' }],
        ['not-executable', { bootstrap: '#!/bin/sh\nexit 0\n' }],
      ] as const) {
        await deploy(client, name, { Runtime: 'provided.al2023', Handler: 'x', files });
        const answer = await invoke(client, name);
        assert.equal(answer.functionError, 'Unhandled');
        const result = answer.result as Record<string, string>;
        assert.equal(result['errorType'], 'Runtime.InvalidEntrypoint');
        assert.match(result['errorMessage'] ?? '', /Couldn't find valid bootstrap\(s\): \[/);
        assert.match(answer.log, /Error Type: Runtime\.InvalidEntrypoint/);
      }
    });

    test('the Runtime API keeps its order against a runtime that does not', async () => {
      await deploy(client, 'rude', {
        Runtime: 'provided.al2023',
        Handler: 'x',
        MemorySize: 1769,
        Timeout: 20,
        files: { bootstrap: { text: rudeBootstrap, mode: 0o100755 } },
      });
      const first = await invoke(client, 'rude');
      assert.deepEqual(first.result, {
        'wrong id': [400, 'InvalidRequestID'],
        'init error after init': [403, 'InvalidStateTransition'],
        'next before a response': [403],
      });
      assert.match(first.log, /RESPONSE \[202, None\]/);
      const second = (await invoke(client, 'rude')).result as Record<string, unknown>;
      assert.deepEqual(second['late response'], [400, 'InvalidRequestID']);
      const large = await invoke(client, 'rude', { large: true });
      assert.equal(large.functionError, 'Unhandled');
      assert.equal(
        (large.result as Record<string, string>)['errorType'],
        'Function.ResponseSizeTooLarge',
      );
      assert.match(large.log, /"too large": \[413, "RequestEntityTooLarge"\]/);
      assert.match(large.log, /DUPLICATE \[403, 'InvalidStateTransition'\]/);
      const failed = await invoke(client, 'rude', { fail: true });
      assert.equal(failed.functionError, 'Unhandled');
      assert.deepEqual(failed.result, { errorType: 'Mine', errorMessage: 'no' });
      assert.match(failed.log, /ERROR \[202, None\]/);
    });

    test('a runtime that never asks for an event runs into Init’s limit and the timeout', async () => {
      await deploy(client, 'silent', {
        Runtime: 'provided.al2023',
        Handler: 'x',
        Timeout: 1,
        files: { bootstrap: { text: '#!/bin/sh\nexec sleep 600\n', mode: 0o100755 } },
      });
      const answer = await invoke(client, 'silent');
      assert.equal((answer.result as Record<string, string>)['errorType'], 'Sandbox.Timedout');
      assert.match(
        answer.log,
        /^INIT_REPORT Init Duration: 1\d{4}\.\d\d ms\tPhase: init\tStatus: timeout$/m,
      );
      assert.match(answer.log, /^INIT_REPORT .*\tPhase: invoke\tStatus: timeout$/m);
    });

    test('a custom runtime has the documented environment and reports its own init error', async () => {
      await deploy(client, 'init-error', {
        Runtime: 'provided.al2023',
        Handler: 'some.handler',
        MemorySize: 512,
        files: {
          bootstrap: {
            text: `#!/bin/sh
ERROR="{\\"errorMessage\\":\\"$_HANDLER \${AWS_EXECUTION_ENV-none} $LAMBDA_TASK_ROOT\\",\\"errorType\\":\\"Runtime.ConfigInvalid\\"}"
curl -sS -X POST "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/init/error" -d "$ERROR" -H "Lambda-Runtime-Function-Error-Type: Runtime.ConfigInvalid"
exit 1
`,
            mode: 0o100755,
          },
        },
      });
      const answer = await invoke(client, 'init-error');
      const result = answer.result as Record<string, string>;
      assert.equal(result['errorType'], 'Runtime.ConfigInvalid', answer.text + answer.log);
      assert.match(result['errorMessage'] ?? '', /^some\.handler none \//);
      assert.match(answer.log, /Phase: init\tStatus: error\tError Type: Runtime\.ConfigInvalid/);
    });
  });
}

function noCompiler(): string | false {
  const found = spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0;
  return found || process.env['CI'] === 'true' ? false : 'no C compiler (cc) on this machine';
}
