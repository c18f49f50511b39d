/** Aliases in the control plane: what they may point to, what they resolve to, and what they keep from being deleted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliasCollections } from '../../model/alias.ts';
import type {
  CreateAliasRequest,
  UpdateFunctionConfigurationRequest,
} from '../../model/generated/api-types.ts';
import { limits } from '../../model/limits.ts';
import { ALIAS_PAGE_ITEMS_MAX } from '../list-marker.ts';
import { aliasKey } from './alias-documents.ts';
import {
  activeRig,
  createControlRig,
  createRequest,
  type ControlRig,
} from '../../testing/control-rig.ts';
import { Overtaking } from '../../testing/overtaken-store.ts';

const FunctionName = 'rig';
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';

/** A rig whose function has versions 1 and 2. */
async function versionedRig(t: Parameters<typeof activeRig>[0]): Promise<ControlRig> {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  await publishChanged(rig, { Timeout: 9 });
  return rig;
}

async function publishChanged(
  rig: ControlRig,
  change: Omit<UpdateFunctionConfigurationRequest, 'FunctionName'>,
): Promise<void> {
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, ...change });
  await rig.settle(FunctionName);
  await rig.control.operations.PublishVersion({ FunctionName });
}

function create(rig: ControlRig, members: Partial<CreateAliasRequest> = {}) {
  return rig.control.operations.CreateAlias({
    FunctionName,
    Name: 'live',
    FunctionVersion: '1',
    ...members,
  });
}

function weights(version: string, weight: number) {
  return { AdditionalVersionWeights: { [version]: weight } };
}

test('an alias is made, read, changed, kept over a restart, and deleted', async (t) => {
  const rig = await versionedRig(t);
  const made = await create(rig, { FunctionName: arn, Description: 'what callers use' });
  const { RevisionId, ...rest } = made;
  assert.match(RevisionId ?? '', /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, {
    AliasArn: `${arn}:live`,
    Name: 'live',
    FunctionVersion: '1',
    Description: 'what callers use',
  });
  assert.deepEqual(await rig.control.operations.GetAlias({ FunctionName, Name: 'live' }), made);
  const moved = await rig.control.operations.UpdateAlias({
    FunctionName,
    Name: 'live',
    FunctionVersion: '2',
    ...(RevisionId === undefined ? {} : { RevisionId }),
  });
  assert.equal(moved.FunctionVersion, '2');
  assert.equal(moved.Description, 'what callers use');
  assert.notEqual(moved.RevisionId, RevisionId);
  await rig.restart();
  assert.deepEqual(await rig.control.operations.GetAlias({ FunctionName, Name: 'live' }), moved);
  await rig.control.operations.DeleteAlias({ FunctionName, Name: 'live' });
  await rig.control.operations.DeleteAlias({ FunctionName, Name: 'live' });
  assert.equal((await create(rig)).Description, '');
});

test('an update keeps what it leaves out; weights go with an empty RoutingConfig', async (t) => {
  const rig = await versionedRig(t);
  const RoutingConfig = weights('2', 0.25);
  assert.deepEqual((await create(rig, { RoutingConfig })).RoutingConfig, RoutingConfig);
  const alias = { FunctionName, Name: 'live' };
  const described = await rig.control.operations.UpdateAlias({ ...alias, Description: 'other' });
  assert.deepEqual(described.RoutingConfig, RoutingConfig);
  assert.equal(described.FunctionVersion, '1');
  for (const empty of [{}, { AdditionalVersionWeights: {} }]) {
    await rig.control.operations.UpdateAlias({ ...alias, RoutingConfig });
    const { RoutingConfig: left } = await rig.control.operations.UpdateAlias({
      ...alias,
      RoutingConfig: empty,
    });
    assert.equal(left, undefined);
  }
});

test('an alias with another RevisionId is not updated', async (t) => {
  const rig = await versionedRig(t);
  const made = await create(rig);
  const stale = { FunctionName, Name: 'live', FunctionVersion: '2', RevisionId: 'other' };
  await assert.rejects(rig.control.operations.UpdateAlias(stale), {
    code: 'PreconditionFailedException',
    message: /^The Revision Id provided does not match .* Call the GetFunction\/GetAlias API/,
  });
  assert.deepEqual(await rig.control.operations.GetAlias({ FunctionName, Name: 'live' }), made);
});

