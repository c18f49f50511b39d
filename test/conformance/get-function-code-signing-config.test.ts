import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateFunctionCommand, GetFunctionCodeSigningConfigCommand } from '@aws-sdk/client-lambda';
import { createAttached, createConfig } from './code-signing.ts';
import { arnOf, functionInput, useServer } from './server.ts';

const server = useServer();

function get(FunctionName: string) {
  return server.client.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }));
}

test('GetFunctionCodeSigningConfig names the configuration, by name and ARNs', async () => {
  const { CodeSigningConfigArn } = await createConfig(server.client);
  await createAttached(server.client, 'signed', CodeSigningConfigArn);
  for (const name of ['signed', arnOf('signed'), '000000000000:function:signed']) {
    const { $metadata, ...answer } = await get(name);
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(answer, { CodeSigningConfigArn, FunctionName: 'signed' });
  }
});

test('GetFunctionCodeSigningConfig says nothing of a function without one', async () => {
  await server.client.send(new CreateFunctionCommand(functionInput('unsigned')));
  const { $metadata, ...answer } = await get('unsigned');
  assert.equal($metadata.httpStatusCode, 200);
  assert.deepEqual(answer, {});
});

test('GetFunctionCodeSigningConfig refuses functions that are not there, and versions', async () => {
  await assert.rejects(get('nothing'), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('nothing')}`,
  });
  await assert.rejects(get('nothing:7'), {
    name: 'InvalidParameterValueException',
    message: 'Current operation does not support versions other than $LATEST',
  });
  await assert.rejects(get('no name'), { name: 'ValidationException' });
});
