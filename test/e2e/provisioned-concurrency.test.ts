/**
 * Provisioned concurrency from end to end: ready only when all are up, no Init in the call, what goes
 * beyond runs on demand, and it comes back after a crash of the server or of an environment.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  ProvisionedConcurrencyStatusEnum,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  TooManyRequestsException,
  type GetProvisionedConcurrencyConfigCommandOutput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { deploy, invoke, type Invoked } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const text = `
const type = process.env.AWS_LAMBDA_INITIALIZATION_TYPE;
const id = Math.random();
exports.handler = async ({ ms = 0, die = false }) => {
  if (die) process.exit(1);
  await new Promise((done) => setTimeout(done, ms));
  return { type, id };
};`;

interface Answer {
  readonly type: string;
  readonly id: number;
}

function answerOf({ result }: Invoked): Answer {
  return result as Answer;
}

async function provide(
  client: LambdaClient,
  FunctionName: string,
  ProvisionedConcurrentExecutions: number,
): Promise<void> {
  const input = { FunctionName, Qualifier: 'live', ProvisionedConcurrentExecutions };
  await client.send(new PutProvisionedConcurrencyConfigCommand(input));
}

/** The first answer that is no longer in progress; until then nothing may be available. */
async function settledStatus(
  client: LambdaClient,
  FunctionName: string,
): Promise<GetProvisionedConcurrencyConfigCommandOutput> {
  const query = new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier: 'live' });
  for (let attempt = 0; attempt < 3000; attempt += 1) {
    const found = await client.send(query);
    if (found.Status !== ProvisionedConcurrencyStatusEnum.IN_PROGRESS) return found;
    assert.equal(found.AvailableProvisionedConcurrentExecutions, 0);
    await sleep(10);
  }
  throw new Error(`${FunctionName} is in progress for ever`);
}

for (const driver of drivers) {
  describe(`provisioned concurrency on the ${driver} driver`, () => {
    let hearth: HearthProcess;
    let client: LambdaClient;
    const live = { Qualifier: 'live', LogType: 'Tail' } as const;

    before(async () => {
      hearth = await HearthProcess.start({ driver });
      ({ client } = hearth);
      await deploy(client, 'warm', { files: { 'index.js': text }, Publish: true });
      const alias = { FunctionName: 'warm', Name: 'live', FunctionVersion: '1' };
      await client.send(new CreateAliasCommand(alias));
      await provide(client, 'warm', 3);
    });
    after(() => hearth.stopAndRemove());

    test('is ready once all are up; three run on it without Init, the fourth on demand', async () => {
      const status = await settledStatus(client, 'warm');
      assert.equal(status.Status, 'READY');
      assert.equal(status.AllocatedProvisionedConcurrentExecutions, 3);
      assert.equal(status.AvailableProvisionedConcurrentExecutions, 3);
      const calls = Array.from({ length: 4 }, () => invoke(client, 'warm', { ms: 1500 }, live));
      const answers = await Promise.all(calls);
      const types = answers.map((answer) => answerOf(answer).type).sort();
      assert.deepEqual(types, ['on-demand', ...Array<string>(3).fill('provisioned-concurrency')]);
    });

    test('an environment that ends is replaced by one of its kind', async () => {
      const dead = await invoke(client, 'warm', { die: true }, live);
      assert.equal(dead.functionError, 'Unhandled');
      let types: string[] = [];
      for (let attempt = 0; attempt < 100; attempt += 1) {
        const calls = Array.from({ length: 3 }, () => invoke(client, 'warm', { ms: 300 }, live));
        types = (await Promise.all(calls)).map((answer) => answerOf(answer).type);
        if (!types.includes('on-demand')) break;
      }
      assert.deepEqual(types, Array<string>(3).fill('provisioned-concurrency'));
    });

    test('comes back after the server was killed', async () => {
      const before = answerOf(await invoke(client, 'warm', {}, live));
      await hearth.kill();
      hearth = await HearthProcess.start({ driver, dataFolder: hearth.dataFolder });
      ({ client } = hearth);
      assert.equal((await settledStatus(client, 'warm')).Status, 'READY');
      const answer = answerOf(await invoke(client, 'warm', {}, live));
      assert.equal(answer.type, 'provisioned-concurrency');
      assert.notEqual(answer.id, before.id);
    });

    test('as large as the reserve leaves nothing for other versions', async () => {
      const reserve = { FunctionName: 'warm', ReservedConcurrentExecutions: 3 };
      await client.send(new PutFunctionConcurrencyCommand(reserve));
      await assert.rejects(invoke(client, 'warm'), (error) => {
        assert(error instanceof TooManyRequestsException);
        assert.equal(error.Reason, 'ReservedFunctionConcurrentInvocationLimitExceeded');
        return true;
      });
      assert.equal(
        answerOf(await invoke(client, 'warm', {}, live)).type,
        'provisioned-concurrency',
      );
    });

    test('of a function that cannot be initialized fails with the service’s reason', async () => {
      const files = { 'index.js': 'throw new Error("never");' };
      await deploy(client, 'broken', { files, Publish: true });
      const alias = { FunctionName: 'broken', Name: 'live', FunctionVersion: '1' };
      await client.send(new CreateAliasCommand(alias));
      await provide(client, 'broken', 1);
      const status = await settledStatus(client, 'broken');
      assert.equal(status.Status, 'FAILED');
      assert.equal(status.StatusReason, 'FUNCTION_ERROR_INIT_FAILURE');
      assert.equal(status.AllocatedProvisionedConcurrentExecutions, 0);
    });

    test('that is deleted runs on demand', async () => {
      const query = { FunctionName: 'warm', Qualifier: 'live' };
      await client.send(new DeleteProvisionedConcurrencyConfigCommand(query));
      const { log, result } = await invoke(client, 'warm', {}, live);
      assert.equal((result as Answer).type, 'on-demand');
      assert.match(log, /Init Duration/);
    });
  });
}
