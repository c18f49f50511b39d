/**
 * What a function can change about its managed runtime (guide page 053), on every driver: a wrapper
 * script or program that starts it, and the variables that its interpreter reads at the start. The pool
 * holds booted runtimes, which such functions must not get.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import {
  PublishLayerVersionCommand,
  type CreateFunctionCommandInput,
  type LambdaClient,
  type Runtime,
} from '@aws-sdk/client-lambda';
import { findRuntimeSearch } from '../../src/config.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';
import { deploy, invoke, zip, type Invoked, type ZipFile } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const runtimes = createRuntimeCatalog(findRuntimeSearch()).list();
const pythonIds = runtimes.filter(({ id, available }) => id.startsWith('python') && available);
const python = pythonIds.at(-1)?.id as Runtime;
const pythonOptions = { skip: pythonIds.length === 0 && 'no Python here' };

function script(text: string): ZipFile {
  return { text, mode: 0o100755 };
}

/** Puts words before the runtime's last argument, its bootstrap, and becomes it. */
const inserting = (...words: string[]): ZipFile =>
  script(`#!/bin/bash
set -e
bootstrap="\${!#}"
export WRAPPED_BY="$0" INTERPRETER="$1" ARGUMENT_COUNT="$#" TZ="Asia/Tokyo"
export NODE_OPTIONS="$NODE_OPTIONS --stack-trace-limit=7"
echo "wrapping $AWS_LAMBDA_FUNCTION_NAME"
exec "\${@:1:$#-1}" ${words.join(' ')} "$bootstrap"
`);

/** A runtime that answers with its wrapper and what that tells, after as long as the event says. */
const runtimeApiClient = `#!/bin/sh
# start
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  answer=$(curl -sS -i "$api/next" | tr -d '\\r')
  id=$(echo "$answer" | sed -n 's/^lambda-runtime-aws-request-id: *//Ip')
  sleep "$(echo "$answer" | sed -n 's/.*"seconds":\\([0-9.]*\\).*/\\1/p' | grep . || echo 0)"
  curl -sS -o /dev/null -d "\\"$AWS_LAMBDA_EXEC_WRAPPER $WRAPPED_BY\\"" "$api/$id/response"
done
`;

/** What the layer `tools` brings to change a runtime, besides a shared library. */
const toolFiles: Record<string, string | ZipFile> = {
  'bin/import-times': inserting('-X', 'importtime'),
  'bin/node-flags': inserting('--expose-gc'),
  'bin/parent': script('#!/bin/sh\n"$@"\nstatus=$?\necho "runtime ended: $status"\nexit $status\n'),
  'bin/program': { text: readFileSync('/usr/bin/env'), mode: 0o100755 },
  'bin/spawner': script(
    '#!/usr/bin/python3\nimport subprocess, sys\nsys.exit(subprocess.call(sys.argv[1:]))\n',
  ),
  'bin/plain': '#!/bin/sh\nexec "$@"\n',
  'bin/quits': script('#!/bin/sh\necho "not today"\nexit 3\n'),
  'bin/ends': script('#!/bin/sh\nexit 0\n'),
  'preload.cjs': `
    globalThis.seenByPreload = process.env.AWS_LAMBDA_FUNCTION_NAME + ' in ' + process.env.AWS_REGION;
    process.env.ADDED_BY_PRELOAD = 'yes';
    console.log('preloaded');`,
  'preload.mjs': `globalThis.imported = typeof seenByPreload;`,
  'python/startup.py': '',
};

const nodeModule = `
exports.handler = async (event) => {
  if (event.crash) process.exit(7);
  if (event.hang) for (;;);
  return {
    env: process.env, args: process.execArgv, limit: Error.stackTraceLimit, gc: typeof gc,
    seenByPreload: globalThis.seenByPreload, imported: globalThis.imported,
    heapMb: require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20,
    maps: require('node:fs').readFileSync('/proc/self/maps', 'utf8').includes('preloaded-library'),
    hour: new Date(0).getHours(), cwd: process.cwd(),
    locale: Intl.DateTimeFormat().resolvedOptions().locale,
  };
};
`;
interface NodeAnswer {
  readonly env: Record<string, string>;
  readonly args: readonly string[];
  readonly limit: number;
  readonly gc: string;
  readonly seenByPreload?: string;
  readonly imported?: string;
  readonly heapMb: number;
  readonly maps: boolean;
  readonly hour: number;
  readonly cwd: string;
  readonly locale: string;
}

