/** GetLayerVersionByArn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetLayerVersionByArnCommand } from '@aws-sdk/client-lambda';
import { invalid, refused } from './expect.ts';
import {
  assertContent,
  layerArnOf,
  layerEntry,
  layerMissing,
  layerZip,
  publishLayer,
} from './layers.ts';
import { accountId, region, useServer } from './server.ts';

const members = {
  Description: 'd',
  LicenseInfo: 'MIT',
  CompatibleRuntimes: ['python3.11' as const],
  CompatibleArchitectures: ['arm64' as const],
};

const server = useServer(
  {},
  async (client) => void (await publishLayer(client, 'shared', members)),
);

const own = `${layerArnOf('shared')}:1`;

function get(Arn: string) {
  return server.client.send(new GetLayerVersionByArnCommand({ Arn }));
}

test('it answers as publishing did', async () => {
  const { $metadata, Content, ...found } = await get(own);
  assert.equal($metadata.httpStatusCode, 200);
  const expected = layerEntry('shared', 1, found, members);
  assert.deepEqual(found, { LayerArn: layerArnOf('shared'), ...expected });
  await assertContent(Content, layerZip);
});

test('it refuses what is not there, or not ours', async () => {
  for (const arn of [
    `${layerArnOf('shared')}:2`,
    `${layerArnOf('never')}:1`,
    own.replace(region, 'eu-west-1'),
    'arn:aws:lambda:::awslayer:Linux',
  ]) {
    await layerMissing(get(arn));
  }
  const foreign = own.replace(accountId, '123456789012');
  await refused(
    get(foreign),
    'AccessDeniedException',
    `User: arn:aws:iam::${accountId}:root is not authorized to perform: lambda:GetLayerVersion on ` +
      `resource: ${foreign} because no resource-based policy allows the lambda:GetLayerVersion action`,
  );
  await refused(
    get(`${layerArnOf('shared')}:0`),
    'InvalidParameterValueException',
    'Layer Version Cannot be less than 1',
  );
  for (const arn of ['shared', layerArnOf('shared'), `${layerArnOf('shared')}:latest`]) {
    await invalid(get(arn), 'arn', /regular expression pattern: /);
  }
});
