/** DeleteFunctionConcurrency. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { nameForms, notFound, refused } from './expect.ts';
import { createActive, untilUpdated, useServer } from './server.ts';

const server = useServer({}, async (client) => void (await createActive(client, 'shared')));

async function remove(FunctionName: string): Promise<void> {
  const deleting = new DeleteFunctionConcurrencyCommand({ FunctionName });
  const { $metadata, ...answer } = await server.client.send(deleting);
  assert.equal($metadata.httpStatusCode, 204);
  assert.deepEqual(answer, {});
}

test('it answers 204 however often, for all forms of a name; the reserve is free again', async () => {
  const { client } = server;
  const before = await untilUpdated(client, 'shared');
  for (const form of nameForms('shared')) {
    const reserve = { FunctionName: 'shared', ReservedConcurrentExecutions: 900 };
    await client.send(new PutFunctionConcurrencyCommand(reserve));
    const reserved = await untilUpdated(client, 'shared');
    await remove(form);
    // radkawar/stackd docs/lambda.md: another RevisionId, unless there was no reserve.
    const released = await untilUpdated(client, 'shared');
    assert.notEqual(released.RevisionId, reserved.RevisionId);
    await remove(form);
    assert.deepEqual(await untilUpdated(client, 'shared'), released);
    const found = await client.send(new GetFunctionCommand({ FunctionName: 'shared' }));
    assert.equal(found.Concurrency, undefined);
    const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
    assert.equal(AccountLimit?.UnreservedConcurrentExecutions, 1000);
  }
  const after = await untilUpdated(client, 'shared');
  assert.deepEqual({ ...after, RevisionId: '' }, { ...before, RevisionId: '' });
});

test('it refuses what is not there, and qualifiers', async () => {
  await notFound(remove('unknown'), 'unknown');
  await refused(
    remove('shared:1'),
    'InvalidParameterValueException',
    /^This operation is permitted on Lambda functions only\. Aliases and versions do not support/,
  );
});
