/**
 * S3ObjectVersion: one version of an object, on a server that keeps versions. That is moto, which is
 * no dependency of ours: without it the tests are skipped (src/artifact/s3-objects.test.ts sees to
 * the request itself).
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { CreateFunctionCommand, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { openS3Objects, type S3Objects } from '../../src/artifact/s3-objects.ts';
import { systemClock } from '../../src/base/clock.ts';
import {
  createActive,
  functionInput,
  handlerZip,
  otherZip,
  untilUpdated,
  useServer,
} from './server.ts';

const isThere = spawnSync('moto_server', ['--help']).status === 0;
const skip = isThere ? false : 'moto_server is not installed';
const S3Bucket = 'versions';
const S3Key = 'package.zip';

let store: ChildProcess | undefined;
let client: S3Client | undefined;
let objects: S3Objects | undefined;
let folder = '';

const server = useServer(async () => {
  if (!isThere) return {};
  process.env['AWS_ACCESS_KEY_ID'] = 'any';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'any';
  const endpoint = await startStore();
  client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: S3Bucket }));
  await client.send(
    new PutBucketVersioningCommand({
      Bucket: S3Bucket,
      VersioningConfiguration: { Status: 'Enabled' },
    }),
  );
  folder = await mkdtemp(join(tmpdir(), 'hearth-downloads-'));
  objects = await openS3Objects(systemClock, { endpoint, region: 'us-east-1', folder });
  return { objects };
});

after(async () => {
  if (store === undefined) return;
  client?.destroy();
  await objects?.close();
  const exited = once(store, 'exit');
  store.kill();
  await exited;
  await rm(folder, { recursive: true, force: true });
});

/** Gives its address, which it prints when it listens. */
async function startStore(): Promise<string> {
  store = spawn('moto_server', ['--host', '127.0.0.1', '--port', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  assert.ok(store.stderr);
  const lines: string[] = [];
  for await (const line of createInterface({ input: store.stderr })) {
    lines.push(line);
    const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (endpoint === undefined) continue;
    store.stderr.resume();
    return endpoint;
  }
  throw new Error(`moto_server did not start: ${lines.join('\n')}`);
}

async function put(bytes: Uint8Array): Promise<string> {
  assert.ok(client);
  const command = new PutObjectCommand({ Bucket: S3Bucket, Key: S3Key, Body: bytes });
  return (await client.send(command)).VersionId ?? '';
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

test('a version is taken by create and update, the latest without one', { skip }, async () => {
  const first = await put(handlerZip);
  const second = await put(otherZip);
  const FunctionName = 'versioned';
  const source = { S3Bucket, S3Key };
  const created = await createActive(server.client, FunctionName, {
    Code: { ...source, S3ObjectVersion: first },
  });
  assert.equal(created.CodeSha256, sha256(handlerZip));
  const updated = await server.client.send(
    new UpdateFunctionCodeCommand({ FunctionName, ...source }),
  );
  assert.equal(updated.CodeSha256, sha256(otherZip));
  await untilUpdated(server.client, FunctionName);
  const again = await server.client.send(
    new UpdateFunctionCodeCommand({ FunctionName, ...source, S3ObjectVersion: second }),
  );
  assert.equal(again.CodeSha256, sha256(otherZip));
});

test('a version that is not there is refused in the words of the store', { skip }, async () => {
  await put(handlerZip);
  const S3ObjectVersion = '00000000-0000-4000-8000-000000000000';
  const input = functionInput('never', { Code: { S3Bucket, S3Key, S3ObjectVersion } });
  await assert.rejects(server.client.send(new CreateFunctionCommand(input)), {
    name: 'InvalidParameterValueException',
    message: /^Error occurred while GetObject\. S3 Error Code: \w+\. S3 Error Message: ./,
  });
});
