import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import {
  createFunction,
  createSettled,
  notFound,
  queueArn,
  unknownUuid,
  untilSettled,
} from './mappings.ts';
import { refused, useServer } from './server.ts';

const server = useServer();
const slow = useServer({ settleDelayMs: 60_000 });

test('DeleteEventSourceMapping answers 202 with the mapping, which is then gone', async () => {
  await createFunction(server.client, 'reader');
  const input = { FunctionName: 'reader', EventSourceArn: queueArn('orders') };
  const { UUID, ...present } = await createSettled(server.client, input);
  const deleting = new DeleteEventSourceMappingCommand({ UUID });
  const { $metadata, LastModified, ...deleted } = await server.client.send(deleting);
  assert.equal($metadata.httpStatusCode, 202);
  assert(LastModified instanceof Date);
  assert.deepEqual(
    { ...deleted, LastModified },
    { ...present, UUID, State: 'Deleting', LastModified },
  );
  await assert.rejects(untilSettled(server.client, UUID), notFound);
  await assert.rejects(server.client.send(deleting), notFound);
});

test('DeleteEventSourceMapping refuses a mapping that is being changed', async () => {
  await createFunction(slow.client, 'reader');
  const input = { FunctionName: 'reader', EventSourceArn: queueArn('orders') };
  const { UUID } = await slow.client.send(new CreateEventSourceMappingCommand(input));
  await assert.rejects(
    slow.client.send(new DeleteEventSourceMappingCommand({ UUID })),
    refused(
      'ResourceInUseException',
      'Cannot delete the event source mapping because it is in use.',
    ),
  );
});

test('DeleteEventSourceMapping refuses UUIDs that no mapping has', async () => {
  const deleting = new DeleteEventSourceMappingCommand({ UUID: unknownUuid });
  await assert.rejects(server.client.send(deleting), notFound);
});
