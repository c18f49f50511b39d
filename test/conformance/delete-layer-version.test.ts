/** DeleteLayerVersion: nobody can be given it any more; functions that have it keep it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddLayerVersionPermissionCommand,
  DeleteLayerVersionCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { refused } from './expect.ts';
import {
  layerArnOf,
  layerMissing,
  layerZip,
  publishLayer,
  refusesForeignLayers,
  refusesNumbersBelowOne,
} from './layers.ts';
import { createActive, untilUpdated, useServer } from './server.ts';

const server = useServer();

async function remove(LayerName: string, VersionNumber = 1): Promise<void> {
  const deletion = new DeleteLayerVersionCommand({ LayerName, VersionNumber });
  const { $metadata, ...answer } = await server.client.send(deletion);
  assert.equal($metadata.httpStatusCode, 204);
  assert.deepEqual(answer, {});
}

async function versionsOf(LayerName: string): Promise<(number | undefined)[]> {
  const listing = new ListLayerVersionsCommand({ LayerName });
  const { LayerVersions = [] } = await server.client.send(listing);
  return LayerVersions.map(({ Version }) => Version);
}

test('it takes one version, answers 204 however often, and no number comes back', async () => {
  const { client } = server;
  const LayerName = 'gone';
  for (let version = 1; version <= 3; version += 1) await publishLayer(client, LayerName);
  for (const version of [2, 2, 77, 10_000_000_000]) await remove(LayerName, version);
  await layerMissing(client.send(new GetLayerVersionCommand({ LayerName, VersionNumber: 2 })));
  const Arn = `${layerArnOf(LayerName)}:2`;
  await layerMissing(client.send(new GetLayerVersionByArnCommand({ Arn })));
  assert.deepEqual(await versionsOf(LayerName), [3, 1]);
  await remove(LayerName, 3);
  assert.equal((await publishLayer(client, LayerName)).Version, 4);
  for (const version of [1, 4]) await remove(layerArnOf(LayerName), version);
  assert.deepEqual(await versionsOf(LayerName), []);
  assert.deepEqual((await client.send(new ListLayersCommand({}))).Layers, []);
  await remove('never');
  assert.equal((await publishLayer(client, LayerName)).Version, 5);
});

test('its policy goes with it', async () => {
  const { client } = server;
  const name = { LayerName: 'shared', VersionNumber: 1 };
  await publishLayer(client, 'shared');
  const statement = { StatementId: 's', Action: 'lambda:GetLayerVersion', Principal: '*' };
  await client.send(new AddLayerVersionPermissionCommand({ ...name, ...statement }));
  await remove('shared');
  await refused(
    client.send(new GetLayerVersionPolicyCommand(name)),
    'ResourceNotFoundException',
    `Layer version ${layerArnOf('shared')}:1 does not exist.`,
  );
});

test('functions that have it keep it, and cannot be given it', async () => {
  const { client } = server;
  const FunctionName = 'layered';
  await publishLayer(client, 'kept');
  const Layers = [`${layerArnOf('kept')}:1`];
  await createActive(client, FunctionName, { Layers, Publish: true });
  await remove('kept');
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 }));
  await untilUpdated(client, FunctionName);
  for (const Qualifier of ['$LATEST', '1']) {
    const reading = new GetFunctionConfigurationCommand({ FunctionName, Qualifier });
    assert.deepEqual((await client.send(reading)).Layers, [
      { Arn: Layers[0], CodeSize: layerZip.length },
    ]);
  }
  // Klayers #76
  await refused(
    client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Layers })),
    'InvalidParameterValueException',
    `Layer version ${Layers[0]} does not exist.`,
  );
});

test('it refuses numbers below 1, and layers that are not ours', async () => {
  await refusesNumbersBelowOne((version) => remove('any', version));
  await refusesForeignLayers('DeleteLayerVersion', remove);
});
