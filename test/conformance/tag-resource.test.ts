/** TagResource. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetFunctionCommand, ListTagsCommand, TagResourceCommand } from '@aws-sdk/client-lambda';
import { invalid, notFound, refused } from './expect.ts';
import { arnOf, createActive, untilUpdated, useServer } from './server.ts';

const server = useServer();

async function tag(Resource: string, Tags: Record<string, string>): Promise<void> {
  const tagging = new TagResourceCommand({ Resource, Tags });
  const { $metadata, ...answer } = await server.client.send(tagging);
  assert.equal($metadata.httpStatusCode, 204);
  assert.deepEqual(answer, {});
}

async function tagsOf(name: string) {
  const listing = new ListTagsCommand({ Resource: arnOf(name) });
  return (await server.client.send(listing)).Tags;
}

function numbered(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, `${index}`]));
}

test('it answers 204; new tags come beside the old ones, which get new values', async () => {
  await createActive(server.client, 'tagged', { Tags: { first: '1' } });
  await tag(arnOf('tagged'), { second: 'zwei ü', first: '' });
  const expected = { first: '', second: 'zwei ü' };
  assert.deepEqual(await tagsOf('tagged'), expected);
  const found = await server.client.send(new GetFunctionCommand({ FunctionName: 'tagged' }));
  assert.deepEqual(found.Tags, expected);
});

test('it gives the function another revision and time, and changes nothing else of it', async () => {
  await createActive(server.client, 'revised', { Publish: true });
  const before = await untilUpdated(server.client, 'revised');
  const version = await untilUpdated(server.client, 'revised', '1');
  await tag(arnOf('revised'), { a: '1' });
  const after = await untilUpdated(server.client, 'revised');
  const { RevisionId, LastModified } = after;
  assert.notEqual(RevisionId, before.RevisionId);
  assert.ok((LastModified ?? '') >= (before.LastModified ?? ''));
  assert.deepEqual(after, { ...before, RevisionId, LastModified });
  assert.deepEqual(await untilUpdated(server.client, 'revised', '1'), version);
});

test('a function has 50 tags at most', async () => {
  const tooMany = 'Number of tags exceeds resource tag limit.';
  await createActive(server.client, 'full');
  const Resource = arnOf('full');
  await refused(tag(Resource, numbered(51)), 'InvalidParameterValueException', tooMany);
  await tag(Resource, numbered(50));
  await refused(tag(Resource, { more: '' }), 'InvalidParameterValueException', tooMany);
  await tag(Resource, { k49: 'changed' });
  assert.deepEqual(await tagsOf('full'), { ...numbered(50), k49: 'changed' });
});

test('keys and values at their bounds are taken', async () => {
  await createActive(server.client, 'bounds');
  const tags = { ['k'.repeat(128)]: 'v'.repeat(256), '_.:/=+-@ ü1': '_.:/=+-@ ü1' };
  await tag(arnOf('bounds'), tags);
  assert.deepEqual(await tagsOf('bounds'), tags);
  for (const wrong of [
    { ['k'.repeat(129)]: '' },
    { k: 'v'.repeat(257) },
    { 'a?': '' },
    { a: '?' },
  ]) {
    await invalid(tag(arnOf('bounds'), wrong), 'tags');
  }
  for (const key of ['aws:x', 'AWS:x']) {
    await refused(
      tag(arnOf('bounds'), { [key]: '' }),
      'InvalidParameterValueException',
      `Tag keys may not start with 'aws:': ${key}`,
    );
  }
  assert.deepEqual(await tagsOf('bounds'), tags);
});

test('tags of many calls at once are all there', async () => {
  await createActive(server.client, 'raced');
  const tags = Object.entries(numbered(8));
  await Promise.all(tags.map(([key, value]) => tag(arnOf('raced'), { [key]: value })));
  assert.deepEqual(await tagsOf('raced'), numbered(8));
});

test('it refuses versions, aliases, what is not there and what is no ARN of a function', async () => {
  await createActive(server.client, 'plain', { Publish: true });
  for (const qualifier of ['1', '$LATEST', 'live']) {
    await refused(
      tag(`${arnOf('plain')}:${qualifier}`, { a: '1' }),
      'InvalidParameterValueException',
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    );
  }
  await refused(
    tag(arnOf('plain'), {}),
    'InvalidParameterValueException',
    'An error occurred and the request cannot be processed.',
  );
  await notFound(tag(arnOf('nothing'), { a: '1' }), 'nothing');
  // Tags are looked at before what they are for (radkawar/stackd's notes of the service).
  await refused(
    tag(arnOf('nothing'), { 'aws:a': '1' }),
    'InvalidParameterValueException',
    "Tag keys may not start with 'aws:': aws:a",
  );
  for (const resource of ['plain', '000000000000:function:plain', 'arn:aws:s3:::bucket']) {
    await invalid(tag(resource, { a: '1' }), 'resource', /regular expression pattern: arn:/);
  }
  await refused(
    tag(arnOf('plain').replace('us-east-1', 'eu-west-1'), { a: '1' }),
    'ResourceNotFoundException',
    "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
  );
  await refused(
    tag(arnOf('plain').replace('000000000000', '123456789012'), { a: '1' }),
    'AccessDeniedException',
    /is not authorized to perform/,
  );
  assert.deepEqual(await tagsOf('plain'), {});
});
