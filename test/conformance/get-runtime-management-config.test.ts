import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetRuntimeManagementConfigCommand,
  PutRuntimeManagementConfigCommand,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, functionInput, useServer } from './server.ts';

const server = useServer();

function get(FunctionName: string, Qualifier?: string) {
  return server.client.send(new GetRuntimeManagementConfigCommand({ FunctionName, Qualifier }));
}

test('GetRuntimeManagementConfig answers Auto until something else is set', async () => {
  await createActive(server.client, 'managed', { Publish: true });
  for (const [name, Qualifier, FunctionArn] of [
    ['managed', undefined, arnOf('managed')],
    ['managed', '$LATEST', `${arnOf('managed')}:$LATEST`],
    ['managed', '1', `${arnOf('managed')}:1`],
    [`${arnOf('managed')}:1`, undefined, `${arnOf('managed')}:1`],
  ] as const) {
    const { $metadata, ...answer } = await get(name, Qualifier);
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(answer, { UpdateRuntimeOn: 'Auto', FunctionArn });
  }
});

test('GetRuntimeManagementConfig answers Auto again for a function made anew', async () => {
  const { client } = server;
  const FunctionName = 'anew';
  await createActive(client, FunctionName);
  await client.send(
    new PutRuntimeManagementConfigCommand({ FunctionName, UpdateRuntimeOn: 'FunctionUpdate' }),
  );
  assert.equal((await get(FunctionName)).UpdateRuntimeOn, 'FunctionUpdate');
  await client.send(new DeleteFunctionCommand({ FunctionName }));
  await client.send(new CreateFunctionCommand(functionInput(FunctionName)));
  assert.equal((await get(FunctionName)).UpdateRuntimeOn, 'Auto');
});

test('GetRuntimeManagementConfig refuses what is not there', async () => {
  await server.client.send(new CreateFunctionCommand(functionInput('few')));
  for (const [name, Qualifier, arn] of [
    ['unknown', undefined, arnOf('unknown')],
    ['few', '7', `${arnOf('few')}:7`],
    ['few', 'live', `${arnOf('few')}:live`],
  ] as const) {
    await assert.rejects(get(name, Qualifier), {
      name: 'ResourceNotFoundException',
      message: `Function not found: ${arn}`,
    });
  }
});