test('a name is taken once, and what is not there is named', async (t) => {
  const rig = await versionedRig(t);
  await create(rig);
  await assert.rejects(create(rig, { FunctionVersion: '2' }), {
    code: 'ResourceConflictException',
    message: `Alias already exists: ${arn}:live`,
  });
  await assert.rejects(create(rig, { Name: 'other', FunctionVersion: '7' }), {
    code: 'ResourceNotFoundException',
    message: `Function not found: ${arn}:7`,
  });
  const Name = 'n'.repeat(limits.aliasNameLengthMax);
  await create(rig, { Name });
  assert.equal((await rig.control.operations.GetAlias({ FunctionName, Name })).Name, Name);
  // The longest version that the service model allows.
  const longest = '9'.repeat(1024);
  await assert.rejects(create(rig, { Name: 'other', FunctionVersion: longest }), {
    code: 'ResourceNotFoundException',
    message: `Function not found: ${arn}:${longest}`,
  });
  await assert.rejects(create(rig, { FunctionName: 'absent' }), {
    code: 'ResourceNotFoundException',
    message: /^Function not found: .*:absent:1$/,
  });
  const absent = { FunctionName, Name: 'absent' };
  await assert.rejects(rig.control.operations.GetAlias(absent), {
    code: 'ResourceNotFoundException',
    message: `Cannot find alias arn: ${arn}:absent`,
  });
  await assert.rejects(rig.control.operations.UpdateAlias(absent), {
    code: 'ResourceNotFoundException',
    message: `Alias not found: ${arn}:absent`,
  });
  await assert.rejects(create(rig, { FunctionName: `${arn}:1` }), {
    code: 'InvalidParameterValueException',
  });
});

test('weights are for two published versions with the same role and dead-letter queue', async (t) => {
  const rig = await versionedRig(t);
  await publishChanged(rig, { Role: 'arn:aws:iam::000000000000:role/other' });
  await publishChanged(rig, {
    Role: 'arn:aws:iam::000000000000:role/rig',
    DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:letters' },
  });
  const refusals: [Partial<CreateAliasRequest>, string, RegExp][] = [
    [
      { RoutingConfig: { AdditionalVersionWeights: { '2': 0.1, '3': 0.1 } } },
      'InvalidParameterValueException',
      /^Number of items in AdditionalVersionWeights cannot be greater than 1$/,
    ],
    [
      { FunctionVersion: '$LATEST', RoutingConfig: weights('1', 0.5) },
      'InvalidParameterValueException',
      /^\$LATEST is not supported for an alias pointing to more than 1 version$/,
    ],
    [
      { RoutingConfig: weights('1', 0.5) },
      'InvalidParameterValueException',
      // serverless #7250
      /^Invalid function version 1\. Function version 1 is already included in routing configuration\.$/,
    ],
    [
      { RoutingConfig: weights('9', 0.5) },
      'ResourceNotFoundException',
      /^Function not found: .*:rig:9$/,
    ],
    [
      { RoutingConfig: weights('3', 0.5) },
      'InvalidParameterValueException',
      // serverless-aws-alias #64
      /^Specified versions must be associated with the same execution role$/,
    ],
    [{ RoutingConfig: weights('4', 0.5) }, 'InvalidParameterValueException', /dead-letter queue$/],
  ];
  await create(rig, { Name: 'present' });
  for (const [members, code, message] of refusals) {
    await assert.rejects(create(rig, members), { code, message });
    const update = { FunctionName, Name: 'present', FunctionVersion: '1', ...members };
    await assert.rejects(rig.control.operations.UpdateAlias(update), { code, message });
  }
  const { Aliases } = await rig.control.operations.ListAliases({ FunctionName });
  assert.deepEqual(
    Aliases?.map(({ Name, RoutingConfig }) => [Name, RoutingConfig]),
    [['present', undefined]],
  );
  for (const weight of [0, 1]) {
    await create(rig, { Name: `edge-${weight}`, RoutingConfig: weights('2', weight) });
  }
});

test('operations that read take an alias for the version that it points to', async (t) => {
  const rig = await versionedRig(t);
  await create(rig, { RoutingConfig: weights('2', 0.9) });
  await create(rig, { Name: 'head', FunctionVersion: '$LATEST' });
  for (const input of [
    { FunctionName, Qualifier: 'live' },
    { FunctionName: 'rig:live' },
    { FunctionName: `${arn}:live` },
  ]) {
    const found = await rig.control.operations.GetFunctionConfiguration(input);
    assert.equal(found.FunctionArn, `${arn}:live`);
    assert.equal(found.Version, '1');
    assert.equal(found.Timeout, 3);
    const { Configuration } = await rig.control.operations.GetFunction(input, {
      baseUrl: 'http://x',
    });
    assert.deepEqual(Configuration, found);
  }
  const head = await rig.control.operations.GetFunctionConfiguration({
    FunctionName,
    Qualifier: 'head',
  });
  assert.equal(head.Version, '$LATEST');
  assert.equal(head.Timeout, 9);
  const absent = rig.control.operations.GetFunctionConfiguration({
    FunctionName,
    Qualifier: 'absent',
  });
  await assert.rejects(absent, {
    code: 'ResourceNotFoundException',
    message: `Function not found: ${arn}:absent`,
  });
});

