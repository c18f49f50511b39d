/** GetFunctionConcurrency. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { nameForms, notFound, refused } from './expect.ts';
import { createActive, useServer } from './server.ts';

const server = useServer({}, async (client) => void (await createActive(client, 'shared')));

async function get(FunctionName: string) {
  const reading = new GetFunctionConcurrencyCommand({ FunctionName });
  const { $metadata, ...answer } = await server.client.send(reading);
  assert.equal($metadata.httpStatusCode, 200);
  return answer;
}

test('it answers with the reserve for all forms of a name, and with nothing when there is none', async () => {
  assert.deepEqual(await get('shared'), {});
  for (const reserve of [0, 5]) {
    const input = { FunctionName: 'shared', ReservedConcurrentExecutions: reserve };
    await server.client.send(new PutFunctionConcurrencyCommand(input));
    for (const form of nameForms('shared')) {
      assert.deepEqual(await get(form), { ReservedConcurrentExecutions: reserve });
    }
  }
});

test('it refuses what is not there, and qualifiers', async () => {
  await notFound(get('unknown'), 'unknown');
  await refused(
    get('shared:1'),
    'InvalidParameterValueException',
    /^This operation is permitted on Lambda functions only\. Aliases and versions do not support/,
  );
});
