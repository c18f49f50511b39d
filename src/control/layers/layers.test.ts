import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublishLayerVersionRequest } from '../../model/generated/api-types.ts';
import { limits } from '../../model/limits.ts';
import {
  activeRig,
  createControlRig,
  createRequest,
  rigZip,
  type ControlRig,
} from '../../testing/control-rig.ts';
import { Overtaking } from '../../testing/overtaken-store.ts';
import { zipOf } from '../../testing/zip-builder.ts';

const FunctionName = 'rig';
const client = { baseUrl: 'http://127.0.0.1:9' };
const layerZip = zipOf({ 'nodejs/x.js': 'x' });
const otherZip = zipOf({ 'nodejs/x.js': 'other' });

async function publish(
  rig: ControlRig,
  LayerName: string,
  overrides: Partial<PublishLayerVersionRequest> = {},
): Promise<string> {
  const input = { LayerName, Content: { ZipFile: layerZip }, ...overrides };
  return (await rig.control.operations.PublishLayerVersion(input, client)).LayerVersionArn ?? '';
}

function remove(rig: ControlRig, LayerName: string, VersionNumber: number): Promise<unknown> {
  return rig.control.operations.DeleteLayerVersion({ LayerName, VersionNumber });
}

async function rigOf(
  t: { after(close: () => Promise<void>): void },
  options: Parameters<typeof createControlRig>[0] = {},
): Promise<ControlRig> {
  const rig = await createControlRig(options);
  t.after(() => rig.close());
  return rig;
}

test('publishLayerVersion at once gives every caller a number of its own', async (t) => {
  const rig = await rigOf(t);
  const arns = await Promise.all(Array.from({ length: 10 }, () => publish(rig, 'busy')));
  const numbers = arns.map((arn) => Number(arn.split(':').at(-1))).sort((a, b) => a - b);
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('numbers of layer versions are never used again, also after a restart', async (t) => {
  const rig = await rigOf(t);
  await publish(rig, 'counted');
  assert.match(await publish(rig, 'counted'), /:2$/);
  for (const version of [1, 2, 2]) await remove(rig, 'counted', version);
  await rig.restart();
  assert.match(await publish(rig, 'counted'), /:3$/);
});

test('the code of a layer version counts until it is deleted, and goes then', async (t) => {
  const rig = await rigOf(t);
  const used = async (): Promise<number | undefined> =>
    (await rig.control.operations.GetAccountSettings()).AccountUsage?.TotalCodeSize;
  await publish(rig, 'one');
  await publish(rig, 'one');
  await publish(rig, 'two', { Content: { ZipFile: otherZip } });
  assert.equal(await used(), 2 * layerZip.length + otherZip.length);
  await remove(rig, 'one', 1);
  await rig.restart();
  assert.equal(await used(), layerZip.length + otherZip.length);
  await remove(rig, 'one', 2);
  assert.equal(await used(), otherZip.length);
  const { trees, blobs } = await rig.codeAfterClose();
  assert.equal(trees.length, 1);
  assert.deepEqual(blobs, trees);
});

test('publishLayerVersion refuses what is over the account’s code storage', async (t) => {
  const rig = await rigOf(t, { codeStorageBytesMax: layerZip.length });
  await publish(rig, 'first');
  await assert.rejects(publish(rig, 'second'), { code: 'CodeStorageExceededException' });
});

test('publishLayerVersion refuses what is no archive, or too large a one', async (t) => {
  const rig = await rigOf(t);
  await assert.rejects(publish(rig, 'bad', { Content: { ZipFile: Buffer.from('no') } }), {
    code: 'InvalidParameterValueException',
    message: 'Could not unzip uploaded file. Please check your file, then try to upload again.',
  });
  const large = Buffer.alloc(limits.codeZippedBytesMax + 1);
  await assert.rejects(publish(rig, 'bad', { Content: { ZipFile: large } }), {
    code: 'RequestEntityTooLargeException',
  });
  await assert.rejects(publish(rig, 'bad', { Content: {} }), {
    code: 'InvalidParameterValueException',
  });
  assert.match(await publish(rig, 'bad'), /:1$/, 'a refusal takes no number');
});

test('a function keeps its layers’ content after they are deleted, and as long as it has them', async (t) => {
  const rig = await rigOf(t);
  const Layers = [await publish(rig, 'kept')];
  await rig.control.operations.CreateFunction(createRequest({ Layers, Publish: true }));
  await rig.settle(FunctionName);
  await remove(rig, 'kept', 1);
  await rig.restart();
  const found = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.deepEqual(found.Layers, [{ Arn: Layers[0], CodeSize: layerZip.length }]);
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Layers: [] });
  await rig.settle(FunctionName);
  assert.equal(
    (await rig.control.operations.GetFunctionConfiguration({ FunctionName })).Layers,
    undefined,
  );
  assert.equal((await rig.codeAfterClose()).trees.length, 2, 'version 1 still has it');
  await rig.restart();
  await rig.control.operations.DeleteFunction({ FunctionName, Qualifier: '1' });
  assert.equal((await rig.codeAfterClose()).trees.length, 1);
});

