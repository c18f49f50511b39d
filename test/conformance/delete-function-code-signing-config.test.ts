import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  ListFunctionsByCodeSigningConfigCommand,
} from '@aws-sdk/client-lambda';
import { createAttached, createConfig } from './code-signing.ts';
import { arnOf, functionInput, useServer } from './server.ts';

const server = useServer();

function detach(FunctionName: string) {
  return server.client.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName }));
}

test('DeleteFunctionCodeSigningConfig answers 204 and detaches', async () => {
  const { CodeSigningConfigArn } = await createConfig(server.client);
  await createAttached(server.client, 'detached', CodeSigningConfigArn);
  assert.equal((await detach('detached')).$metadata.httpStatusCode, 204);
  const found = await server.client.send(
    new GetFunctionCodeSigningConfigCommand({ FunctionName: 'detached' }),
  );
  assert.equal(found.CodeSigningConfigArn, undefined);
  const { FunctionArns } = await server.client.send(
    new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn }),
  );
  assert.deepEqual(FunctionArns, []);
});

test('DeleteFunctionCodeSigningConfig of a function without one is no error', async () => {
  await server.client.send(new CreateFunctionCommand(functionInput('never')));
  assert.equal((await detach('never')).$metadata.httpStatusCode, 204);
});

test('DeleteFunctionCodeSigningConfig refuses functions that are not there, and versions', async () => {
  await assert.rejects(detach('nothing'), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('nothing')}`,
  });
  await assert.rejects(detach('nothing:7'), {
    name: 'InvalidParameterValueException',
    message: 'Current operation does not support versions other than $LATEST',
  });
});
