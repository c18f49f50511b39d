import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { createFunction, createSettled, notFound, queueArn, unknownUuid } from './mappings.ts';
import { accountId, refused, region, useServer } from './server.ts';

const server = useServer();
const get = (UUID: string) => server.client.send(new GetEventSourceMappingCommand({ UUID }));

test('GetEventSourceMapping answers 200 with the mapping, filters that are encrypted too', async () => {
  await createFunction(server.client, 'reader');
  const FilterCriteria = { Filters: [{ Pattern: '{"body": {"a": [1]}}' }] };
  const created = await createSettled(server.client, {
    FunctionName: 'reader',
    EventSourceArn: queueArn('orders'),
    KMSKeyArn: `arn:aws:kms:${region}:${accountId}:key/0f1e2d3c`,
    FilterCriteria,
  });
  const { $metadata, ...found } = await get(created.UUID);
  assert.equal($metadata.httpStatusCode, 200);
  assert.deepEqual(found, created);
  assert.deepEqual(found.FilterCriteria, FilterCriteria);
});

test('GetEventSourceMapping refuses UUIDs that no mapping has', async () => {
  await assert.rejects(get(unknownUuid), notFound);
  await assert.rejects(get('x'.repeat(36)), notFound);
  await assert.rejects(get('short'), refused('ValidationException'));
});
