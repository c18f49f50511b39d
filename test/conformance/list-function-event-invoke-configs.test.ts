import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ListFunctionEventInvokeConfigsCommand,
  paginateListFunctionEventInvokeConfigs,
  PutFunctionEventInvokeConfigCommand,
  type FunctionEventInvokeConfig,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, createAliased, membersOf, refused, useServer } from './server.ts';

const server = useServer();

function list(FunctionName: string, page: { Marker?: string; MaxItems?: number } = {}) {
  return server.client.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName, ...page }));
}

test('configurations of $LATEST, versions and aliases, to the last page', async () => {
  const FunctionName = 'listed';
  await createAliased(server.client, FunctionName);
  const expected: FunctionEventInvokeConfig[] = [];
  for (const [index, Qualifier] of [undefined, '1', 'live'].entries()) {
    const input = { FunctionName, Qualifier, MaximumRetryAttempts: index };
    const putting = new PutFunctionEventInvokeConfigCommand(input);
    expected.push(membersOf(await server.client.send(putting)));
  }
  for (const pageSize of [1, 2, 3, 50]) {
    const found: FunctionEventInvokeConfig[] = [];
    const paging = { client: server.client, pageSize };
    const pages = paginateListFunctionEventInvokeConfigs(paging, { FunctionName });
    for await (const { FunctionEventInvokeConfigs: configs = [] } of pages) {
      assert.ok(configs.length <= pageSize);
      found.push(...configs);
    }
    assert.deepEqual(found, expected);
  }
  const { NextMarker } = await list(arnOf(FunctionName), { MaxItems: 3 });
  assert.equal(NextMarker, undefined);
});

test('a function without configurations, and no function', async () => {
  await createActive(server.client, 'none');
  const { FunctionEventInvokeConfigs } = await list('none');
  assert.deepEqual(FunctionEventInvokeConfigs, []);
  await assert.rejects(
    list('absent'),
    refused('ResourceNotFoundException', "The function doesn't exist."),
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
