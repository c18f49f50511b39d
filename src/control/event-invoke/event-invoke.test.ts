/** Configurations of asynchronous invocations: what is stored, what destinations may be, what goes with what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventInvokeCollections, type EventInvokeRecord } from '../../model/event-invoke.ts';
import type { DestinationConfig } from '../../model/generated/api-types.ts';
import { activeRig, createRequest, type ControlRig } from '../../testing/control-rig.ts';

const FunctionName = 'rig';
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';
const queue = 'arn:aws:sqs:us-east-1:000000000000:queue';
const topic = 'arn:aws:sns:us-east-1:000000000000:topic';
const bucket = 'arn:aws:s3:::bucket';
const isoTime = '2026-11-23T12:00:00.123Z';

/** A rig whose function has version 1 and the alias `live` for it. */
async function aliasedRig(t: Parameters<typeof activeRig>[0]): Promise<ControlRig> {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  await rig.control.operations.CreateAlias({ FunctionName, Name: 'live', FunctionVersion: '1' });
  return rig;
}

function put(rig: ControlRig, Qualifier: string | undefined, settings: Settings) {
  return rig.control.operations.PutFunctionEventInvokeConfig({
    FunctionName,
    Qualifier,
    ...settings,
  });
}

function update(rig: ControlRig, settings: Settings) {
  return rig.control.operations.UpdateFunctionEventInvokeConfig({ FunctionName, ...settings });
}

interface Settings {
  readonly MaximumRetryAttempts?: number;
  readonly MaximumEventAgeInSeconds?: number;
  readonly DestinationConfig?: DestinationConfig;
}

async function stored(rig: ControlRig): Promise<Map<string, EventInvokeRecord>> {
  const found = await rig.store.list<EventInvokeRecord>(eventInvokeCollections.eventInvoke, {
    limit: 10,
  });
  return new Map(found.map(({ id, value }) => [id, value]));
}

test('Put replaces, Update merges, each destination by itself', async (t) => {
  const rig = await aliasedRig(t);
  const both = { OnSuccess: { Destination: queue }, OnFailure: { Destination: bucket } };
  await put(rig, undefined, { MaximumRetryAttempts: 1, DestinationConfig: both });
  const first = { maximumRetryAttempts: 1, onSuccess: queue, onFailure: bucket };
  assert.deepEqual((await stored(rig)).get('$LATEST'), { ...first, lastModified: isoTime });
  rig.clock.advance(500);
  await update(rig, { MaximumEventAgeInSeconds: 60 });
  await update(rig, { DestinationConfig: { OnSuccess: { Destination: topic } } });
  await rig.restart();
  assert.deepEqual((await stored(rig)).get('$LATEST'), {
    ...first,
    onSuccess: topic,
    maximumEventAgeInSeconds: 60,
    lastModified: '2026-11-23T12:00:00.623Z',
  });
  const cleared = { OnSuccess: { Destination: '' }, OnFailure: {} };
  const changed = await update(rig, { DestinationConfig: cleared });
  assert.deepEqual(changed.DestinationConfig, {
    OnSuccess: {},
    OnFailure: { Destination: bucket },
  });
  const replaced = await put(rig, '$LATEST', { MaximumRetryAttempts: 0 });
  assert.deepEqual(replaced, {
    LastModified: new Date('2026-11-23T12:00:00.623Z'),
    FunctionArn: `${arn}:$LATEST`,
    MaximumRetryAttempts: 0,
    DestinationConfig: { OnSuccess: {}, OnFailure: {} },
  });
});

