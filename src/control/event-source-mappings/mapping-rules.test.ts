/** Rules of settings that the table of kinds drives: each bound at its edge, each combination, with its words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  EventSourceKind,
  EventSourceMappingRecord,
} from '../../model/event-source-mapping.ts';
import type {
  CreateEventSourceMappingRequest,
  KafkaSchemaRegistryConfig,
} from '../../model/generated/api-types.ts';
import { activeRig } from '../../testing/control-rig.ts';
import { putDocument } from '../commit.ts';
import { mappingKey } from './mapping-documents.ts';
import { minimalMappings, settleMapping } from '../../testing/mapping-requests.ts';

type Request = Partial<CreateEventSourceMappingRequest>;

const onFailure = { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:failed' } };
const secret = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:other';
const provisioned = { ProvisionedPollerConfig: { MinimumPollers: 2 } };
const registry: KafkaSchemaRegistryConfig = {
  SchemaRegistryURI: 'https://registry.example',
  EventRecordFormat: 'JSON',
  SchemaValidationConfigs: [{ Attribute: 'VALUE' }],
};

const patterns = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ Pattern: `{"a": [${index}]}` }));

/** Settings that are right for the kind. */
const accepted: readonly (readonly [EventSourceKind, Request])[] = [
  ['sqs', { BatchSize: 10 }],
  ['sqs', { BatchSize: 11, MaximumBatchingWindowInSeconds: 1 }],
  ['sqs', { BatchSize: 10_000, MaximumBatchingWindowInSeconds: 300 }],
  ['sqs', { ScalingConfig: { MaximumConcurrency: 2 } }],
  ['sqs', { FilterCriteria: { Filters: patterns(5) } }],
  ['sqs', { FilterCriteria: {}, ScalingConfig: {}, KMSKeyArn: '' }],
  ['sqs', { MetricsConfig: { Metrics: ['EventCount'] } }],
  ['sqs', { ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 10_000 } }],
  ['sqs', { ProvisionedPollerConfig: { MinimumPollers: 200 } }],
  ['sqs-fifo', { BatchSize: 10, MaximumBatchingWindowInSeconds: 0 }],
  ['kinesis', { BatchSize: 10_000 }],
  ['kinesis', { TumblingWindowInSeconds: 900, ParallelizationFactor: 1, FilterCriteria: {} }],
  ['kinesis', { TumblingWindowInSeconds: 0, ParallelizationFactor: 10 }],
  ['kinesis', { StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: new Date(0) }],
  ['kinesis', { MaximumRecordAgeInSeconds: 60 }],
  ['kinesis', { MaximumRecordAgeInSeconds: 604_800 }],
  ['kinesis', { DestinationConfig: onFailure }],
  [
    'kinesis',
    {
      EventSourceArn:
        'arn:aws:kinesis:us-east-1:000000000000:stream/clicks/consumer/reader:1700000000',
    },
  ],
  ['dynamodb', { DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::failed' } } }],
  ['dynamodb', { DestinationConfig: { OnFailure: { Destination: '' } } }],
  ['msk', { DestinationConfig: { OnFailure: { Destination: 'kafka://failed' } } }],
  ['msk', { StartingPosition: undefined }],
  ['msk', { ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 2_000 } }],
  ['msk', { ...provisioned, MetricsConfig: { Metrics: ['ErrorCount', 'KafkaMetrics'] } }],
  ['msk', { ...provisioned, LoggingConfig: { SystemLogLevel: 'DEBUG' } }],
  [
    'msk',
    {
      EventSourceArn:
        'arn:aws:kafka:us-east-1:000000000000:vpc-connection/111111111111/events/0f1e2d3c-7',
    },
  ],
  [
    'msk',
    { ...provisioned, AmazonManagedKafkaEventSourceConfig: { SchemaRegistryConfig: registry } },
  ],
  [
    'self-managed-kafka',
    {
      SourceAccessConfigurations: [
        { Type: 'SASL_SCRAM_512_AUTH', URI: secret },
        { Type: 'SERVER_ROOT_CA_CERTIFICATE', URI: secret },
        { Type: 'VPC_SUBNET', URI: 'subnet:subnet-1' },
        { Type: 'VPC_SUBNET', URI: 'subnet:subnet-2' },
        { Type: 'VPC_SECURITY_GROUP', URI: 'security_group:sg-1' },
      ],
    },
  ],
  [
    'mq',
    {
      SourceAccessConfigurations: [
        { Type: 'BASIC_AUTH', URI: secret },
        { Type: 'VIRTUAL_HOST', URI: '/' },
      ],
    },
  ],
];

