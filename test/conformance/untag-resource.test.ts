/** UntagResource. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetFunctionCommand, ListTagsCommand, UntagResourceCommand } from '@aws-sdk/client-lambda';
import { invalid, notFound, refused } from './expect.ts';
import { arnOf, createActive, untilUpdated, useServer } from './server.ts';

const server = useServer();

async function untag(Resource: string, TagKeys: string[]): Promise<void> {
  const untagging = new UntagResourceCommand({ Resource, TagKeys });
  const { $metadata, ...answer } = await server.client.send(untagging);
  assert.equal($metadata.httpStatusCode, 204);
  assert.deepEqual(answer, {});
}

async function tagsOf(name: string) {
  const listing = new ListTagsCommand({ Resource: arnOf(name) });
  return (await server.client.send(listing)).Tags;
}

test('it answers 204, also for keys that are not there', async () => {
  const Tags = { first: '1', second: '2', 'third ü': '3' };
  await createActive(server.client, 'tagged', { Tags });
  await untag(arnOf('tagged'), ['first', 'never', 'third ü']);
  assert.deepEqual(await tagsOf('tagged'), { second: '2' });
  await untag(arnOf('tagged'), ['second']);
  await untag(arnOf('tagged'), ['second']);
  assert.deepEqual(await tagsOf('tagged'), {});
  const found = await server.client.send(new GetFunctionCommand({ FunctionName: 'tagged' }));
  assert.equal('Tags' in found, false);
});

test('it gives the function another revision', async () => {
  await createActive(server.client, 'revised', { Tags: { a: '1' } });
  const before = await untilUpdated(server.client, 'revised');
  await untag(arnOf('revised'), ['a']);
  const after = await untilUpdated(server.client, 'revised');
  assert.notEqual(after.RevisionId, before.RevisionId);
});

test('keys of many calls at once are all gone', async () => {
  const keys = Array.from({ length: 8 }, (_, index) => `k${index}`);
  const Tags = Object.fromEntries(keys.map((key) => [key, '']));
  await createActive(server.client, 'raced', { Tags: { ...Tags, kept: '1' } });
  await Promise.all(keys.map((key) => untag(arnOf('raced'), [key])));
  assert.deepEqual(await tagsOf('raced'), { kept: '1' });
});

test('it refuses versions, what is not there, no keys, and what is no ARN of a function', async () => {
  await createActive(server.client, 'plain', { Publish: true, Tags: { a: '1' } });
  await refused(
    untag(`${arnOf('plain')}:1`, ['a']),
    'InvalidParameterValueException',
    'Tags on function aliases and versions are not supported. Please specify a function ARN.',
  );
  await notFound(untag(arnOf('nothing'), ['a']), 'nothing');
  await refused(
    untag(arnOf('plain'), []),
    'ValidationException',
    "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
  );
  await invalid(untag('plain', ['a']), 'resource', /regular expression pattern: arn:/);
  await invalid(untag(arnOf('plain'), ['k'.repeat(129)]), 'tagKeys');
  assert.deepEqual(await tagsOf('plain'), { a: '1' });
});
