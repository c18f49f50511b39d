import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionRecursionConfigCommand,
  PutFunctionRecursionConfigCommand,
} from '@aws-sdk/client-lambda';
import { arnOf, functionInput, useServer } from './server.ts';

const server = useServer();

function get(FunctionName: string) {
  return server.client.send(new GetFunctionRecursionConfigCommand({ FunctionName }));
}

test('GetFunctionRecursionConfig answers Terminate for a new function, also after another had its name', async () => {
  const { client } = server;
  const FunctionName = 'looping';
  const create = new CreateFunctionCommand(functionInput(FunctionName));
  await client.send(create);
  const { $metadata, ...answer } = await get(FunctionName);
  assert.equal($metadata.httpStatusCode, 200);
  assert.deepEqual(answer, { RecursiveLoop: 'Terminate' });
  await client.send(
    new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: 'Allow' }),
  );
  assert.equal((await get(arnOf(FunctionName))).RecursiveLoop, 'Allow');
  await client.send(new DeleteFunctionCommand({ FunctionName }));
  await client.send(create);
  assert.equal((await get(FunctionName)).RecursiveLoop, 'Terminate');
});

test('GetFunctionRecursionConfig refuses unknown functions and qualifiers', async () => {
  await assert.rejects(get('unknown'), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('unknown')}`,
  });
  await assert.rejects(get('unknown:$LATEST'), { name: 'ValidationException' });
});
