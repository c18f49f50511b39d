import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionUrlConfigCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda';
import { createAliased, refused, useServer } from './server.ts';

const server = useServer();

const notFound = refused('ResourceNotFoundException', 'The resource you requested does not exist.');

function create(FunctionName: string, Qualifier?: string) {
  const input = { FunctionName, Qualifier, AuthType: 'NONE' } as const;
  return server.client.send(new CreateFunctionUrlConfigCommand(input));
}

function remove(FunctionName: string, Qualifier?: string) {
  return server.client.send(new DeleteFunctionUrlConfigCommand({ FunctionName, Qualifier }));
}

test('a URL is deleted by itself, and the next one has another address', async () => {
  const FunctionName = 'deleted';
  await createAliased(server.client, FunctionName);
  const first = await create(FunctionName);
  await create(FunctionName, 'live');
  assert.equal((await remove(FunctionName)).$metadata.httpStatusCode, 204);
  const getting = new GetFunctionUrlConfigCommand({ FunctionName });
  await assert.rejects(server.client.send(getting), notFound);
  const ofAlias = new GetFunctionUrlConfigCommand({ FunctionName, Qualifier: 'live' });
  await server.client.send(ofAlias);
  const second = await create(FunctionName);
  assert.notEqual(second.FunctionUrl, first.FunctionUrl);
  await remove(FunctionName, 'live');
  await assert.rejects(server.client.send(ofAlias), notFound);
});

test('what is not there, and what can have no URL', async () => {
  await createAliased(server.client, 'urlless');
  const absent = [['urlless'], ['urlless', 'live'], ['urlless', 'absent'], ['absent']] as const;
  for (const [name, qualifier] of absent) {
    await assert.rejects(remove(name, qualifier), notFound);
  }
  for (const qualifier of ['1', '$LATEST']) {
    await assert.rejects(remove('urlless', qualifier), refused('ValidationException'));
  }
});
