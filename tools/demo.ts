/**
 * `make demo`: starts a throwaway server, deploys the example functions with the AWS SDK over HTTP,
 * invokes them, prints what came back, checks all of it, and stops the server. Exits 0 only when
 * everything was right.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  type Runtime,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { startThrowawayServer, type ThrowawayServer } from './throwaway-server.ts';
import { zipFolder } from './zip-folder.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const waitSecondsMax = 60;

interface Answer {
  readonly result: unknown;
  readonly functionError: string | undefined;
  readonly log: string;
}

interface Step {
  readonly event: unknown;
  /** Throws when the answer is wrong. */
  readonly check: (answer: Answer) => void;
}

interface Example {
  /** Folder below examples/, and name of the function. */
  readonly name: string;
  readonly runtime: string;
  readonly handler: string;
  /** Folder below examples/ that is published as a layer, for the function to have. */
  readonly layer?: string;
  readonly steps: readonly Step[];
}

function examplesFor(python: string | undefined): Example[] {
  const greeting = { name: 'Hearth' };
  const greets = ({ result, functionError, log }: Answer): void => {
    assert.equal(functionError, undefined);
    assert.equal((result as { message: string }).message, 'Hello, Hearth!');
    assert.match(log, /greeting Hearth/);
    assert.match(log, /^REPORT RequestId: .*Duration: .*Max Memory Used: \d+ MB/m);
  };
  const stillWarm = (answer: Answer): void => {
    greets(answer);
    assert.equal((answer.result as { invocations: number }).invocations, 2);
    assert.doesNotMatch(answer.log, /Init Duration/);
  };
  const fails = ({ result, functionError, log }: Answer): void => {
    assert.equal(functionError, 'Unhandled');
    const { errorType, errorMessage } = result as { errorType: string; errorMessage: string };
    assert.deepEqual([errorType, errorMessage], ['OutOfStock', 'order 7: nothing left']);
    assert.match(log, /cannot deliver order 7/);
  };
  const isWatched = ({ functionError, log }: Answer): void => {
    assert.equal(functionError, undefined);
    assert.match(log, /^watch: registered with watched-node$/m);
    assert.match(log, /^EXTENSION\tName: watch\.mjs\tState: Ready/m);
    assert.match(log, /^watch: INVOKE/m);
  };
  return [
    {
      name: 'hello-node',
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      steps: [
        { event: greeting, check: greets },
        { event: greeting, check: stillWarm },
      ],
    },
    ...(python === undefined
      ? []
      : [
          {
            name: 'hello-python',
            runtime: python,
            handler: 'lambda_function.lambda_handler',
            steps: [{ event: greeting, check: greets }],
          },
        ]),
    {
      name: 'hello-shell',
      runtime: 'provided.al2023',
      handler: 'function.hello',
      steps: [{ event: greeting, check: greets }],
    },
    {
      name: 'failing-node',
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      steps: [{ event: { order: 7 }, check: fails }],
    },
    {
      name: 'watched-node',
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      layer: 'watch-layer',
      steps: [{ event: greeting, check: isWatched }],
    },
  ];
}

let wrong = 0;

