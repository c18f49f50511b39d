/** The account's code storage, which PublishVersion and the operations that bring code draw on. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetAccountSettingsCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { refused } from './expect.ts';
import { publishLayer } from './layers.ts';
import { createActive, functionInput, handlerZip, otherZip, useServer } from './server.ts';

/** Room for two packages, exactly. */
const server = useServer({ codeStorageBytesMax: 2 * handlerZip.length });

test('what does not fit the account is refused until something goes', async () => {
  const { client } = server;
  assert.equal(otherZip.length, handlerZip.length);
  const FunctionName = 'full';
  await createActive(client, FunctionName, { Publish: true });
  const usage = await client.send(new GetAccountSettingsCommand({}));
  assert.equal(usage.AccountLimit?.TotalCodeSize, 2 * handlerZip.length);
  assert.equal(usage.AccountUsage?.TotalCodeSize, 2 * handlerZip.length);
  const update = new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip });
  for (const call of [
    () => client.send(new CreateFunctionCommand(functionInput('other'))),
    () => client.send(update),
    () => publishLayer(client, 'layer', { Content: { ZipFile: handlerZip } }),
  ]) {
    await refused(call(), 'CodeStorageExceededException', 'Code storage limit exceeded.');
  }
  const version = { FunctionName, Qualifier: '1' };
  await client.send(new DeleteFunctionCommand(version));
  assert.equal((await client.send(new PublishVersionCommand({ FunctionName }))).Version, '2');
});

test('a version that does not fit is refused', async () => {
  const { client } = server;
  await client.send(new DeleteFunctionCommand({ FunctionName: 'full' }));
  await createActive(client, 'first');
  await createActive(client, 'second');
  await refused(
    client.send(new PublishVersionCommand({ FunctionName: 'first' })),
    'CodeStorageExceededException',
    'Code storage limit exceeded.',
  );
});
