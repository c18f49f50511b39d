/** Rules of the kinds of source are tested beside them (src/control/event-source-mappings/). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  type CreateEventSourceMappingCommandInput,
} from '@aws-sdk/client-lambda';
import { createFunction, createSettled, queueArn, untilSettled } from './mappings.ts';
import {
  accountId,
  arnOf,
  createActive,
  createAliased,
  perTenant,
  refused,
  region,
  useServer,
} from './server.ts';

const server = useServer();
const send = (input: CreateEventSourceMappingCommandInput) =>
  server.client.send(new CreateEventSourceMappingCommand(input));
const secret = `arn:aws:secretsmanager:${region}:${accountId}:secret:kafka`;
const streamArn = `arn:aws:kinesis:${region}:${accountId}:stream/clicks`;
const mappingArnOf = (uuid: string | undefined): string =>
  `arn:aws:lambda:${region}:${accountId}:event-source-mapping:${uuid}`;

test('CreateEventSourceMapping of a queue answers 202 with its defaults, and becomes Enabled', async () => {
  await createFunction(server.client, 'queue-reader');
  const EventSourceArn = queueArn('orders');
  const { $metadata, ...created } = await send({ FunctionName: 'queue-reader', EventSourceArn });
  assert.equal($metadata.httpStatusCode, 202);
  const { UUID, LastModified, ...rest } = created;
  assert.match(UUID ?? '', /^[0-9a-f-]{36}$/);
  assert(LastModified instanceof Date);
  assert.deepEqual(rest, {
    BatchSize: 10,
    MaximumBatchingWindowInSeconds: 0,
    EventSourceArn,
    FunctionArn: arnOf('queue-reader'),
    EventSourceMappingArn: mappingArnOf(UUID),
    FunctionResponseTypes: [],
    State: 'Creating',
    StateTransitionReason: 'USER_INITIATED',
  });
  assert.equal((await untilSettled(server.client, UUID ?? '')).State, 'Enabled');
});

test('CreateEventSourceMapping of a stream keeps every setting', async () => {
  await createFunction(server.client, 'stream-reader');
  const settings = {
    EventSourceArn: streamArn,
    BatchSize: 500,
    KMSKeyArn: `arn:aws:kms:${region}:${accountId}:key/0f1e2d3c`,
    MetricsConfig: { Metrics: ['EventCount'] },
    MaximumBatchingWindowInSeconds: 30,
    ParallelizationFactor: 1,
    StartingPosition: 'AT_TIMESTAMP',
    StartingPositionTimestamp: new Date('2026-01-02T03:04:05.000Z'),
    DestinationConfig: { OnFailure: { Destination: queueArn('failed') } },
    MaximumRecordAgeInSeconds: 3_600,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 10_000,
    TumblingWindowInSeconds: 900,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
  } satisfies Partial<CreateEventSourceMappingCommandInput>;
  const Tags = { team: 'a' };
  const input = { FunctionName: 'stream-reader', Enabled: false, Tags, ...settings };
  const { UUID, ...settled } = await createSettled(server.client, input);
  const { LastModified, ...rest } = settled;
  assert(LastModified instanceof Date);
  assert.deepEqual(rest, {
    ...settings,
    FunctionArn: arnOf('stream-reader'),
    EventSourceMappingArn: mappingArnOf(UUID),
    LastProcessingResult: 'No records processed',
    State: 'Disabled',
    StateTransitionReason: 'User action',
  });
  const listing = new ListTagsCommand({ Resource: mappingArnOf(UUID) });
  assert.deepEqual((await server.client.send(listing)).Tags, Tags);
});

test('CreateEventSourceMapping of a Kafka cluster keeps provisioned mode and schema registry', async () => {
  await createFunction(server.client, 'kafka-reader');
  const settings = {
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['kafka.example:9092'] } },
    SourceAccessConfigurations: [{ Type: 'SASL_SCRAM_512_AUTH', URI: secret }],
    Topics: ['sales'],
    StartingPosition: 'TRIM_HORIZON',
    ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 3, PollerGroupName: 'group' },
    LoggingConfig: { SystemLogLevel: 'WARN' },
    MetricsConfig: { Metrics: ['EventCount', 'ErrorCount', 'KafkaMetrics'] },
    SelfManagedKafkaEventSourceConfig: {
      ConsumerGroupId: 'readers',
      SchemaRegistryConfig: {
        SchemaRegistryURI: 'https://registry.example',
        EventRecordFormat: 'JSON',
        AccessConfigs: [{ Type: 'BASIC_AUTH', URI: secret }],
        SchemaValidationConfigs: [{ Attribute: 'KEY' }, { Attribute: 'VALUE' }],
      },
    },
  } satisfies Partial<CreateEventSourceMappingCommandInput>;
  const created = await send({ FunctionName: 'kafka-reader', ...settings });
  const names = Object.keys(settings) as (keyof typeof settings)[];
  for (const name of names) assert.deepEqual(created[name], settings[name], name);
});

/** terraform-provider-aws, event_source_mapping.go: it compares them sorted, as they come back so. */
test('CreateEventSourceMapping gives the servers of a Kafka cluster back in order', async () => {
  await createFunction(server.client, 'ordered-reader');
  const KAFKA_BOOTSTRAP_SERVERS = ['two.example:9092', 'one.example:9092'];
  const created = await send({
    FunctionName: 'ordered-reader',
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS } },
    SourceAccessConfigurations: [{ Type: 'SASL_SCRAM_512_AUTH', URI: secret }],
    Topics: ['sales'],
    StartingPosition: 'LATEST',
  });
  const sorted = ['one.example:9092', 'two.example:9092'];
  assert.deepEqual(created.SelfManagedEventSource?.Endpoints, { KAFKA_BOOTSTRAP_SERVERS: sorted });
});

