/** PutFunctionConcurrency: a share of the account's concurrency, kept for one function. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { arnOf, createActive, untilUpdated, useServer } from './server.ts';

const server = useServer();

function put(FunctionName: string, ReservedConcurrentExecutions: number) {
  const input = { FunctionName, ReservedConcurrentExecutions };
  return server.client.send(new PutFunctionConcurrencyCommand(input));
}

function release(FunctionName: string) {
  return server.client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
}

async function reserveOf(FunctionName: string): Promise<number | undefined> {
  const reading = new GetFunctionConcurrencyCommand({ FunctionName });
  return (await server.client.send(reading)).ReservedConcurrentExecutions;
}

async function unreserved(): Promise<number | undefined> {
  const { AccountLimit } = await server.client.send(new GetAccountSettingsCommand({}));
  return AccountLimit?.UnreservedConcurrentExecutions;
}

const belowMinimum =
  "Specified ReservedConcurrentExecutions for function decreases account's " +
  'UnreservedConcurrentExecution below its minimum value of [100].';

test('it answers with the reserve, which others show, too', async () => {
  const FunctionName = 'reserving';
  await createActive(server.client, FunctionName);
  const { RevisionId: before, ...rest } = await untilUpdated(server.client, FunctionName);
  const revisions = new Set([before]);
  for (const reserve of [900, 0, 7, 7]) {
    const { $metadata, ...made } = await put(FunctionName, reserve);
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(made, { ReservedConcurrentExecutions: reserve });
    assert.equal(await reserveOf(FunctionName), reserve);
    const found = await server.client.send(new GetFunctionCommand({ FunctionName }));
    assert.deepEqual(found.Concurrency, made);
    assert.equal(await unreserved(), 1000 - reserve);
    // radkawar/stackd docs/lambda.md: another RevisionId and the same LastModified.
    const { RevisionId, ...same } = await untilUpdated(server.client, FunctionName);
    assert.deepEqual(same, rest);
    revisions.add(RevisionId);
  }
  assert.equal(revisions.size, 4, 'the same reserve again changes nothing');
  await release(FunctionName);
});

test('100 stay unreserved, whoever asks', async () => {
  for (const name of ['one', 'two']) await createActive(server.client, name);
  await refused(put('one', 901), 'InvalidParameterValueException', belowMinimum);
  await refused(put('one', 5000), 'InvalidParameterValueException', belowMinimum);
  await put('one', 600);
  await refused(put('two', 301), 'InvalidParameterValueException', belowMinimum);
  await put('two', 300);
  assert.equal(await unreserved(), 100);
  // What the function has already counts as free for it.
  await put('two', 299);
  await put('two', 300);
  await refused(put('two', 301), 'InvalidParameterValueException', belowMinimum);
  await server.client.send(new DeleteFunctionCommand({ FunctionName: 'one' }));
  await put('two', 900);
  await release('two');
  assert.equal(await unreserved(), 1000);
});

test('of reserves at once those are done that fit together', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `racer-${index}`);
  for (const name of names) await createActive(server.client, name);
  const outcomes = await Promise.allSettled(names.map((name) => put(name, 400)));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2);
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    const lost = Promise.reject<void>(outcome.reason as Error);
    await refused(lost, 'InvalidParameterValueException', belowMinimum);
  }
  assert.equal(await unreserved(), 200);
  for (const name of names) await release(name);
});

test('it is not less than what the function has provisioned', async () => {
  const { client } = server;
  const FunctionName = 'provisioning';
  await createActive(client, FunctionName, { Publish: true });
  await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
  const provisioned = { FunctionName, Qualifier: 'live', ProvisionedConcurrentExecutions: 9 };
  await client.send(new PutProvisionedConcurrencyConfigCommand(provisioned));
  await refused(
    put(FunctionName, 8),
    'InvalidParameterValueException',
    " ReservedConcurrentExecutions  8 should not be lower than function's total provisioned " +
      'concurrency [9].',
  );
  await put(FunctionName, 9);
  assert.equal(await unreserved(), 991);
  await client.send(new DeleteFunctionCommand({ FunctionName }));
});

test('it takes all forms of a name, and no qualifier', async () => {
  const name = 'formed';
  await createActive(server.client, name, { Publish: true });
  for (const [index, form] of nameForms(name).entries()) {
    assert.equal((await put(form, index)).ReservedConcurrentExecutions, index);
  }
  for (const form of [`${name}:1`, `${arnOf(name)}:$LATEST`, `${name}:live`]) {
    await refused(
      put(form, 1),
      'InvalidParameterValueException',
      'This operation is permitted on Lambda functions only. Aliases and versions do not support this ' +
        'operation. Please specify either a function name or an unqualified function ARN.',
    );
  }
});

test('it refuses what is not there, and values below 0', async () => {
  // moto #3215; the qualifier as in localstack's provider
  await notFound(put('unknown', 1), 'unknown', '$LATEST');
  await createActive(server.client, 'refusing');
  await invalid(put('refusing', -1), 'reservedConcurrentExecutions', /greater than or equal to 0$/);
  assert.equal(await reserveOf('refusing'), undefined);
});
