import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteCodeSigningConfigCommand,
  DeleteFunctionCodeSigningConfigCommand,
  DeleteFunctionCommand,
  GetCodeSigningConfigCommand,
  ListTagsCommand,
} from '@aws-sdk/client-lambda';
import { configNotFound, createAttached, createConfig, unknownConfigArn } from './code-signing.ts';
import { useServer } from './server.ts';

const server = useServer();

function remove(CodeSigningConfigArn: string) {
  return server.client.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }));
}

test('DeleteCodeSigningConfig answers 204, and the configuration is gone with its tags', async () => {
  const { CodeSigningConfigArn: arn } = await createConfig(server.client, { Tags: { a: '1' } });
  assert.equal((await remove(arn)).$metadata.httpStatusCode, 204);
  const gone = {
    name: 'ResourceNotFoundException',
    message: `The Lambda code signing configuration ${arn} can not be found.`,
  };
  const get = new GetCodeSigningConfigCommand({ CodeSigningConfigArn: arn });
  await assert.rejects(server.client.send(get), gone);
  await assert.rejects(server.client.send(new ListTagsCommand({ Resource: arn })), gone);
  await assert.rejects(remove(arn), gone);
  await assert.rejects(remove(unknownConfigArn), configNotFound);
});

test('DeleteCodeSigningConfig refuses one that functions have, until the last lets go', async () => {
  const { client } = server;
  const { CodeSigningConfigArn: arn } = await createConfig(client);
  await createAttached(client, 'first-user', arn);
  await createAttached(client, 'second-user', arn);
  const inUse = {
    name: 'ResourceConflictException',
    message: `The code signing configuration ${arn} cannot be deleted: functions are using it.`,
  };
  await assert.rejects(remove(arn), inUse);
  await client.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName: 'first-user' }));
  await assert.rejects(remove(arn), inUse);
  await client.send(new DeleteFunctionCommand({ FunctionName: 'second-user' }));
  assert.equal((await remove(arn)).$metadata.httpStatusCode, 204);
});

test('of deletions at once one succeeds', async () => {
  const { CodeSigningConfigArn: arn } = await createConfig(server.client);
  const results = await Promise.allSettled([remove(arn), remove(arn), remove(arn)]);
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
});
