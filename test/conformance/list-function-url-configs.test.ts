import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  ListFunctionUrlConfigsCommand,
  type FunctionUrlConfig,
  type ListFunctionUrlConfigsCommandInput,
  type ListFunctionUrlConfigsCommandOutput,
  paginateListFunctionUrlConfigs,
} from '@aws-sdk/client-lambda';
import { pagesThrough, paginatesThrough, refusesOtherPages } from './expect.ts';
import { arnOf, createActive, createAliased, membersOf, refused, useServer } from './server.ts';

const server = useServer();

type Page = Pick<ListFunctionUrlConfigsCommandInput, 'Marker' | 'MaxItems'>;

function list(FunctionName: string, page: Page = {}) {
  return server.client.send(new ListFunctionUrlConfigsCommand({ FunctionName, ...page }));
}

function configsIn({ FunctionUrlConfigs = [] }: ListFunctionUrlConfigsCommandOutput) {
  return FunctionUrlConfigs;
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
  await pagesThrough(expected, (page) => list(FunctionName, page), configsIn);
  await paginatesThrough(
    expected,
    (pageSize) =>
      paginateListFunctionUrlConfigs({ client: server.client, pageSize }, { FunctionName }),
    configsIn,
  );
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
  await refusesOtherPages((page) => list('bounds', page));
});
