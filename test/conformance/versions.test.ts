import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteFunctionCommand,
  GetFunctionCommand,
  paginateListVersionsByFunction,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, otherZip, untilUpdated, useServer, waiting } from './server.ts';

const server = useServer();

async function publishNext(client: LambdaClient, FunctionName: string, Timeout: number) {
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout }));
  await untilUpdated(client, FunctionName);
  return client.send(new PublishVersionCommand({ FunctionName }));
}

async function versionsOf(FunctionName: string, pageSize: number): Promise<(string | undefined)[]> {
  const versions: (string | undefined)[] = [];
  const config = { client: server.client, pageSize };
  for await (const page of paginateListVersionsByFunction(config, { FunctionName })) {
    assert.ok((page.Versions ?? []).length <= pageSize);
    versions.push(...(page.Versions ?? []).map(({ Version }) => Version));
  }
  return versions;
}

test('PublishVersion freezes, is idempotent and checks its preconditions', async () => {
  const FunctionName = 'frozen';
  await createActive(server.client, FunctionName);
  const input = { FunctionName, Description: 'first' };
  const one = await server.client.send(new PublishVersionCommand(input));
  assert.equal(one.$metadata.httpStatusCode, 201);
  assert.equal(one.Version, '1');
  assert.equal(one.FunctionArn, `${arnOf(FunctionName)}:1`);
  assert.equal(one.Description, 'first');
  const again = await server.client.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(again.Version, '1');
  assert.equal(again.RevisionId, one.RevisionId);
  const otherHash = { FunctionName, CodeSha256: 'x'.repeat(43) + '=' };
  await assert.rejects(server.client.send(new PublishVersionCommand(otherHash)), {
    name: 'InvalidParameterValueException',
  });
  const otherRevision = { FunctionName, RevisionId: one.RevisionId };
  await assert.rejects(server.client.send(new PublishVersionCommand(otherRevision)), {
    name: 'PreconditionFailedException',
  });
});

test('ListVersionsByFunction pages $LATEST and all versions', async () => {
  const FunctionName = 'listed';
  await createActive(server.client, FunctionName);
  for (const Timeout of [10, 11, 12]) await publishNext(server.client, FunctionName, Timeout);
  for (const pageSize of [1, 2, 4, 50]) {
    assert.deepEqual(await versionsOf(FunctionName, pageSize), ['$LATEST', '1', '2', '3']);
  }
});

test('DeleteFunction of one version, then of all; numbers go on', async () => {
  const FunctionName = 'gone';
  await createActive(server.client, FunctionName, { Publish: true });
  await server.client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip }));
  await untilUpdated(server.client, FunctionName);
  await server.client.send(new PublishVersionCommand({ FunctionName }));
  const one = new DeleteFunctionCommand({ FunctionName, Qualifier: '1' });
  assert.equal((await server.client.send(one)).$metadata.httpStatusCode, 204);
  assert.deepEqual(await versionsOf(FunctionName, 50), ['$LATEST', '2']);
  await assert.rejects(
    server.client.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '$LATEST' })),
    {
      name: 'InvalidParameterValueException',
      message: '$LATEST version cannot be deleted without deleting the function.',
    },
  );
  const all = new DeleteFunctionCommand({ FunctionName: arnOf(FunctionName) });
  assert.equal((await server.client.send(all)).$metadata.httpStatusCode, 204);
  for (const Qualifier of [undefined, '2']) {
    await assert.rejects(server.client.send(new GetFunctionCommand({ FunctionName, Qualifier })), {
      name: 'ResourceNotFoundException',
    });
  }
  await assert.rejects(server.client.send(all), { name: 'ResourceNotFoundException' });
  await createActive(server.client, FunctionName);
  await waitUntilFunctionActiveV2(waiting(server.client), { FunctionName });
  const next = await server.client.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(next.Version, '3');
});
