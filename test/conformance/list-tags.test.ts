/** ListTags. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ListTagsCommand } from '@aws-sdk/client-lambda';
import { invalid, notFound, refused } from './expect.ts';
import { arnOf, createActive, useServer } from './server.ts';

const server = useServer();

async function list(Resource: string) {
  const { $metadata, ...answer } = await server.client.send(new ListTagsCommand({ Resource }));
  assert.equal($metadata.httpStatusCode, 200);
  return answer;
}

test('it answers with the tags; with an empty map when there are none', async () => {
  const Tags = { first: '', 'zweite ü': '2' };
  await createActive(server.client, 'tagged', { Tags });
  await createActive(server.client, 'plain');
  assert.deepEqual(await list(arnOf('tagged')), { Tags });
  assert.deepEqual(await list(arnOf('plain')), { Tags: {} });
});

test('it refuses versions, what is not there, and what is no ARN of a function', async () => {
  await createActive(server.client, 'versioned', { Publish: true });
  await refused(
    list(`${arnOf('versioned')}:1`),
    'InvalidParameterValueException',
    'Tags on function aliases and versions are not supported. Please specify a function ARN.',
  );
  await notFound(list(arnOf('nothing')), 'nothing');
  for (const resource of ['versioned', 'arn:aws:s3:::bucket']) {
    await invalid(list(resource), 'resource', /regular expression pattern: arn:/);
  }
});
