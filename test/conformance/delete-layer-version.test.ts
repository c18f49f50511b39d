import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteLayerVersionCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { layerArnOf, publishLayer } from './layers.ts';
import { useServer } from './server.ts';

const server = useServer();

async function remove(client: LambdaClient, LayerName: string, VersionNumber: number) {
  const deletion = new DeleteLayerVersionCommand({ LayerName, VersionNumber });
  return (await client.send(deletion)).$metadata.httpStatusCode;
}

test('DeleteLayerVersion takes one version, answers 204 however often, and no number comes back', async () => {
  const LayerName = 'gone';
  await publishLayer(server.client, LayerName);
  await publishLayer(server.client, LayerName);
  for (const version of [2, 2, 77])
    assert.equal(await remove(server.client, LayerName, version), 204);
  const missing = {
    name: 'ResourceNotFoundException',
    message: 'The resource you requested does not exist.',
  };
  const get = new GetLayerVersionCommand({ LayerName, VersionNumber: 2 });
  await assert.rejects(server.client.send(get), missing);
  const Arn = `${layerArnOf(LayerName)}:2`;
  await assert.rejects(server.client.send(new GetLayerVersionByArnCommand({ Arn })), missing);
  const list = new ListLayerVersionsCommand({ LayerName });
  const { LayerVersions = [] } = await server.client.send(list);
  assert.deepEqual(
    LayerVersions.map(({ Version }) => Version),
    [1],
  );
  await remove(server.client, layerArnOf(LayerName), 1);
  assert.deepEqual((await server.client.send(list)).LayerVersions, []);
  assert.deepEqual((await server.client.send(new ListLayersCommand({}))).Layers, []);
  assert.equal((await publishLayer(server.client, LayerName)).Version, 3);
});

test('version numbers begin with 1', async () => {
  const refusal = {
    name: 'InvalidParameterValueException',
    message: 'Layer Version Cannot be less than 1.',
  };
  await assert.rejects(remove(server.client, 'any', 0), refusal);
  const get = new GetLayerVersionCommand({ LayerName: 'any', VersionNumber: -1 });
  await assert.rejects(server.client.send(get), refusal);
});

test('layers of other accounts and of the service are out of reach', async () => {
  const Arn = `${layerArnOf('x').replace('000000000000', '123456789012')}:1`;
  await assert.rejects(server.client.send(new GetLayerVersionByArnCommand({ Arn })), {
    name: 'AccessDeniedException',
    message:
      'User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:GetLayerVersion on ' +
      `resource: ${Arn} because no resource-based policy allows the lambda:GetLayerVersion action`,
  });
  const own = new GetLayerVersionByArnCommand({ Arn: 'arn:aws:lambda:::awslayer:Linux' });
  await assert.rejects(server.client.send(own), { name: 'ResourceNotFoundException' });
});
