import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  paginateListEventSourceMappings,
  type ListEventSourceMappingsCommandInput,
} from '@aws-sdk/client-lambda';
import { createFunction, createSettled, queueArn } from './mappings.ts';
import { accountId, arnOf, createActive, refused, region, useServer } from './server.ts';

const server = useServer();
const list = (input: ListEventSourceMappingsCommandInput) =>
  server.client.send(new ListEventSourceMappingsCommand(input));

async function allOf(
  input: ListEventSourceMappingsCommandInput,
  pageSize: number,
): Promise<(string | undefined)[]> {
  const config = { client: server.client, pageSize };
  const found: (string | undefined)[] = [];
  for await (const page of paginateListEventSourceMappings(config, input)) {
    found.push(...(page.EventSourceMappings ?? []).map(({ UUID }) => UUID));
  }
  return found;
}

test('ListEventSourceMappings pages through more than two pages, 100 at a time at most', async () => {
  await createFunction(server.client, 'many');
  const uuids: (string | undefined)[] = [];
  for (let index = 0; index < 205; index += 1) {
    const input = { FunctionName: 'many', EventSourceArn: queueArn(`many-${index}`) };
    const created = await server.client.send(new CreateEventSourceMappingCommand(input));
    uuids.push(created.UUID);
  }
  uuids.sort();
  const page = await list({ MaxItems: 10_000 });
  assert.equal(page.EventSourceMappings?.length, 100);
  assert.notEqual(page.NextMarker, undefined);
  for (const pageSize of [100, 41, 205]) assert.deepEqual(await allOf({}, pageSize), uuids);
  const last = await list({ Marker: page.NextMarker, MaxItems: 5 });
  assert.deepEqual(
    last.EventSourceMappings?.map(({ UUID }) => UUID),
    uuids.slice(100, 105),
  );
});

test('ListEventSourceMappings gives those of a source, of a function, or of both', async () => {
  await createFunction(server.client, 'one');
  await createActive(server.client, 'two', { Publish: true });
  const create = async (FunctionName: string, queue: string): Promise<string> => {
    const input = { FunctionName, EventSourceArn: queueArn(queue) };
    return (await createSettled(server.client, input)).UUID;
  };
  const oneA = await create('one', 'a');
  const twoA = await create('two', 'a');
  const twoB = await create('two', 'b');
  const versionB = await create('two:1', 'b');
  assert.deepEqual(await allOf({ EventSourceArn: queueArn('a') }, 100), [oneA, twoA].sort());
  assert.deepEqual(await allOf({ FunctionName: 'two' }, 1), [twoA, twoB].sort());
  assert.deepEqual(await allOf({ FunctionName: `${arnOf('two')}:1` }, 100), [versionB]);
  const both = { FunctionName: 'two', EventSourceArn: queueArn('b') };
  assert.deepEqual(await allOf(both, 100), [twoB]);
});

test('ListEventSourceMappings gives nothing for functions and sources that have none', async () => {
  const { $metadata, ...rest } = await list({ FunctionName: 'nothing' });
  assert.equal($metadata.httpStatusCode, 200);
  assert.deepEqual(rest, { EventSourceMappings: [] });
  assert.deepEqual((await list({ EventSourceArn: queueArn('none') })).EventSourceMappings, []);
});

test('ListEventSourceMappings leaves out filters that are encrypted', async () => {
  await createFunction(server.client, 'secretive');
  const filters = { Filters: [{ Pattern: '{"body": {"a": [1]}}' }] };
  const key = `arn:aws:kms:${region}:${accountId}:key/0f1e2d3c`;
  const open = { FunctionName: 'secretive', EventSourceArn: queueArn('open') };
  const closed = { FunctionName: 'secretive', EventSourceArn: queueArn('closed') };
  await createSettled(server.client, { ...open, FilterCriteria: filters });
  await createSettled(server.client, { ...closed, FilterCriteria: filters, KMSKeyArn: key });
  const [shown] = (await list(open)).EventSourceMappings ?? [];
  assert.deepEqual(shown?.FilterCriteria, filters);
  const [hidden] = (await list(closed)).EventSourceMappings ?? [];
  assert.equal(hidden?.FilterCriteria, undefined);
  assert.equal(hidden?.KMSKeyArn, key);
});

test('ListEventSourceMappings refuses a marker that is none of its own, and more than 10,000', async () => {
  await assert.rejects(list({ Marker: '###' }), refused('InvalidParameterValueException'));
  await assert.rejects(list({ MaxItems: 10_001 }), refused('ValidationException'));
});
