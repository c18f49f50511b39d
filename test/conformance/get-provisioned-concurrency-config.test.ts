/** GetProvisionedConcurrencyConfig, as far as it needs no data plane. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetProvisionedConcurrencyConfigCommand } from '@aws-sdk/client-lambda';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { assertWholeSeconds, createAlias, putProvisioned } from './provisioned.ts';
import { arnOf, createActive, useServer } from './server.ts';

const shared = 'shared';

const server = useServer({}, async (client) => {
  await createActive(client, shared, { Publish: true });
  for (const name of ['live', 'other']) await createAlias(client, shared, name);
  await putProvisioned(client, shared, 'live', 7);
});

function get(FunctionName: string, Qualifier: string) {
  const input = { FunctionName, Qualifier };
  return server.client.send(new GetProvisionedConcurrencyConfigCommand(input));
}

test('it answers with every member, for all forms of a name', async () => {
  for (const form of [...nameForms(shared), `${shared}:live`]) {
    const { $metadata, ...found } = await get(form, 'live');
    assert.equal($metadata.httpStatusCode, 200);
    assertWholeSeconds(found.LastModified);
    assert.deepEqual(found, {
      RequestedProvisionedConcurrentExecutions: 7,
      AvailableProvisionedConcurrentExecutions: 0,
      AllocatedProvisionedConcurrentExecutions: 0,
      Status: 'IN_PROGRESS',
      LastModified: found.LastModified,
    });
  }
});

test('a version or alias that has none is refused by an error of its own', async () => {
  for (const qualifier of ['1', 'other']) {
    await refused(
      get(shared, qualifier),
      'ProvisionedConcurrencyConfigNotFoundException',
      'No Provisioned Concurrency Config found for this function',
    );
  }
});

test('it refuses what is not there, and what is not published', async () => {
  await notFound(get(shared, '2'), shared, '2');
  await notFound(get('unknown', '1'), 'unknown', '1');
  for (const name of [shared, 'unknown']) {
    await refused(
      get(name, 'absent'),
      'ResourceNotFoundException',
      `Cannot find alias arn: ${arnOf(name)}:absent`,
    );
  }
  await refused(
    get(shared, '$LATEST'),
    'InvalidParameterValueException',
    'The function resource provided must be an alias or a published version.',
  );
  await refused(
    get(`${shared}:1`, 'live'),
    'InvalidParameterValueException',
    'The derived qualifier from the function name does not match the specified qualifier.',
  );
  await invalid(get(shared, 'a b'), 'qualifier');
});
