/** GetLayerVersionPolicy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addPermission,
  getPolicy,
  LayerName,
  noPolicy,
  refusesMissingVersions,
  removePermission,
  statementOf,
} from './layer-policies.ts';
import {
  layerArnOf,
  publishLayer,
  refusesForeignLayers,
  refusesNumbersBelowOne,
} from './layers.ts';
import { useServer } from './server.ts';

const server = useServer({}, async (client) => void (await publishLayer(client, LayerName)));

test('it answers with all statements as JSON, in the order they were added, and the revision', async () => {
  const { client } = server;
  await noPolicy(getPolicy(client));
  await addPermission(client, 'one');
  const { RevisionId } = await addPermission(client, 'two', { Principal: '*' });
  for (const name of [LayerName, layerArnOf(LayerName)]) {
    const { $metadata, ...found } = await getPolicy(client, { LayerName: name });
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(found, { Policy: found.Policy, RevisionId });
    assert.deepEqual(JSON.parse(found.Policy ?? ''), {
      Version: '2012-10-17',
      Id: 'default',
      Statement: [
        statementOf('one', { AWS: 'arn:aws:iam::123456789012:root' }),
        statementOf('two', '*'),
      ],
    });
  }
  for (const id of ['one', 'two']) await removePermission(client, id);
  await noPolicy(getPolicy(client));
});

test('each version has a policy of its own', async () => {
  const { client } = server;
  const own = { LayerName: 'own', VersionNumber: 2 };
  for (let version = 1; version <= 2; version += 1) await publishLayer(client, 'own');
  await addPermission(client, 'second', own);
  await noPolicy(getPolicy(client, { ...own, VersionNumber: 1 }));
  assert.ok((await getPolicy(client, own)).Policy);
});

test('it refuses what is not there, or not ours', async () => {
  const get = (name: { LayerName?: string; VersionNumber?: number }) =>
    getPolicy(server.client, name);
  await refusesMissingVersions(get);
  await refusesNumbersBelowOne((VersionNumber) => get({ VersionNumber }));
  await refusesForeignLayers('GetLayerVersionPolicy', (layer) => get({ LayerName: layer }));
});
