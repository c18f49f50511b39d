/**
 * The table of kinds, row by row, through the operations: a request with no more than the kind needs and
 * the settings of its answer, every setting that it lacks, and every one that it needs.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventSourceKind } from '../../model/event-source-mapping.ts';
import type {
  CreateEventSourceMappingRequest,
  EventSourceMappingConfiguration,
} from '../../model/generated/api-types.ts';
import { activeRig } from '../../testing/control-rig.ts';
import { minimalMappings } from '../../testing/mapping-requests.ts';
import { sourceRules, type SettingName } from './source-rules.ts';

const kinds = Object.keys(minimalMappings) as EventSourceKind[];

const nothingProcessed = { LastProcessingResult: 'No records processed' };
const queueDefaults = {
  BatchSize: 10,
  MaximumBatchingWindowInSeconds: 0,
  FunctionResponseTypes: [],
  StateTransitionReason: 'USER_INITIATED',
};
const streamDefaults = {
  BatchSize: 100,
  MaximumBatchingWindowInSeconds: 0,
  ParallelizationFactor: 1,
  DestinationConfig: { OnFailure: {} },
  MaximumRecordAgeInSeconds: -1,
  BisectBatchOnFunctionError: false,
  MaximumRetryAttempts: -1,
  TumblingWindowInSeconds: 0,
  FunctionResponseTypes: [],
  StateTransitionReason: 'User action',
  ...nothingProcessed,
};
const kafkaDefaults = {
  BatchSize: 100,
  DestinationConfig: { OnFailure: {} },
  FunctionResponseTypes: [],
  StateTransitionReason: 'USER_INITIATED',
  ...nothingProcessed,
};
const brokerDefaults = {
  BatchSize: 100,
  StateTransitionReason: 'USER_INITIATED',
  ...nothingProcessed,
};

/** What an answer has beside the request and the members that every mapping has. */
const defaults: Readonly<
  Record<EventSourceKind, (uuid: string) => EventSourceMappingConfiguration>
> = {
  sqs: () => queueDefaults,
  'sqs-fifo': () => queueDefaults,
  kinesis: () => streamDefaults,
  dynamodb: () => streamDefaults,
  msk: (uuid) => ({
    ...kafkaDefaults,
    AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: uuid },
  }),
  'self-managed-kafka': (uuid) => ({
    ...kafkaDefaults,
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: uuid },
  }),
  mq: () => brokerDefaults,
  documentdb: () => ({
    ...brokerDefaults,
    DocumentDBEventSourceConfig: { DatabaseName: 'shop', FullDocument: 'Default' },
  }),
};

/** A value of each setting that only some kinds have. */
const values: Readonly<Partial<CreateEventSourceMappingRequest>> = {
  FilterCriteria: { Filters: [{ Pattern: '{"a": ["b"]}' }] },
  MetricsConfig: { Metrics: ['EventCount'] },
  LoggingConfig: { SystemLogLevel: 'INFO' },
  ScalingConfig: { MaximumConcurrency: 5 },
  MaximumBatchingWindowInSeconds: 0,
  ParallelizationFactor: 2,
  StartingPosition: 'LATEST',
  StartingPositionTimestamp: new Date(0),
  DestinationConfig: { OnFailure: {} },
  MaximumRecordAgeInSeconds: 60,
  BisectBatchOnFunctionError: true,
  MaximumRetryAttempts: 3,
  TumblingWindowInSeconds: 10,
  Topics: ['sales'],
  Queues: ['jobs'],
  SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: 'arn' }],
  FunctionResponseTypes: ['ReportBatchItemFailures'],
  AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'group' },
  SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: 'group' },
  DocumentDBEventSourceConfig: { DatabaseName: 'shop' },
  ProvisionedPollerConfig: { MinimumPollers: 2 },
};

test('a starting position that is left out is the oldest of a topic, the newest of a collection', async (t) => {
  // radkawar/stackd's notes of the service.
  const rig = await activeRig(t);
  const positions = {
    msk: 'TRIM_HORIZON',
    'self-managed-kafka': 'TRIM_HORIZON',
    documentdb: 'LATEST',
  };
  for (const [kind, position] of Object.entries(positions)) {
    const mapping = { ...minimalMappings[kind as EventSourceKind], StartingPosition: undefined };
    const request = { FunctionName: 'rig', ...mapping };
    const created = await rig.control.operations.CreateEventSourceMapping(request);
    assert.equal(created.StartingPosition, position);
  }
});

for (const kind of kinds) {
  describe(kind, () => {
    const { optional, required, words } = sourceRules[kind];

    test('a request with what it needs is answered with the defaults', async (t) => {
      const rig = await activeRig(t);
      const request = { FunctionName: 'rig', ...minimalMappings[kind] };
      const created = await rig.control.operations.CreateEventSourceMapping(request);
      const { UUID = '' } = created;
      assert.deepEqual(created, {
        ...minimalMappings[kind],
        ...defaults[kind](UUID),
        UUID,
        EventSourceMappingArn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${UUID}`,
        FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:rig',
        State: 'Creating',
        LastModified: new Date(rig.clock.nowMs()),
      });
    });

    test('settings of other kinds are refused', async (t) => {
      const rig = await activeRig(t);
      const others = (Object.keys(values) as SettingName[]).filter(
        (name) => ![...optional, ...required].includes(name),
      );
      assert.ok(others.length > 0);
      for (const name of others) {
        const request = { FunctionName: 'rig', ...minimalMappings[kind], [name]: values[name] };
        const spelled = name.charAt(0).toLowerCase() + name.slice(1);
        const usual = `Unsupported '${spelled}' parameter for given event source mapping type.`;
        await assert.rejects(rig.control.operations.CreateEventSourceMapping(request), {
          code: 'InvalidParameterValueException',
          message: words?.[name] ?? usual,
        });
      }
    });

    test('settings that it needs are asked for', async (t) => {
      const rig = await activeRig(t);
      for (const name of required) {
        if (name === 'SelfManagedEventSource') continue;
        const request = { FunctionName: 'rig', ...minimalMappings[kind], [name]: undefined };
        const spelled = name.charAt(0).toLowerCase() + name.slice(1);
        await assert.rejects(rig.control.operations.CreateEventSourceMapping(request), {
          code: 'InvalidParameterValueException',
          message: words?.[name] ?? `Required '${spelled}' parameter is missing.`,
        });
      }
    });
  });
}
