import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { activeRig, createControlRig, createRequest } from '../../testing/control-rig.ts';
import { Overtaking } from '../../testing/overtaken-store.ts';
import { zipOf } from '../../testing/zip-builder.ts';

const FunctionName = 'rig';
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';
const otherZip = zipOf({ 'index.js': 'exports.handler = async () => 2;' });

test('updateFunctionCode replaces the code and the old code is removed', async (t) => {
  const rig = await activeRig(t);
  const before = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  const updated = await rig.control.operations.UpdateFunctionCode({
    FunctionName,
    ZipFile: otherZip,
  });
  assert.equal(updated.State, 'Active');
  assert.equal(updated.LastUpdateStatus, 'InProgress');
  assert.equal(updated.LastUpdateStatusReason, 'The function is being created.');
  assert.equal(updated.LastUpdateStatusReasonCode, 'Creating');
  assert.notEqual(updated.CodeSha256, before.CodeSha256);
  assert.notEqual(updated.RevisionId, before.RevisionId);
  assert.equal(updated.FunctionArn, arn);
  await rig.settle(FunctionName);
  const after = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(after.LastUpdateStatus, 'Successful');
  assert.notEqual(after.RevisionId, updated.RevisionId);
  const code = await rig.codeAfterClose();
  assert.equal(code.trees.length, 1);
  assert.deepEqual(code.blobs, code.trees);
});

test('updateFunctionCode with DryRun checks all and changes nothing', async (t) => {
  const rig = await activeRig(t);
  const before = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  const shown = await rig.control.operations.UpdateFunctionCode({
    FunctionName,
    ZipFile: otherZip,
    DryRun: true,
  });
  assert.equal(shown.CodeSize, otherZip.length);
  assert.deepEqual(await rig.control.operations.GetFunctionConfiguration({ FunctionName }), before);
  const bad = { FunctionName, ZipFile: Buffer.from('x'), DryRun: true };
  await assert.rejects(rig.control.operations.UpdateFunctionCode(bad), /Could not unzip/);
  const code = await rig.codeAfterClose();
  assert.equal(code.trees.length, 1);
  assert.deepEqual(code.blobs, code.trees);
});

test('updateFunctionCode with Publish makes the next version of the new code', async (t) => {
  const rig = await activeRig(t);
  const one = await rig.control.operations.PublishVersion({ FunctionName });
  const two = await rig.control.operations.UpdateFunctionCode({
    FunctionName,
    ZipFile: otherZip,
    Publish: true,
  });
  assert.equal(two.Version, '2');
  assert.equal(two.FunctionArn, `${arn}:2`);
  assert.notEqual(two.CodeSha256, one.CodeSha256);
  assert.equal(two.State, 'Pending');
  assert.equal(two.StateReasonCode, 'Creating');
  assert.equal('LastUpdateStatus' in two, false);
  await rig.settle(FunctionName);
  const settled = await rig.control.operations.GetFunctionConfiguration({
    FunctionName,
    Qualifier: '2',
  });
  assert.equal(settled.State, 'Active');
  assert.equal(settled.LastUpdateStatus, 'Successful');
  assert.equal(settled.RevisionId, two.RevisionId);
  const kept = await rig.control.operations.GetFunctionConfiguration({
    FunctionName,
    Qualifier: '1',
  });
  assert.equal(kept.CodeSha256, one.CodeSha256);
});

test('updateFunctionCode refuses an image for a function of an archive', async (t) => {
  const rig = await activeRig(t);
  await assert.rejects(rig.control.operations.UpdateFunctionCode({ FunctionName, ImageUri: 'x' }), {
    code: 'InvalidParameterValueException',
    message: "Please don't provide ImageUri when updating a function with packageType Zip.",
  });
});

test('updateFunctionCode can change the architecture', async (t) => {
  const rig = await activeRig(t);
  const Architectures = ['arm64' as const];
  const updated = await rig.control.operations.UpdateFunctionCode({
    FunctionName,
    ZipFile: otherZip,
    Architectures,
  });
  assert.deepEqual(updated.Architectures, Architectures);
});

