import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventSourceKind } from '../../model/event-source-mapping.ts';
import type { CreateEventSourceMappingRequest } from '../../model/generated/api-types.ts';
import { activeRig, createRequest } from '../../testing/control-rig.ts';
import {
  kafkaServers,
  minimalMappings,
  settleMapping,
  sourceArns,
} from '../../testing/mapping-requests.ts';

const FunctionName = 'rig';
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';
const database = 'shop.*';

/** How the mapping that is there already is called. */
const words: Readonly<Record<EventSourceKind, string>> = {
  sqs: `An event source mapping with SQS arn (" ${sourceArns.sqs} ") and function (" rig ") already exists.`,
  'sqs-fifo': `An event source mapping with SQS arn (" ${sourceArns['sqs-fifo']} ") and function (" rig ") already exists.`,
  kinesis: `The event source arn (" ${sourceArns.kinesis} ") and function (" rig ") provided mapping already exists.`,
  dynamodb: `The event source arn (" ${sourceArns.dynamodb} ") and function (" rig ") provided mapping already exists.`,
  msk: `An event source mapping with event source arn ("${sourceArns.msk}"), function ("${functionArn}") and topics ("sales") already exists.`,
  'self-managed-kafka': `An event source mapping with event source ("${kafkaServers.join(',')}"), function ("${functionArn}"), topics ("sales") already exists.`,
  mq: `An event source mapping with event source arn ("${sourceArns.mq}"), function ("${functionArn}") and queues ("jobs") already exists.`,
  documentdb: `An event source mapping with event source arn ("${sourceArns.documentdb}"), function ("${functionArn}") and database and collection ("${database}") already exists.`,
};

test('a function has a source once: of two at the same time the second is refused', async (t) => {
  const rig = await activeRig(t);
  const { CreateEventSourceMapping: create } = rig.control.operations;
  for (const kind of Object.keys(words) as EventSourceKind[]) {
    const request = { FunctionName, ...minimalMappings[kind] };
    const [first, second] = await Promise.allSettled([create(request), create(request)]);
    assert(first.status === 'fulfilled' && second.status === 'rejected');
    const { code, message } = second.reason as Error & { code: string };
    assert.equal(code, 'ResourceConflictException');
    const { UUID } = first.value;
    assert.equal(
      message,
      `${words[kind]} Please update or delete the existing mapping with UUID ${UUID}`,
    );
  }
});

test('another function, version, topic, queue or collection is another mapping', async (t) => {
  const rig = await activeRig(t);
  const { CreateEventSourceMapping: create, PublishVersion: publish } = rig.control.operations;
  await rig.control.operations.CreateFunction(createRequest({ FunctionName: 'other' }));
  await publish({ FunctionName });
  const requests: CreateEventSourceMappingRequest[] = [
    { FunctionName, ...minimalMappings.sqs },
    { FunctionName: 'other', ...minimalMappings.sqs },
    { FunctionName: 'rig:1', ...minimalMappings.sqs },
    { FunctionName, ...minimalMappings.msk },
    { FunctionName, ...minimalMappings.msk, Topics: ['returns'] },
    { FunctionName, ...minimalMappings['self-managed-kafka'] },
    { FunctionName, ...minimalMappings['self-managed-kafka'], Topics: ['returns'] },
    { FunctionName, ...minimalMappings.mq },
    { FunctionName, ...minimalMappings.mq, Queues: ['mails'] },
    { FunctionName, ...minimalMappings.documentdb },
    {
      FunctionName,
      ...minimalMappings.documentdb,
      DocumentDBEventSourceConfig: { DatabaseName: 'shop', CollectionName: 'users' },
    },
  ];
  for (const request of requests) await create(request);
  // The words name the version.
  await assert.rejects(create({ FunctionName: 'rig:1', ...minimalMappings.sqs }), {
    message: /and function \(" rig:1 "\) already exists/,
  });
});

test('clusters that share a server are one', async (t) => {
  const rig = await activeRig(t);
  const { CreateEventSourceMapping: create } = rig.control.operations;
  const kafka = minimalMappings['self-managed-kafka'];
  await create({ FunctionName, ...kafka });
  const servers = [kafkaServers[1]!, 'three.example:9092'];
  const shared = { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: servers } };
  await assert.rejects(create({ FunctionName, ...kafka, SelfManagedEventSource: shared }), {
    code: 'ResourceConflictException',
  });
});

test('a consumer group of a cluster has one mapping', async (t) => {
  const rig = await activeRig(t);
  const { CreateEventSourceMapping: create } = rig.control.operations;
  const group = { AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'group' } };
  const { UUID } = await create({ FunctionName, ...minimalMappings.msk, ...group });
  const other = { FunctionName, ...minimalMappings.msk, ...group, Topics: ['returns'] };
  await assert.rejects(create(other), {
    code: 'ResourceConflictException',
    message: `The consumer group is used by the event source mapping with UUID ${UUID} already.`,
  });
});

test('a source is free again once its mapping is gone, and taken after a restart', async (t) => {
  const rig = await activeRig(t);
  const request = { FunctionName, ...minimalMappings.sqs };
  const { UUID = '' } = await rig.control.operations.CreateEventSourceMapping(request);
  await settleMapping(rig, UUID);
  await rig.restart();
  const create = () => rig.control.operations.CreateEventSourceMapping(request);
  await assert.rejects(create(), { code: 'ResourceConflictException' });
  await rig.control.operations.DeleteEventSourceMapping({ UUID });
  await assert.rejects(create(), { code: 'ResourceConflictException' });
  await settleMapping(rig, UUID);
  assert.equal((await create()).State, 'Creating');
});

test('an update cannot move a mapping to where there is one', async (t) => {
  const rig = await activeRig(t);
  const { CreateEventSourceMapping: create } = rig.control.operations;
  await rig.control.operations.CreateFunction(createRequest({ FunctionName: 'other' }));
  const { UUID: there } = await create({ FunctionName, ...minimalMappings.sqs });
  const { UUID = '' } = await create({ FunctionName: 'other', ...minimalMappings.sqs });
  await settleMapping(rig, UUID);
  await assert.rejects(rig.control.operations.UpdateEventSourceMapping({ UUID, FunctionName }), {
    code: 'ResourceConflictException',
    message: `${words.sqs} Please update or delete the existing mapping with UUID ${there}`,
  });
  const kept = await rig.control.operations.GetEventSourceMapping({ UUID });
  assert.match(kept.FunctionArn ?? '', /:function:other$/);
  assert.equal(kept.State, 'Enabled');
});
