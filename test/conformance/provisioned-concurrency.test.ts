/** The operations on provisioned concurrency, as far as they need no data plane: nothing gets ready here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
  paginateListProvisionedConcurrencyConfigs,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { arnOf, createAliased, useServer } from './server.ts';

const server = useServer();

function put(FunctionName: string, Qualifier: string, ProvisionedConcurrentExecutions: number) {
  const input = { FunctionName, Qualifier, ProvisionedConcurrentExecutions };
  return server.client.send(new PutProvisionedConcurrencyConfigCommand(input));
}

test('Put answers 202 in progress, Get and List tell the same, Delete ends it', async () => {
  const FunctionName = 'provisioned';
  await createAliased(server.client, FunctionName);
  const { $metadata, ...asked } = await put(FunctionName, 'live', 100);
  assert.equal($metadata.httpStatusCode, 202);
  assert.deepEqual(asked, {
    RequestedProvisionedConcurrentExecutions: 100,
    AllocatedProvisionedConcurrentExecutions: 0,
    Status: 'IN_PROGRESS',
    LastModified: asked.LastModified,
  });
  assert.match(asked.LastModified ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/);
  const config = { FunctionName, Qualifier: 'live' };
  const getting = new GetProvisionedConcurrencyConfigCommand(config);
  const { $metadata: read, ...found } = await server.client.send(getting);
  assert.equal(read.httpStatusCode, 200);
  assert.deepEqual(found, { ...asked, AvailableProvisionedConcurrentExecutions: 0 });
  const account = await server.client.send(new GetAccountSettingsCommand({}));
  assert.equal(account.AccountLimit?.UnreservedConcurrentExecutions, 900);
  const deleting = new DeleteProvisionedConcurrencyConfigCommand(config);
  for (let time = 0; time < 2; time += 1) {
    assert.equal((await server.client.send(deleting)).$metadata.httpStatusCode, 204);
  }
  await assert.rejects(server.client.send(getting), {
    name: 'ProvisionedConcurrencyConfigNotFoundException',
    message: 'No Provisioned Concurrency Config found for this function',
  });
});

test('Put refuses in the words of the service', async () => {
  const FunctionName = 'provisioned-refused';
  await createAliased(server.client, FunctionName, { Name: 'head', FunctionVersion: '$LATEST' });
  await server.client.send(
    new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }),
  );
  for (const qualifier of ['$LATEST', 'head']) {
    await assert.rejects(put(FunctionName, qualifier, 1), {
      name: 'InvalidParameterValueException',
      // terraform-provider-aws #12120
      message:
        'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
    });
  }
  for (const qualifier of ['7', 'absent']) {
    await assert.rejects(put(FunctionName, qualifier, 1), { name: 'ResourceNotFoundException' });
  }
  await assert.rejects(put(FunctionName, 'live', 0), { name: 'ValidationException' });
  await assert.rejects(put(FunctionName, 'live', 901), {
    name: 'InvalidParameterValueException',
    // sst #5829
    message:
      "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
  });
  const reserve = { FunctionName, ReservedConcurrentExecutions: 2 };
  await server.client.send(new PutFunctionConcurrencyCommand(reserve));
  await assert.rejects(put(FunctionName, 'live', 3), { name: 'InvalidParameterValueException' });
  await put(FunctionName, 'live', 2);
  const lower = { FunctionName, ReservedConcurrentExecutions: 1 };
  await assert.rejects(server.client.send(new PutFunctionConcurrencyCommand(lower)), {
    name: 'InvalidParameterValueException',
  });
  await assert.rejects(put(FunctionName, '1', 1), {
    name: 'ResourceConflictException',
  });
});

test('ListProvisionedConcurrencyConfigs pages to the end', async () => {
  const FunctionName = 'provisioned-listed';
  await createAliased(server.client, FunctionName);
  for (const Name of ['a', 'b']) {
    await server.client.send(new CreateAliasCommand({ FunctionName, Name, FunctionVersion: '1' }));
  }
  for (const [index, qualifier] of ['a', 'b', 'live'].entries()) {
    await put(FunctionName, qualifier, index + 1);
  }
  for (const pageSize of [1, 2, 50]) {
    const found: [string | undefined, number | undefined][] = [];
    const config = { client: server.client, pageSize };
    for await (const page of paginateListProvisionedConcurrencyConfigs(config, { FunctionName })) {
      for (const item of page.ProvisionedConcurrencyConfigs ?? []) {
        assert.equal(item.Status, 'IN_PROGRESS');
        found.push([item.FunctionArn, item.RequestedProvisionedConcurrentExecutions]);
      }
    }
    assert.deepEqual(found, [
      [`${arnOf(FunctionName)}:a`, 1],
      [`${arnOf(FunctionName)}:b`, 2],
      [`${arnOf(FunctionName)}:live`, 3],
    ]);
  }
});
