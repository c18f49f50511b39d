// Goal: a policy lives and dies with what it is attached to, and a change of it is no change of the
// function's code or settings. What operations answer is tested with the SDK (test/conformance/).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collections, type FunctionRecord } from '../../model/function.ts';
import { policyCollection } from '../../model/policy.ts';
import { activeRig, createRequest, type ControlRig } from '../../testing/control-rig.ts';

const FunctionName = 'rig';
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';
const none = { code: 'ResourceNotFoundException' };

function add(rig: ControlRig, Qualifier?: string, StatementId = 's3'): Promise<unknown> {
  const permission = { Action: 'lambda:InvokeFunction', Principal: 's3.amazonaws.com' };
  const input = { FunctionName, StatementId, Qualifier, ...permission };
  return rig.control.operations.AddPermission(input);
}

async function aliasedRig(t: Parameters<typeof activeRig>[0]): Promise<ControlRig> {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  await createAlias(rig);
  return rig;
}

function createAlias(rig: ControlRig): Promise<unknown> {
  return rig.control.operations.CreateAlias({ FunctionName, Name: 'live', FunctionVersion: '1' });
}

function get(rig: ControlRig, Qualifier?: string) {
  return rig.control.operations.GetPolicy({ FunctionName, Qualifier });
}

async function storedPolicies(rig: ControlRig): Promise<string[]> {
  const found = await rig.store.list(policyCollection, { limit: 10 });
  return found.map(({ id }) => id);
}

test('policies go with the alias, the version and the function', async (t) => {
  const rig = await aliasedRig(t);
  for (const qualifier of [undefined, '1', 'live']) await add(rig, qualifier);
  assert.deepEqual(await storedPolicies(rig), ['$LATEST', '1', 'live']);
  await rig.control.operations.DeleteAlias({ FunctionName, Name: 'live' });
  await createAlias(rig);
  await assert.rejects(get(rig, 'live'), none, 'another alias of that name');
  await rig.control.operations.DeleteAlias({ FunctionName, Name: 'live' });
  await rig.control.operations.DeleteFunction({ FunctionName, Qualifier: '1' });
  assert.deepEqual(await storedPolicies(rig), ['$LATEST']);
  await rig.control.operations.DeleteFunction({ FunctionName });
  assert.deepEqual(await storedPolicies(rig), []);
  await rig.control.operations.CreateFunction(createRequest());
  await assert.rejects(get(rig), none, 'another function of that name');
});

test('a policy is there after a restart, as it was', async (t) => {
  const rig = await aliasedRig(t);
  await add(rig);
  await add(rig, 'live');
  const before = [await get(rig), await get(rig, 'live')];
  await rig.restart();
  assert.deepEqual([await get(rig), await get(rig, 'live')], before);
});

test('a function can have permissions before it is active, and while it is updated', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 9 });
  await add(rig, undefined, 'updating');
  await rig.settle(FunctionName);
  await rig.control.operations.CreateFunction(createRequest({ FunctionName: 'pending' }));
  const Policy = JSON.stringify({
    Statement: {
      Effect: 'Allow',
      Principal: '*',
      Action: '*',
      Resource: '*',
    },
  });
  const ResourceArn = arn.replace('rig', 'pending');
  await rig.control.operations.PutResourcePolicy({ ResourceArn, Policy });
  await rig.settle('pending');
  const { State } = await rig.control.operations.GetFunctionConfiguration({
    FunctionName: 'pending',
  });
  assert.equal(State, 'Active');
});

test('a permission changes no build: environments stay, and there is nothing new to publish', async (t) => {
  const rig = await aliasedRig(t);
  const key = { collection: collections.function, partition: FunctionName, id: '' };
  const build = async () => (await rig.store.get<FunctionRecord>(key))?.value.latest.buildId;
  const before = await build();
  await add(rig);
  await add(rig, '1');
  assert.equal(await build(), before);
  const published = await rig.control.operations.PublishVersion({ FunctionName });
  assert.equal(published.Version, '1');
});

test('permissions that are added while the alias moves are both kept', async (t) => {
  const rig = await aliasedRig(t);
  const move = { FunctionName, Name: 'live', Description: 'moved' };
  await Promise.all([
    add(rig, 'live', 'one'),
    rig.control.operations.UpdateAlias(move),
    add(rig, 'live', 'two'),
  ]);
  const { Policy = '', RevisionId } = await get(rig, 'live');
  assert.match(Policy, /"Sid":"one".*"Sid":"two"|"Sid":"two".*"Sid":"one"/);
  const alias = await rig.control.operations.GetAlias({ FunctionName, Name: 'live' });
  assert.equal(alias.Description, 'moved');
  assert.equal(alias.RevisionId, RevisionId);
});

test('a permission for an alias that is deleted meanwhile leaves nothing behind', async (t) => {
  const rig = await aliasedRig(t);
  await Promise.allSettled([
    rig.control.operations.DeleteAlias({ FunctionName, Name: 'live' }),
    add(rig, 'live', 'one'),
    add(rig, 'live', 'two'),
  ]);
  assert.deepEqual(await storedPolicies(rig), []);
});
