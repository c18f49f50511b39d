import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ListFunctionEventInvokeConfigsCommand,
  PutFunctionEventInvokeConfigCommand,
  type FunctionEventInvokeConfig,
  type ListFunctionEventInvokeConfigsCommandInput,
  type ListFunctionEventInvokeConfigsCommandOutput,
  paginateListFunctionEventInvokeConfigs,
} from '@aws-sdk/client-lambda';
import { pagesThrough, paginatesThrough, refusesOtherPages } from './expect.ts';
import { arnOf, createActive, createAliased, membersOf, refused, useServer } from './server.ts';

const server = useServer();

type Page = Pick<ListFunctionEventInvokeConfigsCommandInput, 'Marker' | 'MaxItems'>;

function list(FunctionName: string, page: Page = {}) {
  return server.client.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName, ...page }));
}

function configsIn({
  FunctionEventInvokeConfigs = [],
}: ListFunctionEventInvokeConfigsCommandOutput) {
  return FunctionEventInvokeConfigs;
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
  await pagesThrough(expected, (page) => list(FunctionName, page), configsIn);
  await paginatesThrough(
    expected,
    (pageSize) =>
      paginateListFunctionEventInvokeConfigs({ client: server.client, pageSize }, { FunctionName }),
    configsIn,
  );
  const byArn = await list(arnOf(FunctionName));
  assert.equal(byArn.FunctionEventInvokeConfigs?.length, 3);
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
  await refusesOtherPages((page) => list('bounds', page));
});
