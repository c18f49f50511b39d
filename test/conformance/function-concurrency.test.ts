import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, useServer } from './server.ts';

const server = useServer();

function put(FunctionName: string, ReservedConcurrentExecutions: number) {
  const input = { FunctionName, ReservedConcurrentExecutions };
  return server.client.send(new PutFunctionConcurrencyCommand(input));
}

test('PutFunctionConcurrency, GetFunctionConcurrency, GetFunction and the account agree', async () => {
  const FunctionName = 'reserving';
  await createActive(server.client, FunctionName);
  const none = await server.client.send(new GetFunctionConcurrencyCommand({ FunctionName }));
  assert.equal(none.$metadata.httpStatusCode, 200);
  assert.equal(none.ReservedConcurrentExecutions, undefined);
  const made = await put(FunctionName, 900);
  assert.equal(made.$metadata.httpStatusCode, 200);
  assert.equal(made.ReservedConcurrentExecutions, 900);
  const read = await server.client.send(new GetFunctionConcurrencyCommand({ FunctionName }));
  assert.equal(read.ReservedConcurrentExecutions, 900);
  const found = await server.client.send(new GetFunctionCommand({ FunctionName }));
  assert.deepEqual(found.Concurrency, { ReservedConcurrentExecutions: 900 });
  const account = await server.client.send(new GetAccountSettingsCommand({}));
  assert.equal(account.AccountLimit?.ConcurrentExecutions, 1000);
  assert.equal(account.AccountLimit.UnreservedConcurrentExecutions, 100);

  const deleting = new DeleteFunctionConcurrencyCommand({ FunctionName });
  assert.equal((await server.client.send(deleting)).$metadata.httpStatusCode, 204);
  const after = await server.client.send(new GetFunctionCommand({ FunctionName }));
  assert.equal(after.Concurrency, undefined);
});

test('PutFunctionConcurrency refuses what it cannot keep', async () => {
  await createActive(server.client, 'refused', { Publish: true });
  await assert.rejects(put('refused', 901), {
    name: 'InvalidParameterValueException',
    message:
      "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
  });
  await assert.rejects(put('refused', -1), { name: 'ValidationException' });
  await assert.rejects(put(`${arnOf('refused')}:1`, 1), {
    name: 'InvalidParameterValueException',
    message: /^This operation is permitted on Lambda functions only\./,
  });
  await assert.rejects(put('unknown', 1), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('unknown')}`,
  });
});