test('a version that aliases point to, be it by weight, is not deleted', async (t) => {
  const rig = await versionedRig(t);
  await create(rig, { RoutingConfig: weights('2', 0.1) });
  await create(rig, { Name: 'beta', FunctionVersion: '2' });
  const refusals: [string, string][] = [
    ['1', '[live]'],
    ['2', '[beta, live]'],
  ];
  for (const [Qualifier, names] of refusals) {
    await assert.rejects(rig.control.operations.DeleteFunction({ FunctionName, Qualifier }), {
      code: 'ResourceConflictException',
      message: `Unable to delete version because the following aliases reference it: ${names}`,
    });
  }
  await assert.rejects(rig.control.operations.DeleteFunction({ FunctionName, Qualifier: 'live' }), {
    code: 'InvalidParameterValueException',
  });
  await rig.control.operations.DeleteAlias({ FunctionName, Name: 'live' });
  await rig.control.operations.DeleteFunction({ FunctionName, Qualifier: '1' });
});

test('aliases are listed by name to the last page, all or those of one version', async (t) => {
  const rig = await versionedRig(t);
  const names = Array.from({ length: 101 }, (_, index) => `a${String(index).padStart(3, '0')}`);
  for (const [index, Name] of names.entries()) {
    await create(rig, { Name, FunctionVersion: index % 2 === 0 ? '1' : '2' });
  }
  await create(rig, { Name: 'weighted', RoutingConfig: weights('2', 0.5) });
  const listed = async (MaxItems: number, version?: string): Promise<(string | undefined)[]> => {
    const found: (string | undefined)[] = [];
    const filter = version === undefined ? {} : { FunctionVersion: version };
    for (let Marker: string | undefined = ''; Marker !== undefined;) {
      const page = await rig.control.operations.ListAliases({
        FunctionName,
        ...filter,
        MaxItems,
        Marker,
      });
      assert.ok((page.Aliases ?? []).length <= MaxItems);
      found.push(...(page.Aliases ?? []).map(({ Name }) => Name));
      Marker = page.NextMarker;
    }
    return found;
  };
  for (const pageSize of [1, 17, 34, 10_000]) {
    assert.deepEqual(await listed(pageSize), [...names, 'weighted']);
  }
  const ofSecond = names.filter((_, index) => index % 2 === 1);
  for (const pageSize of [3, 51]) {
    assert.deepEqual(await listed(pageSize, '2'), ofSecond);
  }
  assert.deepEqual(await listed(50, '7'), []);
  for (const Marker of ['???', Buffer.from('other:live').toString('base64url')]) {
    await assert.rejects(rig.control.operations.ListAliases({ FunctionName, Marker }), {
      code: 'InvalidParameterValueException',
    });
  }
});

test('a page has all aliases, up to the bound', async (t) => {
  const rig = await versionedRig(t);
  const configuration = await create(rig, { Name: 'a' });
  for (let index = 0; index < ALIAS_PAGE_ITEMS_MAX; index += 1) {
    const Name = `b${index}`;
    const key = aliasKey(FunctionName, Name);
    const value = { configuration: { ...configuration, Name } };
    await rig.store.commit([{ type: 'put', key, value, expect: 'absent' }]);
  }
  const list = rig.control.operations.ListAliases;
  const first = await list({ FunctionName });
  assert.equal(first.Aliases?.length, ALIAS_PAGE_ITEMS_MAX);
  const last = await list({ FunctionName, Marker: first.NextMarker });
  assert.equal(last.Aliases?.length, 1);
  assert.equal(last.NextMarker, undefined);
});

test('aliases go with the function', async (t) => {
  const rig = await versionedRig(t);
  await create(rig);
  await rig.control.operations.DeleteFunction({ FunctionName });
  assert.deepEqual(await rig.store.list(aliasCollections.alias, { limit: 10 }), []);
  await rig.control.operations.CreateFunction(createRequest());
  await assert.rejects(rig.control.operations.GetAlias({ FunctionName, Name: 'live' }), {
    message: /^Cannot find alias arn/,
  });
});

test('an alias made while its version is deleted is refused, or keeps the version', async (t) => {
  const overtaking = new Overtaking();
  const rig = await createControlRig({ wrapStore: overtaking.wrap });
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  await rig.settle(FunctionName);
  await rig.control.operations.PublishVersion({ FunctionName });
  overtaking.by(() => create(rig));
  await assert.rejects(rig.control.operations.DeleteFunction({ FunctionName, Qualifier: '1' }), {
    code: 'ResourceConflictException',
  });
  await rig.control.operations.DeleteAlias({ FunctionName, Name: 'live' });
  overtaking.by(() => rig.control.operations.DeleteFunction({ FunctionName, Qualifier: '1' }));
  await assert.rejects(create(rig), { message: `Function not found: ${arn}:1` });
});