test('settings up to their bounds are taken', async (t) => {
  const rig = await activeRig(t);
  for (const [kind, settings] of accepted) {
    const request = { FunctionName: 'rig', ...minimalMappings[kind], ...settings };
    const { UUID = '' } = await rig.control.operations.CreateEventSourceMapping(request);
    await settleMapping(rig, UUID);
    await rig.control.operations.DeleteEventSourceMapping({ UUID });
    await settleMapping(rig, UUID);
  }
});

/** radkawar/stackd, of queues; and the two below that name provisioned mode. */
const pollersMessage = (minimum: number, maximum: number): string =>
  `MinimumPollers should be between [${minimum}, 200] and MaximumPollers should be between [MinimumPollers, ${maximum}]`;
const tumblingMessage =
  'TumblingWindowInSeconds cannot be used with a ParallelizationFactor above 1 or with FilterCriteria.';
const windowMessage =
  'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10';
const ageMessage =
  'MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)';
const provisionedMessage = (name: string): string =>
  `${name} is only available for Provisioned Mode. Enable Provisioned Mode by specifying MinimumPollers in ProvisionedPollerConfig.`;
const filterMessage = 'Invalid filter pattern definition.';
const unrecognized = 'Unrecognized event source.';
/** aws-controllers-k8s #2250 */
const unsupportedArn = (arn: string): string => `${unrecognized} Unsupported source arn : ${arn}`;
const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/users';