test('updateFunctionConfiguration changes what is given and keeps the rest', async (t) => {
  const rig = await activeRig(t);
  const before = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  const updated = await rig.control.operations.UpdateFunctionConfiguration({
    FunctionName: `${arn}:$LATEST`,
    Timeout: 30,
    Environment: { Variables: { ONE: '1', TWO: '2' } },
    Runtime: 'python3.13',
  });
  assert.equal(updated.Timeout, 30);
  assert.equal(updated.Runtime, 'python3.13');
  assert.notDeepEqual(updated.RuntimeVersionConfig, before.RuntimeVersionConfig);
  assert.equal(updated.MemorySize, before.MemorySize);
  assert.equal(updated.Handler, before.Handler);
  assert.equal(updated.CodeSha256, before.CodeSha256);
  await rig.settle(FunctionName);
  const replaced = await rig.control.operations.UpdateFunctionConfiguration({
    FunctionName,
    Environment: { Variables: { TWO: 'zwei' } },
  });
  assert.deepEqual(replaced.Environment, { Variables: { TWO: 'zwei' } });
  assert.equal(replaced.Timeout, 30);
  await rig.settle(FunctionName);
  // cdkd #1158, seen in the real service in 2026
  const kept = await rig.control.operations.UpdateFunctionConfiguration({
    FunctionName,
    Environment: {},
  });
  assert.deepEqual(kept.Environment, { Variables: { TWO: 'zwei' } });
});

test('updateFunctionConfiguration takes settings away with empty values', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.UpdateFunctionConfiguration({
    FunctionName,
    Environment: { Variables: { ONE: '1' } },
    DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
    KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/k',
    LoggingConfig: { LogFormat: 'JSON' },
  });
  await rig.settle(FunctionName);
  const cleared = await rig.control.operations.UpdateFunctionConfiguration({
    FunctionName,
    Environment: { Variables: {} },
    DeadLetterConfig: { TargetArn: '' },
    KMSKeyArn: '',
    LoggingConfig: { LogFormat: 'Text' },
  });
  for (const member of ['Environment', 'DeadLetterConfig', 'KMSKeyArn'] as const) {
    assert.equal(member in cleared, false, member);
  }
  assert.deepEqual(cleared.LoggingConfig, { LogFormat: 'Text', LogGroup: '/aws/lambda/rig' });
});

test('updateFunctionConfiguration checks settings together with those that stay', async (t) => {
  const rig = await activeRig(t);
  const refused: readonly [object, RegExp][] = [
    [{ SnapStart: { ApplyOn: 'PublishedVersions' } }, /nodejs22\.x is not supported for SnapStart/],
    [{ LoggingConfig: { ApplicationLogLevel: 'WARN' } }, /LogLevel is not supported/],
    [{ FileSystemConfigs: [{ Arn: 'arn:x', LocalMountPath: '/mnt/x' }] }, /execute in a VPC/],
  ];
  for (const [change, message] of refused) {
    await assert.rejects(
      rig.control.operations.UpdateFunctionConfiguration({ FunctionName, ...change }),
      message,
    );
  }
  const changed = await rig.control.operations.UpdateFunctionConfiguration({
    FunctionName,
    Runtime: 'python3.13',
    SnapStart: { ApplyOn: 'PublishedVersions' },
  });
  assert.deepEqual(changed.SnapStart, { ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' });
  await rig.settle(FunctionName);
  const EphemeralStorage = { Size: 513 };
  await assert.rejects(
    rig.control.operations.UpdateFunctionConfiguration({ FunctionName, EphemeralStorage }),
    /Ephemeral storage greater than 512 MB is not supported for SnapStart enabled functions\./,
  );
});

test('changes are refused while the function is being made', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  const expected = {
    code: 'ResourceConflictException',
    // Words of a call of UpdateFunctionCode in 2026; those of Invoke are others.
    message: `The operation cannot be performed at this time. The resource ${arn} is currently in the following state: 'Pending'. StateReasonCode: 'Creating'`,
  };
  const { control } = rig;
  await assert.rejects(
    control.operations.UpdateFunctionCode({ FunctionName, ZipFile: otherZip }),
    expected,
  );
  await assert.rejects(
    control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 5 }),
    expected,
  );
  await assert.rejects(control.operations.PublishVersion({ FunctionName }), expected);
});

