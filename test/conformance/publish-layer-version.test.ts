import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  type PublishLayerVersionCommandInput,
} from '@aws-sdk/client-lambda';
import { layerArnOf, layerZip, publishLayer } from './layers.ts';
import { otherZip, useServer } from './server.ts';

const server = useServer();

test('PublishLayerVersion, GetLayerVersion and GetLayerVersionByArn agree', async () => {
  const LayerName = 'complete';
  const { Content, $metadata, ...published } = await publishLayer(server.client, LayerName, {
    Description: 'grün',
    LicenseInfo: 'MIT',
    CompatibleRuntimes: ['python3.11', 'nodejs22.x'],
    CompatibleArchitectures: ['arm64', 'x86_64'],
  });
  assert.equal($metadata.httpStatusCode, 201);
  const { CreatedDate = '', ...rest } = published;
  assert.match(CreatedDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  assert.deepEqual(rest, {
    LayerArn: layerArnOf(LayerName),
    LayerVersionArn: `${layerArnOf(LayerName)}:1`,
    Version: 1,
    Description: 'grün',
    LicenseInfo: 'MIT',
    CompatibleRuntimes: ['python3.11', 'nodejs22.x'],
    CompatibleArchitectures: ['arm64', 'x86_64'],
  });
  assert.equal(Content?.CodeSize, layerZip.length);
  const sha256 = createHash('sha256').update(layerZip).digest('base64');
  assert.equal(Content.CodeSha256, sha256);
  const VersionNumber = 1;
  for (const command of [
    new GetLayerVersionCommand({ LayerName, VersionNumber }),
    new GetLayerVersionCommand({ LayerName: layerArnOf(LayerName), VersionNumber }),
    new GetLayerVersionByArnCommand({ Arn: `${layerArnOf(LayerName)}:1` }),
  ]) {
    const found = await server.client.send(command as GetLayerVersionCommand);
    const { Content: foundContent, $metadata: foundMetadata, ...foundRest } = found;
    assert.equal(foundMetadata.httpStatusCode, 200);
    assert.deepEqual(foundRest, published);
    assert.equal(foundContent?.CodeSha256, sha256);
    const response = await fetch(foundContent.Location ?? '');
    assert.equal(response.status, 200);
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(layerZip));
  }
});

test('PublishLayerVersion with the least gives an empty description and no lists', async () => {
  const { Content, $metadata, CreatedDate, ...published } = await publishLayer(
    server.client,
    layerArnOf('least'),
    { CompatibleRuntimes: [] },
  );
  assert.ok(Content && $metadata && CreatedDate);
  assert.deepEqual(published, {
    LayerArn: layerArnOf('least'),
    LayerVersionArn: `${layerArnOf('least')}:1`,
    Version: 1,
    Description: '',
  });
});

test('PublishLayerVersion counts up, whatever the content', async () => {
  for (const version of [1, 2, 3]) {
    const ZipFile = version === 3 ? otherZip : layerZip;
    const { Version } = await publishLayer(server.client, 'counted', { Content: { ZipFile } });
    assert.equal(Version, version);
  }
});

test('PublishLayerVersion refuses what is not right', async () => {
  const refusals: readonly [Partial<PublishLayerVersionCommandInput>, string, RegExp | string][] = [
    [{ LayerName: 'a b' }, 'ValidationException', /'layerName' failed to satisfy constraint/],
    [
      { CompatibleRuntimes: ['cobol' as 'nodejs'] },
      'ValidationException',
      /compatibleRuntimes' failed to satisfy constraint: .*Member must satisfy enum value set/,
    ],
    [{ LicenseInfo: 'x'.repeat(513) }, 'ValidationException', /'licenseInfo'/],
    [
      { Content: { ZipFile: Buffer.from('no archive') } },
      'InvalidParameterValueException',
      'Could not unzip uploaded file. Please check your file, then try to upload again.',
    ],
    [
      { LayerName: layerArnOf('x').replace('000000000000', '123456789012') },
      'AccessDeniedException',
      /is not authorized to perform: lambda:PublishLayerVersion on resource: arn:aws:lambda:us-east-1:123456789012:layer:x/,
    ],
    [
      { LayerName: layerArnOf('x').replace('us-east-1', 'eu-west-1') },
      'ResourceNotFoundException',
      'The resource you requested does not exist.',
    ],
  ];
  for (const [overrides, name, message] of refusals) {
    await assert.rejects(publishLayer(server.client, 'refused', overrides), { name, message });
  }
});
