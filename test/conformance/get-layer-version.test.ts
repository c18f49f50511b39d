/** GetLayerVersion. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetLayerVersionCommand } from '@aws-sdk/client-lambda';
import {
  assertContent,
  layerArnOf,
  layerEntry,
  layerMissing,
  layerZip,
  publishLayer,
  refusesForeignLayers,
  refusesNumbersBelowOne,
} from './layers.ts';
import { otherZip, useServer } from './server.ts';

const members = {
  Description: 'd',
  LicenseInfo: 'MIT',
  CompatibleRuntimes: ['python3.11' as const],
  CompatibleArchitectures: ['arm64' as const],
};

const server = useServer({}, async (client) => {
  await publishLayer(client, 'shared', members);
  await publishLayer(client, 'shared', { Content: { ZipFile: otherZip } });
});

function get(LayerName: string, VersionNumber = 1) {
  return server.client.send(new GetLayerVersionCommand({ LayerName, VersionNumber }));
}

test('it answers as publishing did, by name and by ARN, each version its own', async () => {
  for (const name of ['shared', layerArnOf('shared')]) {
    for (const [version, archive, given] of [
      [1, layerZip, members],
      [2, otherZip, {}],
    ] as const) {
      const { $metadata, Content, ...found } = await get(name, version);
      assert.equal($metadata.httpStatusCode, 200);
      const expected = layerEntry('shared', version, found, { ...given } as typeof members);
      assert.deepEqual(found, { LayerArn: layerArnOf('shared'), ...expected });
      await assertContent(Content, archive);
    }
  }
});

test('it refuses what is not there, or not ours', async () => {
  for (const [name, version] of [
    ['shared', 3],
    ['shared', 10_000_000_000],
    ['never', 1],
  ] as const) {
    await layerMissing(get(name, version));
  }
  await refusesNumbersBelowOne((version) => get('shared', version));
  await refusesForeignLayers('GetLayerVersion', get);
});
