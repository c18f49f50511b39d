/** ListVersionsByFunction: $LATEST, then the published versions upwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ListVersionsByFunctionCommand,
  paginateListVersionsByFunction,
  type ListVersionsByFunctionCommandInput,
  type ListVersionsByFunctionCommandOutput,
} from '@aws-sdk/client-lambda';
import { configurationOf, createVersioned } from './configurations.ts';
import { invalid, nameForms, notFound, pagesThrough, refused } from './expect.ts';
import { arnOf, createActive, useServer } from './server.ts';

const listed = 'listed';
const last = 12;

const server = useServer({}, async (client) => {
  await createVersioned(client, listed, last);
  await createVersioned(client, 'other', 1);
});

function list(input: Partial<ListVersionsByFunctionCommandInput> = {}) {
  return server.client.send(new ListVersionsByFunctionCommand({ FunctionName: listed, ...input }));
}

function arns({ Versions = [] }: ListVersionsByFunctionCommandOutput) {
  return Versions.map(({ FunctionArn }) => FunctionArn);
}

const numbers = Array.from({ length: last }, (_, index) => String(index + 1));
const expected = ['$LATEST', ...numbers].map((version) => `${arnOf(listed)}:${version}`);

test('it gives $LATEST and versions as they were published, without states', async () => {
  const { $metadata, ...page } = await list({ MaxItems: 2 });
  assert.equal($metadata.httpStatusCode, 200);
  const [latest = {}, first = {}] = page.Versions ?? [];
  assert.deepEqual(page, {
    NextMarker: page.NextMarker,
    Versions: [
      configurationOf(listed, latest, { FunctionArn: expected[0], Timeout: 100 + last }),
      configurationOf(listed, first, { FunctionArn: expected[1], Timeout: 101, Version: '1' }),
    ],
  });
  assert.equal(typeof page.NextMarker, 'string');
});

test('a function that was never published has $LATEST alone', async () => {
  await createActive(server.client, 'unpublished');
  const page = await list({ FunctionName: 'unpublished' });
  assert.equal(page.$metadata.httpStatusCode, 200);
  assert.deepEqual(arns(page), [`${arnOf('unpublished')}:$LATEST`]);
  assert.equal('NextMarker' in page, false);
});

test('it pages to the end, by number, by the SDK paginator, too', async () => {
  await pagesThrough(expected, list, arns);
  const config = { client: server.client, pageSize: 5 };
  const found: (string | undefined)[] = [];
  for await (const page of paginateListVersionsByFunction(config, { FunctionName: listed })) {
    found.push(...arns(page));
  }
  assert.deepEqual(found, expected);
});

test('it takes all forms of a name, and $LATEST, but no other version', async () => {
  for (const form of [...nameForms(listed), `${listed}:$LATEST`]) {
    assert.deepEqual(arns(await list({ FunctionName: form })), expected);
  }
  await refused(
    list({ FunctionName: `${listed}:1` }),
    'InvalidParameterValueException',
    'Current operation does not support versions other than $LATEST',
  );
});

test('it refuses what is not there, strange markers, and values out of bounds', async () => {
  await notFound(list({ FunctionName: 'unknown' }), 'unknown');
  const { NextMarker } = await list({ MaxItems: 1 });
  await refused(
    list({ FunctionName: 'other', Marker: NextMarker }),
    'InvalidParameterValueException',
    'The marker is not one that a listing of this function gave.',
  );
  await refused(
    list({ Marker: 'nonsense' }),
    'InvalidParameterValueException',
    'The marker is not one that a listing gave.',
  );
  await invalid(list({ MaxItems: 0 }), 'maxItems', /or equal to 1$/);
  await invalid(list({ MaxItems: 10_001 }), 'maxItems', /or equal to 10000$/);
  assert.equal((await list({ MaxItems: 10_000 })).Versions?.length, last + 1);
});
