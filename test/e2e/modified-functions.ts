/**
 * Functions that change their runtime: a layer with wrappers and things to load early, handlers that tell
 * what they see of it, and a server with runtimes booted in advance, which such functions must not get.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import {
  PublishLayerVersionCommand,
  type CreateFunctionCommandInput,
  type Runtime,
} from '@aws-sdk/client-lambda';
import { findRuntimeSearch } from '../../src/config.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';
import { deploy, invoke, zip, type Invoked, type ZipFile } from './functions.ts';
import { HearthProcess, type DriverName } from './hearth-process.ts';

const available = createRuntimeCatalog(findRuntimeSearch())
  .list()
  .flatMap(({ id, available }) => (available ? [id as Runtime] : []));
export const nodeRuntimes = available.filter((id) => id.startsWith('nodejs'));
export const pythonRuntimes = available.filter((id) => id.startsWith('python'));
/** The newest here; undefined without any, and then the tests that need it are skipped. */
export const python = pythonRuntimes.at(-1);
export const newestRuntimes: readonly Runtime[] = [
  'nodejs24.x',
  ...(python === undefined ? [] : [python]),
];
export const pythonOptions = { skip: python === undefined && 'no Python here' };

export function script(text: string): ZipFile {
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
/** What the layer `tools` brings to change a runtime, besides a shared library. */
const toolFiles: Record<string, string | ZipFile> = {
  'bin/import-times': inserting('-X', 'importtime'),
  'bin/isolated': inserting('-I'),
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

export const nodeModule = `
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
export interface NodeAnswer {
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
export interface PythonAnswer {
  readonly env: Record<string, string>;
  readonly maps: boolean;
  readonly hash: number;
  readonly path: readonly string[];
  readonly optimize: number;
  readonly filters: readonly string[];
  readonly unbuffered: boolean;
  readonly hour: number;
}

/** The functions of one server. */
export interface ModifiedFunctions {
  /** Deploys a function with the layer and these variables; the answer is its name. */
  create(
    variables: Readonly<Record<string, string>>,
    input?: Partial<CreateFunctionCommandInput>,
  ): Promise<string>;
  invoke(name: string, event?: unknown): Promise<Invoked>;
  /** What the handler tells; fails if it does not. */
  told<Answer>(name: string): Promise<{ readonly answer: Answer; readonly invoked: Invoked }>;
}

/** Starts a server for all tests of a suite and stops it after them. */
export function useModifiedFunctions(driver: DriverName): ModifiedFunctions {
  let hearth: HearthProcess | undefined;
  let layer = '';
  let count = 0;
  const client = () => {
    assert(hearth !== undefined, 'the server runs only while tests do');
    return hearth.client;
  };
  before(async () => {
    hearth = await HearthProcess.start({ driver, flags: ['--pool-size', '1'] });
    const [library] = globSync('/{lib,usr/lib}/{*-linux-gnu,.}/libm.so.6');
    assert(library !== undefined, 'a shared library of the system, to copy');
    const preloaded = { text: readFileSync(library), mode: 0o100755 };
    const ZipFile = await zip({ ...toolFiles, 'preloaded-library.so': preloaded });
    const published = await client().send(
      new PublishLayerVersionCommand({ LayerName: 'tools', Content: { ZipFile } }),
    );
    layer = published.LayerVersionArn ?? '';
  });
  after(() => hearth?.stopAndRemove());
  const call = (name: string, event: unknown = {}) => invoke(client(), name, event);
  return {
    async create(Variables, input = {}) {
      const name = `modified-${(count += 1)}`;
      const isPython = input.Runtime?.startsWith('python') ?? false;
      await deploy(client(), name, {
        files: isPython ? { 'index.py': pythonModule } : { 'index.js': nodeModule },
        MemorySize: 512,
        Timeout: 10,
        Layers: [layer],
        Environment: { Variables },
        ...input,
      });
      return name;
    },
    invoke: call,
    async told<Answer>(name: string) {
      const invoked = await call(name);
      assert.equal(invoked.functionError, undefined, invoked.text + invoked.log);
      return { answer: invoked.result as Answer, invoked };
    },
  };
}

/** The runtime's process ended with this status before it was ready. */
export function assertExitError(invoked: Invoked, status: number): void {
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
