import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  activeRig,
  createControlRig,
  createRequest,
  type ControlRig,
} from '../../testing/control-rig.ts';
import { zipOf } from '../../testing/zip-builder.ts';

const FunctionName = 'rig';
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';

async function changeAndPublish(rig: ControlRig, Timeout: number): Promise<string | undefined> {
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout });
  await rig.settle(FunctionName);
  return (await rig.control.operations.PublishVersion({ FunctionName })).Version;
}

test('publishVersion freezes code and configuration', async (t) => {
  const rig = await activeRig(t);
  const one = await rig.control.operations.PublishVersion({
    FunctionName,
    Description: 'the first',
  });
  assert.equal(one.Version, '1');
  assert.equal(one.FunctionArn, `${arn}:1`);
  assert.equal(one.Description, 'the first');
  assert.equal(one.State, 'Active');
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 77 });
  const kept = await rig.control.operations.GetFunctionConfiguration({
    FunctionName: `${FunctionName}:1`,
  });
  assert.equal(kept.Timeout, 3);
  assert.deepEqual(kept, one);
  const latest = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(latest.Description, '');
});

test('publishVersion gives $LATEST another revision, unless nothing changed', async (t) => {
  const rig = await activeRig(t);
  const before = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  const one = await rig.control.operations.PublishVersion({ FunctionName });
  const after = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(new Set([before, one, after].map(({ RevisionId }) => RevisionId)).size, 3);
  assert.deepEqual({ ...after, RevisionId: '' }, { ...before, RevisionId: '' });
  await rig.control.operations.PublishVersion({ FunctionName });
  assert.deepEqual(await rig.control.operations.GetFunctionConfiguration({ FunctionName }), after);
});

test('publishVersion gives the last version when nothing changed since', async (t) => {
  const rig = await activeRig(t);
  const one = await rig.control.operations.PublishVersion({ FunctionName });
  assert.deepEqual(await rig.control.operations.PublishVersion({ FunctionName }), one);
  await rig.control.operations.TagResource({ Resource: arn, Tags: { a: '1' } });
  assert.equal((await rig.control.operations.PublishVersion({ FunctionName })).Version, '1');
  assert.equal(await changeAndPublish(rig, 3), '2', 'an update to the same counts');
  assert.equal(await changeAndPublish(rig, 4), '3');
  const ZipFile = zipOf({ 'index.js': 'other' });
  const updated = await rig.control.operations.UpdateFunctionCode({
    FunctionName,
    ZipFile,
    Publish: true,
  });
  assert.equal(updated.Version, '4');
});

test('publishVersion checks CodeSha256', async (t) => {
  const rig = await activeRig(t);
  const { CodeSha256 } = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  await assert.rejects(
    rig.control.operations.PublishVersion({ FunctionName, CodeSha256: 'AAAA' }),
    {
      code: 'InvalidParameterValueException',
      message:
        `CodeSHA256 (AAAA) is different from current CodeSHA256 in $LATEST (${CodeSha256}). ` +
        'Please try again with the CodeSHA256 in $LATEST.',
    },
  );
  assert.equal(
    (await rig.control.operations.PublishVersion({ FunctionName, CodeSha256 })).Version,
    '1',
  );
});

test('publishVersion at once makes one version', async (t) => {
  const rig = await activeRig(t);
  const published = await Promise.all(
    Array.from({ length: 6 }, () => rig.control.operations.PublishVersion({ FunctionName })),
  );
  assert.deepEqual(new Set(published.map(({ Version }) => Version)), new Set(['1']));
});

test('version numbers are never used again', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  assert.equal(await changeAndPublish(rig, 4), '2');
  await rig.control.operations.DeleteFunction({ FunctionName, Qualifier: '2' });
  assert.equal((await rig.control.operations.PublishVersion({ FunctionName })).Version, '3');
  await rig.control.operations.DeleteFunction({ FunctionName });
  await rig.control.operations.CreateFunction(createRequest());
  await rig.settle(FunctionName);
  assert.equal((await rig.control.operations.PublishVersion({ FunctionName })).Version, '4');
});

