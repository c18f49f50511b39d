/** Right uses of the operations on event source mappings, for sources of every kind. */
import { accountId, region } from '../conformance/server.ts';
import { functionForms, keyArn, tags } from './configuration-knowledge.ts';
import { absent, exactly, including } from './contains.ts';
import { functionArn } from './fixture.ts';
import {
  isGone,
  read,
  type Body,
  type Draw,
  type Journey,
  type KnowledgeTable,
  type Step,
} from './journey.ts';

/** A source that no other mapping has, and settings that its kind allows together. */
export interface Source {
  /** Cannot be changed. */
  readonly fixed: Body;
  /** Cannot be changed either, but need not be given. */
  readonly fixedOptional?: Body;
  /** Has to be given, and can be changed. */
  settings(): Body;
}

function arnOfSource(service: string, resource: string): string {
  return `arn:aws:${service}:${region}:${accountId}:${resource}`;
}

/** Without a window a batch of a queue has no more than ten messages. */
function batch({ random }: Draw, mostWithoutWindow: number): Body {
  const MaximumBatchingWindowInSeconds = random.pick([0, 1, 300]);
  const most = MaximumBatchingWindowInSeconds === 0 ? mostWithoutWindow : 10_000;
  return {
    MaximumBatchingWindowInSeconds,
    BatchSize: random.pick([1, most, random.integer(1, most)]),
  };
}

function filters({ random }: Draw): Body {
  const Pattern = JSON.stringify({ body: { kind: [random.hex(2)] } });
  return {
    FilterCriteria: { Filters: Array.from({ length: random.integer(1, 5) }, () => ({ Pattern })) },
  };
}

const partialFailures = { FunctionResponseTypes: ['ReportBatchItemFailures'] };

function pollers({ random }: Draw, most: number): Body {
  const MinimumPollers = random.integer(2, 200);
  return { MinimumPollers, MaximumPollers: random.integer(MinimumPollers, most) };
}

function queue(draw: Draw): Source {
  const { random } = draw;
  const isProvisioned = random.chance(0.5);
  return {
    fixed: { EventSourceArn: arnOfSource('sqs', `p${random.hex(5)}`) },
    settings: () =>
      draw.some([
        batch(draw, 10),
        filters(draw),
        random.pick([partialFailures, { FunctionResponseTypes: [] }]),
        { MetricsConfig: { Metrics: ['EventCount'] } },
        isProvisioned
          ? { ProvisionedPollerConfig: pollers(draw, 10_000) }
          : { ScalingConfig: { MaximumConcurrency: random.integer(2, 1000) } },
      ]),
  };
}

function fifoQueue(draw: Draw): Source {
  const { random } = draw;
  return {
    fixed: { EventSourceArn: arnOfSource('sqs', `p${random.hex(5)}.fifo`) },
    settings: () => draw.some([{ BatchSize: random.integer(1, 10) }, filters(draw)]),
  };
}

function start({ random }: Draw, positions: readonly string[]): Body {
  const StartingPosition = random.pick(positions);
  return StartingPosition === 'AT_TIMESTAMP'
    ? { StartingPosition, StartingPositionTimestamp: random.integer(1, 1_700_000_000) }
    : { StartingPosition };
}

const anyTime = ['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP'];

function retries({ random }: Draw): readonly Body[] {
  const Destination = random.pick([
    arnOfSource('sqs', 'letters'),
    arnOfSource('sns', 'letters'),
    'arn:aws:s3:::letters',
  ]);
  return [
    { BisectBatchOnFunctionError: random.chance(0.5) },
    { MaximumRecordAgeInSeconds: random.pick([-1, 60, 604_800, random.integer(60, 604_800)]) },
    { MaximumRetryAttempts: random.integer(-1, 10_000) },
    { DestinationConfig: { OnFailure: { Destination } } },
  ];
}

function stream(draw: Draw): Source {
  const { random } = draw;
  const name = `p${random.hex(5)}`;
  // Windows go with neither filters nor more than one batch of a shard.
  const isWindowed = random.chance(0.5);
  const fixed = random.chance(0.5)
    ? { EventSourceArn: arnOfSource('kinesis', `stream/${name}`), ...start(draw, anyTime) }
    : {
        EventSourceArn: arnOfSource('dynamodb', `table/${name}/stream/2026-01-01T00:00:00.000`),
        ...start(draw, ['TRIM_HORIZON', 'LATEST']),
      };
  return {
    fixed,
    settings: () =>
      draw.some([
        ...retries(draw),
        batch(draw, 10_000),
        partialFailures,
        { MetricsConfig: { Metrics: ['EventCount'] } },
        ...(isWindowed
          ? [{ TumblingWindowInSeconds: random.integer(0, 900) }]
          : [filters(draw), { ParallelizationFactor: random.integer(1, 10) }]),
      ]),
  };
}

const secret = arnOfSource('secretsmanager', 'secret:credentials');

function access(...types: readonly string[]): readonly Body[] {
  return types.map((Type) => ({ Type, URI: secret }));
}

