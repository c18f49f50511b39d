/**
 * What each kind of event source has and needs, as a table: which settings a request may and must
 * give, their defaults and bounds, and how two mappings of one function are told apart.
 *
 * From the documentation of CreateEventSourceMapping in the SDK's models and the guide's page 031;
 * words of refusals from public reports, which are named beside them.
 */
import type {
  CreateEventSourceMappingRequest,
  EventSourceMappingConfiguration,
  EventSourceMappingMetric,
  EventSourcePosition,
  SourceAccessType,
} from '../../model/generated/api-types.ts';
import type { DestinationKind } from '../../model/destination-arn.ts';
import type { EventSourceKind } from '../../model/event-source-mapping.ts';
import { limits } from '../../model/limits.ts';

/** What a request says of the source and how it is read, without whose mapping it is. */
export type MappingSettings = Omit<
  CreateEventSourceMappingRequest,
  'FunctionName' | 'Enabled' | 'Tags'
>;

export type SettingName = keyof MappingSettings;

export interface PollerBounds {
  readonly minimumMin: number;
  readonly maximumMax: number;
  readonly maximumDefault: number;
  readonly hasGroups: boolean;
}

export interface SourceRules {
  /** Of the source's ARN from the service on: 'sqs:REGION:ACCOUNT:NAME'. Absent for one without ARN. */
  readonly arnPattern?: RegExp;
  /** Settings that a request may give beside those that all kinds have. */
  readonly optional: readonly SettingName[];
  readonly required: readonly SettingName[];
  /** Words for settings of other kinds, and for required ones that are missing, if not the usual ones. */
  readonly words?: Readonly<Partial<Record<SettingName, string>>>;
  readonly defaults: MappingSettings & { readonly BatchSize: number };
  /** Less than the service model has. */
  readonly batchSizeMax?: number;
  readonly batchSizeMaxWithoutWindow?: number;
  readonly hasNoWindow?: boolean;
  readonly startingPositions?: readonly EventSourcePosition[];
  /** With these, one way to authenticate at most; `accessRequired` has to be among them. */
  readonly accessTypes?: readonly SourceAccessType[];
  readonly accessRequired?: SourceAccessType;
  readonly metrics?: readonly EventSourceMappingMetric[];
  /** Metrics and logs are there in provisioned mode only. */
  readonly isObservedWhenProvisioned?: boolean;
  readonly pollers?: PollerBounds;
  /** While it is disabled nothing is under way: it is Disabled at once, not Creating or Updating. */
  readonly isSettledWhenDisabled?: boolean;
  /** Where discarded batches may be reported; 'kafka' stands for topics: 'kafka://TOPIC'. */
  readonly destinations?: readonly (DestinationKind | 'kafka')[];
  /** The setting that holds the consumer group and the schema registry. */
  readonly kafkaConfig?:
    'AmazonManagedKafkaEventSourceConfig' | 'SelfManagedKafkaEventSourceConfig';
  /** What tells mappings of one function and one source apart; '' when there can be one only. */
  readonly identity: (settings: MappingSettings) => string;
  /** How a mapping that is there already is named, before 'Please update or delete it ...'. */
  readonly existing: (mapping: NamedMapping) => string;
  /** Members of answers that are no settings. */
  readonly answer: Pick<
    EventSourceMappingConfiguration,
    'StateTransitionReason' | 'LastProcessingResult'
  >;
}

/** What the words for a mapping that is there already are made of. */
export interface NamedMapping {
  readonly sources: readonly string[];
  /** 'NAME' or 'NAME:QUALIFIER'. */
  readonly functionName: string;
  readonly functionArn: string;
  readonly identity: string;
}

/** Settings that mappings of all kinds may have. */
export const commonSettings: readonly SettingName[] = ['EventSourceArn', 'BatchSize', 'KMSKeyArn'];

const nothingProcessed = 'No records processed';
const startingPositionMissing =
  "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: " +
  'Member must not be null.';

const retrySettings = [
  'DestinationConfig',
  'MaximumRecordAgeInSeconds',
  'BisectBatchOnFunctionError',
  'MaximumRetryAttempts',
] as const satisfies SettingName[];

