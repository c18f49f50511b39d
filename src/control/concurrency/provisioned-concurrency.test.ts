/** Provisioned concurrency in the control plane: what can have it, how much there is of it, and what becomes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  aliasCollections,
  type ProvisionedRecord,
  type ProvisionedStatusRecord,
} from '../../model/alias.ts';
import { activeRig, createRequest, type ControlRig } from '../../testing/control-rig.ts';

const FunctionName = 'rig';
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';

/** A rig whose function has versions 1 and 2 and the alias `live` for version 1. */
async function aliasedRig(t: Parameters<typeof activeRig>[0]): Promise<ControlRig> {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 9 });
  await rig.settle(FunctionName);
  await rig.control.operations.PublishVersion({ FunctionName });
  await rig.control.operations.CreateAlias({ FunctionName, Name: 'live', FunctionVersion: '1' });
  return rig;
}

function put(rig: ControlRig, Qualifier: string, units: number, name = FunctionName) {
  return rig.control.operations.PutProvisionedConcurrencyConfig({
    FunctionName: name,
    Qualifier,
    ProvisionedConcurrentExecutions: units,
  });
}

function get(rig: ControlRig, Qualifier: string) {
  return rig.control.operations.GetProvisionedConcurrencyConfig({ FunctionName, Qualifier });
}

function reserve(rig: ControlRig, ReservedConcurrentExecutions: number) {
  return rig.control.operations.PutFunctionConcurrency({
    FunctionName,
    ReservedConcurrentExecutions,
  });
}

async function wanted(rig: ControlRig, id: string): Promise<ProvisionedRecord | undefined> {
  const key = { collection: aliasCollections.provisioned, partition: FunctionName, id };
  return (await rig.store.get<ProvisionedRecord>(key))?.value;
}

/** As the data plane does. */
async function writeStatus(
  rig: ControlRig,
  id: string,
  members: Partial<ProvisionedStatusRecord> = {},
): Promise<void> {
  const generation = (await wanted(rig, id))?.generation ?? '';
  const value: ProvisionedStatusRecord = {
    generation,
    ...{ status: 'READY', allocated: 5, available: 4 },
    ...members,
  };
  const key = { collection: aliasCollections.provisionedStatus, partition: FunctionName, id };
  await rig.store.commit([{ type: 'put', key, value, expect: 'any' }]);
}

async function provisionedDocuments(rig: ControlRig): Promise<string[]> {
  const { provisioned, provisionedStatus } = aliasCollections;
  const lists = [provisioned, provisionedStatus].map((name) => rig.store.list(name, { limit: 10 }));
  return (await Promise.all(lists)).flat().map(({ collection, id }) => `${collection} ${id}`);
}

async function unreserved(rig: ControlRig): Promise<number | undefined> {
  const { AccountLimit } = await rig.control.operations.GetAccountSettings();
  return AccountLimit?.UnreservedConcurrentExecutions;
}

test('what is wanted is in progress until a status tells of it', async (t) => {
  const rig = await aliasedRig(t);
  const asked = await put(rig, 'live', 5);
  assert.deepEqual(asked, {
    RequestedProvisionedConcurrentExecutions: 5,
    AllocatedProvisionedConcurrentExecutions: 0,
    Status: 'IN_PROGRESS',
    LastModified: '2026-11-23T12:00:00+0000',
  });
  const inProgress = { ...asked, AvailableProvisionedConcurrentExecutions: 0 };
  assert.deepEqual(await get(rig, 'live'), inProgress);
  await writeStatus(rig, 'live', { generation: 'an earlier one' });
  assert.deepEqual(await get(rig, 'live'), inProgress);
  await writeStatus(rig, 'live');
  const ready = {
    ...asked,
    AllocatedProvisionedConcurrentExecutions: 5,
    AvailableProvisionedConcurrentExecutions: 4,
    Status: 'READY',
  };
  assert.deepEqual(await get(rig, 'live'), ready);
  await rig.restart();
  assert.deepEqual(await get(rig, 'live'), ready);
  const failed = { status: 'FAILED', statusReason: 'FUNCTION_ERROR_INIT_FAILURE' } as const;
  await writeStatus(rig, 'live', { ...failed, allocated: 0, available: 0 });
  const { Status, StatusReason } = await get(rig, 'live');
  assert.deepEqual([Status, StatusReason], ['FAILED', 'FUNCTION_ERROR_INIT_FAILURE']);
  const { generation } = (await wanted(rig, 'live')) ?? assert.fail();
  await put(rig, 'live', 5);
  assert.notEqual((await wanted(rig, 'live'))?.generation, generation);
  assert.deepEqual(await get(rig, 'live'), inProgress);
});