test('destinations that cannot take records are refused and change nothing', async (t) => {
  const rig = await aliasedRig(t);
  await put(rig, undefined, { MaximumRetryAttempts: 1 });
  const before = await stored(rig);
  const config = (onSuccess: string, onFailure: string): string =>
    `The provided destination config DestinationConfig(onSuccess=${onSuccess}, onFailure=${onFailure}) is invalid.`;
  const stranger = 'arn:aws:lambda:us-east-1:111111111111:function:other';
  const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/t';
  for (const [onSuccess, onFailure, message] of [
    [table, queue, config(`OnSuccess(destination=${table})`, `OnFailure(destination=${queue})`)],
    [undefined, 'kafka://topic', config('null', 'OnFailure(destination=kafka://topic)')],
    [bucket, undefined, config(`OnSuccess(destination=${bucket})`, 'null')],
    [`${queue}.fifo`, undefined, config(`OnSuccess(destination=${queue}.fifo)`, 'null')],
    [undefined, `${topic}.fifo`, config('null', `OnFailure(destination=${topic}.fifo)`)],
    [undefined, `${queue}:x`, `The destination ARN ${queue}:x is invalid.`],
    [stranger, undefined, `The destination ARN ${stranger} is invalid.`],
    [`${arn}x`, undefined, `The destination ARN ${arn}x is invalid.`],
    [arn, undefined, "You can't specify the function as a destination for itself."],
    [undefined, `${arn}:live`, "You can't specify the function as a destination for itself."],
  ] as const) {
    const DestinationConfig = {
      OnSuccess: { Destination: onSuccess },
      OnFailure: { Destination: onFailure },
    };
    const refusal = { code: 'InvalidParameterValueException', message };
    await assert.rejects(put(rig, undefined, { DestinationConfig }), refusal);
    await assert.rejects(update(rig, { DestinationConfig }), refusal);
  }
  assert.deepEqual(await stored(rig), before);
});

test('another function can be a destination, as a whole or by version or alias', async (t) => {
  const rig = await aliasedRig(t);
  await rig.control.operations.CreateFunction(createRequest({ FunctionName: 'other' }));
  for (const target of [arn, `${arn}:$LATEST`, `${arn}:1`, `${arn}:live`]) {
    await rig.control.operations.PutFunctionEventInvokeConfig({
      FunctionName: 'other',
      DestinationConfig: { OnFailure: { Destination: target } },
    });
    assert.equal((await stored(rig)).get('$LATEST')?.onFailure, target);
  }
  for (const target of [`${arn}:2`, `${arn}:01`, `${arn}:absent`]) {
    const asked = rig.control.operations.PutFunctionEventInvokeConfig({
      FunctionName: 'other',
      DestinationConfig: { OnFailure: { Destination: target } },
    });
    await assert.rejects(asked, { message: `The destination ARN ${target} is invalid.` });
  }
});

test('a configuration goes with its version, alias and function', async (t) => {
  const rig = await aliasedRig(t);
  for (const qualifier of [undefined, '1', 'live']) {
    await put(rig, qualifier, { MaximumRetryAttempts: 1 });
  }
  const { operations } = rig.control;
  await operations.DeleteAlias({ FunctionName, Name: 'live' });
  assert.deepEqual([...(await stored(rig)).keys()], ['$LATEST', '1']);
  await operations.DeleteFunction({ FunctionName, Qualifier: '1' });
  assert.deepEqual([...(await stored(rig)).keys()], ['$LATEST']);
  await operations.DeleteFunction({ FunctionName });
  assert.equal((await stored(rig)).size, 0);
});

test('changes at the same time all count, and none outlives its alias', async (t) => {
  const rig = await aliasedRig(t);
  await put(rig, undefined, { MaximumRetryAttempts: 1 });
  await Promise.all([
    update(rig, { MaximumRetryAttempts: 2 }),
    update(rig, { MaximumEventAgeInSeconds: 90 }),
    update(rig, { DestinationConfig: { OnFailure: { Destination: queue } } }),
  ]);
  assert.deepEqual((await stored(rig)).get('$LATEST'), {
    maximumRetryAttempts: 2,
    maximumEventAgeInSeconds: 90,
    onFailure: queue,
    lastModified: isoTime,
  });
  await Promise.allSettled([
    rig.control.operations.DeleteAlias({ FunctionName, Name: 'live' }),
    put(rig, 'live', { MaximumRetryAttempts: 1 }),
  ]);
  assert.equal((await stored(rig)).has('live'), false);
});