const queue = {
  optional: [
    'FilterCriteria',
    'FunctionResponseTypes',
    'MaximumBatchingWindowInSeconds',
    'MetricsConfig',
    'ProvisionedPollerConfig',
    'ScalingConfig',
  ],
  required: [],
  // node-lambda #466.
  words: { StartingPosition: 'StartingPosition is not valid for SQS event sources.' },
  defaults: { BatchSize: 10, MaximumBatchingWindowInSeconds: 0, FunctionResponseTypes: [] },
  metrics: ['EventCount'],
  pollers: {
    minimumMin: limits.queueMinimumPollersMin,
    maximumMax: limits.queueMaximumPollersMax,
    maximumDefault: limits.maximumPollersDefault,
    hasGroups: false,
  },
  // As LocalStack has it when one is made, and radkawar/stackd's notes of the service also later.
  isSettledWhenDisabled: true,
  identity: () => '',
  // DataBiosphere/azul #3399.
  existing: ({ sources, functionName }) =>
    `An event source mapping with SQS arn (" ${sources[0]} ") and function (" ${functionName} ") already exists.`,
  answer: { StateTransitionReason: 'USER_INITIATED' },
} satisfies SourceRules;

const stream = {
  optional: [
    ...retrySettings,
    'FilterCriteria',
    'FunctionResponseTypes',
    'MaximumBatchingWindowInSeconds',
    'MetricsConfig',
    'ParallelizationFactor',
    'StartingPositionTimestamp',
    'TumblingWindowInSeconds',
  ],
  required: ['StartingPosition'],
  // As LocalStack has it.
  words: { StartingPosition: startingPositionMissing },
  defaults: {
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 0,
    ParallelizationFactor: 1,
    DestinationConfig: { OnFailure: {} },
    MaximumRecordAgeInSeconds: -1,
    BisectBatchOnFunctionError: false,
    MaximumRetryAttempts: -1,
    TumblingWindowInSeconds: 0,
    FunctionResponseTypes: [],
  },
  metrics: ['EventCount'],
  destinations: ['sqs', 'sns', 's3'],
  identity: () => '',
  // serverless-application-model #2011.
  existing: ({ sources, functionName }) =>
    `The event source arn (" ${sources[0]} ") and function (" ${functionName} ") provided mapping already exists.`,
  answer: { StateTransitionReason: 'User action', LastProcessingResult: nothingProcessed },
} satisfies SourceRules;

const kafka = {
  optional: [
    ...retrySettings,
    'FilterCriteria',
    'FunctionResponseTypes',
    'LoggingConfig',
    'MaximumBatchingWindowInSeconds',
    'MetricsConfig',
    'ProvisionedPollerConfig',
    'SourceAccessConfigurations',
    'StartingPosition',
    'StartingPositionTimestamp',
  ],
  required: ['Topics'],
  defaults: {
    BatchSize: 100,
    // radkawar/stackd's notes of the service; so is that of DocumentDB.
    StartingPosition: 'TRIM_HORIZON',
    DestinationConfig: { OnFailure: {} },
    FunctionResponseTypes: [],
  },
  startingPositions: ['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP'],
  metrics: ['EventCount', 'ErrorCount', 'KafkaMetrics'],
  isObservedWhenProvisioned: true,
  pollers: {
    minimumMin: limits.kafkaMinimumPollersMin,
    maximumMax: limits.kafkaMaximumPollersMax,
    maximumDefault: limits.maximumPollersDefault,
    hasGroups: true,
  },
  destinations: ['sqs', 'sns', 's3', 'kafka'],
  identity: ({ Topics = [] }) => Topics.join(','),
  answer: { StateTransitionReason: 'USER_INITIATED', LastProcessingResult: nothingProcessed },
} satisfies Partial<SourceRules>;

/** aws-sam-cli #2308, for MSK; of other sources by analogy. */
function existingWith(what: string): SourceRules['existing'] {
  return ({ sources, functionArn, identity }) =>
    `An event source mapping with event source arn ("${sources[0]}"), function ("${functionArn}") ` +
    `and ${what} ("${identity}") already exists.`;
}

