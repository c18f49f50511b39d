/** Aliases from end to end: which version runs, what it is told, and that nobody sees a gap when an alias moves. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { deploy, invoke, settled } from './functions.ts';
import { HearthProcess } from './hearth-process.ts';

const FunctionName = 'aliased';
const arn = `arn:aws:lambda:us-east-1:000000000000:function:${FunctionName}`;
const alias = { FunctionName, Name: 'live' };
let hearth: HearthProcess;
let client: LambdaClient;

/** Versions 1 and 2 of a function that answers with its version and the ARN it was called by. */
before(async () => {
  hearth = await HearthProcess.start({ driver: 'process' });
  ({ client } = hearth);
  const text =
    'exports.handler = async (_, { functionVersion, invokedFunctionArn }) => [functionVersion, invokedFunctionArn];';
  await deploy(client, FunctionName, { files: { 'index.js': text }, Publish: true });
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 }));
  await settled(client, FunctionName);
  await client.send(new PublishVersionCommand({ FunctionName }));
  await client.send(new CreateAliasCommand({ ...alias, FunctionVersion: '1' }));
});
after(() => hearth.stopAndRemove());

test('an alias runs its version, which is told the alias; then it is gone', async () => {
  const temporary = { FunctionName, Name: 'temporary' };
  await client.send(new CreateAliasCommand({ ...temporary, FunctionVersion: '1' }));
  for (const [name, options] of [
    [FunctionName, { Qualifier: 'temporary' }],
    [`${FunctionName}:temporary`, {}],
    [`${arn}:temporary`, {}],
  ] as const) {
    const { version, result } = await invoke(client, name, {}, options);
    assert.equal(version, '1');
    assert.deepEqual(result, ['1', `${arn}:temporary`]);
  }
  await client.send(new UpdateAliasCommand({ ...temporary, FunctionVersion: '2' }));
  assert.equal((await invoke(client, `${arn}:temporary`)).version, '2');
  await client.send(new DeleteAliasCommand(temporary));
  await assert.rejects(invoke(client, `${arn}:temporary`), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arn}:temporary`,
  });
});

test('of 1,000 invocations a weight of a quarter gets about a quarter', async () => {
  const RoutingConfig = { AdditionalVersionWeights: { '2': 0.25 } };
  await client.send(new UpdateAliasCommand({ ...alias, FunctionVersion: '1', RoutingConfig }));
  const versions: (string | undefined)[] = [];
  const caller = async (): Promise<void> => {
    for (let call = 0; call < 250; call += 1) {
      const { version, result } = await invoke(client, `${arn}:live`);
      assert.deepEqual(result, [version, `${arn}:live`]);
      versions.push(version);
    }
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  const second = versions.filter((version) => version === '2').length;
  // Six standard deviations of 13.7: missed once in 500 million runs.
  assert.ok(Math.abs(second - 250) < 83, `${second} of 1,000`);
  await client.send(new UpdateAliasCommand({ ...alias, RoutingConfig: {} }));
});

test('callers of an alias that moves to and fro always reach one of its versions', async () => {
  let isMoving = true;
  const caller = async (): Promise<void> => {
    while (isMoving) assert.match((await invoke(client, `${arn}:live`)).version ?? '', /^[12]$/);
  };
  const moves = async (): Promise<void> => {
    for (let move = 0; move < 20; move += 1) {
      const FunctionVersion = move % 2 === 0 ? '2' : '1';
      await client.send(new UpdateAliasCommand({ ...alias, FunctionVersion }));
      assert.equal((await invoke(client, `${arn}:live`)).version, FunctionVersion);
    }
  };
  const moving = moves().finally(() => {
    isMoving = false;
  });
  await Promise.all([moving, caller(), caller()]);
});