test('a layer that is deleted while a function gets it stays whole', async (t) => {
  const overtaking = new Overtaking();
  const rig = await rigOf(t, { wrapStore: overtaking.wrap });
  const Layers = [await publish(rig, 'raced')];
  overtaking.by(() => remove(rig, 'raced', 1));
  await rig.control.operations.CreateFunction(createRequest({ Layers }));
  await rig.settle(FunctionName);
  const { trees, blobs } = await rig.codeAfterClose();
  assert.equal(trees.length, 2);
  assert.equal(blobs.length, 2);
});

test('a function may have only layer versions that exist', async (t) => {
  const rig = await activeRig(t);
  const one = await publish(rig, 'one');
  const two = await publish(rig, 'one');
  await remove(rig, 'one', 1);
  const zero = one.replace(/1$/, '0');
  const never = one.replace(/1$/, '99999999999');
  for (const layer of [one, zero, never, one.replace(':one:', ':other:')]) {
    const refusal = {
      code: 'InvalidParameterValueException',
      message: `Layer version ${layer} does not exist.`,
    };
    const change = { FunctionName, Layers: [layer] };
    await assert.rejects(rig.control.operations.UpdateFunctionConfiguration(change), refusal);
    const create = createRequest({ FunctionName: 'late', Layers: [layer] });
    await assert.rejects(rig.control.operations.CreateFunction(create), refusal);
  }
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Layers: [two] });
  await rig.settle(FunctionName);
});

test('layers stay over updates that do not name them, and versions freeze them', async (t) => {
  const rig = await activeRig(t);
  const [one, two] = [await publish(rig, 'one'), await publish(rig, 'two')];
  const layersOf = async (Qualifier?: string): Promise<unknown[] | undefined> => {
    const named = Qualifier === undefined ? { FunctionName } : { FunctionName, Qualifier };
    return (await rig.control.operations.GetFunctionConfiguration(named)).Layers?.map(
      ({ Arn }) => Arn,
    );
  };
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Layers: [one, two] });
  await rig.settle(FunctionName);
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 9 });
  await rig.settle(FunctionName);
  await rig.control.operations.UpdateFunctionCode({ FunctionName, ZipFile: otherZip });
  await rig.settle(FunctionName);
  assert.deepEqual(await layersOf(), [one, two]);
  assert.equal((await rig.control.operations.PublishVersion({ FunctionName })).Version, '1');
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Layers: [two, one] });
  await rig.settle(FunctionName);
  assert.equal(
    (await rig.control.operations.PublishVersion({ FunctionName })).Version,
    '2',
    'order counts',
  );
  assert.deepEqual(await layersOf('1'), [one, two]);
  assert.deepEqual(await layersOf('2'), [two, one]);
});

test('a layer’s compatible runtimes and architectures are advice only', async (t) => {
  const rig = await activeRig(t);
  const layer = await publish(rig, 'other', {
    CompatibleRuntimes: ['python3.12'],
    CompatibleArchitectures: ['arm64'],
  });
  const { Layers } = await rig.control.operations.UpdateFunctionConfiguration({
    FunctionName,
    Layers: [layer],
  });
  assert.deepEqual(Layers, [{ Arn: layer, CodeSize: layerZip.length }]);
});

test('a function whose layer is gone from the disk fails, and says so', async (t) => {
  const rig = await rigOf(t);
  const Layers = [await publish(rig, 'lost')];
  await rig.control.operations.CreateFunction(createRequest({ Layers }));
  for (const hash of await rig.codeTrees.list()) await rig.codeTrees.remove(hash);
  for await (const { hash, sizeBytes } of rig.blobs.list()) {
    if (sizeBytes === layerZip.length) await rig.blobs.delete(hash);
  }
  assert.notEqual(layerZip.length, rigZip.length);
  await rig.settle(FunctionName);
  const found = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(found.State, 'Failed');
  assert.equal(found.StateReasonCode, 'InvalidZipFileException');
});

test('a policy is bounded, and changes of it that meet are both kept', async (t) => {
  const rig = await rigOf(t);
  await publish(rig, 'shared');
  const permission = { LayerName: 'shared', VersionNumber: 1, Action: 'lambda:GetLayerVersion' };
  const add = (StatementId: string): Promise<unknown> =>
    rig.control.operations.AddLayerVersionPermission({
      ...permission,
      StatementId,
      Principal: '*',
    });
  await Promise.all(['a', 'b', 'c'].map(add));
  const { Policy } = await rig.control.operations.GetLayerVersionPolicy(permission);
  assert.equal((JSON.parse(Policy ?? '') as { Statement: unknown[] }).Statement.length, 3);
  let added = 0;
  const fill = async (): Promise<void> => {
    for (; added < 1000; added += 1) await add(`${'x'.repeat(90)}-${added}`);
  };
  await assert.rejects(fill(), {
    code: 'PolicyLengthExceededException',
    message: /^The final policy size \(20\d\d\d\) is bigger than the limit \(20480\)\.$/,
  });
  assert.ok(added > 50, `${added}`);
});