export const sourceRules: Readonly<Record<EventSourceKind, SourceRules>> = {
  sqs: {
    ...queue,
    arnPattern: /^sqs:[^:]*:[^:]*:[a-zA-Z0-9_-]{1,80}$/,
    batchSizeMaxWithoutWindow: limits.queueBatchSizeMaxWithoutWindow,
  },
  'sqs-fifo': {
    ...queue,
    arnPattern: /^sqs:[^:]*:[^:]*:[a-zA-Z0-9_-]{1,75}\.fifo$/,
    batchSizeMax: limits.fifoBatchSizeMax,
    hasNoWindow: true,
  },
  kinesis: {
    ...stream,
    arnPattern: /^kinesis:[^:]*:[^:]*:stream\/[^/:]+(?:\/consumer\/[^/:]+:\d+)?$/,
    startingPositions: ['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP'],
  },
  dynamodb: {
    ...stream,
    arnPattern: /^dynamodb:[^:]*:[^:]*:table\/[^/:]+\/stream\/[^/]+$/,
    startingPositions: ['TRIM_HORIZON', 'LATEST'],
  },
  msk: {
    ...kafka,
    arnPattern: /^kafka:[^:]*:[^:]*:(?:cluster\/[^/]+\/[^/]+|vpc-connection\/[^/]+\/[^/]+\/[^/]+)$/,
    optional: [...kafka.optional, 'AmazonManagedKafkaEventSourceConfig'],
    accessTypes: ['SASL_SCRAM_512_AUTH', 'CLIENT_CERTIFICATE_TLS_AUTH'],
    kafkaConfig: 'AmazonManagedKafkaEventSourceConfig',
    existing: existingWith('topics'),
  },
  'self-managed-kafka': {
    ...kafka,
    optional: [...kafka.optional, 'SelfManagedKafkaEventSourceConfig'],
    required: ['SelfManagedEventSource', 'SourceAccessConfigurations', ...kafka.required],
    accessTypes: [
      'BASIC_AUTH',
      'SASL_SCRAM_256_AUTH',
      'SASL_SCRAM_512_AUTH',
      'CLIENT_CERTIFICATE_TLS_AUTH',
      'SERVER_ROOT_CA_CERTIFICATE',
      'VPC_SUBNET',
      'VPC_SECURITY_GROUP',
    ],
    kafkaConfig: 'SelfManagedKafkaEventSourceConfig',
    // As LocalStack has it.
    existing: ({ sources, functionArn, identity }) =>
      `An event source mapping with event source ("${sources.join(',')}"), function ("${functionArn}"), ` +
      `topics ("${identity}") already exists.`,
  },
  mq: {
    arnPattern: /^mq:[^:]*:[^:]*:broker:[^:]+:[^:]+$/,
    optional: ['FilterCriteria', 'MaximumBatchingWindowInSeconds'],
    required: ['Queues', 'SourceAccessConfigurations'],
    defaults: { BatchSize: 100 },
    accessTypes: ['BASIC_AUTH', 'VIRTUAL_HOST'],
    accessRequired: 'BASIC_AUTH',
    identity: ({ Queues = [] }) => Queues.join(','),
    existing: existingWith('queues'),
    answer: { StateTransitionReason: 'USER_INITIATED', LastProcessingResult: nothingProcessed },
  },
  documentdb: {
    arnPattern: /^rds:[^:]*:[^:]*:cluster:[^:]+$/,
    optional: ['MaximumBatchingWindowInSeconds', 'StartingPosition', 'StartingPositionTimestamp'],
    required: ['SourceAccessConfigurations', 'DocumentDBEventSourceConfig'],
    defaults: {
      BatchSize: 100,
      StartingPosition: 'LATEST',
      DocumentDBEventSourceConfig: { FullDocument: 'Default' },
    },
    startingPositions: ['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP'],
    accessTypes: ['BASIC_AUTH'],
    accessRequired: 'BASIC_AUTH',
    identity: ({ DocumentDBEventSourceConfig: config }) =>
      `${config?.DatabaseName ?? ''}.${config?.CollectionName ?? '*'}`,
    existing: existingWith('database and collection'),
    answer: { StateTransitionReason: 'USER_INITIATED', LastProcessingResult: nothingProcessed },
  },
};