test('only published versions and aliases of them can have it', async (t) => {
  const rig = await aliasedRig(t);
  await rig.control.operations.CreateAlias({
    FunctionName,
    Name: 'head',
    FunctionVersion: '$LATEST',
  });
  const unpublished = {
    code: 'InvalidParameterValueException',
    message: 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
  };
  await assert.rejects(put(rig, '$LATEST', 1), unpublished);
  await assert.rejects(put(rig, 'head', 1), unpublished);
  const operations = [
    (Qualifier: string) => get(rig, Qualifier),
    (Qualifier: string) =>
      rig.control.operations.DeleteProvisionedConcurrencyConfig({ FunctionName, Qualifier }),
  ];
  for (const call of operations) {
    await assert.rejects(call('$LATEST'), {
      code: 'InvalidParameterValueException',
      message: 'The function resource provided must be an alias or a published version.',
    });
  }
  for (const call of [(Qualifier: string) => put(rig, Qualifier, 1), ...operations]) {
    await assert.rejects(call('9'), {
      code: 'ResourceNotFoundException',
      message: `Function not found: ${arn}:9`,
    });
    await assert.rejects(call('absent'), {
      code: 'ResourceNotFoundException',
      message: `Cannot find alias arn: ${arn}:absent`,
    });
  }
  await assert.rejects(put(rig, '1', 1, 'absent'), {
    code: 'ResourceNotFoundException',
    message: /^Function not found: .*:absent:1$/,
  });
  assert.deepEqual(await provisionedDocuments(rig), []);
});

test('a configuration that is not there is said so, and deleted without error', async (t) => {
  const rig = await aliasedRig(t);
  for (const Qualifier of ['live', '2']) {
    await assert.rejects(get(rig, Qualifier), {
      code: 'ProvisionedConcurrencyConfigNotFoundException',
      message: 'No Provisioned Concurrency Config found for this function',
    });
    await rig.control.operations.DeleteProvisionedConcurrencyConfig({ FunctionName, Qualifier });
  }
});

test('weights and provisioned concurrency exclude each other on an alias', async (t) => {
  const rig = await aliasedRig(t);
  const alias = { FunctionName, Name: 'live' };
  const RoutingConfig = { AdditionalVersionWeights: { '2': 0.5 } };
  await rig.control.operations.UpdateAlias({ ...alias, RoutingConfig });
  await assert.rejects(put(rig, 'live', 1), {
    code: 'InvalidParameterValueException',
    message: 'Alias with weights can not be used with Provisioned Concurrency',
  });
  await rig.control.operations.UpdateAlias({ ...alias, RoutingConfig: {} });
  await put(rig, 'live', 1);
  await assert.rejects(rig.control.operations.UpdateAlias({ ...alias, RoutingConfig }), {
    code: 'InvalidParameterValueException',
    message: 'Invalid alias configuration for Provisioned Concurrency',
  });
  await rig.control.operations.UpdateAlias({ ...alias, Description: 'still possible' });
});

test('a version has it by itself or by an alias, not by both', async (t) => {
  const rig = await aliasedRig(t);
  await put(rig, '2', 1);
  await put(rig, 'live', 1);
  await assert.rejects(put(rig, '1', 1), {
    code: 'ResourceConflictException',
    message: 'Version is pointed by a Provisioned Concurrency alias',
  });
  const conflict = {
    code: 'ResourceConflictException',
    message:
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
  };
  const move = { FunctionName, Name: 'live', FunctionVersion: '2' };
  await assert.rejects(rig.control.operations.UpdateAlias(move), conflict);
  await rig.control.operations.CreateAlias({ ...move, Name: 'second' });
  await assert.rejects(put(rig, 'second', 1), conflict);
  await assert.rejects(
    rig.control.operations.UpdateAlias({ FunctionName, Name: 'live', FunctionVersion: '$LATEST' }),
    { message: /^Provisioned Concurrency Configs cannot be applied to unpublished/ },
  );
});

test('not for a version with SnapStart, directly or by an alias', async (t) => {
  const rig = await aliasedRig(t);
  const SnapStart = { ApplyOn: 'PublishedVersions' } as const;
  await rig.control.operations.UpdateFunctionConfiguration({
    FunctionName,
    Runtime: 'python3.13',
    SnapStart,
  });
  await rig.settle(FunctionName);
  await rig.control.operations.PublishVersion({ FunctionName });
  const refusal = { code: 'InvalidParameterValueException', message: /SnapStart/ };
  await assert.rejects(put(rig, '3', 1), refusal);
  await put(rig, 'live', 1);
  const move = { FunctionName, Name: 'live', FunctionVersion: '3' };
  await assert.rejects(rig.control.operations.UpdateAlias(move), refusal);
});

