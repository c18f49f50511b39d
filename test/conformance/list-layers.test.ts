/** ListLayers: by name, each with its newest version if a filter lets that through. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ListLayersCommand,
  paginateListLayers,
  type ListLayersCommandInput,
  type ListLayersCommandOutput,
} from '@aws-sdk/client-lambda';
import { invalid, pagesThrough, refused } from './expect.ts';
import { layerArnOf, layerEntry, publishLayer } from './layers.ts';
import { useServer } from './server.ts';

const others = Array.from({ length: 52 }, (_, index) => `l${100 + index}`);
const last = { CompatibleRuntimes: ['nodejs22.x' as const], LicenseInfo: 'MIT' };

const server = useServer({}, async (client) => {
  await publishLayer(client, 'b', { CompatibleRuntimes: ['python3.11'], Description: 'one' });
  await publishLayer(client, 'b', {
    CompatibleRuntimes: ['python3.11', 'python3.12'],
    CompatibleArchitectures: ['arm64'],
  });
  await publishLayer(client, 'b', last);
  await publishLayer(client, 'a');
  await publishLayer(client, 'c', { CompatibleRuntimes: ['nodejs22.x'] });
  await publishLayer(client, 'd', {
    CompatibleRuntimes: ['python3.12'],
    CompatibleArchitectures: ['arm64'],
  });
  for (const name of others) await publishLayer(client, name);
});

function list(input: ListLayersCommandInput = {}) {
  return server.client.send(new ListLayersCommand(input));
}

type Listed = readonly [string | undefined, number | undefined];

function newestIn({ Layers = [] }: ListLayersCommandOutput): Listed[] {
  return Layers.map(({ LayerName, LatestMatchingVersion: newest }) => [LayerName, newest?.Version]);
}

const all: Listed[] = [
  ['a', 1],
  ['b', 3],
  ['c', 1],
  ['d', 1],
  ...others.map((name) => [name, 1] as const),
];

test('it gives layers with every member, without content', async () => {
  const { $metadata, ...page } = await list({ MaxItems: 2 });
  assert.equal($metadata.httpStatusCode, 200);
  const [a, b] = page.Layers ?? [];
  assert.deepEqual(page, {
    NextMarker: page.NextMarker,
    Layers: [
      {
        LayerName: 'a',
        LayerArn: layerArnOf('a'),
        LatestMatchingVersion: layerEntry('a', 1, a?.LatestMatchingVersion ?? {}),
      },
      {
        LayerName: 'b',
        LayerArn: layerArnOf('b'),
        LatestMatchingVersion: layerEntry('b', 3, b?.LatestMatchingVersion ?? {}, last),
      },
    ],
  });
});

// floci #2808, #2817: the live service lists by name.
test('it pages to the end, by the SDK paginator, too', async () => {
  await pagesThrough(all, list, newestIn);
  assert.equal((await list()).Layers?.length, 50);
  const found: Listed[] = [];
  for await (const page of paginateListLayers({ client: server.client, pageSize: 20 }, {})) {
    found.push(...newestIn(page));
  }
  assert.deepEqual(found, all);
});

// radkawar/stackd docs/lambda.md: older versions are not looked at.
test('a filter is for the newest version of each layer', async () => {
  const filtered: readonly [ListLayersCommandInput, Listed[]][] = [
    [{ CompatibleRuntime: 'python3.11' }, []],
    [
      { CompatibleRuntime: 'nodejs22.x' },
      [
        ['b', 3],
        ['c', 1],
      ],
    ],
    [{ CompatibleArchitecture: 'arm64' }, [['d', 1]]],
    // floci #2808: a version that names no architecture is not given for one.
    [{ CompatibleArchitecture: 'x86_64' }, []],
    [{ CompatibleRuntime: 'python3.12', CompatibleArchitecture: 'arm64' }, [['d', 1]]],
    [{ CompatibleRuntime: 'nodejs22.x', CompatibleArchitecture: 'arm64' }, []],
  ];
  for (const [filter, expected] of filtered) {
    await pagesThrough(expected, (page) => list({ ...page, ...filter }), newestIn);
  }
});

test('it refuses strange markers, and values out of bounds', async () => {
  for (const Marker of ['nonsense', Buffer.from('f:$LATEST').toString('base64url')]) {
    await refused(
      list({ Marker }),
      'InvalidParameterValueException',
      'The marker is not one that a listing gave.',
    );
  }
  await invalid(list({ MaxItems: 0 }), 'maxItems', /or equal to 1$/);
  await invalid(list({ MaxItems: 51 }), 'maxItems', /or equal to 50$/);
  // floci #2808
  await invalid(list({ CompatibleRuntime: 'bogus9.x' as 'nodejs' }), 'compatibleRuntime');
  await invalid(list({ CompatibleArchitecture: 'mips' as 'arm64' }), 'compatibleArchitecture');
});
