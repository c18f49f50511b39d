/**
 * AWS_LAMBDA_EXEC_WRAPPER (guide page 053) on every driver: a script or program that starts the runtime, and
 * what becomes of one that does not.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zip } from './functions.ts';
import { drivers } from './hearth-process.ts';
import {
  assertExitError,
  nodeModule,
  newestRuntimes,
  nodeRuntimes,
  python,
  pythonOptions,
  pythonRuntimes,
  script,
  useModifiedFunctions,
  type NodeAnswer,
  type PythonAnswer,
} from './modified-functions.ts';

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

for (const driver of drivers) {
  describe(`a wrapper on the ${driver} driver`, () => {
    const functions = useModifiedFunctions(driver);

    for (const Runtime of pythonRuntimes) {
      test(`${Runtime} takes flags that a layer's script inserts`, async () => {
        const name = await functions.create(
          { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/import-times' },
          { Runtime },
        );
        const { answer, invoked } = await functions.told<PythonAnswer>(name);
        assert.match(invoked.log, /^import time:\s+\d+ \|\s+\d+ \|\s+index$/m);
        assert.match(invoked.log, new RegExp(`^wrapping ${name}$`, 'm'));
        assert.match(answer.env['INTERPRETER'] ?? '', /\/python3[\d.]*$/);
        assert.match(answer.env['WRAPPED_BY'] ?? '', /^\/.*\/bin\/import-times$/);
        assert.equal(answer.env['LC_CTYPE'], undefined);
        assert.equal(answer.hour, 9);
      });
    }

    test('Python finds its bootstrap in isolated mode, too', pythonOptions, async () => {
      const Variables = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/isolated', PYTHONOPTIMIZE: '2' };
      const name = await functions.create(Variables, { Runtime: python });
      assert.equal((await functions.told<PythonAnswer>(name)).answer.optimize, 0);
    });

    for (const Runtime of nodeRuntimes) {
      test(`${Runtime} sees what the script leaves, after a crash too`, async () => {
        const name = await functions.create(
          { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/node-flags', OWN: 'kept' },
          { Runtime },
        );
        for (const start of ['first', 'after a crash']) {
          const { answer, invoked } = await functions.told<NodeAnswer>(name);
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
          assert.equal(env['AWS_EXECUTION_ENV'], `AWS_Lambda_${Runtime}`);
          assert.match(env['_X_AMZN_TRACE_ID'] ?? '', /^Root=/);
          const crashed = await functions.invoke(name, { crash: true });
          assert.equal(
            (crashed.result as Record<string, string>)['errorType'],
            'Runtime.ExitError',
          );
        }
      });
    }

    test('a script may stay as the parent of the runtime', async () => {
      const Variables = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/parent' };
      const name = await functions.create(Variables, { Timeout: 2 });
      await functions.told(name);
      await functions.told(name);
      const crashed = await functions.invoke(name, { crash: true });
      assert.match(crashed.log, /^runtime ended: 7$/m);
      assert.match(crashed.text, /exit status 7/);
      const hanging = await functions.invoke(name, { hang: true });
      assert.match(hanging.text, /"errorType":"Sandbox.Timedout"/);
      await functions.told(name);
    });

    test('a program does as well as a script', async () => {
      const name = await functions.create({ AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/program' });
      const { answer } = await functions.told<NodeAnswer>(name);
      assert.equal(answer.env['AWS_LAMBDA_FUNCTION_NAME'], name);
    });

    test('it may come with the code', async () => {
      const name = await functions.create(
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
      const { answer } = await functions.told<NodeAnswer>(name);
      assert.equal(answer.env['WRAPPED'], 'yes');
    });

    for (const [what, path, status, line] of [
      ['is missing', '/opt/bin/nowhere', 127, /^\/.*\/bin\/nowhere: does not exist$/m],
      ['is not executable', '/opt/bin/plain', 126, /^\/.*\/bin\/plain: is not an executable$/m],
      ['exits by itself', '/opt/bin/quits', 3, /^not today$/m],
    ] as const) {
      test(`one that ${what} is an exit of the runtime`, async () => {
        const name = await functions.create({ AWS_LAMBDA_EXEC_WRAPPER: path });
        for (const phases of [['init', 'invoke'], ['invoke']]) {
          const invoked = await functions.invoke(name);
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
      const name = await functions.create({ AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/ends' });
      const { result } = await functions.invoke(name);
      const { errorType, errorMessage } = result as Record<string, string>;
      assert.equal(errorType, 'Runtime.ExitError');
      assert.match(errorMessage ?? '', /Error: Runtime exited without providing a reason$/);
    });

    for (const Runtime of newestRuntimes) {
      test(`one that closes the channel of ${Runtime} is told so`, pythonOptions, async () => {
        const name = await functions.create(
          { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/spawner' },
          { Runtime },
        );
        const invoked = await functions.invoke(name);
        assertExitError(invoked, 1);
        assert.match(invoked.log, /without its channel: leave file descriptor 3 open\.$/m);
      });
    }

    for (const how of ['with', 'without']) {
      test(`it may run another runtime, ${how} the channel open`, async () => {
        const close = how === 'without' ? 'exec 3>&-' : '';
        const own = script(runtimeApiClient.replace('# start', close));
        const name = await functions.create(
          { AWS_LAMBDA_EXEC_WRAPPER: '/var/task/own' },
          { MemorySize: 1024, Code: { ZipFile: await zip({ own }) } },
        );
        for (const event of ['first', 'second']) {
          // Longer than a managed runtime without its channel would be left alone.
          const invoked = await functions.invoke(name, { event, seconds: 1.2 });
          assert.deepEqual(invoked.functionError, undefined, invoked.text);
          assert.match(invoked.text, /^"\/.*\/own "$/);
        }
      });
    }

    test('a custom runtime starts without it', async () => {
      const bootstrap = script(runtimeApiClient);
      const name = await functions.create(
        { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/quits' },
        {
          Runtime: 'provided.al2023',
          MemorySize: 1024,
          Code: { ZipFile: await zip({ bootstrap }) },
        },
      );
      const { answer } = await functions.told<string>(name);
      assert.match(answer, /\/bin\/quits $/);
    });
  });
}
