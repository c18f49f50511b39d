/** DeleteFunction: a function with all that it has, or one version of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { createVersioned } from './configurations.ts';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { arnOf, createActive, functionInput, otherZip, untilUpdated, useServer } from './server.ts';

const server = useServer();

async function remove(FunctionName: string, Qualifier?: string): Promise<void> {
  const deleting = new DeleteFunctionCommand({ FunctionName, Qualifier });
  const { $metadata, ...answer } = await server.client.send(deleting);
  assert.equal($metadata.httpStatusCode, 204);
  assert.deepEqual(answer, { StatusCode: 204 });
}

async function versionsOf(FunctionName: string): Promise<(string | undefined)[]> {
  const listing = new ListVersionsByFunctionCommand({ FunctionName });
  const { Versions = [] } = await server.client.send(listing);
  return Versions.map(({ Version }) => Version);
}

test('a function goes with its versions, aliases, tags and concurrency', async () => {
  const { client } = server;
  const FunctionName = 'whole';
  const live = { FunctionName, Name: 'live' };
  await createActive(client, FunctionName, { Publish: true, Tags: { team: 'a' } });
  await client.send(new CreateAliasCommand({ ...live, FunctionVersion: '1' }));
  const reserve = { FunctionName, ReservedConcurrentExecutions: 10 };
  await client.send(new PutFunctionConcurrencyCommand(reserve));
  const provisioned = { FunctionName, Qualifier: 'live', ProvisionedConcurrentExecutions: 1 };
  await client.send(new PutProvisionedConcurrencyConfigCommand(provisioned));
  await remove(FunctionName);
  await notFound(client.send(new GetFunctionCommand({ FunctionName })), FunctionName);
  const first = new GetFunctionCommand({ FunctionName, Qualifier: '1' });
  await notFound(client.send(first), FunctionName, '1');
  await notFound(client.send(new GetAliasCommand(live)), FunctionName);
  await notFound(versionsOf(FunctionName), FunctionName);
  await notFound(client.send(new ListTagsCommand({ Resource: arnOf(FunctionName) })), FunctionName);
  await notFound(remove(FunctionName), FunctionName);

  await createActive(client, FunctionName);
  assert.deepEqual(await versionsOf(FunctionName), ['$LATEST']);
  const reading = new GetFunctionConcurrencyCommand({ FunctionName });
  assert.equal((await client.send(reading)).ReservedConcurrentExecutions, undefined);
  await refused(
    client.send(new GetAliasCommand(live)),
    'ResourceNotFoundException',
    `Cannot find alias arn: ${arnOf(FunctionName)}:live`,
  );
});

test('it takes all forms of a name', async () => {
  for (const form of nameForms('formed')) {
    await createActive(server.client, 'formed');
    await remove(form);
    await notFound(remove(form), 'formed');
  }
});

// floci #2819, #2824: measured on the real service.
test('a version goes alone, and again without an error; no number is used twice', async () => {
  const FunctionName = 'versions';
  await createVersioned(server.client, FunctionName, 3);
  await remove(FunctionName, '2');
  assert.deepEqual(await versionsOf(FunctionName), ['$LATEST', '1', '3']);
  for (const absent of ['2', '99', '01']) await remove(FunctionName, absent);
  await remove(`${arnOf(FunctionName)}:3`);
  assert.deepEqual(await versionsOf(FunctionName), ['$LATEST', '1']);
  const publishing = new PublishVersionCommand({ FunctionName });
  assert.equal((await server.client.send(publishing)).Version, '4');
  await remove(FunctionName, '4');
  await remove(FunctionName);
  await createActive(server.client, FunctionName, { Publish: true });
  assert.deepEqual(await versionsOf(FunctionName), ['$LATEST', '5']);
});

// radkawar/stackd docs/lambda.md
test('only without the version published last $LATEST gets another revision', async () => {
  const { client } = server;
  const FunctionName = 'revised';
  await createVersioned(client, FunctionName, 3);
  const { RevisionId: before, ...rest } = await untilUpdated(client, FunctionName);
  const second = await untilUpdated(client, FunctionName, '2');
  const afterRemovalOf = async (version: string) => {
    await remove(FunctionName, version);
    const { RevisionId, ...same } = await untilUpdated(client, FunctionName);
    assert.deepEqual(same, rest);
    return RevisionId;
  };
  assert.equal(await afterRemovalOf('1'), before);
  const revised = await afterRemovalOf('3');
  assert.notEqual(revised, before);
  assert.deepEqual(await untilUpdated(client, FunctionName, '2'), second);
  for (const version of ['3', '2']) assert.equal(await afterRemovalOf(version), revised);
});

test('a version stays while an alias references it, be it by weight', async () => {
  const { client } = server;
  const FunctionName = 'referenced';
  await createVersioned(client, FunctionName, 2);
  for (const Name of ['old', 'live']) {
    await client.send(new CreateAliasCommand({ FunctionName, Name, FunctionVersion: '1' }));
  }
  const RoutingConfig = { AdditionalVersionWeights: { '2': 0.1 } };
  await client.send(new UpdateAliasCommand({ FunctionName, Name: 'live', RoutingConfig }));
  for (const [version, aliases] of [
    ['1', '[live, old]'],
    ['2', '[live]'],
  ] as const) {
    // go-lambda-cleanup #45
    await refused(
      remove(FunctionName, version),
      'ResourceConflictException',
      `Unable to delete version because the following aliases reference it: ${aliases}`,
    );
  }
  assert.deepEqual(await versionsOf(FunctionName), ['$LATEST', '1', '2']);
  await remove(FunctionName);
});

test('a function that is being made or updated can be deleted', async () => {
  const FunctionName = 'unsettled';
  await server.client.send(new CreateFunctionCommand(functionInput(FunctionName)));
  await remove(FunctionName);
  await createActive(server.client, FunctionName);
  await server.client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip }));
  await remove(FunctionName);
  await notFound(versionsOf(FunctionName), FunctionName);
});

test('of deletions at once one is done', async () => {
  await createVersioned(server.client, 'raced', 3);
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => remove('raced')));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') await notFound(Promise.reject(outcome.reason), 'raced');
  }
});

test('it refuses $LATEST, aliases and what is not there', async () => {
  await createActive(server.client, 'kept', { Publish: true });
  // Names are looked at before the function is.
  for (const name of ['kept', 'unknown']) {
    await refused(
      remove(name, '$LATEST'),
      'InvalidParameterValueException',
      '$LATEST version cannot be deleted without deleting the function.',
    );
    await refused(
      remove(name, 'live'),
      'InvalidParameterValueException',
      'Deletion of aliases is not currently supported.',
    );
  }
  // The refusal names the function, without the version.
  await notFound(remove('unknown', '1'), 'unknown');
  await refused(
    remove('kept:1', '2'),
    'InvalidParameterValueException',
    'The derived qualifier from the function name does not match the specified qualifier.',
  );
  await invalid(remove('kept', 'a b'), 'qualifier');
  assert.deepEqual(await versionsOf('kept'), ['$LATEST', '1']);
});
