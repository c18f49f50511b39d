/** The environment of a function (guide page 001): what is reserved, given, and the user's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunnableVersion } from '../model/runnable-version.ts';
import { runnable } from '../testing/runnable.ts';
import { scriptedRuntime } from '../testing/scripted-sandbox.ts';
import { functionEnvironment } from './environment-variables.ts';

function variablesOf(
  members: Partial<RunnableVersion>,
  languageDir: string | null = null,
  roots = { taskRoot: '/var/task', optRoot: '/opt' },
) {
  const version = runnable(members);
  return functionEnvironment({
    version,
    runtime: {
      ...scriptedRuntime(version.runtime),
      ...(version.runtime.startsWith('python') ? { language: 'python' as const } : {}),
    },
    paths: {
      ...roots,
      runtimeDir: '/var/runtime',
      languageDir,
      temporaryDir: '/tmp',
    },
    region: 'eu-west-1',
    logStream: '2030/01/01/[$LATEST]00',
    runtimeApiAddress: '127.0.0.1:9001',
    initializationType: 'on-demand',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'token' },
  });
}

test('the reserved names are all there', () => {
  const variables = variablesOf({ memoryMb: 256, version: '7', handler: 'a.b' });
  const expected = {
    _HANDLER: 'a.b',
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: 'one',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    AWS_LAMBDA_FUNCTION_VERSION: '7',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/one',
    AWS_LAMBDA_LOG_STREAM_NAME: '2030/01/01/[$LATEST]00',
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
    AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9001',
    LAMBDA_TASK_ROOT: '/var/task',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(variables[name], value, name);
});

test('the user’s own win over the defaults and lose against the reserved', () => {
  const variables = variablesOf({
    environment: { TZ: 'Europe/Berlin', PATH: '/mine', _HANDLER: 'mine', COLOUR: 'green' },
  });
  assert.equal(variables['TZ'], 'Europe/Berlin');
  assert.equal(variables['PATH'], '/mine');
  assert.equal(variables['COLOUR'], 'green');
  assert.equal(variables['_HANDLER'], 'index.handler');
});

test('each language finds its layers; custom runtimes are named by no AWS_EXECUTION_ENV', () => {
  const node = variablesOf({ runtime: 'nodejs22.x' }, '/var/lang');
  assert.equal(
    node['NODE_PATH'],
    '/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules',
  );
  assert.match(node['PATH'] ?? '', /^\/var\/lang\/bin:.*:\/opt\/bin$/);
  assert.match(node['LD_LIBRARY_PATH'] ?? '', /^\/var\/lang\/lib:.*:\/opt\/lib$/);
  const python = variablesOf({ runtime: 'python3.11' });
  assert.equal(python['PYTHONPATH'], '/var/runtime');
  assert.equal(python['NODE_PATH'], undefined);
  const custom = variablesOf({ runtime: 'provided.al2023' });
  assert.equal('AWS_EXECUTION_ENV' in custom, false);
});

test('the log level is there only when one is set', () => {
  assert.equal('AWS_LAMBDA_LOG_LEVEL' in variablesOf({}), false);
  const variables = variablesOf({ applicationLogLevel: 'DEBUG', logFormat: 'JSON' });
  assert.equal(variables['AWS_LAMBDA_LOG_LEVEL'], 'DEBUG');
  assert.equal(variables['AWS_LAMBDA_LOG_FORMAT'], 'JSON');
});

test('the documented defaults, for custom runtimes too', () => {
  for (const runtime of ['nodejs22.x', 'python3.11', 'provided.al2', 'provided.al2023']) {
    const variables = variablesOf({ runtime });
    const expected = {
      PATH: '/usr/local/bin:/usr/bin/:/bin:/opt/bin',
      LD_LIBRARY_PATH:
        '/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
      AWS_XRAY_DAEMON_ADDRESS: '169.254.79.129:2000',
      AWS_ACCESS_KEY: 'id',
    };
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(variables[name], value, `${runtime} ${name}`);
    }
  }
});

test('paths that are followed before the code runs lead to where the driver keeps things', () => {
  const roots = { taskRoot: '/data/code/c0de', optRoot: '/data/layers' };
  const environment = {
    AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/wrapper',
    NODE_OPTIONS: '--require /opt/one.js --import=file:///var/task/two.mjs -r "/opt/a b.js"',
    PYTHONPATH: '/var/task/lib:/opt:/optional:/my/opt',
    LD_PRELOAD: '/opt/lib/a.so /var/task/b.so',
    CONFIG: '/opt/config.json',
  };
  const variables = variablesOf({ environment }, null, roots);
  assert.deepEqual(Object.fromEntries(Object.keys(environment).map((n) => [n, variables[n]])), {
    AWS_LAMBDA_EXEC_WRAPPER: '/data/layers/bin/wrapper',
    NODE_OPTIONS:
      '--require /data/layers/one.js --import=file:///data/code/c0de/two.mjs -r "/data/layers/a b.js"',
    PYTHONPATH: '/data/code/c0de/lib:/data/layers:/optional:/my/opt',
    LD_PRELOAD: '/data/layers/lib/a.so /data/code/c0de/b.so',
    CONFIG: '/opt/config.json',
  });
  const mounted = variablesOf({ environment });
  for (const [name, value] of Object.entries(environment)) assert.equal(mounted[name], value);
});
