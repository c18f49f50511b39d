/** What operations say of a function that is being made or updated, on a server that takes its time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionRecursionConfigCommand,
  PutRuntimeManagementConfigCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { configurationOf, creating, updating, withRuntimeVersion } from './configurations.ts';
import { refused, stale } from './expect.ts';
import { arnOf, functionInput, otherZip, untilUpdated, useServer } from './server.ts';

const server = useServer({ settleDelayMs: 1500 });

/** Those that change a function's settings, code or tags, or freeze them. */
function changes(FunctionName: string, RevisionId?: string): Promise<unknown>[] {
  const { client } = server;
  const name = { FunctionName, RevisionId };
  return [
    client.send(new UpdateFunctionCodeCommand({ ...name, ZipFile: otherZip })),
    client.send(new UpdateFunctionConfigurationCommand({ ...name, Timeout: 9 })),
    client.send(new PublishVersionCommand(name)),
  ];
}

function tagChanges(FunctionName: string): Promise<unknown>[] {
  const Resource = arnOf(FunctionName);
  return [
    server.client.send(new TagResourceCommand({ Resource, Tags: { a: '1' } })),
    server.client.send(new UntagResourceCommand({ Resource, TagKeys: ['a'] })),
  ];
}

async function allRefused(calls: readonly Promise<unknown>[], why: string): Promise<void> {
  const message = `The operation cannot be performed at this time. ${why}`;
  await Promise.all(calls.map((call) => refused(call, 'ResourceConflictException', message)));
}

/** What belongs to a function beside its settings can be changed all the same. */
async function changesBeside(FunctionName: string): Promise<void> {
  const { client } = server;
  const reserve = { FunctionName, ReservedConcurrentExecutions: 1 };
  const alias = { FunctionName, Name: 'live', FunctionVersion: '1' };
  await Promise.all([
    client.send(new PutFunctionConcurrencyCommand(reserve)),
    client.send(new CreateAliasCommand(alias)),
    client.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: 'Allow' })),
  ]);
}

test('a function that is Pending is shown, tagged, and changed only beside its settings', async () => {
  const { client } = server;
  const FunctionName = 'made';
  await client.send(new CreateFunctionCommand(functionInput(FunctionName, { Publish: true })));
  for (const [Qualifier, Version] of [
    [undefined, '$LATEST'],
    ['1', '1'],
  ] as const) {
    const reading = new GetFunctionConfigurationCommand({ FunctionName, Qualifier });
    const { $metadata, ...found } = await client.send(reading);
    assert.equal($metadata.httpStatusCode, 200);
    const FunctionArn =
      Qualifier === undefined ? arnOf(FunctionName) : `${arnOf(FunctionName)}:${Qualifier}`;
    const members = { ...updating, ...creating, FunctionArn, Version };
    const expected = configurationOf(FunctionName, found, members);
    assert.deepEqual(found, withRuntimeVersion(expected, found));
  }
  await Promise.all(changes(FunctionName, 'stale').map(stale));
  const why = `The resource ${arnOf(FunctionName)} is currently in the following state: 'Pending'. StateReasonCode: 'Creating'`;
  const mode = { FunctionName, UpdateRuntimeOn: 'FunctionUpdate' } as const;
  const managed = client.send(new PutRuntimeManagementConfigCommand(mode));
  await allRefused([...changes(FunctionName), managed], why);
  // Zappa 0.63 (core.py) tags a function as soon as it is created.
  await Promise.all(tagChanges(FunctionName));
  await changesBeside(FunctionName);
  const { Code } = await client.send(new GetFunctionCommand({ FunctionName }));
  const response = await fetch(Code?.Location ?? '');
  assert.equal(response.status, 200);
  await response.arrayBuffer();
  await client.send(new DeleteFunctionCommand({ FunctionName }));
});

test('a function whose update is in progress, too; its versions go on', async () => {
  const { client } = server;
  const FunctionName = 'updated';
  await client.send(new CreateFunctionCommand(functionInput(FunctionName, { Publish: true })));
  await untilUpdated(client, FunctionName);
  const version = await untilUpdated(client, FunctionName, '1');
  const update = { FunctionName, Timeout: 8 };
  const { $metadata, ...updated } = await client.send(
    new UpdateFunctionConfigurationCommand(update),
  );
  assert.equal($metadata.httpStatusCode, 200);
  const reading = new GetFunctionConfigurationCommand({ FunctionName });
  const { $metadata: read, ...found } = await client.send(reading);
  assert.equal(read.httpStatusCode, 200);
  assert.deepEqual(found, updated);
  await Promise.all(changes(FunctionName, 'stale').map(stale));
  const why = `An update is in progress for resource: ${arnOf(FunctionName)}`;
  await allRefused([...changes(FunctionName), ...tagChanges(FunctionName)], why);
  await changesBeside(FunctionName);
  assert.deepEqual(await untilUpdated(client, FunctionName, '1'), version);
  const listing = new ListVersionsByFunctionCommand({ FunctionName });
  assert.equal((await client.send(listing)).Versions?.length, 2);
  await client.send(new DeleteFunctionCommand({ FunctionName }));
});
