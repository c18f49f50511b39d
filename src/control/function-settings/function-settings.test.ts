import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionRecord, VersionRecord } from '../../model/function.ts';
import { activeRig, type ControlRig } from '../../testing/control-rig.ts';
import { functionKey, versionKey } from '../functions/function-documents.ts';

const FunctionName = 'rig';

async function recordOf({ store }: ControlRig): Promise<FunctionRecord> {
  return (await store.get<FunctionRecord>(functionKey(FunctionName)))!.value;
}

async function versionOf({ store }: ControlRig, version: string): Promise<VersionRecord> {
  return (await store.get<VersionRecord>(versionKey(FunctionName, version)))!.value;
}

test('settings change nothing that environments are built from, and outlive a crash', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  const before = await recordOf(rig);
  const versionBefore = await versionOf(rig, '1');
  const { operations } = rig.control;
  await operations.PutFunctionRecursionConfig({ FunctionName, RecursiveLoop: 'Allow' });
  const UpdateRuntimeOn = 'FunctionUpdate';
  await operations.PutRuntimeManagementConfig({ FunctionName, UpdateRuntimeOn });
  await operations.PutRuntimeManagementConfig({ FunctionName, Qualifier: '1', UpdateRuntimeOn });
  const runtimeManagement = { updateRuntimeOn: UpdateRuntimeOn };
  assert.deepEqual(await recordOf(rig), {
    ...before,
    latest: { ...before.latest, runtimeManagement },
    recursiveLoop: 'Allow',
  });
  assert.deepEqual(await versionOf(rig, '1'), { ...versionBefore, runtimeManagement });
  await rig.restart();
  const again = rig.control.operations;
  const mode = await again.GetRuntimeManagementConfig({ FunctionName, Qualifier: '1' });
  assert.equal(mode.UpdateRuntimeOn, UpdateRuntimeOn);
  const loop = await again.GetFunctionRecursionConfig({ FunctionName });
  assert.equal(loop.RecursiveLoop, 'Allow');
});

test('settings made while the function is changed are all kept', async (t) => {
  const rig = await activeRig(t);
  const { operations } = rig.control;
  await Promise.all([
    operations.PutFunctionRecursionConfig({ FunctionName, RecursiveLoop: 'Allow' }),
    operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 9 }),
    operations.PutRuntimeManagementConfig({ FunctionName, UpdateRuntimeOn: 'FunctionUpdate' }),
    operations.PutFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 5 }),
  ]);
  await rig.settle(FunctionName);
  const record = await recordOf(rig);
  assert.equal(record.recursiveLoop, 'Allow');
  assert.equal(record.reservedConcurrency, 5);
  assert.equal(record.latest.configuration.Timeout, 9);
  assert.deepEqual(record.latest.runtimeManagement, { updateRuntimeOn: 'FunctionUpdate' });
});

test('a mode goes with its version', async (t) => {
  const rig = await activeRig(t);
  const { operations } = rig.control;
  await operations.PublishVersion({ FunctionName });
  const named = { FunctionName, Qualifier: '1' };
  await operations.PutRuntimeManagementConfig({ ...named, UpdateRuntimeOn: 'FunctionUpdate' });
  await operations.DeleteFunction(named);
  const mode = { ...named, UpdateRuntimeOn: 'Auto' } as const;
  for (const refused of [
    operations.GetRuntimeManagementConfig(named),
    operations.PutRuntimeManagementConfig(mode),
  ]) {
    await assert.rejects(refused, { code: 'ResourceNotFoundException' });
  }
});
