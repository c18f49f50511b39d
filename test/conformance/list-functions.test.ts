/** ListFunctions: by name, in pages of at most 50, alone or with all versions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  ListFunctionsCommand,
  paginateListFunctions,
  type ListFunctionsCommandInput,
  type ListFunctionsCommandOutput,
} from '@aws-sdk/client-lambda';
import { configurationOf } from './configurations.ts';
import { invalid, pagesThrough, refused } from './expect.ts';
import { arnOf, createActive, functionInput, useServer } from './server.ts';

const names = Array.from({ length: 120 }, (_, index) => `f${100 + index}`);
/** The first of them has a version, too. */
const [published = ''] = names;

const server = useServer({}, async (client) => {
  await createActive(client, published, { Publish: true, Description: 'with a version' });
  for (let start = 1; start < names.length; start += 20) {
    await Promise.all(
      names
        .slice(start, start + 20)
        .map((name) => client.send(new CreateFunctionCommand(functionInput(name)))),
    );
  }
});

function list(input: ListFunctionsCommandInput = {}) {
  return server.client.send(new ListFunctionsCommand(input));
}

function arns({ Functions = [] }: ListFunctionsCommandOutput): string[] {
  return Functions.map(({ FunctionArn }) => FunctionArn ?? '');
}

test('it gives $LATEST of each function, without states and runtime version', async () => {
  const { $metadata, ...page } = await list({ MaxItems: 2 });
  assert.equal($metadata.httpStatusCode, 200);
  const [first = {}, second = {}] = page.Functions ?? [];
  assert.deepEqual(page, {
    NextMarker: page.NextMarker,
    Functions: [
      configurationOf(published, first, { Description: 'with a version' }),
      configurationOf('f101', second),
    ],
  });
  assert.equal(typeof page.NextMarker, 'string');
});

test('it pages to the end, by the SDK paginator, too', async () => {
  await pagesThrough(names.map(arnOf), list, arns);
  for (const pageSize of [50, 7]) {
    const found: string[] = [];
    for await (const page of paginateListFunctions({ client: server.client, pageSize }, {})) {
      found.push(...arns(page));
    }
    assert.deepEqual(found, names.map(arnOf));
  }
});

// moto #3422 and #4047: measured on the real service.
test('with ALL each function’s versions follow its $LATEST, all with qualified ARNs', async () => {
  const [latest = '', ...others] = names.map((name) => `${arnOf(name)}:$LATEST`);
  const expected = [latest, `${arnOf(published)}:1`, ...others];
  await pagesThrough(expected, (page) => list({ ...page, FunctionVersion: 'ALL' }), arns);
  const { Functions: [, first = {}] = [] } = await list({ FunctionVersion: 'ALL' });
  assert.deepEqual(
    first,
    configurationOf(published, first, {
      Description: 'with a version',
      FunctionArn: `${arnOf(published)}:1`,
      Version: '1',
    }),
  );
});

// aws-sdk-js #1118: at most 50, whatever is asked for.
test('it gives 50 when no number is asked for, or more', async () => {
  for (const MaxItems of [undefined, 50, 51, 10_000]) {
    const page = await list({ MaxItems });
    assert.deepEqual(arns(page), names.slice(0, 50).map(arnOf));
    assert.notEqual(page.NextMarker, undefined);
  }
});

test('there are no replicas of other regions', async () => {
  const all = await list({ FunctionVersion: 'ALL', MasterRegion: 'ALL', MaxItems: 1 });
  assert.equal(all.Functions?.length, 1);
  const { $metadata, ...other } = await list({ FunctionVersion: 'ALL', MasterRegion: 'eu-west-1' });
  assert.equal($metadata.httpStatusCode, 200);
  assert.deepEqual(other, { Functions: [] });
  await refused(
    list({ MasterRegion: 'ALL' }),
    'InvalidParameterValueException',
    'FunctionVersion must be set to ALL when MasterRegion is set.',
  );
});

test('it refuses markers that it did not give, and values out of bounds', async () => {
  for (const Marker of ['###', 'nonsense', Buffer.from('f100:live').toString('base64url')]) {
    await refused(
      list({ Marker }),
      'InvalidParameterValueException',
      'The marker is not one that a listing gave.',
    );
  }
  await invalid(list({ MaxItems: 0 }), 'maxItems', /greater than or equal to 1$/);
  await invalid(list({ MaxItems: 10_001 }), 'maxItems', /less than or equal to 10000$/);
  await invalid(
    list({ FunctionVersion: '1' as 'ALL' }),
    'functionVersion',
    /enum value set: \[ALL\]$/,
  );
  await invalid(list({ FunctionVersion: 'ALL', MasterRegion: 'mars' }), 'masterRegion');
});

test('behind the last function the list is empty', async () => {
  const last = names.at(-1) ?? '';
  const Marker = Buffer.from(`${last}:$LATEST`).toString('base64url');
  const { $metadata, ...page } = await list({ Marker });
  assert.equal($metadata.httpStatusCode, 200);
  assert.deepEqual(page, { Functions: [] });
});
