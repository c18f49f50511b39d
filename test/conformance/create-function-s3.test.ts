/** Code in a bucket, for each operation that takes code: fetched, checked and refused as documented. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  CreateFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetLayerVersionCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  type FunctionCode,
} from '@aws-sdk/client-lambda';
import { openS3Objects, type S3Objects } from '../../src/artifact/s3-objects.ts';
import { systemClock } from '../../src/base/clock.ts';
import {
  bucketCredentials,
  startBucketServer,
  type BucketServer,
} from '../../src/testing/bucket-server.ts';
import { buildZip } from '../../src/testing/zip-builder.ts';
import {
  createActive,
  functionInput,
  handlerZip,
  otherZip,
  untilUpdated,
  useServer,
} from './server.ts';

let buckets: BucketServer;
let objects: S3Objects;
let folder: string;

const server = useServer(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = bucketCredentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = bucketCredentials.secretAccessKey;
  buckets = await startBucketServer();
  folder = await mkdtemp(join(tmpdir(), 'hearth-downloads-'));
  const { endpoint } = buckets;
  objects = await openS3Objects(systemClock, { endpoint, region: 'us-east-1', folder });
  return { objects };
});
const serverWithout = useServer();

after(async () => {
  await objects.close();
  await buckets.close();
  await rm(folder, { recursive: true });
});

const S3Bucket = 'packages';
const invalid = 'InvalidParameterValueException';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

async function download(name: string): Promise<Buffer> {
  const { Code } = await server.client.send(new GetFunctionCommand({ FunctionName: name }));
  const response = await fetch(Code?.Location ?? '');
  return Buffer.from(await response.arrayBuffer());
}

test('CreateFunction takes code from a bucket', async () => {
  const S3Key = 'team a/handler ä.zip';
  await buckets.put(S3Key, handlerZip);
  const created = await createActive(server.client, 'from-bucket', { Code: { S3Bucket, S3Key } });
  assert.equal(created.CodeSha256, sha256(handlerZip));
  assert.equal(created.CodeSize, handlerZip.length);
  // What was fetched is ours: the object may change or go.
  await buckets.put(S3Key, otherZip);
  assert.ok((await download('from-bucket')).equals(handlerZip));
});

test('with S3ObjectStorageMode REFERENCE a package stays in its bucket and takes no code storage', async () => {
  const S3Key = 'mode.zip';
  await buckets.put(S3Key, handlerZip);
  const stored = async () =>
    (await server.client.send(new GetAccountSettingsCommand({}))).AccountUsage?.TotalCodeSize ?? 0;
  const codeOf = async (FunctionName: string, Qualifier?: string) =>
    (await server.client.send(new GetFunctionCommand({ FunctionName, Qualifier }))).Code;
  const before = await stored();
  const Code: FunctionCode = { S3Bucket, S3Key, S3ObjectVersion: 'null' };
  const kept: FunctionCode = { ...Code, S3ObjectStorageMode: 'REFERENCE' };
  const object = { S3Bucket, S3Key, S3ObjectVersion: 'null' };
  const created = await createActive(server.client, 'kept', { Code: kept });
  assert.equal(created.CodeSize, handlerZip.length);
  // radkawar/stackd docs/lambda.md: what stays in its bucket has no Location.
  assert.deepEqual(await codeOf('kept'), { RepositoryType: 'S3', ResolvedS3Object: object });
  const FunctionName = 'kept';
  await server.client.send(new PublishVersionCommand({ FunctionName }));
  const layer = await server.client.send(
    new PublishLayerVersionCommand({ LayerName: 'kept', Content: kept }),
  );
  assert.deepEqual(layer.Content?.ResolvedS3Object, object);
  assert.equal(layer.Content.Location, undefined);
  assert.equal(await stored(), before);
  // Copied, it is the account's again; what was published stays as it was.
  await server.client.send(
    new UpdateFunctionCodeCommand({ FunctionName, ...Code, S3ObjectStorageMode: 'COPY' }),
  );
  await untilUpdated(server.client, FunctionName);
  assert.equal((await codeOf(FunctionName))?.ResolvedS3Object, undefined);
  assert.deepEqual((await codeOf(FunctionName, '1'))?.ResolvedS3Object, object);
  assert.equal(await stored(), before + handlerZip.length);
});

test('S3ObjectStorageMode REFERENCE needs the version of the object', async () => {
  const Code: FunctionCode = { S3Bucket, S3Key: 'any.zip', S3ObjectStorageMode: 'REFERENCE' };
  await assert.rejects(
    server.client.send(new CreateFunctionCommand(functionInput('unversioned', { Code }))),
    {
      name: invalid,
      message: 'S3ObjectVersion is required when S3ObjectStorageMode is REFERENCE.',
    },
  );
});

test('CreateFunction takes more than 50 MB from a bucket', async () => {
  const S3Key = 'large.zip';
  const content = Buffer.alloc(51 * 1024 * 1024, 'x');
  const large = buildZip([{ name: 'index.js', content, stored: true }]);
  await buckets.put(S3Key, large);
  const created = await createActive(server.client, 'large', { Code: { S3Bucket, S3Key } });
  assert.equal(created.CodeSize, large.length);
});

test('UpdateFunctionCode takes code from a bucket, dry or published', async () => {
  const FunctionName = 'updated';
  const S3Key = 'other.zip';
  await buckets.put(S3Key, otherZip);
  await createActive(server.client, FunctionName);
  const input = { FunctionName, S3Bucket, S3Key };
  const dry = await server.client.send(new UpdateFunctionCodeCommand({ ...input, DryRun: true }));
  assert.equal(dry.CodeSha256, sha256(otherZip));
  assert.ok((await download(FunctionName)).equals(handlerZip));
  const published = await server.client.send(
    new UpdateFunctionCodeCommand({ ...input, Publish: true }),
  );
  assert.equal(published.Version, '1');
  await untilUpdated(server.client, FunctionName);
  assert.ok((await download(FunctionName)).equals(otherZip));
});

test('PublishLayerVersion takes content from a bucket', async () => {
  const S3Key = 'layer.zip';
  const LayerName = 'from-bucket';
  await buckets.put(S3Key, otherZip);
  const published = await server.client.send(
    new PublishLayerVersionCommand({ LayerName, Content: { S3Bucket, S3Key } }),
  );
  assert.equal(published.Content?.CodeSha256, sha256(otherZip));
  const VersionNumber = published.Version;
  const found = await server.client.send(new GetLayerVersionCommand({ LayerName, VersionNumber }));
  assert.equal(found.Content?.CodeSize, otherZip.length);
});

/** All three operations with the same source. */
function requestsWith(source: FunctionCode): readonly [string, () => Promise<unknown>][] {
  const { client } = server;
  const input = functionInput('never', { Code: source });
  const update = { FunctionName: 'changed', ...source };
  const layer = { LayerName: 'never', Content: source };
  return [
    ['CreateFunction', () => client.send(new CreateFunctionCommand(input))],
    ['UpdateFunctionCode', () => client.send(new UpdateFunctionCodeCommand(update))],
    ['PublishLayerVersion', () => client.send(new PublishLayerVersionCommand(layer))],
  ];
}