/** Only in provisioned mode: what is measured and logged, and a registry of schemas. */
function registry({ random }: Draw): Body {
  const isGlue = random.chance(0.5);
  const AccessConfigs = access(
    random.pick(['BASIC_AUTH', 'CLIENT_CERTIFICATE_TLS_AUTH']),
    'SERVER_ROOT_CA_CERTIFICATE',
  );
  return {
    SchemaRegistryConfig: {
      SchemaRegistryURI: isGlue
        ? arnOfSource('glue', 'registry/schemas')
        : 'https://registry.example',
      EventRecordFormat: random.pick(['JSON', 'SOURCE']),
      SchemaValidationConfigs: [{ Attribute: random.pick(['KEY', 'VALUE']) }],
      ...(isGlue ? {} : { AccessConfigs }),
    },
  };
}

function kafkaSettings(draw: Draw, config: string): Body {
  const { random } = draw;
  return draw.some([
    ...retries(draw),
    batch(draw, 10_000),
    filters(draw),
    partialFailures,
    { LoggingConfig: { SystemLogLevel: random.pick(['DEBUG', 'INFO', 'WARN']) } },
    { MetricsConfig: { Metrics: ['EventCount', 'ErrorCount', 'KafkaMetrics'] } },
    { [config]: registry(draw) },
  ]);
}

function kafkaPollers(draw: Draw): Body {
  const PollerGroupName = draw.maybe(`g${draw.random.hex(2)}`);
  return {
    ProvisionedPollerConfig: {
      ...pollers(draw, 2_000),
      ...(PollerGroupName === undefined ? {} : { PollerGroupName }),
    },
  };
}

function managedKafka(draw: Draw): Source {
  const { random } = draw;
  const name = `p${random.hex(5)}`;
  const config = 'AmazonManagedKafkaEventSourceConfig';
  return {
    fixed: {
      EventSourceArn: arnOfSource('kafka', `cluster/${name}/0a1b`),
      Topics: [`t${random.hex(3)}`],
      ...start(draw, anyTime),
    },
    fixedOptional: { [config]: { ConsumerGroupId: `g${random.hex(3)}` } },
    settings: () => ({
      ...kafkaPollers(draw),
      ...kafkaSettings(draw, config),
      SourceAccessConfigurations: access(
        random.pick(['SASL_SCRAM_512_AUTH', 'CLIENT_CERTIFICATE_TLS_AUTH']),
      ),
    }),
  };
}

function selfManagedKafka(draw: Draw): Source {
  const { random } = draw;
  const config = 'SelfManagedKafkaEventSourceConfig';
  const count = random.integer(1, 3);
  const servers = Array.from({ length: count }, () => `${random.hex(5)}.example:9092`);
  return {
    fixed: {
      SelfManagedEventSource: {
        // In order, as answers have them.
        Endpoints: { KAFKA_BOOTSTRAP_SERVERS: servers.toSorted() },
      },
      Topics: [`t${random.hex(3)}`],
      ...start(draw, anyTime),
    },
    fixedOptional: { [config]: { ConsumerGroupId: `g${random.hex(3)}` } },
    settings: () => ({
      ...kafkaPollers(draw),
      ...kafkaSettings(draw, config),
      SourceAccessConfigurations: [
        ...access(
          random.pick([
            'BASIC_AUTH',
            'SASL_SCRAM_256_AUTH',
            'SASL_SCRAM_512_AUTH',
            'CLIENT_CERTIFICATE_TLS_AUTH',
          ]),
          'SERVER_ROOT_CA_CERTIFICATE',
        ),
        { Type: 'VPC_SUBNET', URI: 'subnet:subnet-0123456789abcdef0' },
        { Type: 'VPC_SECURITY_GROUP', URI: 'security_group:sg-0123456789abcdef0' },
      ],
    }),
  };
}

function broker(draw: Draw): Source {
  const { random } = draw;
  return {
    fixed: {
      EventSourceArn: arnOfSource('mq', `broker:p${random.hex(5)}:b-0a1b`),
      Queues: [`q${random.hex(3)}`],
    },
    fixedOptional: {
      SourceAccessConfigurations: [...access('BASIC_AUTH'), { Type: 'VIRTUAL_HOST', URI: '/main' }],
    },
    settings: () => ({
      ...draw.some([batch(draw, 10_000), filters(draw)]),
      SourceAccessConfigurations: access('BASIC_AUTH'),
    }),
  };
}

function documents(draw: Draw): Source {
  const { random } = draw;
  const config = 'DocumentDBEventSourceConfig';
  return {
    fixed: {
      EventSourceArn: arnOfSource('rds', `cluster:p${random.hex(5)}`),
      ...start(draw, anyTime),
      [config]: { DatabaseName: `d${random.hex(3)}` },
    },
    fixedOptional: { [config]: { CollectionName: `c${random.hex(3)}` } },
    settings: () => ({
      ...draw.some([
        batch(draw, 10_000),
        { [config]: { FullDocument: random.pick(['UpdateLookup', 'Default']) } },
      ]),
      SourceAccessConfigurations: access('BASIC_AUTH'),
    }),
  };
}

