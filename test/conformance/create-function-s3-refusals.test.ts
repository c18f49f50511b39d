/**
 * What a store of objects can answer beside an object, in the words of the operations. The store is a
 * plain HTTP server: servers for tests let everyone in and have one region.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  type CreateFunctionCommandInput,
} from '@aws-sdk/client-lambda';
import { openS3Objects, type S3Objects } from '../../src/artifact/s3-objects.ts';
import { systemClock } from '../../src/base/clock.ts';
import { functionInput, useServer } from './server.ts';

interface StoreAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

const codeUnzippedBytesMax = 1000;
const answers: Readonly<Record<string, StoreAnswer>> = {
  denied: {
    status: 403,
    body: '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
  },
  elsewhere: {
    status: 301,
    headers: { 'x-amz-bucket-region': 'eu-west-1' },
    body: '<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>',
  },
  version: {
    status: 404,
    body: '<Error><Code>NoSuchVersion</Code><Message>The specified version does not exist.</Message></Error>',
  },
  page: { status: 404, body: '{"message":"no such page"}' },
  large: { status: 200, body: 'x'.repeat(codeUnzippedBytesMax + 1) },
};

let store: Server;
let objects: S3Objects;
let folder: string;

const server = useServer(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'any';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'any';
  store = createServer((request, response) => {
    const [key = ''] = (request.url ?? '').slice('/bucket/'.length).split('?');
    const { status, headers, body } = answers[key] ?? { status: 500, body: '' };
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'hearth-downloads-'));
  objects = await openS3Objects(systemClock, { endpoint, region: 'us-east-1', folder });
  return { objects, codeUnzippedBytesMax };
});

after(async () => {
  await objects.close();
  store.close();
  await rm(folder, { recursive: true });
});

function inputFor(S3Key: string): CreateFunctionCommandInput {
  return functionInput('never', { Code: { S3Bucket: 'bucket', S3Key } });
}

const refusals: readonly [string, string, number, string][] = [
  [
    'denied',
    'AccessDeniedException',
    403,
    'Your access has been denied by S3, please make sure your request credentials have permission ' +
      'to GetObject for bucket/denied. S3 Error Code: AccessDenied. S3 Error Message: Access Denied',
  ],
  [
    'elsewhere',
    'InvalidParameterValueException',
    400,
    'Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: The bucket ' +
      'is in this region: eu-west-1. Please use this region to retry the request',
  ],
  [
    'version',
    'InvalidParameterValueException',
    400,
    'Error occurred while GetObject. S3 Error Code: NoSuchVersion. S3 Error Message: The specified ' +
      'version does not exist.',
  ],
  [
    'page',
    'InvalidParameterValueException',
    400,
    'Error occurred while GetObject. The S3 endpoint of this server cannot be used: it answered ' +
      'with HTTP status 404, and not as S3 does',
  ],
  ['large', 'InvalidParameterValueException', 400, 'Unzipped size must be smaller than 1000 bytes'],
];

for (const [key, name, status, message] of refusals) {
  test(`CreateFunction tells of an object: ${key}`, async () => {
    await assert.rejects(
      server.client.send(new CreateFunctionCommand(inputFor(key))),
      (error: Error & { $metadata: { httpStatusCode: number } }) => {
        assert.equal(error.name, name);
        assert.equal(error.message, message);
        assert.equal(error.$metadata.httpStatusCode, status);
        return true;
      },
    );
    await assert.rejects(server.client.send(new GetFunctionCommand({ FunctionName: 'never' })), {
      name: 'ResourceNotFoundException',
    });
  });
}