const refusals: readonly [string, FunctionCode, string | RegExp][] = [
  [
    'an object that is not there',
    { S3Bucket, S3Key: 'missing.zip' },
    'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
  ],
  [
    'a bucket that is not there',
    { S3Bucket: 'no-such-bucket', S3Key: 'x.zip' },
    'Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist',
  ],
  ['a bucket without a key', { S3Bucket }, 'Please provide a source for function code.'],
  ['a key without a bucket', { S3Key: 'x' }, 'Please provide a source for function code.'],
  [
    'two sources',
    { ZipFile: handlerZip, S3Bucket, S3Key: 'x' },
    'Please do not provide other FunctionCode parameters when providing a ZipFile.',
  ],
  [
    'a key that leads out of its bucket',
    { S3Bucket, S3Key: 'a/./../../other-bucket/x' },
    'Error occurred while GetObject. The S3 key has more relative elements (..) than elements before them.',
  ],
  ['no archive', { S3Bucket, S3Key: 'text' }, /^Could not unzip uploaded file\./],
  ['an empty object', { S3Bucket, S3Key: 'empty' }, 'Uploaded file must be a non-empty zip'],
];

for (const [what, source, message] of refusals) {
  test(`code: ${what} is refused by every operation, and nothing changes`, async (t) => {
    await buckets.put('text', Buffer.from('text'));
    await buckets.put('empty', Buffer.alloc(0));
    if (what === refusals[0]?.[0]) await createActive(server.client, 'changed');
    for (const [operation, request] of requestsWith(source)) {
      await t.test(operation, () => assert.rejects(request, { name: invalid, message }));
    }
    assert.ok((await download('changed')).equals(handlerZip));
    await assert.rejects(server.client.send(new GetFunctionCommand({ FunctionName: 'never' })), {
      name: 'ResourceNotFoundException',
    });
  });
}

test('names of buckets and keys have the bounds of the service model', async () => {
  for (const source of [
    { S3Bucket: 'ab', S3Key: 'x' },
    { S3Bucket: 'x'.repeat(64), S3Key: 'x' },
    { S3Bucket: 'a/b', S3Key: 'x' },
    { S3Bucket, S3Key: 'x'.repeat(1025) },
    { S3Bucket, S3Key: '' },
    { S3Bucket, S3Key: 'x', S3ObjectVersion: '' },
  ]) {
    const input = functionInput('never', { Code: source });
    await assert.rejects(server.client.send(new CreateFunctionCommand(input)), {
      name: 'ValidationException',
    });
  }
});

test('without an endpoint code in a bucket is refused with what to do', async () => {
  const input = functionInput('never', { Code: { S3Bucket, S3Key: 'x' } });
  await assert.rejects(serverWithout.client.send(new CreateFunctionCommand(input)), {
    name: invalid,
    message: /^Code in a bucket needs an S3 endpoint: .* AWS_ENDPOINT_URL_S3/,
  });
});
