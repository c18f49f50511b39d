import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetFunctionConfigurationCommand,
  GetFunctionRecursionConfigCommand,
  PutFunctionRecursionConfigCommand,
  type RecursiveLoop,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, useServer } from './server.ts';

const server = useServer();

function put(FunctionName: string, RecursiveLoop: RecursiveLoop) {
  return server.client.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop }));
}

test('PutFunctionRecursionConfig sets both values, by name and ARNs', async () => {
  await createActive(server.client, 'looping');
  const get = new GetFunctionConfigurationCommand({ FunctionName: 'looping' });
  const { RevisionId } = await server.client.send(get);
  for (const [name, value] of [
    ['looping', 'Allow'],
    [arnOf('looping'), 'Terminate'],
    ['000000000000:function:looping', 'Allow'],
  ] as const) {
    const { $metadata, ...answer } = await put(name, value);
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(answer, { RecursiveLoop: value });
    const found = await server.client.send(
      new GetFunctionRecursionConfigCommand({ FunctionName: 'looping' }),
    );
    assert.equal(found.RecursiveLoop, value);
  }
  assert.equal((await server.client.send(get)).RevisionId, RevisionId);
});

test('PutFunctionRecursionConfig refuses unknown functions and values, and qualifiers', async () => {
  await assert.rejects(put('unknown', 'Allow'), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('unknown')}`,
  });
  await assert.rejects(put('unknown', 'allow' as 'Allow'), { name: 'ValidationException' });
  await assert.rejects(put('unknown', undefined as never), { name: 'ValidationException' });
  await assert.rejects(put('unknown:1', 'Allow'), { name: 'ValidationException' });
});
