/** ListAliases: by name, all or those that point to one version. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  ListAliasesCommand,
  paginateListAliases,
  type AliasConfiguration,
  type ListAliasesCommandInput,
  type ListAliasesCommandOutput,
} from '@aws-sdk/client-lambda';
import { createVersioned } from './configurations.ts';
import { invalid, nameForms, notFound, pagesThrough, refused } from './expect.ts';
import { arnOf, useServer } from './server.ts';

const shared = 'shared';
const other = 'other';
const names = Array.from({ length: 53 }, (_, index) => `a${100 + index}`);
/** The first three have to do with version 2: by itself, by weight, and beside a weight. */
const [second = '', byWeight = '', beside = ''] = names;

const server = useServer({}, async (client) => {
  await createVersioned(client, shared, 3);
  await createVersioned(client, other, 1);
  const make = (Name: string, members: Partial<AliasConfiguration> = {}) => {
    const input = { FunctionName: shared, Name, FunctionVersion: '1', ...members };
    return client.send(new CreateAliasCommand(input));
  };
  await make(second, { FunctionVersion: '2', Description: 'd' });
  await make(byWeight, { RoutingConfig: { AdditionalVersionWeights: { '2': 0.5 } } });
  const RoutingConfig = { AdditionalVersionWeights: { '3': 0.5 } };
  await make(beside, { FunctionVersion: '2', RoutingConfig });
  for (const name of names.slice(3)) await make(name);
});

function list(input: Partial<ListAliasesCommandInput> = {}) {
  return server.client.send(new ListAliasesCommand({ FunctionName: shared, ...input }));
}

function namesIn({ Aliases = [] }: ListAliasesCommandOutput) {
  return Aliases.map(({ Name }) => Name);
}

test('it gives aliases with every member', async () => {
  const { $metadata, ...page } = await list({ MaxItems: 2 });
  assert.equal($metadata.httpStatusCode, 200);
  const [one, two] = page.Aliases ?? [];
  assert.deepEqual(page, {
    NextMarker: page.NextMarker,
    Aliases: [
      {
        AliasArn: `${arnOf(shared)}:${second}`,
        Name: second,
        FunctionVersion: '2',
        Description: 'd',
        RevisionId: one?.RevisionId,
      },
      {
        AliasArn: `${arnOf(shared)}:${byWeight}`,
        Name: byWeight,
        FunctionVersion: '1',
        Description: '',
        RoutingConfig: { AdditionalVersionWeights: { '2': 0.5 } },
        RevisionId: two?.RevisionId,
      },
    ],
  });
  assert.equal(typeof page.NextMarker, 'string');
});

// radkawar/stackd docs/lambda.md: of 53 aliases all come at once, or as many as were asked for.
test('it pages to the end, with more than 50 at a time, by the SDK paginator, too', async () => {
  await pagesThrough(names, list, namesIn);
  for (const [MaxItems, length] of [
    [undefined, 53],
    [51, 51],
    [10_000, 53],
  ] as const) {
    assert.equal((await list({ MaxItems })).Aliases?.length, length);
  }
  const found: (string | undefined)[] = [];
  const config = { client: server.client, pageSize: 20 };
  for await (const page of paginateListAliases(config, { FunctionName: shared })) {
    found.push(...namesIn(page));
  }
  assert.deepEqual(found, names);
});

// radkawar/stackd docs/lambda.md: the version that weights add does not count.
test('for a version it gives those that point to it, also in pages', async () => {
  const expected: readonly [string, string[]][] = [
    ['1', [byWeight, ...names.slice(3)]],
    ['2', [second, beside]],
    ['3', []],
    ['9', []],
    ['$LATEST', []],
  ];
  for (const [FunctionVersion, aliases] of expected) {
    await pagesThrough(aliases, (page) => list({ ...page, FunctionVersion }), namesIn);
  }
});

test('it takes all forms of a name, and $LATEST, but no other version', async () => {
  for (const form of [...nameForms(other), `${other}:$LATEST`]) {
    const { $metadata, ...page } = await list({ FunctionName: form });
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(page, { Aliases: [] });
  }
  await refused(
    list({ FunctionName: `${other}:1` }),
    'InvalidParameterValueException',
    'Current operation does not support versions other than $LATEST',
  );
});

test('it refuses what is not there, strange markers, and values out of bounds', async () => {
  await notFound(list({ FunctionName: 'unknown' }), 'unknown');
  const { NextMarker } = await list({ MaxItems: 1 });
  for (const wrong of [{ Marker: 'nonsense' }, { FunctionName: other, Marker: NextMarker }]) {
    await refused(
      list(wrong),
      'InvalidParameterValueException',
      'The marker is not one that a listing gave.',
    );
  }
  await invalid(list({ MaxItems: 0 }), 'maxItems', /or equal to 1$/);
  await invalid(list({ MaxItems: 10_001 }), 'maxItems', /or equal to 10000$/);
  await invalid(list({ FunctionVersion: 'live' }), 'functionVersion');
});
