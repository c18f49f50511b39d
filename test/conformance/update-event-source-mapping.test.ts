import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetEventSourceMappingCommand,
  UpdateEventSourceMappingCommand,
  type KafkaSchemaRegistryConfig,
  type UpdateEventSourceMappingCommandInput,
} from '@aws-sdk/client-lambda';
import {
  createFunction,
  createReader,
  createSettled,
  notFound,
  queueArn,
  refusesUnsettled,
  unknownUuid,
  untilSettled,
} from './mappings.ts';
import { accountId, arnOf, createActive, refused, region, useServer } from './server.ts';

const server = useServer();
const slow = useServer({ settleDelayMs: 60_000 });
const send = (input: UpdateEventSourceMappingCommandInput) =>
  server.client.send(new UpdateEventSourceMappingCommand(input));
const streamArn = `arn:aws:kinesis:${region}:${accountId}:stream/clicks`;
const secret = `arn:aws:secretsmanager:${region}:${accountId}:secret:broker`;

test('UpdateEventSourceMapping answers 202, changes what is given and keeps the rest', async () => {
  await createFunction(server.client, 'stream-reader');
  const created = await createSettled(server.client, {
    FunctionName: 'stream-reader',
    EventSourceArn: streamArn,
    StartingPosition: 'AT_TIMESTAMP',
    StartingPositionTimestamp: new Date('2026-01-02T03:04:05.000Z'),
    FilterCriteria: { Filters: [{ Pattern: '{"data": {"a": [1]}}' }] },
  });
  const { UUID } = created;
  const changes = {
    BatchSize: 50,
    MaximumBatchingWindowInSeconds: 5,
    ParallelizationFactor: 2,
    DestinationConfig: { OnFailure: { Destination: queueArn('failed') } },
    MaximumRecordAgeInSeconds: 60,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 0,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    KMSKeyArn: `arn:aws:kms:${region}:${accountId}:key/0f1e2d3c`,
    MetricsConfig: { Metrics: ['EventCount'] },
  } satisfies Partial<UpdateEventSourceMappingCommandInput>;
  const { $metadata, ...updated } = await send({ UUID, ...changes });
  assert.equal($metadata.httpStatusCode, 202);
  const { LastModified } = updated;
  assert.deepEqual(updated, { ...created, ...changes, State: 'Updating', LastModified });
  const settled = await untilSettled(server.client, UUID);
  assert.equal(settled.State, 'Enabled');
  assert.equal(settled.BatchSize, 50);
  // Filters take their key along, whatever the request says of it (radkawar/stackd's notes of the service).
  const { FilterCriteria, KMSKeyArn, ...windowed } = await send({
    UUID,
    FilterCriteria: {},
    KMSKeyArn: changes.KMSKeyArn,
    ParallelizationFactor: 1,
    TumblingWindowInSeconds: 1,
  });
  assert.deepEqual([FilterCriteria, KMSKeyArn], [undefined, undefined]);
  assert.equal(windowed.TumblingWindowInSeconds, 1);
});

test('UpdateEventSourceMapping takes settings away by empty values', async () => {
  const { UUID, ...created } = await createReader(server.client, 'queue-reader');
  await send({
    UUID,
    FilterCriteria: { Filters: [{ Pattern: '{"body": {"a": [1]}}' }] },
    ScalingConfig: { MaximumConcurrency: 2 },
    KMSKeyArn: `arn:aws:kms:${region}:${accountId}:key/0f1e2d3c`,
    MetricsConfig: { Metrics: ['EventCount'] },
    FunctionResponseTypes: ['ReportBatchItemFailures'],
  });
  await untilSettled(server.client, UUID);
  const none = {
    FilterCriteria: {},
    ScalingConfig: {},
    KMSKeyArn: '',
    MetricsConfig: { Metrics: [] },
    FunctionResponseTypes: [],
  };
  await send({ UUID, ...none });
  const settled = await untilSettled(server.client, UUID);
  assert.deepEqual({ ...settled, LastModified: 0 }, { UUID, ...created, LastModified: 0 });
});

