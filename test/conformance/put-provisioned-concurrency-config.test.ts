/** PutProvisionedConcurrencyConfig, as far as it needs no data plane. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import { createVersioned } from './configurations.ts';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { assertWholeSeconds, createAlias, putProvisioned } from './provisioned.ts';
import { arnOf, createActive, perTenant, useServer } from './server.ts';

const server = useServer();

function put(FunctionName: string, Qualifier: string, requested?: number) {
  return putProvisioned(server.client, FunctionName, Qualifier, requested);
}

async function requestedOf(FunctionName: string, Qualifier: string) {
  const reading = new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier });
  return (await server.client.send(reading)).RequestedProvisionedConcurrentExecutions;
}

async function unreserved(): Promise<number | undefined> {
  const { AccountLimit } = await server.client.send(new GetAccountSettingsCommand({}));
  return AccountLimit?.UnreservedConcurrentExecutions;
}

test('it answers 202 in progress, for a version and for an alias; again it is a change', async () => {
  const FunctionName = 'answering';
  await createVersioned(server.client, FunctionName, 2);
  await createAlias(server.client, FunctionName, 'live');
  for (const [qualifier, requested] of [
    ['live', 100],
    ['2', 1],
    ['live', 99],
  ] as const) {
    const { $metadata, ...asked } = await put(FunctionName, qualifier, requested);
    assert.equal($metadata.httpStatusCode, 202);
    assertWholeSeconds(asked.LastModified);
    assert.deepEqual(asked, {
      RequestedProvisionedConcurrentExecutions: requested,
      AllocatedProvisionedConcurrentExecutions: 0,
      Status: 'IN_PROGRESS',
      LastModified: asked.LastModified,
    });
    assert.equal(await requestedOf(FunctionName, qualifier), requested);
  }
  assert.equal(await unreserved(), 900);
  await server.client.send(new DeleteFunctionCommand({ FunctionName }));
  assert.equal(await unreserved(), 1000);
});

test('it takes all forms of a name, with the qualifier in it, too', async () => {
  const name = 'formed';
  await createActive(server.client, name, { Publish: true });
  for (const [index, form] of nameForms(name).entries()) {
    await put(form, '1', index + 1);
    assert.equal(await requestedOf(name, '1'), index + 1);
  }
  await put(`${arnOf(name)}:1`, '1', 20);
  assert.equal(await requestedOf(name, '1'), 20);
  await refused(
    put(`${name}:1`, '2'),
    'InvalidParameterValueException',
    'The derived qualifier from the function name does not match the specified qualifier.',
  );
  await server.client.send(new DeleteFunctionCommand({ FunctionName: name }));
});

test('only what is published can have it', async () => {
  const FunctionName = 'unpublished';
  await createActive(server.client, FunctionName, { Publish: true });
  await createAlias(server.client, FunctionName, 'head', '$LATEST');
  for (const qualifier of ['$LATEST', 'head']) {
    // terraform-provider-aws #12120
    await refused(
      put(FunctionName, qualifier),
      'InvalidParameterValueException',
      'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
    );
  }
  await notFound(put(FunctionName, '7'), FunctionName, '7');
  await notFound(put('unknown', '1'), 'unknown', '1');
  for (const name of [FunctionName, 'unknown']) {
    await refused(
      put(name, 'absent'),
      'ResourceNotFoundException',
      `Cannot find alias arn: ${arnOf(name)}:absent`,
    );
  }
  await invalid(put(FunctionName, '1', 0), 'provisionedConcurrentExecutions', /or equal to 1$/);
  await invalid(put(FunctionName, 'a b'), 'qualifier');
});

test('the account has to have it, and 100 beside it', async () => {
  const FunctionName = 'greedy';
  await createActive(server.client, FunctionName, { Publish: true });
  // sst #5829
  const belowMinimum =
    "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution " +
    'below its minimum value of [100].';
  for (const requested of [901, 1000]) {
    await refused(
      put(FunctionName, '1', requested),
      'InvalidParameterValueException',
      belowMinimum,
    );
  }
  await refused(
    put(FunctionName, '1', 1001),
    'InvalidParameterValueException',
    "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].",
  );
  await put(FunctionName, '1', 900);
  assert.equal(await unreserved(), 100);
  await server.client.send(new DeleteFunctionCommand({ FunctionName }));
});

test('a reserve bounds what all of a function’s versions and aliases have', async () => {
  const FunctionName = 'reserving';
  await createVersioned(server.client, FunctionName, 2);
  await createAlias(server.client, FunctionName, 'live');
  const reserve = { FunctionName, ReservedConcurrentExecutions: 5 };
  await server.client.send(new PutFunctionConcurrencyCommand(reserve));
  const tooMuch =
    'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution ' +
    'for function';
  await refused(put(FunctionName, 'live', 6), 'InvalidParameterValueException', tooMuch);
  await put(FunctionName, 'live', 3);
  await refused(put(FunctionName, '2', 3), 'InvalidParameterValueException', tooMuch);
  await put(FunctionName, '2', 2);
  await refused(put(FunctionName, 'live', 4), 'InvalidParameterValueException', tooMuch);
  assert.equal(await requestedOf(FunctionName, 'live'), 3);
  await server.client.send(new DeleteFunctionCommand({ FunctionName }));
});

test('a version has it by itself or by aliases, not both', async () => {
  const FunctionName = 'twice';
  await createVersioned(server.client, FunctionName, 2);
  await createAlias(server.client, FunctionName, 'live', '1');
  await createAlias(server.client, FunctionName, 'next', '2');
  await put(FunctionName, 'live');
  await refused(
    put(FunctionName, '1'),
    'ResourceConflictException',
    'Version is pointed by a Provisioned Concurrency alias',
  );
  await put(FunctionName, '2');
  await refused(
    put(FunctionName, 'next'),
    'ResourceConflictException',
    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
  );
});

test('weights, SnapStart and tenant isolation exclude it', async () => {
  const { client } = server;
  const FunctionName = 'weighted';
  await createVersioned(client, FunctionName, 2);
  const RoutingConfig = { AdditionalVersionWeights: { '2': 0.1 } };
  const alias = { FunctionName, Name: 'live', FunctionVersion: '1' };
  await client.send(new CreateAliasCommand({ ...alias, RoutingConfig }));
  // hashicorp/terraform #24957
  await refused(
    put(FunctionName, 'live'),
    'InvalidParameterValueException',
    'Alias with weights can not be used with Provisioned Concurrency',
  );
  await client.send(new UpdateAliasCommand({ ...alias, RoutingConfig: {} }));
  await put(FunctionName, 'live');
  await refused(
    client.send(new UpdateAliasCommand({ ...alias, RoutingConfig })),
    'InvalidParameterValueException',
    'Invalid alias configuration for Provisioned Concurrency',
  );
  const snapped = 'snapped';
  const SnapStart = { ApplyOn: 'PublishedVersions' } as const;
  await createActive(client, snapped, { Runtime: 'python3.13', SnapStart });
  await client.send(new PublishVersionCommand({ FunctionName: snapped }));
  await refused(
    put(snapped, '1'),
    'InvalidParameterValueException',
    'Provisioned Concurrency is not supported for function versions with SnapStart.',
  );
  await createActive(client, 'tenants', { ...perTenant, Publish: true });
  await refused(
    put('tenants', '1'),
    'InvalidParameterValueException',
    'Provisioned Concurrency is not supported for functions with tenant isolation mode.',
  );
});

test('it moves with its alias', async () => {
  const FunctionName = 'moving';
  await createVersioned(server.client, FunctionName, 3);
  await createAlias(server.client, FunctionName, 'live', '1');
  await put(FunctionName, 'live', 4);
  await put(FunctionName, '3', 1);
  const alias = { FunctionName, Name: 'live' };
  await server.client.send(new UpdateAliasCommand({ ...alias, FunctionVersion: '2' }));
  assert.equal(await requestedOf(FunctionName, 'live'), 4);
  await refused(
    server.client.send(new UpdateAliasCommand({ ...alias, FunctionVersion: '3' })),
    'ResourceConflictException',
    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
  );
  await refused(
    server.client.send(new UpdateAliasCommand({ ...alias, FunctionVersion: '$LATEST' })),
    'InvalidParameterValueException',
    'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
  );
});
