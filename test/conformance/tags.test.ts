import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetFunctionCommand,
  ListTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-lambda';
import { createFunction, createSettled, notFound, queueArn, unknownUuid } from './mappings.ts';
import { arnOf, createActive, useServer } from './server.ts';

const server = useServer();

test('TagResource, ListTags, UntagResource and GetFunction agree', async () => {
  await createActive(server.client, 'tagged', { Tags: { first: '1' } });
  const Resource = arnOf('tagged');
  const tagging = new TagResourceCommand({ Resource, Tags: { second: 'zwei ü', first: '' } });
  assert.equal((await server.client.send(tagging)).$metadata.httpStatusCode, 204);
  const listed = await server.client.send(new ListTagsCommand({ Resource }));
  assert.deepEqual(listed.Tags, { first: '', second: 'zwei ü' });
  const untagging = new UntagResourceCommand({ Resource, TagKeys: ['first', 'never'] });
  assert.equal((await server.client.send(untagging)).$metadata.httpStatusCode, 204);
  const found = await server.client.send(new GetFunctionCommand({ FunctionName: 'tagged' }));
  assert.deepEqual(found.Tags, { second: 'zwei ü' });
});

test('TagResource refuses versions, unknown functions and bad ARNs', async () => {
  await createActive(server.client, 'plain', { Publish: true });
  const send = (Resource: string): Promise<unknown> =>
    server.client.send(new TagResourceCommand({ Resource, Tags: { a: '1' } }));
  await assert.rejects(send(`${arnOf('plain')}:1`), {
    name: 'InvalidParameterValueException',
    message:
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
  });
  await assert.rejects(send(arnOf('nothing')), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('nothing')}`,
  });
  await assert.rejects(send('plain'), { name: 'ValidationException' });
});

test('tags of event source mappings are theirs, and go with them', async () => {
  await createFunction(server.client, 'reader');
  const { EventSourceMappingArn: Resource = '' } = await createSettled(server.client, {
    FunctionName: 'reader',
    EventSourceArn: queueArn('orders'),
    Tags: { first: '1' },
  });
  await server.client.send(new TagResourceCommand({ Resource, Tags: { second: '2' } }));
  await server.client.send(new UntagResourceCommand({ Resource, TagKeys: ['first'] }));
  const listed = await server.client.send(new ListTagsCommand({ Resource }));
  assert.deepEqual(listed.Tags, { second: '2' });
  const ofFunction = await server.client.send(new ListTagsCommand({ Resource: arnOf('reader') }));
  assert.deepEqual(ofFunction.Tags, {});
  const tags = Array.from({ length: 50 }, (_, index) => [`tag-${index}`, '']);
  const many = new TagResourceCommand({ Resource, Tags: Object.fromEntries(tags) });
  await assert.rejects(server.client.send(many), {
    name: 'InvalidParameterValueException',
    message: 'Number of tags exceeds resource tag limit.',
  });
  const unknown = Resource.replace(/[^:]+$/, unknownUuid);
  const elsewhere = Resource.replace('us-east-1', 'eu-west-1');
  for (const arn of [unknown, elsewhere]) {
    await assert.rejects(server.client.send(new ListTagsCommand({ Resource: arn })), notFound);
  }
});
