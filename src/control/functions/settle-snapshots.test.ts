/** Versions with SnapStart: Pending until the data plane's message says what became of their Init. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  collections,
  versionDocumentId,
  type PublishedVersionRecord,
  type SnapshotStatus,
} from '../../model/function.ts';
import { createControlRig, createRequest, type ControlRig } from '../../testing/control-rig.ts';

const FunctionName = 'rig';

function keyOf(collection: string, version: string) {
  return { collection, partition: FunctionName, id: versionDocumentId(version) };
}

async function snapStartRig(t: TestContext, members = {}): Promise<ControlRig> {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const SnapStart = { ApplyOn: 'PublishedVersions' } as const;
  await rig.control.operations.CreateFunction(
    createRequest({ Runtime: 'python3.12', SnapStart, ...members }),
  );
  await rig.settle(FunctionName);
  return rig;
}

async function buildIdOf(rig: ControlRig, version: string): Promise<string> {
  const key = keyOf(collections.version, version);
  return (await rig.store.get<PublishedVersionRecord>(key))?.value.buildId ?? '';
}

/** As the data plane does; resolves once the message has been seen to. */
async function report(rig: ControlRig, version: string, status: SnapshotStatus): Promise<void> {
  const key = keyOf(collections.snapshotStatus, version);
  await rig.store.commit([{ type: 'put', key, value: status, expect: 'any' }]);
  rig.clock.advance(0);
  while ((await rig.store.get(key)) !== undefined) await new Promise((done) => setImmediate(done));
}

const configurationOf = (rig: ControlRig, Qualifier: string) =>
  rig.control.operations.GetFunctionConfiguration({ FunctionName, Qualifier });

test('a version with SnapStart is Pending until its snapshot is there', async (t) => {
  const rig = await snapStartRig(t);
  const published = await rig.control.operations.PublishVersion({ FunctionName });
  assert.equal(published.State, 'Pending');
  assert.equal(published.StateReasonCode, 'Creating');
  assert.equal(published.SnapStart?.OptimizationStatus, 'Off');
  await rig.settle(FunctionName);
  assert.equal((await configurationOf(rig, '1')).State, 'Pending');
  await report(rig, '1', { buildId: await buildIdOf(rig, '1') });
  const ready = await configurationOf(rig, '1');
  assert.equal(ready.State, 'Active');
  assert.equal(ready.StateReason, undefined);
  assert.deepEqual(ready.SnapStart, { ApplyOn: 'PublishedVersions', OptimizationStatus: 'On' });
  const latest = await configurationOf(rig, '$LATEST');
  assert.equal(latest.State, 'Active');
  assert.equal(latest.SnapStart?.OptimizationStatus, 'Off');
});

test('a version published with its function waits for its snapshot alone', async (t) => {
  const rig = await snapStartRig(t, { Publish: true });
  assert.equal((await configurationOf(rig, '$LATEST')).State, 'Active');
  assert.equal((await configurationOf(rig, '1')).State, 'Pending');
});

test('a version whose Init failed is Failed, with the reason', async (t) => {
  const rig = await snapStartRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  const failure = { code: 'FunctionError.InitTimeout', reason: 'too slow' } as const;
  await report(rig, '1', { buildId: await buildIdOf(rig, '1'), failure });
  const failed = await configurationOf(rig, '1');
  assert.equal(failed.State, 'Failed');
  assert.equal(failed.StateReasonCode, 'FunctionError.InitTimeout');
  assert.equal(failed.StateReason, 'too slow');
  assert.equal(failed.SnapStart?.OptimizationStatus, 'Off');
});

test('an alias for a version that waits is made, none is made or moved to one that failed', async (t) => {
  const rig = await snapStartRig(t);
  const { operations } = rig.control;
  await operations.PublishVersion({ FunctionName });
  const alias = { FunctionName, Name: 'live' };
  await operations.CreateAlias({ ...alias, FunctionVersion: '1' });
  await operations.UpdateAlias({ ...alias, FunctionVersion: '$LATEST' });
  const failure = { code: 'FunctionError.InitTimeout', reason: 'too slow' } as const;
  await report(rig, '1', { buildId: await buildIdOf(rig, '1'), failure });
  const resource = 'arn:aws:lambda:us-east-1:000000000000:function:rig:1';
  const refusal = {
    code: 'ResourceConflictException',
    message: `The operation cannot be performed at this time. The resource ${resource} is currently in the following state: 'Failed'. StateReasonCode: 'FunctionError.InitTimeout'`,
  };
  const update = operations.UpdateAlias({ ...alias, FunctionVersion: '1' });
  await assert.rejects(update, refusal);
  const create = operations.CreateAlias({ ...alias, Name: 'other', FunctionVersion: '1' });
  await assert.rejects(create, refusal);
});

