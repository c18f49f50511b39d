import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeleteFunctionCommand, ListVersionsByFunctionCommand } from '@aws-sdk/client-lambda';
import { arnOf, createActive, useServer } from './server.ts';

const server = useServer();

test('DeleteFunction of a version that is not there answers 204', async () => {
  const FunctionName = 'kept';
  await createActive(server.client, FunctionName, { Publish: true });
  for (const Qualifier of ['1233', '01']) {
    const deleting = new DeleteFunctionCommand({ FunctionName, Qualifier });
    assert.equal((await server.client.send(deleting)).$metadata.httpStatusCode, 204);
  }
  const listing = new ListVersionsByFunctionCommand({ FunctionName });
  assert.equal((await server.client.send(listing)).Versions?.length, 2);
});

test('DeleteFunction names the function without qualifier when it is not there', async () => {
  const deleting = new DeleteFunctionCommand({ FunctionName: 'nothing', Qualifier: '1' });
  await assert.rejects(server.client.send(deleting), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('nothing')}`,
  });
});

test('DeleteFunction refuses names before it looks for the function', async () => {
  const deleting = new DeleteFunctionCommand({ FunctionName: 'nothing', Qualifier: 'live' });
  await assert.rejects(server.client.send(deleting), {
    name: 'InvalidParameterValueException',
    message: 'Deletion of aliases is not currently supported.',
  });
});
