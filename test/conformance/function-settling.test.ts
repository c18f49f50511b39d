/** What waiters see of a server that takes its time to settle changes (--settle-delay-ms). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { functionInput, untilUpdated, useServer, waiting } from './server.ts';

const server = useServer({ settleDelayMs: 700 });

test('a function stays Pending, an update InProgress, until waiters see them settled', async () => {
  const { client } = server;
  const FunctionName = 'slow';
  await client.send(new CreateFunctionCommand(functionInput(FunctionName)));
  const read = new GetFunctionConfigurationCommand({ FunctionName });
  const pending = await client.send(read);
  assert.equal(pending.State, 'Pending');
  assert.equal(pending.StateReasonCode, 'Creating');
  assert.equal(pending.LastUpdateStatus, 'InProgress');
  const update = new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 });
  await assert.rejects(client.send(update), { name: 'ResourceConflictException' });
  await waitUntilFunctionActiveV2(waiting(client), { FunctionName });
  await client.send(update);
  const updating = await client.send(read);
  assert.equal(updating.State, 'Active');
  assert.equal(updating.LastUpdateStatus, 'InProgress');
  await assert.rejects(client.send(update), { name: 'ResourceConflictException' });
  await untilUpdated(client, FunctionName);
  assert.equal((await client.send(read)).Timeout, 9);
});

test('a function that is Pending can be deleted, and made again', async () => {
  const { client } = server;
  const FunctionName = 'replaced';
  await client.send(new CreateFunctionCommand(functionInput(FunctionName)));
  await client.send(new DeleteFunctionCommand({ FunctionName }));
  await client.send(new CreateFunctionCommand(functionInput(FunctionName, { Timeout: 7 })));
  await waitUntilFunctionActiveV2(waiting(client), { FunctionName });
  const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
  assert.equal(found.Timeout, 7);
});