export function anySource(draw: Draw): Source {
  const kinds = [...[queue, fifoQueue, stream, managedKafka, selfManagedKafka, broker, documents]];
  return draw.random.pick(kinds)(draw);
}

/** Settings that hold settings are put together. */
function together(one: Body, other: Body): Body {
  const isObject = (value: unknown): value is Body =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const merged = Object.entries(other).map(([name, value]) => {
    const present = one[name];
    return [name, isObject(present) && isObject(value) ? { ...present, ...value } : value];
  });
  return { ...one, ...(Object.fromEntries(merged) as Body) };
}

/** What a request to create sends of a source. */
export function sentFor(draw: Draw, { fixed, fixedOptional = {}, settings }: Source): Body {
  const given = together(fixed, settings());
  return draw.random.chance(0.5) ? together(given, fixedOptional) : given;
}

/** A key hides the filters in listings; an empty one is none. */
function key({ random }: Draw): { readonly sent: Body; readonly shown: Body } {
  const KMSKeyArn = random.pick([undefined, '', keyArn]);
  if (KMSKeyArn === undefined) return { sent: {}, shown: {} };
  return { sent: { KMSKeyArn }, shown: { KMSKeyArn: KMSKeyArn || absent } };
}

function create(draw: Draw): Journey {
  const { random } = draw;
  const settings = sentFor(draw, anySource(draw));
  const { sent, shown: shownKey } = key(draw);
  const Enabled = draw.maybe(random.chance(0.5));
  const Tags = draw.maybe(tags(draw));
  const shown = { ...settings, ...shownKey, FunctionArn: functionArn };
  const listed = sent['KMSKeyArn'] ? { ...shown, FilterCriteria: absent } : shown;
  return {
    input: {
      ...settings,
      ...sent,
      FunctionName: random.pick(functionForms()),
      ...(Enabled === undefined ? {} : { Enabled }),
      ...(Tags === undefined ? {} : { Tags }),
    },
    answers: shown,
    reads: (answer) => [
      read('GetEventSourceMapping', uuidOf(answer), {
        ...shown,
        State: Enabled === false ? 'Disabled' : 'Enabled',
      }),
      read('ListEventSourceMappings', sourceOf(settings), {
        EventSourceMappings: including({ ...listed, ...uuidOf(answer) }),
      }),
      read(
        'ListTags',
        { Resource: answer['EventSourceMappingArn'] },
        { Tags: exactly(Tags ?? {}) },
      ),
    ],
    undo: (answer) => [['DeleteEventSourceMapping', uuidOf(answer)]],
  };
}

/** Self-managed clusters have no ARN to ask for. */
function sourceOf({ EventSourceArn }: Body): Body {
  return EventSourceArn === undefined ? { FunctionName: functionArn } : { EventSourceArn };
}

function update(draw: Draw): Journey {
  const { random } = draw;
  const source = anySource(draw);
  const { sent, shown: shownKey } = key(draw);
  const changes = source.settings();
  const Enabled = draw.maybe(random.chance(0.5));
  const FunctionName = draw.maybe(random.pick(functionForms()));
  const shown = { ...together(source.fixed, changes), ...shownKey };
  return {
    prepare: [creation(together(source.fixed, source.settings()), draw)],
    input: ({ UUID }) => ({
      ...changes,
      ...sent,
      ...(Enabled === undefined ? {} : { Enabled }),
      ...(FunctionName === undefined ? {} : { FunctionName }),
      UUID,
    }),
    answers: shown,
    reads: (answer) => [
      read('GetEventSourceMapping', uuidOf(answer), {
        ...shown,
        State: Enabled === false ? 'Disabled' : 'Enabled',
      }),
    ],
    undo: (answer) => [['DeleteEventSourceMapping', uuidOf(answer)]],
  };
}

function creation(settings: Body, { random }: Draw): Step {
  const FunctionName = random.pick(functionForms());
  return ['CreateEventSourceMapping', { ...settings, FunctionName }];
}

/** Makes one. */
export function anyMapping(draw: Draw): Step {
  return creation(sentFor(draw, anySource(draw)), draw);
}

function get(draw: Draw): Journey {
  const settings = sentFor(draw, anySource(draw));
  return {
    prepare: [creation(settings, draw)],
    input: uuidOf,
    answers: { ...settings, FunctionArn: functionArn, State: 'Enabled' },
    undo: (answer) => [['DeleteEventSourceMapping', uuidOf(answer)]],
  };
}

function remove(draw: Draw): Journey {
  return {
    prepare: [anyMapping(draw)],
    input: uuidOf,
    answers: { State: 'Deleting' },
    reads: (answer) => [isGone('GetEventSourceMapping', uuidOf(answer))],
  };
}

function uuidOf({ UUID }: Body): Body {
  return { UUID };
}

export const mappingKnowledge: KnowledgeTable = {
  CreateEventSourceMapping: create,
  UpdateEventSourceMapping: update,
  GetEventSourceMapping: get,
  DeleteEventSourceMapping: remove,
};