test('getFunction and its like answer for a name with or without qualifier', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  const forms: readonly [string, string | undefined, string][] = [
    [FunctionName, undefined, arn],
    ['000000000000:function:rig', undefined, arn],
    [arn, undefined, arn],
    [FunctionName, '$LATEST', `${arn}:$LATEST`],
    [FunctionName, '1', `${arn}:1`],
    [`${FunctionName}:1`, undefined, `${arn}:1`],
    [`${arn}:1`, '1', `${arn}:1`],
  ];
  for (const [name, qualifier, expected] of forms) {
    const input = { FunctionName: name, Qualifier: qualifier };
    assert.equal(
      (await rig.control.operations.GetFunctionConfiguration(input)).FunctionArn,
      expected,
    );
    const found = await rig.control.operations.GetFunction(input, { baseUrl: 'http://x' });
    assert.equal(found.Configuration?.FunctionArn, expected);
  }
});

test('getFunction refuses what is not there, in the words of the request', async (t) => {
  const rig = await activeRig(t);
  const notThere: readonly [string, string | undefined, string][] = [
    ['other', undefined, 'arn:aws:lambda:us-east-1:000000000000:function:other'],
    [FunctionName, '1', `${arn}:1`],
    [FunctionName, '01', `${arn}:01`],
    [FunctionName, 'alias', `${arn}:alias`],
    [`${FunctionName}:9`, undefined, `${arn}:9`],
  ];
  for (const [name, qualifier, expected] of notThere) {
    const input = { FunctionName: name, Qualifier: qualifier };
    const error = { code: 'ResourceNotFoundException', message: `Function not found: ${expected}` };
    await assert.rejects(rig.control.operations.GetFunctionConfiguration(input), error);
    await assert.rejects(rig.control.operations.GetFunction(input, { baseUrl: 'http://x' }), error);
  }
});

test('getFunction gives a code link, and tags when there are any', async (t) => {
  const rig = await activeRig(t);
  const plain = await rig.control.operations.GetFunction(
    { FunctionName },
    { baseUrl: 'http://h:1' },
  );
  assert.deepEqual(Object.keys(plain).sort(), ['Code', 'Configuration']);
  assert.equal(plain.Code?.RepositoryType, 'S3');
  assert.match(plain.Code?.Location ?? '', /^http:\/\/h:1\/_hearth\/code\//);
  assert.ok(rig.codeLocations.verify(plain.Code?.Location ?? '').ok);
  await rig.control.operations.TagResource({ Resource: arn, Tags: { a: '1' } });
  const tagged = await rig.control.operations.GetFunction(
    { FunctionName },
    { baseUrl: 'http://h:1' },
  );
  assert.deepEqual(tagged.Tags, { a: '1' });
});

test('deleteFunction removes the function, its versions and their code', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  await rig.control.operations.UpdateFunctionCode({
    FunctionName,
    ZipFile: zipOf({ 'index.js': '2' }),
  });
  await rig.settle(FunctionName);
  assert.deepEqual(await rig.control.operations.DeleteFunction({ FunctionName }), {
    StatusCode: 204,
  });
  const missing = { code: 'ResourceNotFoundException' };
  for (const Qualifier of [undefined, '1']) {
    await assert.rejects(
      rig.control.operations.GetFunctionConfiguration({ FunctionName, Qualifier }),
      missing,
    );
  }
  await assert.rejects(rig.control.operations.DeleteFunction({ FunctionName }), {
    ...missing,
    message: `Function not found: ${arn}`,
  });
  assert.deepEqual(await rig.codeAfterClose(), { trees: [], blobs: [] });
});

test('deleteFunction with a version removes only that, and its code if no one else has it', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  await rig.control.operations.UpdateFunctionCode({
    FunctionName,
    ZipFile: zipOf({ 'index.js': '2' }),
  });
  await rig.settle(FunctionName);
  assert.equal((await rig.codeTrees.list()).length, 2);
  await rig.control.operations.DeleteFunction({ FunctionName: `${arn}:1` });
  const { Versions } = await rig.control.operations.ListVersionsByFunction({ FunctionName });
  assert.deepEqual(
    Versions?.map(({ Version }) => Version),
    ['$LATEST'],
  );
  await rig.control.close();
  assert.equal((await rig.codeTrees.list()).length, 1);
});

