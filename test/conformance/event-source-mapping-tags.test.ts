/** Tags of event source mappings, in every operation on tags. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ListTagsCommand, TagResourceCommand, UntagResourceCommand } from '@aws-sdk/client-lambda';
import { createFunction, createSettled, notFound, queueArn, unknownUuid } from './mappings.ts';
import { arnOf, useServer } from './server.ts';

const server = useServer();

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