/** Plain text unless standard output is a terminal. */
function paint(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Stack traces make lines of a thousand characters. */
function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 157)}...` : text;
}

function report(what: string, error: unknown): void {
  wrong += 1;
  const text = String((error as Error).message).replaceAll('\n', '\n      ');
  print(`  ${paint('red', '✖')} ${what}: ${paint('red', text)}`);
}

/** The newest Python that this host can run, as `hearth runtimes` tells it. */
function findPython(): string | undefined {
  const { stdout } = spawnSync(`${root}hearth`, ['runtimes'], { encoding: 'utf8' });
  const found = [...stdout.matchAll(/^(python3\.(\d+)) +yes/gm)];
  return found.sort((a, b) => Number(b[2]) - Number(a[2]))[0]?.[1];
}

async function publishLayer(lambda: LambdaClient, name: string): Promise<string[]> {
  const Content = { ZipFile: await zipFolder(`${root}examples/${name}`) };
  const command = new PublishLayerVersionCommand({ LayerName: name, Content });
  const { LayerVersionArn: arn } = await lambda.send(command);
  return arn === undefined ? [] : [arn];
}

async function deploy(lambda: LambdaClient, example: Example): Promise<void> {
  const startedMs = performance.now();
  const { layer } = example;
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: example.name,
      Runtime: example.runtime as Runtime,
      Handler: example.handler,
      Role: 'arn:aws:iam::000000000000:role/demo',
      Code: { ZipFile: await zipFolder(`${root}examples/${example.name}`) },
      ...(layer === undefined ? {} : { Layers: await publishLayer(lambda, layer) }),
      Timeout: 10,
      MemorySize: 256,
    }),
  );
  const waiter = { client: lambda, maxWaitTime: waitSecondsMax, minDelay: 0.05, maxDelay: 1 };
  await waitUntilFunctionActiveV2(waiter, { FunctionName: example.name });
  const what = layer === undefined ? example.runtime : `${example.runtime}, with layer ${layer}`;
  const took = `active after ${(performance.now() - startedMs).toFixed(0)} ms`;
  print(`${paint('bold', example.name)}  ${paint('dim', `${what}, ${took}`)}`);
}

async function invoke(lambda: LambdaClient, name: string, step: Step): Promise<void> {
  const startedMs = performance.now();
  const output = await lambda.send(
    new InvokeCommand({
      FunctionName: name,
      LogType: 'Tail',
      Payload: Buffer.from(JSON.stringify(step.event)),
    }),
  );
  const took = `${(performance.now() - startedMs).toFixed(1)} ms`;
  const answer: Answer = {
    result: JSON.parse(Buffer.from(output.Payload ?? []).toString() || 'null'),
    functionError: output.FunctionError,
    log: Buffer.from(output.LogResult ?? '', 'base64').toString(),
  };
  try {
    step.check(answer);
    print(`  ${paint('green', '✔')} ${JSON.stringify(step.event)}  ${paint('dim', took)}`);
  } catch (error) {
    report(JSON.stringify(step.event), error);
  }
  const failed = answer.functionError === undefined ? '' : `${answer.functionError} error: `;
  print(`    ${paint('cyan', shorten(`${failed}${JSON.stringify(answer.result)}`))}`);
  for (const line of answer.log.trimEnd().split('\n')) {
    print(`    ${paint('dim', shorten(`│ ${line.replaceAll('\t', '  ').trimEnd()}`))}`);
  }
}

async function runExample(lambda: LambdaClient, example: Example): Promise<void> {
  try {
    await deploy(lambda, example);
    for (const step of example.steps) await invoke(lambda, example.name, step);
  } catch (error) {
    report(example.name, error);
  }
  print();
}

/** Environments that wait for their first call: the alias `live` with provisioned concurrency. */
async function provision(lambda: LambdaClient, FunctionName: string): Promise<void> {
  const target = { FunctionName, Qualifier: 'live' };
  const startedMs = performance.now();
  const { Version: FunctionVersion } = await lambda.send(
    new PublishVersionCommand({ FunctionName }),
  );
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion }));
  const units = { ProvisionedConcurrentExecutions: 2 };
  await lambda.send(new PutProvisionedConcurrencyConfigCommand({ ...target, ...units }));
  const query = new GetProvisionedConcurrencyConfigCommand(target);
  let config = await lambda.send(query);
  while (config.Status === 'IN_PROGRESS' && performance.now() - startedMs < waitSecondsMax * 1000) {
    await delay(10);
    config = await lambda.send(query);
  }
  assert.equal(config.Status, 'READY', config.StatusReason);
  const ready = `${config.AvailableProvisionedConcurrentExecutions} environments provisioned`;
  const took = `ready after ${(performance.now() - startedMs).toFixed(0)} ms`;
  print(`${paint('bold', `${FunctionName}:live`)}  ${paint('dim', `${ready}, ${took}`)}`);
}

async function runProvisioned(lambda: LambdaClient, name: string): Promise<void> {
  const isInitialized = ({ result, log }: Answer): void => {
    const { initialized } = result as { initialized: string };
    assert.equal(initialized, 'provisioned-concurrency');
    // What happened ahead of this call is in the log that it is the first to show.
    assert.match(log, /^INIT_REPORT Init Duration: [^]*^START RequestId[^]*^watch: INVOKE/m);
  };
  try {
    await provision(lambda, name);
    await invoke(lambda, `${name}:live`, { event: { name: 'Hearth' }, check: isInitialized });
  } catch (error) {
    report(`provisioned concurrency of ${name}`, error);
  }
  print();
}

/** What a deployment does next: publish, list, delete. */
async function manage(lambda: LambdaClient, examples: readonly Example[]): Promise<void> {
  const names = examples.map((example) => example.name);
  try {
    const FunctionName = 'hello-node';
    const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName }));
    assert.equal(Version, '1');
    const invoked = await lambda.send(new InvokeCommand({ FunctionName, Qualifier: Version }));
    assert.equal(invoked.ExecutedVersion, '1');
    const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
    assert.deepEqual(Functions.map((one) => one.FunctionName).sort(), [...names].sort());
    for (const name of names) await lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
    const gone = lambda.send(new GetFunctionCommand({ FunctionName }));
    await assert.rejects(gone, { name: 'ResourceNotFoundException' });
    print(
      `  ${paint('green', '✔')} published version 1, listed and deleted ${names.length} functions`,
    );
  } catch (error) {
    report('publish, list and delete', error);
  }
}

function printStart(server: ThrowawayServer): void {
  print(paint('bold', `Hearth at ${server.url}, ready after ${server.readyMs.toFixed(0)} ms`));
  const said = server.lines.filter((line) => !line.startsWith('{'));
  for (const line of said) print(paint('dim', `  ${line}`));
  print();
}

const python = findPython();
const examples = examplesFor(python);
const server = await startThrowawayServer();
printStart(server);
const lambda = new LambdaClient({
  endpoint: server.url,
  region: 'us-east-1',
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  maxAttempts: 1,
});
for (const example of examples) await runExample(lambda, example);
await runProvisioned(lambda, 'watched-node');
if (python === undefined) print('  no Python on this host: hello-python was left out\n');
await manage(lambda, examples);
lambda.destroy();

const stoppedAtMs = performance.now();
const status = await server.stop();
const stopped = `stopped by SIGTERM in ${(performance.now() - stoppedAtMs).toFixed(0)} ms`;
if (status === 0) print(`  ${paint('green', '✔')} ${stopped}, with status 0`);
else report('stop', new Error(`ended with ${status}\n${server.lines.slice(-10).join('\n')}`));

const driver = server.lines.map((line) => /^sandbox: ([a-z]+)/.exec(line)?.[1]).find(Boolean);
print();
if (wrong === 0) print(paint('green', `demo: all right, with the ${driver ?? 'unknown'} driver`));
else print(paint('red', `demo: ${wrong} wrong, with the ${driver ?? 'unknown'} driver`));
process.exitCode = wrong === 0 ? 0 : 1;
