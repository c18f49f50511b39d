/** States of a mapping: what each change shows until it is settled, what it settles to, and crashes between. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeRig, createControlRig, createRequest } from '../../testing/control-rig.ts';
import { minimalMappings, settleMapping } from '../../testing/mapping-requests.ts';

const FunctionName = 'rig';
const request = { FunctionName, ...minimalMappings.sqs };

test('each change shows its state until it is settled', async (t) => {
  const rig = await activeRig(t);
  const {
    CreateEventSourceMapping: create,
    GetEventSourceMapping: get,
    UpdateEventSourceMapping: update,
    DeleteEventSourceMapping: remove,
  } = rig.control.operations;
  const created = await create(request);
  const { UUID = '' } = created;
  assert.equal(created.State, 'Creating');
  assert.deepEqual(await get({ UUID }), created);
  rig.clock.advance(5_000);
  await settleMapping(rig, UUID);
  const enabled = await get({ UUID });
  assert.equal(enabled.State, 'Enabled');
  // radkawar/stackd's notes of the service.
  assert.deepEqual(enabled.LastModified, created.LastModified);

  const steps = [
    [{ BatchSize: 5 }, 'Updating', 'Enabled'],
    [{ Enabled: true }, 'Updating', 'Enabled'],
    [{ Enabled: false }, 'Disabling', 'Disabled'],
    [{ Enabled: true, BatchSize: 7 }, 'Enabling', 'Enabled'],
  ] as const;
  for (const [change, passing, lasting] of steps) {
    const updated = await update({ UUID, ...change });
    assert.equal(updated.State, passing);
    assert.deepEqual(await get({ UUID }), updated);
    await settleMapping(rig, UUID);
    assert.equal((await get({ UUID })).State, lasting);
  }

  const deleted = await remove({ UUID });
  assert.equal(deleted.State, 'Deleting');
  assert.deepEqual(await get({ UUID }), deleted);
  await settleMapping(rig, UUID);
  await assert.rejects(get({ UUID }), { code: 'ResourceNotFoundException' });
});

test('a mapping of a queue that stays disabled is so at once, and can be changed', async (t) => {
  // LocalStack and radkawar/stackd's notes of the service, of changes the latter alone.
  const rig = await activeRig(t);
  const { CreateEventSourceMapping: create, UpdateEventSourceMapping: update } =
    rig.control.operations;
  const created = await create({ ...request, Enabled: false });
  assert.equal(created.State, 'Disabled');
  const { UUID = '' } = created;
  for (const change of [{ BatchSize: 5 }, { Enabled: false }]) {
    assert.equal((await update({ UUID, ...change })).State, 'Disabled');
  }
  assert.equal((await update({ UUID, Enabled: true })).State, 'Enabling');
});

test('a mapping of a stream that stays disabled settles to Disabled', async (t) => {
  // radkawar/stackd's notes of the service.
  const rig = await activeRig(t);
  const {
    CreateEventSourceMapping: create,
    GetEventSourceMapping: get,
    UpdateEventSourceMapping: update,
  } = rig.control.operations;
  const stream = { FunctionName, ...minimalMappings.dynamodb };
  const { UUID = '', State } = await create({ ...stream, Enabled: false });
  assert.equal(State, 'Creating');
  await settleMapping(rig, UUID);
  assert.equal((await get({ UUID })).State, 'Disabled');
  assert.equal((await update({ UUID, BatchSize: 5 })).State, 'Updating');
  await settleMapping(rig, UUID);
  assert.equal((await get({ UUID })).State, 'Disabled');
});

test('what a crash leaves unsettled is settled after the start', async (t) => {
  const rig = await activeRig(t);
  const left = async (state: string, uuid: string): Promise<void> => {
    await rig.restart();
    const { GetEventSourceMapping: get } = rig.control.operations;
    assert.equal((await get({ UUID: uuid })).State, state);
    await settleMapping(rig, uuid);
  };
  const { UUID = '' } = await rig.control.operations.CreateEventSourceMapping(request);
  await left('Creating', UUID);
  await rig.control.operations.UpdateEventSourceMapping({ UUID, BatchSize: 1 });
  await left('Updating', UUID);
  assert.equal((await rig.control.operations.GetEventSourceMapping({ UUID })).State, 'Enabled');
  await rig.control.operations.UpdateEventSourceMapping({ UUID, Enabled: false });
  await left('Disabling', UUID);
  assert.equal((await rig.control.operations.GetEventSourceMapping({ UUID })).State, 'Disabled');
  await rig.control.operations.DeleteEventSourceMapping({ UUID });
  await left('Deleting', UUID);
  const { EventSourceMappings } = await rig.control.operations.ListEventSourceMappings({});
  assert.deepEqual(EventSourceMappings, []);
});

test('settling takes the same delay as that of functions', async (t) => {
  const rig = await createControlRig({ settleDelayMs: 1_000 });
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  const { UUID = '' } = await rig.control.operations.CreateEventSourceMapping(request);
  rig.clock.advance(999);
  const { GetEventSourceMapping: get } = rig.control.operations;
  assert.equal((await get({ UUID })).State, 'Creating');
  rig.clock.advance(1);
  await settleMapping(rig, UUID);
  assert.equal((await get({ UUID })).State, 'Enabled');
});

test('while something is under way a mapping can be neither changed nor deleted, but tagged', async (t) => {
  const rig = await activeRig(t);
  const operations = rig.control.operations;
  const { UUID = '', EventSourceMappingArn: Resource = '' } =
    await operations.CreateEventSourceMapping(request);
  const inUse = (action: string) => ({
    code: 'ResourceInUseException',
    message: `Cannot ${action} the event source mapping because it is in use.`,
  });
  await assert.rejects(
    operations.UpdateEventSourceMapping({ UUID, BatchSize: 1 }),
    inUse('update'),
  );
  await assert.rejects(operations.DeleteEventSourceMapping({ UUID }), inUse('delete'));
  await operations.TagResource({ Resource, Tags: { team: 'a' } });
  await settleMapping(rig, UUID);
  assert.deepEqual((await operations.ListTags({ Resource })).Tags, { team: 'a' });
  await operations.DeleteEventSourceMapping({ UUID });
  await assert.rejects(operations.DeleteEventSourceMapping({ UUID }), inUse('delete'));
});

test('a mapping outlives its function, and serves the next one of that name', async (t) => {
  const rig = await activeRig(t);
  const operations = rig.control.operations;
  const { UUID = '' } = await operations.CreateEventSourceMapping(request);
  await settleMapping(rig, UUID);
  await operations.DeleteFunction({ FunctionName });
  assert.equal((await operations.GetEventSourceMapping({ UUID })).State, 'Enabled');
  const { EventSourceMappings } = await operations.ListEventSourceMappings({ FunctionName });
  assert.equal(EventSourceMappings?.length, 1);
  await operations.UpdateEventSourceMapping({ UUID, BatchSize: 1 });
  await settleMapping(rig, UUID);
  await operations.CreateFunction(createRequest());
  await assert.rejects(operations.CreateEventSourceMapping(request), {
    code: 'ResourceConflictException',
  });
  await operations.DeleteEventSourceMapping({ UUID });
});
