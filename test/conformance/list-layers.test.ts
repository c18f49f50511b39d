import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ListLayersCommand,
  ListLayerVersionsCommand,
  paginateListLayers,
  paginateListLayerVersions,
  type ListLayersCommandInput,
  type ListLayerVersionsCommandInput,
} from '@aws-sdk/client-lambda';
import { layerArnOf, publishLayer } from './layers.ts';
import { useServer } from './server.ts';

const server = useServer();

let published: Promise<void> | undefined;

/** What most tests list; made by the first that asks. */
function publishAll(): Promise<void> {
  published ??= publishLayers();
  return published;
}

async function publishLayers(): Promise<void> {
  const { client } = server;
  await publishLayer(client, 'b', { CompatibleRuntimes: ['python3.11'], Description: 'one' });
  await publishLayer(client, 'b', {
    CompatibleRuntimes: ['python3.11', 'python3.12'],
    CompatibleArchitectures: ['arm64'],
  });
  await publishLayer(client, 'b', { CompatibleRuntimes: ['nodejs22.x'], LicenseInfo: 'MIT' });
  await publishLayer(client, 'a');
  await publishLayer(client, 'c', { CompatibleRuntimes: ['nodejs22.x'] });
}

async function layers(
  filter: ListLayersCommandInput = {},
  pageSize = 50,
): Promise<[string | undefined, number | undefined][]> {
  const found: [string | undefined, number | undefined][] = [];
  for await (const page of paginateListLayers({ client: server.client, pageSize }, filter)) {
    const { Layers = [] } = page;
    assert.ok(Layers.length <= pageSize);
    found.push(
      ...Layers.map((layer): [string | undefined, number | undefined] => [
        layer.LayerName,
        layer.LatestMatchingVersion?.Version,
      ]),
    );
  }
  return found;
}

async function versions(
  filter: Omit<ListLayerVersionsCommandInput, 'LayerName'> = {},
  pageSize = 50,
): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  const input = { LayerName: 'b', ...filter };
  for await (const page of paginateListLayerVersions({ client: server.client, pageSize }, input)) {
    assert.ok((page.LayerVersions ?? []).length <= pageSize);
    found.push(...(page.LayerVersions ?? []).map(({ Version }) => Version));
  }
  return found;
}

test('ListLayers gives each layer with its newest version', async () => {
  await publishAll();
  const { Layers = [] } = await server.client.send(new ListLayersCommand({}));
  const [, second] = Layers;
  const { CreatedDate, ...latest } = second?.LatestMatchingVersion ?? {};
  assert.match(CreatedDate ?? '', /\+0000$/);
  assert.equal(second?.LayerName, 'b');
  assert.equal(second.LayerArn, layerArnOf('b'));
  assert.deepEqual(latest, {
    LayerVersionArn: `${layerArnOf('b')}:3`,
    Version: 3,
    Description: '',
    CompatibleRuntimes: ['nodejs22.x'],
    LicenseInfo: 'MIT',
  });
  for (const pageSize of [1, 2, 3, 50]) {
    assert.deepEqual(await layers({}, pageSize), [
      ['a', 1],
      ['b', 3],
      ['c', 1],
    ]);
  }
});

test('ListLayers gives the newest version that a filter lets through', async () => {
  await publishAll();
  assert.deepEqual(await layers({ CompatibleRuntime: 'python3.11' }), [['b', 2]]);
  for (const pageSize of [1, 2]) {
    assert.deepEqual(await layers({ CompatibleRuntime: 'nodejs22.x' }, pageSize), [
      ['b', 3],
      ['c', 1],
    ]);
  }
  assert.deepEqual(await layers({ CompatibleArchitecture: 'arm64' }), [['b', 2]]);
  assert.deepEqual(await layers({ CompatibleArchitecture: 'x86_64' }), []);
  const both = { CompatibleRuntime: 'nodejs22.x', CompatibleArchitecture: 'arm64' } as const;
  assert.deepEqual(await layers(both), []);
});

test('ListLayerVersions gives the newest first', async () => {
  await publishAll();
  for (const pageSize of [1, 2, 3, 50]) assert.deepEqual(await versions({}, pageSize), [3, 2, 1]);
  assert.deepEqual(await versions({ CompatibleRuntime: 'python3.11' }, 1), [2, 1]);
  assert.deepEqual(await versions({ CompatibleArchitecture: 'arm64' }), [2]);
  const none = new ListLayerVersionsCommand({ LayerName: 'never' });
  assert.deepEqual((await server.client.send(none)).LayerVersions, []);
});

test('listings look at all versions in search of a few', async () => {
  await publishAll();
  for (let version = 1; version <= 120; version += 1) {
    const CompatibleRuntimes = version % 40 === 0 ? (['java21'] as const) : (['java17'] as const);
    await publishLayer(server.client, 'long', { CompatibleRuntimes: [...CompatibleRuntimes] });
  }
  const input = { LayerName: 'long', CompatibleRuntime: 'java21' } as const;
  const { LayerVersions = [], NextMarker } = await server.client.send(
    new ListLayerVersionsCommand({ ...input, MaxItems: 2 }),
  );
  assert.deepEqual(
    LayerVersions.map(({ Version }) => Version),
    [120, 80],
  );
  const rest = await server.client.send(
    new ListLayerVersionsCommand({ ...input, Marker: NextMarker }),
  );
  assert.deepEqual(
    rest.LayerVersions?.map(({ Version }) => Version),
    [40],
  );
  assert.equal(rest.NextMarker, undefined);
});

test('listings refuse markers that they did not give, and page sizes out of bounds', async () => {
  await publishAll();
  const { NextMarker } = await server.client.send(
    new ListLayerVersionsCommand({ LayerName: 'b', MaxItems: 1 }),
  );
  const other = new ListLayerVersionsCommand({ LayerName: 'a', Marker: NextMarker });
  await assert.rejects(server.client.send(other), { name: 'InvalidParameterValueException' });
  for (const Marker of ['nonsense', Buffer.from('f:$LATEST').toString('base64url')]) {
    await assert.rejects(server.client.send(new ListLayersCommand({ Marker })), {
      name: 'InvalidParameterValueException',
    });
  }
  for (const MaxItems of [0, 51]) {
    await assert.rejects(server.client.send(new ListLayersCommand({ MaxItems })), {
      name: 'ValidationException',
    });
  }
});