test('tags put on a function that is being made stay', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const { operations } = rig.control;
  await operations.CreateFunction(createRequest());
  await operations.TagResource({ Resource: arn, Tags: { a: '1' } });
  await rig.settle(FunctionName);
  const { State } = await operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(State, 'Active');
  const { Tags } = await operations.ListTags({ Resource: arn });
  assert.equal(Tags?.a, '1');
});

test('changes are refused while another is in progress', async (t) => {
  const rig = await activeRig(t);
  const { control } = rig;
  await control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 5 });
  const expected = {
    code: 'ResourceConflictException',
    message: `The operation cannot be performed at this time. An update is in progress for resource: ${arn}`,
  };
  await assert.rejects(
    control.operations.UpdateFunctionCode({ FunctionName, ZipFile: otherZip }),
    expected,
  );
  await assert.rejects(
    control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 6 }),
    expected,
  );
  await assert.rejects(control.operations.PublishVersion({ FunctionName }), expected);
  await assert.rejects(
    control.operations.TagResource({ Resource: arn, Tags: { a: '1' } }),
    expected,
  );
  await rig.settle(FunctionName);
  assert.equal((await control.operations.GetFunctionConfiguration({ FunctionName })).Timeout, 5);
});

test('tags are a change of the function, also when they are there or gone already', async (t) => {
  // radkawar/stackd's notes of the service.
  const rig = await activeRig(t);
  const {
    GetFunctionConfiguration: get,
    TagResource: tag,
    UntagResource: untag,
  } = rig.control.operations;
  const tagging = () => tag({ Resource: arn, Tags: { a: '1' } });
  const untagging = () => untag({ Resource: arn, TagKeys: ['a'] });
  let before = await get({ FunctionName });
  for (const change of [tagging, tagging, untagging, untagging]) {
    rig.clock.advance(1_000);
    await change();
    const after = await get({ FunctionName });
    const { RevisionId, LastModified } = after;
    assert.notEqual(RevisionId, before.RevisionId);
    const sinceMs = Date.parse(LastModified ?? '') - Date.parse(before.LastModified ?? '');
    assert.equal(sinceMs, 1_000);
    assert.deepEqual(after, { ...before, RevisionId, LastModified });
    before = after;
  }
});

test('changes with a stale RevisionId are refused, with the latest they pass', async (t) => {
  const rig = await activeRig(t);
  const { control } = rig;
  const stale = (await control.operations.GetFunctionConfiguration({ FunctionName })).RevisionId;
  await control.operations.UpdateFunctionConfiguration({
    FunctionName,
    Timeout: 5,
    RevisionId: stale,
  });
  await rig.settle(FunctionName);
  const expected = {
    code: 'PreconditionFailedException',
    message:
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
  };
  const given = { FunctionName, RevisionId: stale };
  await assert.rejects(
    control.operations.UpdateFunctionConfiguration({ ...given, Timeout: 6 }),
    expected,
  );
  await assert.rejects(
    control.operations.UpdateFunctionCode({ ...given, ZipFile: otherZip }),
    expected,
  );
  await assert.rejects(control.operations.PublishVersion(given), expected);
  const { RevisionId } = await control.operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(
    (await control.operations.PublishVersion({ FunctionName, RevisionId })).Version,
    '1',
  );
});

