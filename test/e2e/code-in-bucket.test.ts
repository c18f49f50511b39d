/**
 * Code and layers from a bucket through the whole program, as its user starts it: the endpoint and the
 * credentials are in the environment, quotas are flags, and what was fetched outlives the bucket.
 */
import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  GetAccountSettingsCommand,
  PublishLayerVersionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import {
  bucketCredentials,
  startBucketServer,
  type BucketServer,
} from '../../src/testing/bucket-server.ts';
import { deploy, invoke, settled, zip } from './functions.ts';
import { HearthProcess } from './hearth-process.ts';

let buckets: BucketServer;
let dataFolder = '';

before(async () => {
  buckets = await startBucketServer();
  process.env['AWS_ENDPOINT_URL_S3'] = buckets.endpoint;
  process.env['AWS_ACCESS_KEY_ID'] = bucketCredentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = bucketCredentials.secretAccessKey;
});
after(async () => {
  await buckets.close();
  await rm(dataFolder, { recursive: true, force: true });
});

function handlerOf(text: string): Promise<Buffer> {
  return zip({
    'index.js': `const value = require('value');
exports.handler = async () => ({ text: '${text}', value });`,
  });
}

test('functions and layers from a bucket run, also after the bucket has gone', async () => {
  const flags = ['--code-storage-mb', '100', '--code-zipped-mb', '10', '--settle-delay-ms', '20'];
  const first = await HearthProcess.start({ driver: 'process', flags });
  ({ dataFolder } = first);
  const { client } = first;
  const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
  assert.equal(AccountLimit?.TotalCodeSize, 100 * 1024 * 1024);
  assert.equal(AccountLimit.CodeSizeZipped, 10 * 1024 * 1024);

  const S3Bucket = buckets.bucket;
  await buckets.put('one.zip', await handlerOf('one'));
  await buckets.put('two.zip', await handlerOf('two'));
  await buckets.put(
    'layer.zip',
    await zip({ 'nodejs/node_modules/value/index.js': 'module.exports = 7;' }),
  );
  const layer = await client.send(
    new PublishLayerVersionCommand({
      LayerName: 'value',
      Content: { S3Bucket, S3Key: 'layer.zip' },
    }),
  );
  const name = 'from-bucket';
  await deploy(client, name, {
    files: {},
    Code: { S3Bucket, S3Key: 'one.zip' },
    Layers: [layer.LayerVersionArn ?? ''],
  });
  assert.deepEqual((await invoke(client, name)).result, { text: 'one', value: 7 });
  const update = { FunctionName: name, S3Bucket, S3Key: 'two.zip' };
  await client.send(new UpdateFunctionCodeCommand(update));
  await settled(client, name);
  assert.deepEqual((await invoke(client, name)).result, { text: 'two', value: 7 });
  assert.deepEqual(await readdir(join(dataFolder, 'downloads')), []);
  await first.stop();

  delete process.env['AWS_ENDPOINT_URL_S3'];
  const second = await HearthProcess.start({ driver: 'process', dataFolder });
  try {
    assert.deepEqual((await invoke(second.client, name)).result, { text: 'two', value: 7 });
    await assert.rejects(second.client.send(new UpdateFunctionCodeCommand(update)), {
      name: 'InvalidParameterValueException',
      message: /AWS_ENDPOINT_URL_S3/,
    });
  } finally {
    await second.stop();
  }
});