const pythonModule = `
import os, sys, time, warnings
def handler(event, context):
    if event.get("crash"):
        os._exit(7)
    with open("/proc/self/maps") as file:
        maps = "preloaded-library" in file.read()
    return {
        "env": dict(os.environ), "maps": maps, "hash": hash("hearth"), "path": sys.path,
        "optimize": sys.flags.optimize,
        "unbuffered": sys.stdout.write_through, "filters": [item[0] for item in warnings.filters],
        "hour": time.localtime(0).tm_hour,
    }
`;
interface PythonAnswer {
  readonly env: Record<string, string>;
  readonly maps: boolean;
  readonly hash: number;
  readonly path: readonly string[];
  readonly optimize: number;
  readonly filters: readonly string[];
  readonly unbuffered: boolean;
  readonly hour: number;
}

for (const driver of drivers) {
  describe(`modifying a runtime on the ${driver} driver`, () => {
    let hearth: HearthProcess;
    let client: LambdaClient;
    let tools: string;
    let count = 0;

    before(async () => {
      hearth = await HearthProcess.start({ driver, flags: ['--pool-size', '1'] });
      ({ client } = hearth);
      const [library] = globSync('/{lib,usr/lib}/{*-linux-gnu,.}/libm.so.6');
      assert(library !== undefined, 'a shared library of the system, to copy');
      const ZipFile = await zip({
        ...toolFiles,
        'preloaded-library.so': { text: readFileSync(library), mode: 0o100755 },
      });
      const published = await client.send(
        new PublishLayerVersionCommand({ LayerName: 'tools', Content: { ZipFile } }),
      );
      tools = published.LayerVersionArn ?? '';
    });
    after(() => hearth.stopAndRemove());

    /** Deploys a function with the tools and these variables; the answer is its name. */
    async function create(
      Variables: Record<string, string>,
      input: Partial<CreateFunctionCommandInput> = {},
    ): Promise<string> {
      const name = `modified-${(count += 1)}`;
      const isPython = input.Runtime?.startsWith('python') ?? false;
      await deploy(client, name, {
        files: isPython ? { 'index.py': pythonModule } : { 'index.js': nodeModule },
        MemorySize: 512,
        Timeout: 10,
        Layers: [tools],
        Environment: { Variables },
        ...input,
      });
      return name;
    }

    async function told<Answer>(name: string): Promise<{ answer: Answer; invoked: Invoked }> {
      const invoked = await invoke(client, name);
      assert.equal(invoked.functionError, undefined, invoked.text + invoked.log);
      return { answer: invoked.result as Answer, invoked };
    }

    function assertExitError(invoked: Invoked, status: number): void {
      assert.equal(invoked.functionError, 'Unhandled', invoked.text);
      assert.deepEqual(invoked.result, {
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${invoked.requestId} Error: Runtime exited with error: exit status ${status}`,
      });
      assert.match(
        invoked.log,
        /^INIT_REPORT .*\tPhase: invoke\tStatus: error\tError Type: Runtime\.ExitError$/m,
      );
    }

    describe('with AWS_LAMBDA_EXEC_WRAPPER', () => {
      for (const { id } of pythonIds) {
        test(`${id} takes flags that a layer's script inserts`, async () => {
          const name = await create(
            { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/import-times' },
            { Runtime: id as Runtime },
          );
          const { answer, invoked } = await told<PythonAnswer>(name);
          assert.match(invoked.log, /^import time:\s+\d+ \|\s+\d+ \|\s+index$/m);
          assert.match(invoked.log, new RegExp(`^wrapping ${name}$`, 'm'));
          assert.match(answer.env['INTERPRETER'] ?? '', /\/python3[\d.]*$/);
          assert.match(answer.env['WRAPPED_BY'] ?? '', /^\/.*\/bin\/import-times$/);
          assert.equal(answer.env['LC_CTYPE'], undefined);
          assert.equal(answer.hour, 9);
        });
      }

      for (const { id, available } of runtimes) {
        if (!id.startsWith('nodejs') || !available) continue;
        test(`${id} sees what the script leaves, after a crash too`, async () => {
          const name = await create(
            { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/node-flags', OWN: 'kept' },
            { Runtime: id as Runtime },
          );
          for (const start of ['first', 'after a crash']) {
            const { answer, invoked } = await told<NodeAnswer>(name);
            assert.match(invoked.log, /^wrapping modified-\d+$/m, start);
            assert.equal(answer.args.at(-1), '--expose-gc');
            assert(answer.args.includes('--max-old-space-size=460'), answer.args.join());
            assert.equal(answer.gc, 'function');
            assert.equal(answer.limit, 7);
            assert.equal(answer.hour, 9);
            const { env } = answer;
            assert.equal(env['ARGUMENT_COUNT'], String(answer.args.length + 1));
            assert.equal(env['OWN'], 'kept');
            assert.equal(env['AWS_LAMBDA_FUNCTION_NAME'], name);
            assert.equal(env['AWS_EXECUTION_ENV'], `AWS_Lambda_${id}`);
            assert.match(env['_X_AMZN_TRACE_ID'] ?? '', /^Root=/);
            const crashed = await invoke(client, name, { crash: true });
            assert.equal(
              (crashed.result as Record<string, string>)['errorType'],
              'Runtime.ExitError',
            );
          }
        });
      }

      test('a script may stay as the parent of the runtime', async () => {
        const Variables = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/parent' };
        const name = await create(Variables, { Timeout: 2 });
        await told(name);
        await told(name);
        const crashed = await invoke(client, name, { crash: true });
        assert.match(crashed.log, /^runtime ended: 7$/m);
        assert.match(crashed.text, /exit status 7/);
        const hanging = await invoke(client, name, { hang: true });
        assert.match(hanging.text, /"errorType":"Sandbox.Timedout"/);
        await told(name);
      });

      test('a program does as well as a script', async () => {
        const name = await create({ AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/program' });
        const { answer } = await told<NodeAnswer>(name);
        assert.equal(answer.env['AWS_LAMBDA_FUNCTION_NAME'], name);
      });

      test('it may come with the code', async () => {
        const name = await create(
          { AWS_LAMBDA_EXEC_WRAPPER: '/var/task/wrap' },
          {
            Code: {
              ZipFile: await zip({
                'index.js': nodeModule,
                wrap: script('#!/bin/sh\nWRAPPED=yes exec "$@"\n'),
              }),
            },
          },
        );
        const { answer } = await told<NodeAnswer>(name);
        assert.equal(answer.env['WRAPPED'], 'yes');
      });

      for (const [what, path, status, line] of [
        ['is missing', '/opt/bin/nowhere', 127, /^\/.*\/bin\/nowhere: does not exist$/m],
        ['is not executable', '/opt/bin/plain', 126, /^\/.*\/bin\/plain: is not an executable$/m],
        ['exits by itself', '/opt/bin/quits', 3, /^not today$/m],
      ] as const) {
        test(`one that ${what} is an exit of the runtime`, async () => {
          const name = await create({ AWS_LAMBDA_EXEC_WRAPPER: path });
          for (const phases of [['init', 'invoke'], ['invoke']]) {
            const invoked = await invoke(client, name);
            assertExitError(invoked, status);
            assert.match(invoked.log, line);
            const reported = [...invoked.log.matchAll(/^INIT_REPORT .*Phase: (\w+)/gm)];
            assert.deepEqual(
              reported.map(([, phase]) => phase),
              phases,
            );
          }
        });
      }

      test('one that ends well without a runtime gives no reason', async () => {
        const name = await create({ AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/ends' });
        const { result } = await invoke(client, name);
        const { errorType, errorMessage } = result as Record<string, string>;
        assert.equal(errorType, 'Runtime.ExitError');
        assert.match(errorMessage ?? '', /Error: Runtime exited without providing a reason$/);
      });

      for (const Runtime of ['nodejs24.x', python] as const) {
        test(`one that closes the channel of ${Runtime} is told so`, pythonOptions, async () => {
          const name = await create({ AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/spawner' }, { Runtime });
          const invoked = await invoke(client, name);
          assertExitError(invoked, 1);
          assert.match(invoked.log, /without its channel: leave file descriptor 3 open\.$/m);
        });
      }

      for (const how of ['with', 'without']) {
        test(`it may run another runtime, ${how} the channel open`, async () => {
          const close = how === 'without' ? 'exec 3>&-' : '';
          const own = script(runtimeApiClient.replace('# start', close));
          const name = await create(
            { AWS_LAMBDA_EXEC_WRAPPER: '/var/task/own' },
            { MemorySize: 1024, Code: { ZipFile: await zip({ own }) } },
          );
          for (const event of ['first', 'second']) {
            // Longer than a managed runtime without its channel would be left alone.
            const invoked = await invoke(client, name, { event, seconds: 1.2 });
            assert.deepEqual(invoked.functionError, undefined, invoked.text);
            assert.match(invoked.text, /^"\/.*\/own "$/);
          }
        });
      }

      test('a custom runtime starts without it', async () => {
        const bootstrap = script(runtimeApiClient);
        const name = await create(
          { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/quits' },
          {
            Runtime: 'provided.al2023',
            MemorySize: 1024,
            Code: { ZipFile: await zip({ bootstrap }) },
          },
        );
        const { answer } = await told<string>(name);
        assert.match(answer, /\/bin\/quits $/);
      });
    });

    describe('with variables of Node.js', () => {
      test('NODE_OPTIONS loads modules before the handler’s, in the function’s environment', async () => {
        const NODE_OPTIONS = '--require /opt/preload.cjs --import=/opt/preload.mjs';
        const name = await create({ NODE_OPTIONS });
        const { answer, invoked } = await told<NodeAnswer>(name);
        assert.equal(answer.seenByPreload, `${name} in us-east-1`);
        assert.equal(answer.imported, 'string');
        assert.equal(answer.env['ADDED_BY_PRELOAD'], 'yes');
        assert.match(invoked.log, /^preloaded$/m);
      });

      test('NODE_OPTIONS may name files of the code by relative paths', async () => {
        const name = await create(
          { NODE_OPTIONS: '-r ./first.js' },
          {
            Code: {
              ZipFile: await zip({
                'index.js': nodeModule,
                'first.js': 'globalThis.imported = "relative";',
              }),
            },
          },
        );
        assert.equal((await told<NodeAnswer>(name)).answer.imported, 'relative');
      });

      test('NODE_OPTIONS sets flags and the heap’s limit', async () => {
        // The limit counts the young generation, too, up to 192 MB.
        const own = await told<NodeAnswer>(await create({ NODE_DEBUG: 'none' }));
        assert(own.answer.heapMb > 460 && own.answer.heapMb < 600, String(own.answer.heapMb));
        const NODE_OPTIONS = '--max-old-space-size=96 --stack-trace-limit=3';
        const { answer } = await told<NodeAnswer>(await create({ NODE_OPTIONS }));
        assert(answer.heapMb > 96 && answer.heapMb < 300, String(answer.heapMb));
        assert.equal(answer.limit, 3);
      });

      test('NODE_OPTIONS switches experiments on that the runtime switches off', async () => {
        const files = {
          'index.js': `exports.handler = async () => require('./module.mjs').value;`,
          'module.mjs': `export const value = 'required';`,
        };
        const Code = { ZipFile: await zip(files) };
        const Runtime = 'nodejs22.x';
        const off = await invoke(client, await create({}, { Runtime, Code }));
        assert.match(off.text, /ERR_REQUIRE_ESM/);
        const NODE_OPTIONS = '--experimental-require-module';
        const on = await told<string>(await create({ NODE_OPTIONS }, { Runtime, Code }));
        assert.equal(on.answer, 'required');
      });

      test('NODE_OPTIONS that Node.js refuses, or that fail, are an exit of the runtime', async () => {
        const refused = await invoke(client, await create({ NODE_OPTIONS: '--no-such-flag' }));
        assertExitError(refused, 9);
        assert.match(refused.log, /--no-such-flag is not allowed in NODE_OPTIONS/);
        const failed = await invoke(client, await create({ NODE_OPTIONS: '-r /opt/nowhere.js' }));
        assertExitError(failed, 1);
        assert.match(failed.log, /Cannot find module '.*\/nowhere\.js'/);
      });
    });

    test('variables of Python apply', pythonOptions, async () => {
      const Variables = {
        PYTHONHASHSEED: '0',
        PYTHONOPTIMIZE: '2',
        PYTHONUNBUFFERED: '1',
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONWARNINGS: 'error',
        PYTHONSAFEPATH: '1',
        PYTHONPROFILEIMPORTTIME: '1',
        PYTHONSTARTUP: '/opt/python/startup.py',
        PYTHONPATH: '/opt/data:/var/task/lib',
      };
      const first = await told<PythonAnswer>(await create(Variables, { Runtime: python }));
      const { answer, invoked } = first;
      assert.equal(answer.optimize, 2);
      assert.equal(answer.unbuffered, true);
      assert.equal(answer.filters[0], 'error');
      assert.match(invoked.log, /^import time: .*\bindex$/m);
      assert(
        answer.path.some((entry) => /[/]lib$/.test(entry) && /task|code/.test(entry)),
        answer.path.join(),
      );
      const second = await told<PythonAnswer>(await create(Variables, { Runtime: python }));
      assert.equal(second.answer.hash, answer.hash);
    });

    test('a Python that cannot start for its variables is an exit of the runtime', async () => {
      const Runtime = python;
      const invoked = await invoke(client, await create({ PYTHONHOME: '/nowhere' }, { Runtime }));
      assertExitError(invoked, 1);
    });

    for (const Runtime of ['nodejs24.x', python] as const) {
      test(`LD_PRELOAD loads a library into ${Runtime}`, pythonOptions, async () => {
        const LD_PRELOAD = '/opt/preloaded-library.so';
        const { answer } = await told<NodeAnswer>(await create({ LD_PRELOAD }, { Runtime }));
        assert.equal(answer.maps, true);
        const plain = await told<NodeAnswer>(await create({}, { Runtime }));
        assert.equal(plain.answer.maps, false);
      });
    }

    test('variables of languages that are not there, and unknown ones, only pass through', async () => {
      const Variables = {
        JAVA_TOOL_OPTIONS: '-javaagent:/opt/agent.jar',
        DOTNET_STARTUP_HOOKS: '/opt/hook.dll',
        AWS_LAMBDA_DOTNET_PREJIT: 'always',
        TZ: 'America/New_York',
      };
      const { answer } = await told<NodeAnswer>(await create(Variables));
      assert.deepEqual({ ...answer.env, ...Variables }, answer.env);
      assert.equal(answer.hour, 19);
    });

    test('the locale is the one that the function asks for', async () => {
      const { answer } = await told<NodeAnswer>(await create({ LANG: 'de_DE.UTF-8' }));
      assert.equal(answer.locale, 'de-DE');
      const usual = await told<NodeAnswer>(await create({}));
      assert.equal(usual.answer.locale, 'en-US');
    });

    test('a process of its own and one from the pool have the same environment', async () => {
      for (const Runtime of ['nodejs24.x', python] as const) {
        const own = await told<NodeAnswer>(await create({ LANG: 'en_US.UTF-8' }, { Runtime }));
        const pooled = await told<NodeAnswer>(await create({}, { Runtime }));
        assert.deepEqual(Object.keys(own.answer.env).sort(), Object.keys(pooled.answer.env).sort());
        if (driver === 'oci') {
          const { env } = pooled.answer;
          assert.equal(env['LAMBDA_TASK_ROOT'], '/var/task');
          assert.equal(own.answer.env['LD_LIBRARY_PATH'], env['LD_LIBRARY_PATH']);
        }
      }
    });
  });
}
