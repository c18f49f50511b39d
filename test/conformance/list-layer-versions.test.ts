/** ListLayerVersions: the newest first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ListLayerVersionsCommand,
  paginateListLayerVersions,
  type ListLayerVersionsCommandInput,
  type ListLayerVersionsCommandOutput,
} from '@aws-sdk/client-lambda';
import { invalid, pagesThrough, refused } from './expect.ts';
import { layerArnOf, layerEntry, publishLayer, refusesForeignLayers } from './layers.ts';
import { useServer } from './server.ts';

const count = 120;

/** `long` has one version in forty for Java 21, and only its first one for arm64. */
const server = useServer({}, async (client) => {
  await publishLayer(client, 'other');
  for (let version = 1; version <= count; version += 1) {
    await publishLayer(client, 'long', {
      CompatibleRuntimes: version % 40 === 0 ? ['java21'] : ['java17'],
      ...(version === 1 ? { CompatibleArchitectures: ['arm64'], LicenseInfo: 'MIT' } : {}),
      ...(version === count ? { Description: 'newest' } : {}),
    });
  }
});

function list(input: Partial<ListLayerVersionsCommandInput> = {}) {
  return server.client.send(new ListLayerVersionsCommand({ LayerName: 'long', ...input }));
}

function numbers({ LayerVersions = [] }: ListLayerVersionsCommandOutput) {
  return LayerVersions.map(({ Version }) => Version);
}

const downwards = Array.from({ length: count }, (_, index) => count - index);

test('it gives versions with every member, without content', async () => {
  const { $metadata, ...page } = await list({ MaxItems: 1 });
  assert.equal($metadata.httpStatusCode, 200);
  const [newest = {}] = page.LayerVersions ?? [];
  const members = { Description: 'newest', CompatibleRuntimes: ['java21' as const] };
  assert.deepEqual(page, {
    NextMarker: page.NextMarker,
    LayerVersions: [layerEntry('long', count, newest, members)],
  });
  const { LayerVersions: [first = {}] = [] } = await list({ CompatibleArchitecture: 'arm64' });
  const expected = {
    CompatibleRuntimes: ['java17' as const],
    CompatibleArchitectures: ['arm64' as const],
    LicenseInfo: 'MIT',
  };
  assert.deepEqual(first, layerEntry('long', 1, first, expected));
});

test('it pages to the end, by name and by ARN, by the SDK paginator, too', async () => {
  await pagesThrough(downwards, list, numbers);
  assert.deepEqual(numbers(await list({ LayerName: layerArnOf('long') })), downwards.slice(0, 50));
  const found: (number | undefined)[] = [];
  const config = { client: server.client, pageSize: 20 };
  for await (const page of paginateListLayerVersions(config, { LayerName: 'long' })) {
    found.push(...numbers(page));
  }
  assert.deepEqual(found, downwards);
});

test('it looks at all versions in search of those that a filter lets through', async () => {
  const filtered: readonly [Partial<ListLayerVersionsCommandInput>, number[]][] = [
    [{ CompatibleRuntime: 'java21' }, [120, 80, 40]],
    [{ CompatibleArchitecture: 'arm64' }, [1]],
    [{ CompatibleRuntime: 'java17', CompatibleArchitecture: 'arm64' }, [1]],
    [{ CompatibleRuntime: 'java21', CompatibleArchitecture: 'arm64' }, []],
    [{ CompatibleArchitecture: 'x86_64' }, []],
  ];
  for (const [filter, expected] of filtered) {
    await pagesThrough(expected, (page) => list({ ...page, ...filter }), numbers);
  }
});

test('a layer that does not exist has no versions: that is no error', async () => {
  const { $metadata, ...page } = await list({ LayerName: 'never' });
  assert.equal($metadata.httpStatusCode, 200);
  assert.deepEqual(page, { LayerVersions: [] });
});

test('it refuses strange markers, values out of bounds, and layers that are not ours', async () => {
  await refused(
    list({ Marker: 'nonsense' }),
    'InvalidParameterValueException',
    'The marker is not one that a listing gave.',
  );
  const { NextMarker } = await list({ MaxItems: 1 });
  await refused(
    list({ LayerName: 'other', Marker: NextMarker }),
    'InvalidParameterValueException',
    'The marker is not one that a listing of this layer gave.',
  );
  await invalid(list({ MaxItems: 0 }), 'maxItems', /or equal to 1$/);
  await invalid(list({ MaxItems: 51 }), 'maxItems', /or equal to 50$/);
  await invalid(list({ CompatibleRuntime: 'bogus9.x' as 'nodejs' }), 'compatibleRuntime');
  await invalid(list({ CompatibleArchitecture: 'mips' as 'arm64' }), 'compatibleArchitecture');
  await refusesForeignLayers('ListLayerVersions', (LayerName) => list({ LayerName }));
});
