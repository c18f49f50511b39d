/**
 * What a function changes about its managed runtime by variables that are read at its start (guide page 053),
 * on every driver.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zip } from './functions.ts';
import { drivers } from './hearth-process.ts';
import {
  assertExitError,
  nodeModule,
  python,
  newestRuntimes,
  pythonOptions,
  useModifiedFunctions,
  type NodeAnswer,
  type PythonAnswer,
} from './modified-functions.ts';

for (const driver of drivers) {
  describe(`modifying a runtime on the ${driver} driver`, () => {
    const functions = useModifiedFunctions(driver);

    describe('with variables of Node.js', () => {
      test('NODE_OPTIONS loads modules before the handler’s, in the function’s environment', async () => {
        const NODE_OPTIONS = '--require /opt/preload.cjs --import=/opt/preload.mjs';
        const name = await functions.create({ NODE_OPTIONS });
        const { answer, invoked } = await functions.told<NodeAnswer>(name);
        assert.equal(answer.seenByPreload, `${name} in us-east-1`);
        assert.equal(answer.imported, 'string');
        assert.equal(answer.env['ADDED_BY_PRELOAD'], 'yes');
        assert.match(invoked.log, /^preloaded$/m);
      });

      test('NODE_OPTIONS may name files of the code by relative paths', async () => {
        const name = await functions.create(
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
        assert.equal((await functions.told<NodeAnswer>(name)).answer.imported, 'relative');
      });

      test('NODE_OPTIONS sets flags and the heap’s limit', async () => {
        // The limit counts the young generation, too, up to 192 MB.
        const own = await functions.told<NodeAnswer>(
          await functions.create({ NODE_DEBUG: 'none' }),
        );
        assert(own.answer.heapMb > 460 && own.answer.heapMb < 600, String(own.answer.heapMb));
        const NODE_OPTIONS = '--max-old-space-size=96 --stack-trace-limit=3';
        const { answer } = await functions.told<NodeAnswer>(
          await functions.create({ NODE_OPTIONS }),
        );
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
        const off = await functions.invoke(await functions.create({}, { Runtime, Code }));
        assert.match(off.text, /ERR_REQUIRE_ESM/);
        const NODE_OPTIONS = '--experimental-require-module';
        const on = await functions.told<string>(
          await functions.create({ NODE_OPTIONS }, { Runtime, Code }),
        );
        assert.equal(on.answer, 'required');
      });

      test('NODE_OPTIONS that Node.js refuses, or that fail, are an exit of the runtime', async () => {
        const refused = await functions.invoke(
          await functions.create({ NODE_OPTIONS: '--no-such-flag' }),
        );
        assertExitError(refused, 9);
        assert.match(refused.log, /--no-such-flag is not allowed in NODE_OPTIONS/);
        const failed = await functions.invoke(
          await functions.create({ NODE_OPTIONS: '-r /opt/nowhere.js' }),
        );
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
      const first = await functions.told<PythonAnswer>(
        await functions.create(Variables, { Runtime: python }),
      );
      const { answer, invoked } = first;
      assert.equal(answer.optimize, 2);
      assert.equal(answer.unbuffered, true);
      assert.equal(answer.filters[0], 'error');
      assert.match(invoked.log, /^import time: .*\bindex$/m);
      assert(
        answer.path.some((entry) => /[/]lib$/.test(entry) && /task|code/.test(entry)),
        answer.path.join(),
      );
      const second = await functions.told<PythonAnswer>(
        await functions.create(Variables, { Runtime: python }),
      );
      assert.equal(second.answer.hash, answer.hash);
    });

    test('a Python that cannot start is an exit of the runtime', pythonOptions, async () => {
      const Runtime = python;
      const invoked = await functions.invoke(
        await functions.create({ PYTHONHOME: '/nowhere' }, { Runtime }),
      );
      assertExitError(invoked, 1);
    });

    for (const Runtime of newestRuntimes) {
      test(`LD_PRELOAD loads a library into ${Runtime}`, pythonOptions, async () => {
        const LD_PRELOAD = '/opt/preloaded-library.so';
        const { answer } = await functions.told<NodeAnswer>(
          await functions.create({ LD_PRELOAD }, { Runtime }),
        );
        assert.equal(answer.maps, true);
        const plain = await functions.told<NodeAnswer>(await functions.create({}, { Runtime }));
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
      const { answer } = await functions.told<NodeAnswer>(await functions.create(Variables));
      assert.deepEqual({ ...answer.env, ...Variables }, answer.env);
      assert.equal(answer.hour, 19);
    });

    test('the locale is the one that the function asks for', async () => {
      const { answer } = await functions.told<NodeAnswer>(
        await functions.create({ LANG: 'de_DE.UTF-8' }),
      );
      assert.equal(answer.locale, 'de-DE');
      const usual = await functions.told<NodeAnswer>(await functions.create({}));
      assert.equal(usual.answer.locale, 'en-US');
    });

    test('a process of its own and one from the pool have the same environment', async () => {
      for (const Runtime of newestRuntimes) {
        const own = await functions.told<NodeAnswer>(
          await functions.create({ LANG: 'en_US.UTF-8' }, { Runtime }),
        );
        const pooled = await functions.told<NodeAnswer>(await functions.create({}, { Runtime }));
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