test('UpdateEventSourceMapping moves a mapping to another function, and turns it off and on', async () => {
  await createFunction(server.client, 'first');
  await createActive(server.client, 'second', { Publish: true });
  const { UUID } = await createSettled(server.client, {
    FunctionName: 'first',
    EventSourceArn: queueArn('moving'),
  });
  const moved = await send({ UUID, FunctionName: 'second:1', Enabled: false });
  assert.equal(moved.FunctionArn, `${arnOf('second')}:1`);
  assert.equal(moved.State, 'Disabling');
  assert.equal((await untilSettled(server.client, UUID)).State, 'Disabled');
  assert.equal((await send({ UUID, Enabled: true })).State, 'Enabling');
  assert.equal((await untilSettled(server.client, UUID)).State, 'Enabled');
  await assert.rejects(
    send({ UUID, FunctionName: 'nothing' }),
    refused('InvalidParameterValueException', 'Function does not exist'),
  );
  const there = await createSettled(server.client, {
    FunctionName: 'first',
    EventSourceArn: queueArn('moving'),
  });
  await assert.rejects(
    send({ UUID, FunctionName: 'first' }),
    refused(
      'ResourceConflictException',
      `An event source mapping with SQS arn (" ${queueArn('moving')} ") and function (" first ") already exists. Please update or delete the existing mapping with UUID ${there.UUID}`,
    ),
  );
});

test('UpdateEventSourceMapping refuses what its kind does not have or cannot change, and changes nothing', async () => {
  await createFunction(server.client, 'strict');
  const FunctionName = 'strict';
  const queue = await createSettled(server.client, {
    FunctionName,
    EventSourceArn: queueArn('strict'),
  });
  const broker = await createSettled(server.client, {
    FunctionName,
    EventSourceArn: `arn:aws:mq:${region}:${accountId}:broker:shop:b-0f1e2d3c`,
    Queues: ['jobs'],
    SourceAccessConfigurations: [
      { Type: 'BASIC_AUTH', URI: secret },
      { Type: 'VIRTUAL_HOST', URI: '/shop' },
    ],
  });
  const cluster = await createSettled(server.client, {
    FunctionName,
    EventSourceArn: `arn:aws:kafka:${region}:${accountId}:cluster/events/0f1e2d3c-7`,
    Topics: ['sales'],
    StartingPosition: 'LATEST',
  });
  const database = await createSettled(server.client, {
    FunctionName,
    EventSourceArn: `arn:aws:rds:${region}:${accountId}:cluster:catalog`,
    StartingPosition: 'LATEST',
    SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: secret }],
    DocumentDBEventSourceConfig: { DatabaseName: 'shop', CollectionName: 'users' },
  });
  const refusals: [{ UUID: string }, Partial<UpdateEventSourceMappingCommandInput>, string][] = [
    [
      queue,
      { BatchSize: 11 },
      'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
    ],
    [
      queue,
      { MaximumRetryAttempts: 1 },
      "Unsupported 'maximumRetryAttempts' parameter for given event source mapping type.",
    ],
    [
      broker,
      { SourceAccessConfigurations: [{ Type: 'VIRTUAL_HOST', URI: '/' }] },
      'VIRTUAL_HOST cannot be specified in an update.',
    ],
    [
      broker,
      { SourceAccessConfigurations: [] },
      "Required source access configuration 'BASIC_AUTH' is missing.",
    ],
    [
      cluster,
      { AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'group' } },
      "Unsupported 'amazonManagedKafkaEventSourceConfig.consumerGroupId' parameter for given event source mapping type.",
    ],
    [
      cluster,
      // aws-controllers-k8s #2865: what answers have, sent back.
      { DestinationConfig: cluster.DestinationConfig },
      'The Destination field is required for an OnFailure configuration.',
    ],
    [
      database,
      { DocumentDBEventSourceConfig: { DatabaseName: 'a', CollectionName: 'b' } },
      'Invalid parameters: collectionName, databaseName',
    ],
  ];
  for (const [{ UUID }, changes, message] of refusals) {
    await assert.rejects(
      send({ UUID, ...changes }),
      refused('InvalidParameterValueException', message),
    );
  }
  for (const mapping of [queue, broker, cluster, database]) {
    assert.deepEqual(await untilSettled(server.client, mapping.UUID), mapping);
  }
  const other = [{ Type: 'BASIC_AUTH' as const, URI: `${secret}-2` }];
  const rotated = await send({ UUID: broker.UUID, SourceAccessConfigurations: other });
  assert.deepEqual(rotated.SourceAccessConfigurations, [
    ...other,
    { Type: 'VIRTUAL_HOST', URI: '/shop' },
  ]);
  const whole = await send({
    UUID: database.UUID,
    DocumentDBEventSourceConfig: { FullDocument: 'UpdateLookup' },
  });
  assert.deepEqual(whole.DocumentDBEventSourceConfig, {
    DatabaseName: 'shop',
    CollectionName: 'users',
    FullDocument: 'UpdateLookup',
  });
});