test('CreateEventSourceMapping takes every form of function name, and keeps the qualifier', async () => {
  const name = 'named';
  await createAliased(server.client, name);
  const forms = {
    [name]: arnOf(name),
    [`function:${name}`]: arnOf(name),
    [`${accountId}:function:${name}`]: arnOf(name),
    [arnOf(name)]: arnOf(name),
    [`${name}:1`]: `${arnOf(name)}:1`,
    [`${arnOf(name)}:live`]: `${arnOf(name)}:live`,
    [`${accountId}:function:${name}:$LATEST`]: `${arnOf(name)}:$LATEST`,
  };
  for (const [index, [FunctionName, arn]] of Object.entries(forms).entries()) {
    const created = await send({ FunctionName, EventSourceArn: queueArn(`named-${index}`) });
    assert.equal(created.FunctionArn, arn);
  }
});

test('CreateEventSourceMapping refuses functions, versions and aliases that are not there', async () => {
  await createFunction(server.client, 'there');
  const EventSourceArn = queueArn('refused');
  for (const FunctionName of ['nothing', 'there:7', 'there:live']) {
    await assert.rejects(
      send({ FunctionName, EventSourceArn }),
      refused('InvalidParameterValueException', 'Function does not exist'),
    );
  }
  const other = arnOf('there').replace(region, 'eu-west-1');
  await assert.rejects(
    send({ FunctionName: other, EventSourceArn }),
    refused(
      'ResourceNotFoundException',
      `Functions from 'eu-west-1' are not reachable in this region ('${region}')`,
    ),
  );
  const listing = new ListEventSourceMappingsCommand({ EventSourceArn });
  assert.deepEqual((await server.client.send(listing)).EventSourceMappings, []);
});

test('CreateEventSourceMapping refuses functions whose invocations have to name a tenant', async () => {
  await createActive(server.client, 'tenants', perTenant);
  await assert.rejects(
    send({ FunctionName: 'tenants', EventSourceArn: queueArn('tenants') }),
    refused(
      'InvalidParameterValueException',
      'Event source mapping is not supported for functions with tenant isolation mode.',
    ),
  );
});

