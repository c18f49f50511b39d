import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeleteEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { createReader, notFound, refusesUnsettled, unknownUuid, untilSettled } from './mappings.ts';
import { useServer } from './server.ts';

const server = useServer();
const slow = useServer({ settleDelayMs: 60_000 });

test('DeleteEventSourceMapping answers 202 with the mapping, which is then gone', async () => {
  const { UUID, ...present } = await createReader(server.client, 'reader');
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
  await refusesUnsettled(slow.client, 'delete', (UUID) =>
    slow.client.send(new DeleteEventSourceMappingCommand({ UUID })),
  );
});

test('DeleteEventSourceMapping refuses UUIDs that no mapping has', async () => {
  const deleting = new DeleteEventSourceMappingCommand({ UUID: unknownUuid });
  await assert.rejects(server.client.send(deleting), notFound);
});