test('deleteFunction refuses $LATEST and names, also of a function that is not there', async (t) => {
  const rig = await activeRig(t);
  const refusals = [
    ['$LATEST', '$LATEST version cannot be deleted without deleting the function.'],
    ['alias', 'Deletion of aliases is not currently supported.'],
  ] as const;
  for (const [Qualifier, message] of refusals) {
    for (const name of [FunctionName, 'other']) {
      await assert.rejects(
        rig.control.operations.DeleteFunction({ FunctionName: name, Qualifier }),
        {
          code: 'InvalidParameterValueException',
          message,
        },
      );
    }
  }
});

test('deleteFunction of a version that is not there succeeds and deletes nothing', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  for (const Qualifier of ['7', '01', '0', '9'.repeat(20)]) {
    const deleted = await rig.control.operations.DeleteFunction({ FunctionName, Qualifier });
    assert.deepEqual(deleted, { StatusCode: 204 });
  }
  const { Versions } = await rig.control.operations.ListVersionsByFunction({ FunctionName });
  assert.equal(Versions?.length, 2);
  await assert.rejects(
    rig.control.operations.DeleteFunction({ FunctionName: 'other', Qualifier: '7' }),
    {
      code: 'ResourceNotFoundException',
      message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:other',
    },
  );
});

test('deleteFunction works while the function is being made', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  await rig.control.operations.DeleteFunction({ FunctionName });
  rig.clock.advance(0);
  await rig.control.operations.CreateFunction(createRequest());
  await rig.settle(FunctionName);
});

test('tags are set, listed and taken away', async (t) => {
  const rig = await activeRig(t);
  const before = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.deepEqual(await rig.control.operations.ListTags({ Resource: arn }), { Tags: {} });
  await rig.control.operations.TagResource({ Resource: arn, Tags: { a: '1', b: '2' } });
  await rig.control.operations.TagResource({ Resource: arn, Tags: { b: '3' } });
  assert.deepEqual(await rig.control.operations.ListTags({ Resource: arn }), {
    Tags: { a: '1', b: '3' },
  });
  await rig.control.operations.UntagResource({ Resource: arn, TagKeys: ['a', 'x'] });
  assert.deepEqual(await rig.control.operations.ListTags({ Resource: arn }), { Tags: { b: '3' } });
  const after = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.notEqual(after.RevisionId, before.RevisionId);
  assert.equal(after.LastModified, before.LastModified);
});

test('tags are refused for versions, for what is not there and for other kinds', async (t) => {
  const rig = await activeRig(t);
  await assert.rejects(
    rig.control.operations.TagResource({ Resource: `${arn}:1`, Tags: { a: '1' } }),
    {
      code: 'InvalidParameterValueException',
      message:
        'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    },
  );
  await assert.rejects(rig.control.operations.ListTags({ Resource: `${arn}x` }), {
    code: 'ResourceNotFoundException',
    message: `Function not found: ${arn}x`,
  });
  const mapping = arn.replace('function:rig', 'event-source-mapping:0');
  await assert.rejects(rig.control.operations.ListTags({ Resource: mapping }), {
    code: 'ResourceNotFoundException',
  });
  await assert.rejects(rig.control.operations.TagResource({ Resource: arn, Tags: {} }), {
    code: 'InvalidParameterValueException',
    message: 'An error occurred and the request cannot be processed.',
  });
});

test('tags of a function and RevisionIds of its changes never overtake each other', async (t) => {
  const rig = await activeRig(t);
  const keys = Array.from({ length: 10 }, (_, index) => `k${index}`);
  await Promise.all(
    keys.map((key) => rig.control.operations.TagResource({ Resource: arn, Tags: { [key]: key } })),
  );
  const { Tags } = await rig.control.operations.ListTags({ Resource: arn });
  assert.deepEqual(Object.keys(Tags ?? {}).sort(), keys);
});
