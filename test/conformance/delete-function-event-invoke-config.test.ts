import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { arnOf, createAliased, refused, useServer } from './server.ts';

const server = useServer();

function remove(FunctionName: string, Qualifier?: string) {
  const input = { FunctionName, Qualifier };
  return server.client.send(new DeleteFunctionEventInvokeConfigCommand(input));
}

test('a configuration is deleted by itself', async () => {
  const FunctionName = 'deleted';
  await createAliased(server.client, FunctionName);
  const qualifiers = [undefined, '1', 'live'];
  for (const Qualifier of qualifiers) {
    const input = { FunctionName, Qualifier, MaximumRetryAttempts: 0 };
    await server.client.send(new PutFunctionEventInvokeConfigCommand(input));
  }
  for (const Qualifier of qualifiers) {
    const getting = new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier });
    await server.client.send(getting);
    assert.equal((await remove(FunctionName, Qualifier)).$metadata.httpStatusCode, 204);
    const gone = refused('ResourceNotFoundException');
    await assert.rejects(server.client.send(getting), gone);
    await assert.rejects(remove(FunctionName, Qualifier), gone);
  }
});

test('what is not there', async () => {
  await createAliased(server.client, 'bare');
  for (const [name, qualifier] of [['bare'], ['bare', '1'], ['bare', 'x'], ['absent']] as const) {
    await assert.rejects(
      remove(name, qualifier),
      refused(
        'ResourceNotFoundException',
        `The function ${arnOf(name)}:${qualifier ?? '$LATEST'} doesn't have an EventInvokeConfig`,
      ),
    );
  }
});
