/** A request for a mapping of each kind with no more than it needs, and a wait until one has settled. */
import { deferred } from '../base/deferred.ts';
import {
  eventSourceMappingCollections,
  isMappingUnsettled,
  type EventSourceKind,
  type EventSourceMappingRecord,
} from '../model/event-source-mapping.ts';
import type { CreateEventSourceMappingRequest } from '../model/generated/api-types.ts';
import type { ControlRig } from './control-rig.ts';

type Request = Omit<CreateEventSourceMappingRequest, 'FunctionName'>;

const source = (service: string, resource: string): string =>
  `arn:aws:${service}:us-east-1:000000000000:${resource}`;
const secret = source('secretsmanager', 'secret:broker');

export const sourceArns = {
  sqs: source('sqs', 'orders'),
  'sqs-fifo': source('sqs', 'orders.fifo'),
  kinesis: source('kinesis', 'stream/clicks'),
  dynamodb: source('dynamodb', 'table/users/stream/2026-11-23T12:00:00.000'),
  msk: source('kafka', 'cluster/events/0f1e2d3c-1111-2222-3333-444455556666-7'),
  mq: source('mq', 'broker:shop:b-0f1e2d3c-1111-2222-3333-444455556666'),
  documentdb: source('rds', 'cluster:catalog'),
} as const;

export const kafkaServers = ['one.example:9092', 'two.example:9092'];

export const minimalMappings: Readonly<Record<EventSourceKind, Request>> = {
  sqs: { EventSourceArn: sourceArns.sqs },
  'sqs-fifo': { EventSourceArn: sourceArns['sqs-fifo'] },
  kinesis: { EventSourceArn: sourceArns.kinesis, StartingPosition: 'LATEST' },
  dynamodb: { EventSourceArn: sourceArns.dynamodb, StartingPosition: 'TRIM_HORIZON' },
  msk: { EventSourceArn: sourceArns.msk, StartingPosition: 'LATEST', Topics: ['sales'] },
  'self-managed-kafka': {
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: kafkaServers } },
    SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: secret }],
    StartingPosition: 'LATEST',
    Topics: ['sales'],
  },
  mq: {
    EventSourceArn: sourceArns.mq,
    Queues: ['jobs'],
    SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: secret }],
  },
  documentdb: {
    EventSourceArn: sourceArns.documentdb,
    StartingPosition: 'LATEST',
    SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: secret }],
    DocumentDBEventSourceConfig: { DatabaseName: 'shop' },
  },
};

/** Lets a mapping of the rig settle, and waits until it has. */
export async function settleMapping(rig: ControlRig, uuid: string | undefined): Promise<void> {
  const settled = deferred<void>();
  const watched = [eventSourceMappingCollections.mapping];
  const subscription = await rig.store.watch(watched, (changes) => {
    for (const change of changes) {
      if (change.type === 'delete') {
        if (change.key.partition === uuid) settled.resolve();
      } else if (change.document.partition === uuid) {
        const { configuration } = change.document.value as EventSourceMappingRecord;
        if (!isMappingUnsettled(configuration)) settled.resolve();
      }
    }
  });
  rig.clock.advance(0);
  await settled.promise;
  subscription.close();
}
