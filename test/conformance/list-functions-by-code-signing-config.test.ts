import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteFunctionCommand,
  ListFunctionsByCodeSigningConfigCommand,
  paginateListFunctionsByCodeSigningConfig,
  PutFunctionCodeSigningConfigCommand,
} from '@aws-sdk/client-lambda';
import { configNotFound, createAttached, createConfig, unknownConfigArn } from './code-signing.ts';
import { arnOf, useServer } from './server.ts';

const server = useServer();

async function list(CodeSigningConfigArn: string, pageSize?: number): Promise<string[]> {
  const found: string[] = [];
  for await (const page of paginateListFunctionsByCodeSigningConfig(
    { client: server.client, ...(pageSize === undefined ? {} : { pageSize }) },
    { CodeSigningConfigArn },
  )) {
    assert.ok((page.FunctionArns ?? []).length <= (pageSize ?? Infinity));
    found.push(...(page.FunctionArns ?? []));
  }
  return found;
}

test('ListFunctionsByCodeSigningConfig gives the functions that have it, page by page', async () => {
  const { client } = server;
  const { CodeSigningConfigArn: arn } = await createConfig(client);
  const { CodeSigningConfigArn: other } = await createConfig(client);
  assert.deepEqual(await list(arn), []);
  for (const name of ['delta', 'alpha', 'charlie', 'bravo'])
    await createAttached(client, name, arn);
  await createAttached(client, 'elsewhere', other);
  const expected = ['alpha', 'bravo', 'charlie', 'delta'].map(arnOf);
  for (const pageSize of [undefined, 1, 2, 3, 4, 50]) {
    assert.deepEqual(await list(arn, pageSize), expected);
  }
  await client.send(new DeleteFunctionCommand({ FunctionName: 'bravo' }));
  await client.send(
    new PutFunctionCodeSigningConfigCommand({ FunctionName: 'delta', CodeSigningConfigArn: other }),
  );
  assert.deepEqual(await list(arn), ['alpha', 'charlie'].map(arnOf));
  assert.deepEqual(await list(other), ['delta', 'elsewhere'].map(arnOf));
});

test('ListFunctionsByCodeSigningConfig goes on behind a function that is gone by then', async () => {
  const { client } = server;
  const { CodeSigningConfigArn } = await createConfig(client);
  for (const name of ['one', 'three', 'two']) {
    await createAttached(client, name, CodeSigningConfigArn);
  }
  const first = await client.send(
    new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn, MaxItems: 2 }),
  );
  await client.send(new DeleteFunctionCommand({ FunctionName: 'three' }));
  const rest = await client.send(
    new ListFunctionsByCodeSigningConfigCommand({
      CodeSigningConfigArn,
      Marker: first.NextMarker,
    }),
  );
  assert.deepEqual(rest.FunctionArns, [arnOf('two')]);
  assert.equal(rest.NextMarker, undefined);
});

test('ListFunctionsByCodeSigningConfig refuses what is not there, and markers of other listings', async () => {
  await assert.rejects(list(unknownConfigArn), configNotFound);
  const { CodeSigningConfigArn } = await createConfig(server.client);
  const send = (input: { Marker?: string; MaxItems?: number }) =>
    server.client.send(
      new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn, ...input }),
    );
  for (const Marker of ['nonsense', Buffer.from('csc-other:f').toString('base64url')]) {
    await assert.rejects(send({ Marker }), { name: 'InvalidParameterValueException' });
  }
  for (const MaxItems of [0, 10_001]) {
    await assert.rejects(send({ MaxItems }), { name: 'ValidationException' });
  }
});