test('UpdateEventSourceMapping adds and removes provisioned mode and a schema registry', async () => {
  await createFunction(server.client, 'kafka-reader');
  const { UUID } = await createSettled(server.client, {
    FunctionName: 'kafka-reader',
    EventSourceArn: `arn:aws:kafka:${region}:${accountId}:cluster/other/0f1e2d3c-7`,
    Topics: ['sales'],
    StartingPosition: 'LATEST',
  });
  const SchemaRegistryConfig: KafkaSchemaRegistryConfig = {
    SchemaRegistryURI: 'https://registry.example',
    EventRecordFormat: 'SOURCE',
    SchemaValidationConfigs: [{ Attribute: 'VALUE' }],
  };
  const group = { ConsumerGroupId: UUID };
  const added = await send({
    UUID,
    ProvisionedPollerConfig: { MaximumPollers: 5 },
    AmazonManagedKafkaEventSourceConfig: { SchemaRegistryConfig },
  });
  assert.deepEqual(added.ProvisionedPollerConfig, { MinimumPollers: 1, MaximumPollers: 5 });
  assert.deepEqual(added.AmazonManagedKafkaEventSourceConfig, { ...group, SchemaRegistryConfig });
  await untilSettled(server.client, UUID);
  await assert.rejects(
    send({ UUID, ProvisionedPollerConfig: {} }),
    refused(
      'InvalidParameterValueException',
      /^SchemaRegistryConfig is only available for Provisioned Mode/,
    ),
  );
  const removed = await send({
    UUID,
    ProvisionedPollerConfig: {},
    AmazonManagedKafkaEventSourceConfig: { SchemaRegistryConfig: {} },
  });
  assert.equal(removed.ProvisionedPollerConfig, undefined);
  assert.deepEqual(removed.AmazonManagedKafkaEventSourceConfig, group);
});

test('UpdateEventSourceMapping of one mapping by several at once leaves one of the changes', async () => {
  await createFunction(server.client, 'contended');
  const { UUID } = await createSettled(server.client, {
    FunctionName: 'contended',
    EventSourceArn: queueArn('contended'),
  });
  const sizes = [1, 2, 3, 4, 5];
  const attempts = await Promise.allSettled(sizes.map((BatchSize) => send({ UUID, BatchSize })));
  for (const attempt of attempts) {
    if (attempt.status === 'fulfilled') continue;
    assert.equal((attempt.reason as Error).name, 'ResourceInUseException');
  }
  const done = attempts.flatMap((one) => (one.status === 'fulfilled' ? [one.value.BatchSize] : []));
  const { BatchSize } = await untilSettled(server.client, UUID);
  assert.ok(done.includes(BatchSize), `${BatchSize} of ${done.join()}`);
});

test('UpdateEventSourceMapping refuses a mapping that is being changed', async () => {
  const UUID = await refusesUnsettled(slow.client, 'update', (unsettled) =>
    slow.client.send(new UpdateEventSourceMappingCommand({ UUID: unsettled, BatchSize: 1 })),
  );
  const found = await slow.client.send(new GetEventSourceMappingCommand({ UUID }));
  assert.equal(found.State, 'Creating');
  assert.equal(found.BatchSize, 10);
});

test('UpdateEventSourceMapping refuses UUIDs that no mapping has', async () => {
  await assert.rejects(send({ UUID: unknownUuid, BatchSize: 1 }), notFound);
});
