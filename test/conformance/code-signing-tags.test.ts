import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetCodeSigningConfigCommand,
  ListTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-lambda';
import { configNotFound, createConfig, unknownConfigArn } from './code-signing.ts';
import { useServer } from './server.ts';

const server = useServer();

test('TagResource, UntagResource and ListTags work on code signing configurations', async () => {
  const { client } = server;
  const made = await createConfig(client, { Tags: { first: '1' } });
  const { CodeSigningConfigArn: Resource } = made;
  const tagging = new TagResourceCommand({ Resource, Tags: { second: '2', first: '' } });
  assert.equal((await client.send(tagging)).$metadata.httpStatusCode, 204);
  const { Tags } = await client.send(new ListTagsCommand({ Resource }));
  assert.deepEqual(Tags, { first: '', second: '2' });
  const untagging = new UntagResourceCommand({ Resource, TagKeys: ['first', 'never'] });
  assert.equal((await client.send(untagging)).$metadata.httpStatusCode, 204);
  assert.deepEqual((await client.send(new ListTagsCommand({ Resource }))).Tags, { second: '2' });
  // Tags are no part of the configuration, and do not modify it.
  const get = new GetCodeSigningConfigCommand({ CodeSigningConfigArn: Resource });
  assert.deepEqual((await client.send(get)).CodeSigningConfig, made);
});

test('tags of a code signing configuration that is not there', async () => {
  const Resource = unknownConfigArn;
  const { client } = server;
  await assert.rejects(client.send(new ListTagsCommand({ Resource })), configNotFound);
  await assert.rejects(
    client.send(new TagResourceCommand({ Resource, Tags: { a: '1' } })),
    configNotFound,
  );
  await assert.rejects(
    client.send(new UntagResourceCommand({ Resource, TagKeys: ['a'] })),
    configNotFound,
  );
});
