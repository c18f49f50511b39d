import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PutFunctionEventInvokeConfigCommand,
  type PutFunctionEventInvokeConfigCommandInput,
} from '@aws-sdk/client-lambda';
import {
  accountId,
  arnOf,
  createActive,
  createAliased,
  membersOf,
  refused,
  region,
  useServer,
} from './server.ts';

const server = useServer();
const queue = `arn:aws:sqs:${region}:${accountId}:queue`;
const topic = `arn:aws:sns:${region}:${accountId}:topic`;
const bus = `arn:aws:events:${region}:${accountId}:event-bus/default`;
const bucket = 'arn:aws:s3:::bucket';

function put(
  FunctionName: string,
  settings: Partial<PutFunctionEventInvokeConfigCommandInput> = {},
) {
  return server.client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, ...settings }));
}

function destinations(onSuccess?: string, onFailure?: string) {
  return {
    DestinationConfig: {
      OnSuccess: { Destination: onSuccess },
      OnFailure: { Destination: onFailure },
    },
  };
}

test('all settings, for $LATEST, a version and an alias', async () => {
  await createAliased(server.client, 'full');
  const settings = {
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 3600,
    ...destinations(queue, bucket),
  };
  for (const [Qualifier, shown] of [
    [undefined, '$LATEST'],
    ['$LATEST', '$LATEST'],
    ['1', '1'],
    ['live', 'live'],
  ]) {
    const before = Date.now();
    const { $metadata, LastModified, ...rest } = await put('full', { ...settings, Qualifier });
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(rest, { FunctionArn: `${arnOf('full')}:${shown}`, ...settings });
    assert.ok(LastModified && LastModified.getTime() >= before);
  }
  const { FunctionArn } = await put(`${arnOf('full')}:live`, { MaximumRetryAttempts: 1 });
  assert.equal(FunctionArn, `${arnOf('full')}:live`);
});

test('what is left out is removed', async () => {
  await createActive(server.client, 'replaced');
  await put('replaced', { MaximumRetryAttempts: 1, ...destinations(queue, topic) });
  const replaced = await put('replaced', { MaximumEventAgeInSeconds: 60 });
  assert.deepEqual(membersOf(replaced, 'LastModified'), {
    FunctionArn: `${arnOf('replaced')}:$LATEST`,
    MaximumEventAgeInSeconds: 60,
    DestinationConfig: { OnSuccess: {}, OnFailure: {} },
  });
  const { DestinationConfig, MaximumEventAgeInSeconds } = await put('replaced', {
    DestinationConfig: { OnSuccess: {} },
  });
  assert.deepEqual(DestinationConfig, { OnSuccess: {}, OnFailure: {} });
  assert.equal(MaximumEventAgeInSeconds, undefined);
});

test('bounds, at their edges', async () => {
  await createActive(server.client, 'edges');
  for (const settings of [
    { MaximumRetryAttempts: -1 },
    { MaximumRetryAttempts: 3 },
    { MaximumEventAgeInSeconds: 59 },
    { MaximumEventAgeInSeconds: 21_601 },
  ]) {
    await assert.rejects(put('edges', settings), refused('ValidationException'));
  }
  for (const settings of [
    { MaximumRetryAttempts: 0 },
    { MaximumRetryAttempts: 2 },
    { MaximumEventAgeInSeconds: 60 },
    { MaximumEventAgeInSeconds: 21_600 },
  ]) {
    await put('edges', settings);
  }
});

test('a request that sets nothing', async () => {
  await createActive(server.client, 'nothing');
  // An empty DestinationConfig is nothing (radkawar/stackd).
  for (const settings of [{}, { DestinationConfig: {} }]) {
    await assert.rejects(
      put('nothing', settings),
      refused(
        'InvalidParameterValueException',
        'You must specify at least one of error handling or destination setting.',
      ),
    );
  }
});

test('no such function, version or alias', async () => {
  await createActive(server.client, 'unversioned');
  const references: [string, string?][] = [
    ['absent'],
    ['unversioned', '1'],
    ['unversioned', 'absent'],
    ['unversioned', '$LATEST.PUBLISHED'],
  ];
  for (const [name, Qualifier] of references) {
    await assert.rejects(
      put(name, { Qualifier, MaximumRetryAttempts: 1 }),
      refused('ResourceNotFoundException', "The function doesn't exist."),
    );
  }
});

test('every kind of destination, failures alone into a bucket', async () => {
  await createActive(server.client, 'sender');
  await createAliased(server.client, 'receiver');
  const functions = [arnOf('receiver'), `${arnOf('receiver')}:1`, `${arnOf('receiver')}:live`];
  for (const arn of [queue, topic, bus, ...functions]) {
    const { DestinationConfig } = await put('sender', destinations(arn, arn));
    assert.deepEqual(DestinationConfig, destinations(arn, arn).DestinationConfig);
  }
  const { DestinationConfig } = await put('sender', destinations(undefined, bucket));
  assert.deepEqual(DestinationConfig, { OnSuccess: {}, OnFailure: { Destination: bucket } });
});

test('destinations that cannot be', async () => {
  await createAliased(server.client, 'self');
  const config = (onSuccess: string, onFailure: string): string =>
    `The provided destination config DestinationConfig(onSuccess=${onSuccess}, onFailure=${onFailure}) is invalid.`;
  const stream = `arn:aws:kinesis:${region}:${accountId}:stream/s`;
  // serverless #7507
  const partner = `arn:aws:events:${region}:${accountId}:event-bus/aws.partner/example.com/a/b`;
  for (const [onSuccess, onFailure, message] of [
    // aws-cdk #37115
    [bucket, queue, config(`OnSuccess(destination=${bucket})`, `OnFailure(destination=${queue})`)],
    [stream, undefined, config(`OnSuccess(destination=${stream})`, 'null')],
    [undefined, `${queue}.fifo`, config('null', `OnFailure(destination=${queue}.fifo)`)],
    [`${topic}.fifo`, undefined, config(`OnSuccess(destination=${topic}.fifo)`, 'null')],
    [undefined, partner, `The destination ARN ${partner} is invalid.`],
    [arnOf('absent'), undefined, `The destination ARN ${arnOf('absent')} is invalid.`],
    [arnOf('self'), undefined, "You can't specify the function as a destination for itself."],
    [
      undefined,
      `${arnOf('self')}:live`,
      "You can't specify the function as a destination for itself.",
    ],
  ] as const) {
    await assert.rejects(
      put('self', destinations(onSuccess, onFailure)),
      refused('InvalidParameterValueException', message),
    );
  }
  // serverless #12165: the queue's URL
  const url = `https://sqs.${region}.amazonaws.com/${accountId}/queue`;
  await assert.rejects(
    put('self', destinations(undefined, url)),
    refused(
      'ValidationException',
      new RegExp(
        `^1 validation error detected: Value '${url}' at 'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: `,
      ),
    ),
  );
  const long = (length: number): string =>
    `${bus.slice(0, -7)}${'b'.repeat(length - bus.length + 7)}`;
  await assert.rejects(put('self', destinations(long(351))), refused('ValidationException'));
});