test('it moves with its alias, as something new to allocate', async (t) => {
  const rig = await aliasedRig(t);
  await put(rig, 'live', 5);
  await writeStatus(rig, 'live');
  const alias = { FunctionName, Name: 'live' };
  await rig.control.operations.UpdateAlias({
    ...alias,
    FunctionVersion: '1',
    Description: 'no move',
  });
  assert.equal((await get(rig, 'live')).Status, 'READY');
  rig.clock.advance(60_000);
  await rig.control.operations.UpdateAlias({ ...alias, FunctionVersion: '2' });
  const moved = await get(rig, 'live');
  assert.equal(moved.Status, 'IN_PROGRESS');
  assert.equal(moved.RequestedProvisionedConcurrentExecutions, 5);
  assert.equal(moved.LastModified, '2026-11-23T12:00:00+0000', 'no user changed it');
});

test('a reserve bounds the sum, and cannot be lowered below it', async (t) => {
  const rig = await aliasedRig(t);
  await reserve(rig, 10);
  await put(rig, 'live', 6);
  const tooMuch = {
    code: 'InvalidParameterValueException',
    message:
      'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
  };
  await assert.rejects(put(rig, '2', 5), tooMuch);
  await put(rig, '2', 4);
  await assert.rejects(put(rig, 'live', 7), tooMuch);
  await put(rig, 'live', 5);
  await assert.rejects(reserve(rig, 8), {
    code: 'InvalidParameterValueException',
    message: /should not be lower than function's total provisioned concurrency \[9\]/,
  });
  await reserve(rig, 9);
  assert.equal(await unreserved(rig), 991);
  await rig.control.operations.DeleteFunctionConcurrency({ FunctionName });
  assert.equal(await unreserved(rig), 991);
});

test('without a reserve it takes of the account what must not fall below 100', async (t) => {
  const rig = await aliasedRig(t);
  const tooMuch = {
    code: 'InvalidParameterValueException',
    // sst #5829
    message:
      "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
  };
  await assert.rejects(put(rig, 'live', 901), tooMuch);
  await put(rig, 'live', 900);
  assert.equal(await unreserved(rig), 100);
  await assert.rejects(put(rig, '2', 1), tooMuch);
  await put(rig, 'live', 500);
  await put(rig, '2', 100);
  assert.equal(await unreserved(rig), 400);
  await rig.control.operations.CreateFunction(
    createRequest({ FunctionName: 'other', Publish: true }),
  );
  await assert.rejects(put(rig, '1', 301, 'other'), tooMuch);
  // The reserve takes the place of what is provisioned already.
  await reserve(rig, 600);
  assert.equal(await unreserved(rig), 400);
  await rig.restart();
  assert.equal(await unreserved(rig), 400);
  const together = await Promise.allSettled([
    put(rig, '1', 200, 'other'),
    reserve(rig, 800),
    reserve(rig, 801),
  ]);
  assert.deepEqual(
    together.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  );
});

test('it goes with its alias, its version and its function', async (t) => {
  const rig = await aliasedRig(t);
  await put(rig, 'live', 5);
  await writeStatus(rig, 'live');
  await put(rig, '2', 3);
  await writeStatus(rig, '2');
  assert.equal((await provisionedDocuments(rig)).length, 4);
  await rig.control.operations.DeleteAlias({ FunctionName, Name: 'live' });
  assert.deepEqual(await provisionedDocuments(rig), ['provisioned 2', 'provisioned-status 2']);
  assert.equal(await unreserved(rig), 997);
  await rig.control.operations.DeleteFunction({ FunctionName, Qualifier: '2' });
  assert.deepEqual(await provisionedDocuments(rig), []);
  await put(rig, '1', 7);
  await writeStatus(rig, '1');
  await rig.control.operations.DeleteProvisionedConcurrencyConfig({ FunctionName, Qualifier: '1' });
  assert.deepEqual(await provisionedDocuments(rig), []);
  await put(rig, '1', 7);
  await writeStatus(rig, '1');
  await rig.control.operations.DeleteFunction({ FunctionName });
  assert.deepEqual(await provisionedDocuments(rig), []);
  assert.equal(await unreserved(rig), 1000);
});

test('all configurations of a function are listed to the last page', async (t) => {
  const rig = await aliasedRig(t);
  await put(rig, 'live', 5);
  await writeStatus(rig, 'live');
  await put(rig, '2', 3);
  const list = rig.control.operations.ListProvisionedConcurrencyConfigs;
  const first = await list({ FunctionName, MaxItems: 1 });
  assert.deepEqual(first.ProvisionedConcurrencyConfigs, [
    { FunctionArn: `${arn}:2`, ...(await get(rig, '2')) },
  ]);
  const second = await list({ FunctionName, MaxItems: 1, Marker: first.NextMarker });
  assert.deepEqual(second, {
    ProvisionedConcurrencyConfigs: [{ FunctionArn: `${arn}:live`, ...(await get(rig, 'live')) }],
  });
  await assert.rejects(list({ FunctionName: 'absent' }), { code: 'ResourceNotFoundException' });
});