test('no alias gives a version that failed a share of its invocations', async (t) => {
  const rig = await snapStartRig(t);
  const { operations } = rig.control;
  await operations.PublishVersion({ FunctionName });
  await report(rig, '1', { buildId: await buildIdOf(rig, '1') });
  await operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 5 });
  await rig.settle(FunctionName);
  await operations.PublishVersion({ FunctionName });
  const alias = { FunctionName, Name: 'live', FunctionVersion: '1' };
  const RoutingConfig = { AdditionalVersionWeights: { 2: 0.1 } };
  await operations.CreateAlias({ ...alias, Name: 'waiting', RoutingConfig });
  const failure = { code: 'FunctionError.InitTimeout', reason: 'too slow' } as const;
  await report(rig, '2', { buildId: await buildIdOf(rig, '2'), failure });
  const refusal = { code: 'ResourceConflictException', message: /:rig:2 is .* state: 'Failed'/u };
  await assert.rejects(operations.CreateAlias({ ...alias, RoutingConfig }), refusal);
  await operations.CreateAlias(alias);
  await assert.rejects(operations.UpdateAlias({ ...alias, RoutingConfig }), refusal);
  await operations.UpdateAlias({ FunctionName, Name: 'waiting', Description: 'out of order' });
});

test('an alias whose version failed under it can still be described', async (t) => {
  const rig = await snapStartRig(t);
  const { operations } = rig.control;
  await operations.PublishVersion({ FunctionName });
  const alias = { FunctionName, Name: 'live' };
  await operations.CreateAlias({ ...alias, FunctionVersion: '1' });
  const failure = { code: 'FunctionError.InitTimeout', reason: 'too slow' } as const;
  await report(rig, '1', { buildId: await buildIdOf(rig, '1'), failure });
  const described = await operations.UpdateAlias({ ...alias, Description: 'out of order' });
  assert.equal(described.FunctionVersion, '1');
});

test('several versions may wait at once, and each gets its own message', async (t) => {
  const rig = await snapStartRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 9 });
  await rig.settle(FunctionName);
  await rig.control.operations.PublishVersion({ FunctionName });
  await report(rig, '2', { buildId: await buildIdOf(rig, '2') });
  assert.equal((await configurationOf(rig, '1')).State, 'Pending');
  assert.equal((await configurationOf(rig, '2')).State, 'Active');
});

test('a message for another build, or for a version that is gone, changes nothing', async (t) => {
  const rig = await snapStartRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  await report(rig, '1', { buildId: 'another' });
  assert.equal((await configurationOf(rig, '1')).State, 'Pending');
  await rig.control.operations.DeleteFunction({ FunctionName, Qualifier: '1' });
  await report(rig, '1', { buildId: 'another' });
  await assert.rejects(configurationOf(rig, '1'), { code: 'ResourceNotFoundException' });
});

test('a message that a crash left is seen to after the start', async (t) => {
  const rig = await snapStartRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  const buildId = await buildIdOf(rig, '1');
  await rig.control.close();
  const key = keyOf(collections.snapshotStatus, '1');
  await rig.store.commit([{ type: 'put', key, value: { buildId }, expect: 'any' }]);
  await rig.restart();
  rig.clock.advance(0);
  while ((await rig.store.get(key)) !== undefined) await new Promise((done) => setImmediate(done));
  assert.equal((await configurationOf(rig, '1')).State, 'Active');
});

test('what does not go together with SnapStart is refused', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const SnapStart = { ApplyOn: 'PublishedVersions' } as const;
  const fileSystem = 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0';
  const refused: readonly [object, string][] = [
    [{ Runtime: 'nodejs22.x' }, 'nodejs22.x'],
    [{ Runtime: 'python3.11' }, 'python3.11'],
    [{ Runtime: 'provided.al2023' }, 'provided.al2023'],
    [{ EphemeralStorage: { Size: 1024 } }, 'Ephemeral storage greater than 512 MB'],
    [
      {
        FileSystemConfigs: [{ Arn: fileSystem, LocalMountPath: '/mnt/x' }],
        VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
      },
      'Amazon EFS',
    ],
    [{ PackageType: 'Image', Runtime: undefined, Handler: undefined }, 'ContainerImage'],
  ];
  for (const [members, what] of refused) {
    const request = createRequest({ Runtime: 'python3.12', SnapStart, ...members });
    await assert.rejects(rig.control.operations.CreateFunction(request), {
      code: 'InvalidParameterValueException',
      message: `${what} is not supported for SnapStart enabled functions.`,
    });
  }
});