/** Settings that are not, and what is said of them. */
const refused: readonly (readonly [EventSourceKind, Request, string])[] = [
  ['sqs', { EventSourceArn: undefined }, unrecognized],
  ['sqs', { EventSourceArn: 'arn:aws:s3:::bucket' }, unsupportedArn('arn:aws:s3:::bucket')],
  ['sqs', { EventSourceArn: table }, unsupportedArn(table)],
  [
    'sqs',
    { EventSourceArn: 'arn:aws:sqs:eu-west-1:000000000000:orders' },
    'The event source must be in the same region as the function.',
  ],
  ['self-managed-kafka', { SelfManagedEventSource: {} }, unrecognized],
  [
    'self-managed-kafka',
    { EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders' },
    unrecognized,
  ],
  ['sqs', { BatchSize: 11 }, windowMessage],
  ['sqs-fifo', { BatchSize: 11 }, 'Maximum batch size must be between 1 and 10 inclusive'],
  [
    'sqs-fifo',
    { BatchSize: 100, MaximumBatchingWindowInSeconds: 5 },
    'Batching window is not supported for FIFO queues',
  ],
  ['kinesis', { MaximumRecordAgeInSeconds: 0 }, ageMessage],
  ['kinesis', { MaximumRecordAgeInSeconds: 59 }, ageMessage],
  ['kinesis', { StartingPosition: 'AT_TIMESTAMP' }, 'Need to specify a timestamp'],
  [
    'kinesis',
    { StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: new Date('2027-01-01') },
    'StartingPositionTimestamp cannot be in the future.',
  ],
  [
    'kinesis',
    { StartingPositionTimestamp: new Date(0) },
    'StartingPositionTimestamp is valid only with the starting position AT_TIMESTAMP.',
  ],
  [
    'dynamodb',
    { StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: new Date(0) },
    `Unsupported starting position for arn type: ${minimalMappings.dynamodb.EventSourceArn}`,
  ],
  [
    'kinesis',
    { DestinationConfig: { OnSuccess: {} } },
    'Unsupported DestinationConfig parameter for given event source mapping type.',
  ],
  [
    'kinesis',
    { DestinationConfig: { OnFailure: {} } },
    'The Destination field is required for an OnFailure configuration.',
  ],
  [
    'kinesis',
    { DestinationConfig: { OnFailure: { Destination: 'kafka://failed' } } },
    'The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=kafka://failed)) is invalid.',
  ],
  [
    'kinesis',
    { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:1:failed' } } },
    'The destination ARN arn:aws:sqs:us-east-1:1:failed is invalid.',
  ],
  [
    'msk',
    {
      DestinationConfig: {
        OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:failed.fifo' },
      },
    },
    'The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=arn:aws:sqs:us-east-1:000000000000:failed.fifo)) is invalid.',
  ],
  [
    'sqs',
    { FilterCriteria: { Filters: patterns(6) } },
    'The number of filters exceeds the limit of 5.',
  ],
  ['sqs', { FilterCriteria: { Filters: [{ Pattern: '{"a": "b"}' }] } }, filterMessage],
  ['sqs', { FilterCriteria: { Filters: [{}] } }, filterMessage],
  [
    'sqs',
    { MetricsConfig: { Metrics: ['KafkaMetrics'] } },
    "Unsupported metric 'KafkaMetrics' for given event source mapping type.",
  ],
  [
    'sqs',
    { ProvisionedPollerConfig: {} },
    'Either MinimumPollers or MaximumPollers are required if ProvisionedPollerConfig is provided.',
  ],
  ['sqs', { ProvisionedPollerConfig: { MinimumPollers: 1 } }, pollersMessage(2, 10_000)],
  ['sqs', { ProvisionedPollerConfig: { MaximumPollers: 1 } }, pollersMessage(2, 10_000)],
  [
    'sqs',
    { ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 10_001 } },
    pollersMessage(2, 10_000),
  ],
  ['msk', { ProvisionedPollerConfig: { MaximumPollers: 2_001 } }, pollersMessage(1, 2_000)],
  [
    'msk',
    { ProvisionedPollerConfig: { MinimumPollers: 3, MaximumPollers: 2 } },
    pollersMessage(1, 2_000),
  ],
  [
    'sqs',
    { ProvisionedPollerConfig: { MinimumPollers: 2, PollerGroupName: 'group' } },
    "Unsupported 'provisionedPollerConfig.pollerGroupName' parameter for given event source mapping type.",
  ],
  [
    'sqs',
    { ...provisioned, ScalingConfig: { MaximumConcurrency: 2 } },
    'Provisioned mode for SQS ESM does not support maximum concurrency feature. Use MaximumPollers as the control mechanism and remove maximum concurrency.',
  ],
  // What tumbling windows do not go with: radkawar/stackd's notes of the service.
  ['kinesis', { TumblingWindowInSeconds: 1, ParallelizationFactor: 2 }, tumblingMessage],
  [
    'dynamodb',
    { TumblingWindowInSeconds: 1, FilterCriteria: { Filters: patterns(1) } },
    tumblingMessage,
  ],
  ['msk', { MetricsConfig: { Metrics: ['EventCount'] } }, provisionedMessage('MetricsConfig')],
  ['msk', { LoggingConfig: { SystemLogLevel: 'INFO' } }, provisionedMessage('LoggingConfig')],
  [
    'msk',
    { AmazonManagedKafkaEventSourceConfig: { SchemaRegistryConfig: registry } },
    provisionedMessage('SchemaRegistryConfig'),
  ],
  [
    'msk',
    {
      ...provisioned,
      AmazonManagedKafkaEventSourceConfig: {
        SchemaRegistryConfig: { ...registry, SchemaValidationConfigs: [] },
      },
    },
    "Required 'schemaValidationConfigs' parameter is missing.",
  ],
  [
    'msk',
    {
      ...provisioned,
      AmazonManagedKafkaEventSourceConfig: {
        SchemaRegistryConfig: {
          ...registry,
          SchemaRegistryURI: 'arn:aws:glue:us-east-1:000000000000:registry/events',
          AccessConfigs: [{ Type: 'BASIC_AUTH', URI: secret }],
        },
      },
    },
    'AccessConfigs are not supported for AWS Glue schema registries.',
  ],
  [
    'msk',
    {
      ...provisioned,
      AmazonManagedKafkaEventSourceConfig: {
        SchemaRegistryConfig: { ...registry, AccessConfigs: [{ Type: 'BASIC_AUTH' }] },
      },
    },
    'Every access configuration needs a Type and a URI.',
  ],
  [
    'msk',
    { SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: secret }] },
    "Unsupported source access configuration 'BASIC_AUTH' for given event source mapping type.",
  ],
  [
    'mq',
    { SourceAccessConfigurations: [{ Type: 'VIRTUAL_HOST', URI: '/' }] },
    "Required source access configuration 'BASIC_AUTH' is missing.",
  ],
  [
    'mq',
    { SourceAccessConfigurations: [{ Type: 'BASIC_AUTH' }] },
    'Every source access configuration needs a Type and a URI.',
  ],
  [
    'self-managed-kafka',
    {
      SourceAccessConfigurations: [
        { Type: 'BASIC_AUTH', URI: secret },
        { Type: 'SASL_SCRAM_256_AUTH', URI: secret },
      ],
    },
    'Only one source access configuration may authenticate.',
  ],
  [
    'documentdb',
    {
      SourceAccessConfigurations: [
        { Type: 'BASIC_AUTH', URI: secret },
        { Type: 'BASIC_AUTH', URI: secret },
      ],
    },
    "Only one source access configuration may be 'BASIC_AUTH'.",
  ],
  [
    'self-managed-kafka',
    { SourceAccessConfigurations: [{ Type: 'VPC_SUBNET', URI: 'subnet:subnet-1' }] },
    'Source access configurations need both VPC_SUBNET and VPC_SECURITY_GROUP, or neither.',
  ],
  [
    'documentdb',
    { DocumentDBEventSourceConfig: { CollectionName: 'users' } },
    "Required 'databaseName' parameter is missing.",
  ],
];

