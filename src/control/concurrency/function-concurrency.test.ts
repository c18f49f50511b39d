import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collections, type FunctionRecord } from '../../model/function.ts';
import {
  activeRig,
  createControlRig,
  createRequest,
  type ControlRig,
} from '../../testing/control-rig.ts';

const FunctionName = 'rig';
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';
const tooMuch = {
  code: 'InvalidParameterValueException',
  message:
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
};

async function unreserved(rig: ControlRig): Promise<number | undefined> {
  const { AccountLimit } = await rig.control.operations.GetAccountSettings();
  return AccountLimit?.UnreservedConcurrentExecutions;
}

function reserve(rig: ControlRig, name: string, units: number): Promise<unknown> {
  return rig.control.operations.PutFunctionConcurrency({
    FunctionName: name,
    ReservedConcurrentExecutions: units,
  });
}

test('a reserve is put, read, counted, kept over a restart, and deleted', async (t) => {
  const rig = await activeRig(t);
  const before = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.deepEqual(await rig.control.operations.GetFunctionConcurrency({ FunctionName }), {});
  assert.deepEqual(await reserve(rig, FunctionName, 300), { ReservedConcurrentExecutions: 300 });
  await reserve(rig, arn, 250);
  await rig.restart();
  const Concurrency = { ReservedConcurrentExecutions: 250 };
  assert.deepEqual(
    await rig.control.operations.GetFunctionConcurrency({ FunctionName }),
    Concurrency,
  );
  const found = await rig.control.operations.GetFunction({ FunctionName }, { baseUrl: 'http://x' });
  assert.deepEqual(found.Concurrency, Concurrency);
  assert.equal(await unreserved(rig), 750);
  await rig.control.operations.DeleteFunctionConcurrency({ FunctionName });
  await rig.control.operations.DeleteFunctionConcurrency({ FunctionName });
  assert.deepEqual(await rig.control.operations.GetFunctionConcurrency({ FunctionName }), {});
  const without = await rig.control.operations.GetFunction(
    { FunctionName },
    { baseUrl: 'http://x' },
  );
  assert.equal(without.Concurrency, undefined);
  assert.equal(await unreserved(rig), 1000);
  const after = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.deepEqual({ ...after, RevisionId: '' }, { ...before, RevisionId: '' });
});

test('a reserve outlives updates, is no new build, and goes with the function', async (t) => {
  const rig = await activeRig(t);
  const key = { collection: collections.function, partition: FunctionName, id: '' };
  const read = async (): Promise<FunctionRecord | undefined> =>
    (await rig.store.get<FunctionRecord>(key))?.value;
  const before = await read();
  await reserve(rig, FunctionName, 0);
  assert.equal((await read())?.latest.buildId, before?.latest.buildId);
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 7 });
  await rig.settle(FunctionName);
  await rig.control.operations.PublishVersion({ FunctionName });
  await rig.control.operations.TagResource({ Resource: arn, Tags: { a: 'b' } });
  assert.equal((await read())?.reservedConcurrency, 0);
  const found = await rig.control.operations.GetFunction({ FunctionName }, { baseUrl: 'http://x' });
  assert.deepEqual(found.Concurrency, { ReservedConcurrentExecutions: 0 });
  await reserve(rig, FunctionName, 500);
  assert.equal(await unreserved(rig), 500);
  await rig.control.operations.DeleteFunction({ FunctionName });
  assert.equal(await unreserved(rig), 1000);
  await rig.control.operations.CreateFunction(createRequest());
  assert.deepEqual(await rig.control.operations.GetFunctionConcurrency({ FunctionName }), {});
});

test('100 units stay unreserved, however many ask at once', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.CreateFunction(createRequest({ FunctionName: 'other' }));
  await assert.rejects(reserve(rig, FunctionName, 901), tooMuch);
  await reserve(rig, FunctionName, 900);
  await assert.rejects(reserve(rig, 'other', 1), tooMuch);
  await reserve(rig, 'other', 0);
  await reserve(rig, FunctionName, 400);
  await reserve(rig, 'other', 500);
  await assert.rejects(reserve(rig, FunctionName, 401), tooMuch);
  assert.equal(await unreserved(rig), 100);
  await reserve(rig, 'other', 0);
  await reserve(rig, FunctionName, 0);
  const together = await Promise.allSettled([
    reserve(rig, FunctionName, 600),
    reserve(rig, 'other', 600),
  ]);
  assert.deepEqual(together.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal(await unreserved(rig), 400);
});

test('an account smaller than that can reserve nothing but 0', async (t) => {
  const rig = await createControlRig({ concurrentExecutions: 10 });
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  await assert.rejects(reserve(rig, FunctionName, 1), /below its minimum value of \[10\]/);
  await reserve(rig, FunctionName, 0);
  assert.equal(await unreserved(rig), 10);
});

test('versions and unknown functions are refused', async (t) => {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  for (const qualifier of ['1', '$LATEST']) {
    await assert.rejects(reserve(rig, `${arn}:${qualifier}`, 1), {
      code: 'InvalidParameterValueException',
      message: /^This operation is permitted on Lambda functions only\./,
    });
  }
  const absent = { FunctionName: 'absent' };
  const refusal = { code: 'ResourceNotFoundException', message: /function:absent$/ };
  await assert.rejects(reserve(rig, 'absent', 1), {
    ...refusal,
    message: /function:absent:\$LATEST$/,
  });
  await assert.rejects(rig.control.operations.GetFunctionConcurrency(absent), refusal);
  await assert.rejects(rig.control.operations.DeleteFunctionConcurrency(absent), refusal);
});