test('CreateEventSourceMapping refuses a second mapping of a function and a source', async () => {
  await createFunction(server.client, 'twice');
  const input = { FunctionName: 'twice', EventSourceArn: queueArn('twice') };
  const attempts = await Promise.allSettled([send(input), send(input), send(input)]);
  const [first, ...more] = attempts.filter(({ status }) => status === 'fulfilled');
  assert(first?.status === 'fulfilled' && more.length === 0);
  const { UUID } = first.value;
  await assert.rejects(
    send(input),
    refused(
      'ResourceConflictException',
      `An event source mapping with SQS arn (" ${input.EventSourceArn} ") and function (" twice ") already exists. Please update or delete the existing mapping with UUID ${UUID}`,
    ),
  );
  await createFunction(server.client, 'twice-stream');
  const stream = {
    FunctionName: 'twice-stream',
    EventSourceArn: streamArn,
    StartingPosition: 'LATEST',
  } as const;
  const created = await send(stream);
  await assert.rejects(
    send(stream),
    refused(
      'ResourceConflictException',
      `The event source arn (" ${streamArn} ") and function (" twice-stream ") provided mapping already exists. Please update or delete the existing mapping with UUID ${created.UUID}`,
    ),
  );
});

test('CreateEventSourceMapping refuses what is no source, and settings of other kinds', async () => {
  await createFunction(server.client, 'strict');
  const FunctionName = 'strict';
  const refusals: [Partial<CreateEventSourceMappingCommandInput>, string][] = [
    [{}, 'Unrecognized event source.'],
    // aws-controllers-k8s #2250
    [
      { EventSourceArn: 'arn:aws:events:us-west-1:000000000000:rule/my-rule' },
      'Unrecognized event source. Unsupported source arn : arn:aws:events:us-west-1:000000000000:rule/my-rule',
    ],
    [
      { EventSourceArn: queueArn('q'), StartingPosition: 'LATEST' },
      'StartingPosition is not valid for SQS event sources.',
    ],
    [
      { EventSourceArn: queueArn('q'), ParallelizationFactor: 2 },
      "Unsupported 'parallelizationFactor' parameter for given event source mapping type.",
    ],
    [
      { EventSourceArn: streamArn },
      "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
    ],
  ];
  for (const [settings, message] of refusals) {
    await assert.rejects(
      send({ FunctionName, ...settings }),
      refused('InvalidParameterValueException', message),
    );
  }
});

test('CreateEventSourceMapping has the bounds of the service model', async () => {
  const input = { FunctionName: 'strict', EventSourceArn: queueArn('bounds') };
  const outside: [Partial<CreateEventSourceMappingCommandInput>, string][] = [
    [{ BatchSize: 10_001 }, 'batchSize'],
    [{ BatchSize: 0 }, 'batchSize'],
    [{ MaximumBatchingWindowInSeconds: 301 }, 'maximumBatchingWindowInSeconds'],
    [{ ParallelizationFactor: 11 }, 'parallelizationFactor'],
    [{ MaximumRecordAgeInSeconds: 604_801 }, 'maximumRecordAgeInSeconds'],
    [{ MaximumRetryAttempts: 10_001 }, 'maximumRetryAttempts'],
    [{ TumblingWindowInSeconds: 901 }, 'tumblingWindowInSeconds'],
    [{ ScalingConfig: { MaximumConcurrency: 1 } }, 'scalingConfig.maximumConcurrency'],
    [{ ScalingConfig: { MaximumConcurrency: 1_001 } }, 'scalingConfig.maximumConcurrency'],
    [{ Topics: ['one', 'two'] }, 'topics'],
    [{ EventSourceArn: 'orders' }, 'eventSourceArn'],
  ];
  for (const [settings, path] of outside) {
    await assert.rejects(send({ ...input, ...settings }), (error: Error) => {
      assert.equal(error.name, 'ValidationException');
      assert.ok(error.message.includes(`at '${path}' failed to satisfy constraint`), error.message);
      return true;
    });
  }
});
