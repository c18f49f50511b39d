/** DeleteProvisionedConcurrencyConfig. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { createAlias, putProvisioned } from './provisioned.ts';
import { arnOf, createActive, useServer } from './server.ts';

const shared = 'shared';

const server = useServer({}, async (client) => {
  await createActive(client, shared, { Publish: true });
  await createAlias(client, shared, 'live');
});

async function remove(FunctionName: string, Qualifier: string): Promise<void> {
  const deleting = new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier });
  const { $metadata, ...answer } = await server.client.send(deleting);
  assert.equal($metadata.httpStatusCode, 204);
  assert.deepEqual(answer, {});
}

test('it answers 204 however often, for all forms of a name; the units are free again', async () => {
  const { client } = server;
  for (const qualifier of ['live', '1']) {
    for (const form of nameForms(shared)) {
      await putProvisioned(client, shared, qualifier, 900);
      await remove(form, qualifier);
      await remove(form, qualifier);
      const reading = { FunctionName: shared, Qualifier: qualifier };
      await refused(
        client.send(new GetProvisionedConcurrencyConfigCommand(reading)),
        'ProvisionedConcurrencyConfigNotFoundException',
        'No Provisioned Concurrency Config found for this function',
      );
      const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
      assert.equal(AccountLimit?.UnreservedConcurrentExecutions, 1000);
    }
  }
});

test('it refuses what is not there, and what is not published', async () => {
  await notFound(remove(shared, '2'), shared, '2');
  await notFound(remove('unknown', '1'), 'unknown', '1');
  await refused(
    remove(shared, 'absent'),
    'ResourceNotFoundException',
    `Cannot find alias arn: ${arnOf(shared)}:absent`,
  );
  await refused(
    remove(shared, '$LATEST'),
    'InvalidParameterValueException',
    'The function resource provided must be an alias or a published version.',
  );
  await invalid(remove(shared, 'a b'), 'qualifier');
});
