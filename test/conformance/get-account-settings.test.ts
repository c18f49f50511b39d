/** GetAccountSettings: the account's limits, and what there is of everything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetAccountSettingsCommand,
  PutFunctionConcurrencyCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../../src/testing/zip-builder.ts';
import { publishChanged } from './configurations.ts';
import { layerZip, publishLayer } from './layers.ts';
import { putProvisioned } from './provisioned.ts';
import { createActive, handlerZip, untilUpdated, useServer } from './server.ts';

const server = useServer();

async function settings() {
  const { $metadata, ...answer } = await server.client.send(new GetAccountSettingsCommand({}));
  assert.equal($metadata.httpStatusCode, 200);
  return answer;
}

/** What is used of the account, every step of the way, ending as it began. */
test('it answers with limits and usage', async () => {
  const { client } = server;
  const code = handlerZip.length;
  const expected = async (
    FunctionCount: number,
    TotalCodeSize: number,
    UnreservedConcurrentExecutions = 1000,
  ): Promise<void> => {
    assert.deepEqual(await settings(), {
      AccountLimit: {
        TotalCodeSize: 80_530_636_800,
        CodeSizeUnzipped: 262_144_000,
        CodeSizeZipped: 52_428_800,
        ConcurrentExecutions: 1000,
        UnreservedConcurrentExecutions,
      },
      AccountUsage: { TotalCodeSize, FunctionCount },
    });
  };
  await expected(0, 0);
  await createActive(client, 'one');
  await expected(1, code);
  await createActive(client, 'two', { Publish: true });
  await expected(2, 3 * code);
  await publishChanged(client, 'two', 9);
  await expected(2, 4 * code);
  const larger = zipOf({ 'index.js': `// ${'x'.repeat(1000)}` });
  await client.send(new UpdateFunctionCodeCommand({ FunctionName: 'two', ZipFile: larger }));
  await untilUpdated(client, 'two');
  await expected(2, 3 * code + larger.length);
  await publishLayer(client, 'layer');
  await publishLayer(client, 'layer');
  const layers = 2 * layerZip.length;
  await expected(2, 3 * code + larger.length + layers);
  const reserve = { FunctionName: 'one', ReservedConcurrentExecutions: 300 };
  await client.send(new PutFunctionConcurrencyCommand(reserve));
  await putProvisioned(client, 'two', '1', 50);
  await expected(2, 3 * code + larger.length + layers, 650);
  await client.send(new DeleteFunctionCommand({ FunctionName: 'two', Qualifier: '1' }));
  await expected(2, 2 * code + larger.length + layers, 700);
  for (const FunctionName of ['one', 'two']) {
    await client.send(new DeleteFunctionCommand({ FunctionName }));
  }
  await expected(0, layers);
  for (const VersionNumber of [1, 2]) {
    await client.send(new DeleteLayerVersionCommand({ LayerName: 'layer', VersionNumber }));
  }
  await expected(0, 0);
});
