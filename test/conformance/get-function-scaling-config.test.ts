import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetFunctionScalingConfigCommand } from '@aws-sdk/client-lambda';
import { arnOf, createActive, useServer } from './server.ts';

const server = useServer();

function get(FunctionName: string, Qualifier: string) {
  return server.client.send(new GetFunctionScalingConfigCommand({ FunctionName, Qualifier }));
}

test('GetFunctionScalingConfig refuses functions that run on no capacity provider', async () => {
  await createActive(server.client, 'plain', { Publish: true });
  const refused = {
    name: 'AccessDeniedException',
    message: 'The function provided by the arn does not contain a capacity provider configuration',
  };
  await assert.rejects(get('plain', '1'), refused);
  await assert.rejects(get('plain', '$LATEST.PUBLISHED'), refused);
});

test('GetFunctionScalingConfig refuses what is not there', async () => {
  await createActive(server.client, 'unpublished');
  await assert.rejects(get('unpublished', '7'), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('unpublished')}:7`,
  });
  await assert.rejects(get('unknown', '$LATEST.PUBLISHED'), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('unknown')}:$LATEST.PUBLISHED`,
  });
  for (const qualifier of ['$LATEST', 'alias']) {
    await assert.rejects(get('unpublished', qualifier), { name: 'ValidationException' });
  }
});
