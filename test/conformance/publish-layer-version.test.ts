/** PublishLayerVersion. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublishLayerVersionCommandInput } from '@aws-sdk/client-lambda';
import { refused } from './expect.ts';
import {
  assertContent,
  layerArnOf,
  layerEntry,
  layerZip,
  publishLayer,
  refusesForeignLayers,
} from './layers.ts';
import { otherZip, useServer, type ErrorName } from './server.ts';

const server = useServer();

test('it answers 201 with every member', async () => {
  const members = {
    Description: 'grün',
    LicenseInfo: 'MIT',
    CompatibleRuntimes: ['python3.11', 'nodejs22.x'],
    CompatibleArchitectures: ['arm64', 'x86_64'],
  } satisfies Partial<PublishLayerVersionCommandInput>;
  const { $metadata, Content, ...made } = await publishLayer(server.client, 'all', members);
  assert.equal($metadata.httpStatusCode, 201);
  const expected = layerEntry('all', 1, made, members);
  assert.deepEqual(made, { LayerArn: layerArnOf('all'), ...expected });
  await assertContent(Content, layerZip);
});

// radkawar/stackd docs/lambda.md: lists are given back as they came, empty ones too.
test('with the least it gives an empty description, no license, and only lists that were given', async () => {
  const lists = { CompatibleRuntimes: [], CompatibleArchitectures: [] };
  for (const [version, overrides] of [{}, lists].entries()) {
    const { $metadata, Content, ...made } = await publishLayer(server.client, 'least', overrides);
    assert.equal($metadata.httpStatusCode, 201);
    const expected = layerEntry('least', version + 1, made, overrides);
    assert.deepEqual(made, { LayerArn: layerArnOf('least'), ...expected });
    await assertContent(Content, layerZip);
  }
});

test('versions count up, whatever the content, by name and by ARN', async () => {
  for (const [index, ZipFile] of [layerZip, layerZip, otherZip].entries()) {
    const name = index === 1 ? layerArnOf('counted') : 'counted';
    const { Version, LayerArn, Content } = await publishLayer(server.client, name, {
      Content: { ZipFile },
    });
    assert.equal(Version, index + 1);
    assert.equal(LayerArn, layerArnOf('counted'));
    await assertContent(Content, ZipFile);
  }
});

test('versions published at once have each a number of their own', async () => {
  const calls = Array.from({ length: 8 }, () => publishLayer(server.client, 'raced'));
  const numbers = (await Promise.all(calls)).map(({ Version = 0 }) => Version);
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
});

const fifteen = [
  ...(['nodejs', 'nodejs4.3', 'nodejs6.10', 'nodejs8.10', 'nodejs10.x'] as const),
  ...(['nodejs12.x', 'nodejs14.x', 'nodejs16.x', 'nodejs18.x', 'nodejs20.x'] as const),
  ...(['java8', 'java8.al2', 'java11', 'python2.7', 'python3.6'] as const),
];

test('values at their bounds are taken', async () => {
  const members = {
    Description: 'd'.repeat(256),
    LicenseInfo: 'l'.repeat(512),
    // terraform-provider-aws #27375
    CompatibleRuntimes: fifteen,
  };
  const name = 'n'.repeat(140);
  const { $metadata, Content, ...made } = await publishLayer(server.client, name, members);
  assert.equal($metadata.httpStatusCode, 201);
  assert.ok(Content);
  const expected = layerEntry(name, 1, made, members);
  assert.deepEqual(made, { LayerArn: layerArnOf(name), ...expected });
});

const noArchive =
  'Could not unzip uploaded file. Please check your file, then try to upload again.';

const refusals: readonly [Partial<PublishLayerVersionCommandInput>, ErrorName, RegExp | string][] =
  [
    [{ Description: 'd'.repeat(257) }, 'ValidationException', /'description'/],
    [{ LicenseInfo: 'x'.repeat(513) }, 'ValidationException', /'licenseInfo'/],
    [
      { CompatibleRuntimes: ['cobol' as 'nodejs'] },
      'ValidationException',
      /compatibleRuntimes' failed to satisfy constraint: .*Member must satisfy enum value set/,
    ],
    [
      { CompatibleRuntimes: [...fifteen, 'python3.7'] },
      'ValidationException',
      /'compatibleRuntimes' .*length less than or equal to 15$/,
    ],
    [
      { CompatibleArchitectures: ['mips' as 'arm64'] },
      'ValidationException',
      /compatibleArchitectures' failed to satisfy constraint: .*Member must satisfy enum value set/,
    ],
    [
      { CompatibleArchitectures: ['arm64', 'arm64', 'x86_64'] },
      'ValidationException',
      /'compatibleArchitectures' .*length less than or equal to 2$/,
    ],
    [{ Content: undefined }, 'ValidationException', /Value null at 'content'/],
    [{ Content: { ZipFile: Buffer.from('no') } }, 'InvalidParameterValueException', noArchive],
    [{ Content: { ZipFile: Buffer.alloc(0) } }, 'InvalidParameterValueException', /./],
    [
      { Content: { ZipFile: Buffer.alloc(50 * 1024 * 1024 + 1) } },
      'RequestEntityTooLargeException',
      'Zipped size must be smaller than 52428800 bytes',
    ],
  ];

test('it refuses what is not right, and no number is lost for it', async () => {
  for (const [overrides, name, message] of refusals) {
    await refused(publishLayer(server.client, 'refused', overrides), name, message);
  }
  await refusesForeignLayers('PublishLayerVersion', (name) => publishLayer(server.client, name));
  assert.equal((await publishLayer(server.client, 'refused')).Version, 1);
});
