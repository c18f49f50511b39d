/** DeleteAlias. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  ListProvisionedConcurrencyConfigsCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { createVersioned } from './configurations.ts';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { arnOf, useServer } from './server.ts';

const shared = 'shared';

const server = useServer({}, (client) => createVersioned(client, shared, 2));

function make(Name: string, FunctionVersion = '1') {
  const alias = { FunctionName: shared, Name, FunctionVersion };
  return server.client.send(new CreateAliasCommand(alias));
}

async function remove(Name: string, FunctionName = shared): Promise<void> {
  const deleting = new DeleteAliasCommand({ FunctionName, Name });
  const { $metadata, ...answer } = await server.client.send(deleting);
  assert.equal($metadata.httpStatusCode, 204);
  assert.deepEqual(answer, {});
}

// localstack #11878: the service answers 204 for an alias that is not there.
test('it answers 204 however often, for all forms of a name, and the name is free again', async () => {
  for (const form of [...nameForms(shared), `${shared}:$LATEST`]) {
    await make('live');
    for (let time = 0; time < 2; time += 1) await remove('live', form);
    await refused(
      server.client.send(new GetAliasCommand({ FunctionName: shared, Name: 'live' })),
      'ResourceNotFoundException',
      `Cannot find alias arn: ${arnOf(shared)}:live`,
    );
    const reading = { FunctionName: shared, Qualifier: 'live' };
    const qualified = server.client.send(new GetFunctionConfigurationCommand(reading));
    await notFound(qualified, shared, 'live');
  }
});

test('deletions at once all answer 204', async () => {
  await make('raced');
  await Promise.all(Array.from({ length: 8 }, () => remove('raced')));
});

test('its version can be deleted then, and its provisioned concurrency is gone', async () => {
  const { client } = server;
  await make('held', '2');
  const provisioned = {
    FunctionName: shared,
    Qualifier: 'held',
    ProvisionedConcurrentExecutions: 1,
  };
  await client.send(new PutProvisionedConcurrencyConfigCommand(provisioned));
  const version = new DeleteFunctionCommand({ FunctionName: shared, Qualifier: '2' });
  await refused(
    client.send(version),
    'ResourceConflictException',
    'Unable to delete version because the following aliases reference it: [held]',
  );
  await remove('held');
  const listing = new ListProvisionedConcurrencyConfigsCommand({ FunctionName: shared });
  assert.deepEqual((await client.send(listing)).ProvisionedConcurrencyConfigs, []);
  assert.equal((await client.send(version)).$metadata.httpStatusCode, 204);
});

test('it refuses functions that are not there, and names that are none', async () => {
  await notFound(remove('live', 'unknown'), 'unknown');
  await invalid(remove('1'), 'name');
  await refused(
    remove('live', `${shared}:1`),
    'InvalidParameterValueException',
    'Current operation does not support versions other than $LATEST',
  );
});