test('settings that are not right are refused, and nothing is stored', async (t) => {
  const rig = await activeRig(t);
  for (const [kind, settings, message] of refused) {
    const request = { FunctionName: 'rig', ...minimalMappings[kind], ...settings };
    await assert.rejects(
      rig.control.operations.CreateEventSourceMapping(request),
      { code: 'InvalidParameterValueException', message },
      `${kind} ${JSON.stringify(settings)}`,
    );
  }
  const { EventSourceMappings } = await rig.control.operations.ListEventSourceMappings({});
  assert.deepEqual(EventSourceMappings, []);
});

test('what an earlier version accepted can be switched off and moved as it is', async (t) => {
  const rig = await activeRig(t);
  const { CreateEventSourceMapping: create, UpdateEventSourceMapping: update } =
    rig.control.operations;
  const settings = { TumblingWindowInSeconds: 10, ParallelizationFactor: 2 };
  const { UUID = '' } = await create({ FunctionName: 'rig', ...minimalMappings.kinesis });
  await settleMapping(rig, UUID);
  const document = await rig.store.get<EventSourceMappingRecord>(mappingKey(UUID));
  assert.ok(document);
  const configuration = { ...document.value.configuration, ...settings };
  await rig.store.commit([putDocument(document, { ...document.value, configuration })]);
  for (const change of [{ Enabled: false }, { FunctionName: 'rig:$LATEST' }]) {
    assert.partialDeepStrictEqual(await update({ UUID, ...change }), settings);
    await settleMapping(rig, UUID);
  }
  const message = tumblingMessage;
  await assert.rejects(update({ UUID, BatchSize: 5 }), { message });
  await update({ UUID, BatchSize: 5, TumblingWindowInSeconds: 0 });
});