test('of updates at once with the same RevisionId one wins', async (t) => {
  const rig = await activeRig(t);
  const { RevisionId } = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  const outcomes = await Promise.allSettled(
    [1, 2, 3, 4, 5].map((Timeout) =>
      rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout, RevisionId }),
    ),
  );
  const codes = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? 'won' : outcome.reason.code,
  );
  assert.deepEqual(codes.sort(), [...Array(4).fill('PreconditionFailedException'), 'won']);
});

test('updates of what does not exist are refused', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const expected = { code: 'ResourceNotFoundException', message: `Function not found: ${arn}` };
  const { control } = rig;
  await assert.rejects(
    control.operations.UpdateFunctionCode({ FunctionName, ZipFile: otherZip }),
    expected,
  );
  await assert.rejects(
    control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 5 }),
    expected,
  );
  await assert.rejects(control.operations.PublishVersion({ FunctionName }), expected);
  await rig.control.close();
  assert.deepEqual(await rig.codeTrees.list(), []);
});

test('published versions cannot be updated', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  const name = `${FunctionName}:1`;
  const expected = {
    code: 'InvalidParameterValueException',
    message: 'Current operation does not support versions other than $LATEST',
  };
  const { control } = rig;
  await assert.rejects(
    control.operations.UpdateFunctionCode({ FunctionName: name, ZipFile: otherZip }),
    expected,
  );
  await assert.rejects(
    control.operations.UpdateFunctionConfiguration({ FunctionName: name, Timeout: 5 }),
    expected,
  );
});

test('past its update date a runtime can only be left', async (t) => {
  const rig = await createControlRig({ nowMs: Date.parse('2025-09-30') });
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest({ Runtime: 'nodejs16.x' }));
  await rig.settle(FunctionName);
  rig.clock.advance(Date.parse('2025-11-01') - Date.parse('2025-09-30'));
  const { control } = rig;
  await assert.rejects(
    control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 5 }),
    /nodejs16\.x is no longer supported/,
  );
  await assert.rejects(
    control.operations.UpdateFunctionCode({ FunctionName, ZipFile: otherZip }),
    /nodejs16\.x is no longer supported/,
  );
  await control.operations.UpdateFunctionConfiguration({ FunctionName, Runtime: 'nodejs22.x' });
});

test('the tree that an update leaves holds the new code', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.UpdateFunctionCode({ FunctionName, ZipFile: otherZip });
  await rig.settle(FunctionName);
  await rig.control.close();
  const [hash = ''] = await rig.codeTrees.list();
  const file = join(rig.folder, 'code', hash, 'code', 'index.js');
  assert.equal(await readFile(file, 'utf8'), 'exports.handler = async () => 2;');
});

test('a change meets the rules of the function that it is committed to, not those of one of that name before', async (t) => {
  const overtaking = new Overtaking();
  const rig = await createControlRig({ wrapStore: overtaking.wrap });
  t.after(() => rig.close());
  const { operations } = rig.control;
  const image = createRequest({
    PackageType: 'Image',
    Code: { ImageUri: 'registry/image:1' },
    Runtime: undefined,
    Handler: undefined,
  });
  const changes: readonly [() => Promise<unknown>, RegExp][] = [
    [() => operations.UpdateFunctionCode({ FunctionName, ZipFile: otherZip }), /provide ImageUri/],
    [() => operations.UpdateFunctionConfiguration({ FunctionName, Handler: 'a.b' }), /Handler or/],
  ];
  for (const [change, message] of changes) {
    await operations.CreateFunction(createRequest());
    await rig.settle(FunctionName);
    overtaking.by(async () => {
      await operations.DeleteFunction({ FunctionName });
      await operations.CreateFunction(image);
      await rig.settle(FunctionName);
    });
    await assert.rejects(change(), { code: 'InvalidParameterValueException', message });
    const { PackageType } = await operations.GetFunctionConfiguration({ FunctionName });
    assert.equal(PackageType, 'Image');
    await operations.DeleteFunction({ FunctionName });
  }
  assert.deepEqual(await rig.codeAfterClose(), { trees: [], blobs: [] });
});
