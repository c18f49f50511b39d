import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PutFunctionScalingConfigCommand,
  type FunctionScalingConfig,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, useServer } from './server.ts';

const server = useServer();

function put(
  FunctionName: string,
  Qualifier: string,
  FunctionScalingConfig: FunctionScalingConfig = {
    MinExecutionEnvironments: 0,
    MaxExecutionEnvironments: 15_000,
  },
) {
  const input = { FunctionName, Qualifier, FunctionScalingConfig };
  return server.client.send(new PutFunctionScalingConfigCommand(input));
}

test('PutFunctionScalingConfig refuses functions that run on no capacity provider', async () => {
  await createActive(server.client, 'plain', { Publish: true });
  const refused = {
    name: 'AccessDeniedException',
    message: 'The function provided by the arn does not contain a capacity provider configuration',
  };
  await assert.rejects(put('plain', '1'), refused);
  await assert.rejects(put(arnOf('plain'), '$LATEST.PUBLISHED'), refused);
});

test('PutFunctionScalingConfig refuses what is not there or out of bounds', async () => {
  await createActive(server.client, 'unpublished');
  await assert.rejects(put('unpublished', '7'), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('unpublished')}:7`,
  });
  await assert.rejects(put('unknown', '1'), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('unknown')}:1`,
  });
  for (const config of [
    { MinExecutionEnvironments: -1 },
    { MinExecutionEnvironments: 15_001 },
    { MaxExecutionEnvironments: -1 },
    { MaxExecutionEnvironments: 15_001 },
  ]) {
    await assert.rejects(put('unpublished', '1', config), { name: 'ValidationException' });
  }
  for (const qualifier of ['$LATEST', 'alias']) {
    await assert.rejects(put('unpublished', qualifier), { name: 'ValidationException' });
  }
});
