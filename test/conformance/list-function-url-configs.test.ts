import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  ListFunctionUrlConfigsCommand,
  paginateListFunctionUrlConfigs,
  type FunctionUrlConfig,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, createAliased, membersOf, refused, useServer } from './server.ts';

const server = useServer();

function list(FunctionName: string, page: { Marker?: string; MaxItems?: number } = {}) {
  return server.client.send(new ListFunctionUrlConfigsCommand({ FunctionName, ...page }));
}

test('URLs of $LATEST and of aliases, to the last page', async () => {
  const FunctionName = 'listed';
  await createAliased(server.client, FunctionName);
  const alias = { FunctionName, Name: 'beta', FunctionVersion: '1' };
  await server.client.send(new CreateAliasCommand(alias));
  const expected: FunctionUrlConfig[] = [];
  for (const Qualifier of [undefined, 'beta', 'live']) {
    const creating = { FunctionName, Qualifier, AuthType: 'NONE' } as const;
    await server.client.send(new CreateFunctionUrlConfigCommand(creating));
    const getting = new GetFunctionUrlConfigCommand({ FunctionName, Qualifier });
    expected.push(membersOf(await server.client.send(getting)) as FunctionUrlConfig);
  }
  for (const pageSize of [1, 2, 3, 50]) {
    const found: FunctionUrlConfig[] = [];
    const pages = paginateListFunctionUrlConfigs(
      { client: server.client, pageSize },
      { FunctionName },
    );
    for await (const { FunctionUrlConfigs: configs = [] } of pages) {
      assert.ok(configs.length <= pageSize);
      found.push(...configs);
    }
    assert.deepEqual(found, expected);
  }
  const { NextMarker } = await list(FunctionName, { MaxItems: 3 });
  assert.equal(NextMarker, undefined);
  const byArn = await list(arnOf(FunctionName));
  assert.equal(byArn.FunctionUrlConfigs?.length, 3);
});

test('a function without URLs, and no function', async () => {
  await createActive(server.client, 'none');
  const { FunctionUrlConfigs } = await list('none');
  assert.deepEqual(FunctionUrlConfigs, []);
  await assert.rejects(
    list('absent'),
    refused('ResourceNotFoundException', 'Function does not exist'),
  );
});

test('page sizes and markers out of bounds', async () => {
  await createActive(server.client, 'bounds');
  for (const MaxItems of [0, 51]) {
    await assert.rejects(list('bounds', { MaxItems }), refused('ValidationException'));
  }
  for (const Marker of ['x', Buffer.from('other:live').toString('base64url')]) {
    await assert.rejects(list('bounds', { Marker }), refused('InvalidParameterValueException'));
  }
});
