/** Layers of functions, in every operation that takes or shows them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../../src/testing/zip-builder.ts';
import { refused } from './expect.ts';
import { layerArnOf, layerZip, publishLayer } from './layers.ts';
import { createActive, functionInput, handlerZip, untilUpdated, useServer } from './server.ts';

const server = useServer();

test('a function’s layers are in every answer that has its configuration', async () => {
  const { client } = server;
  await publishLayer(client, 'first');
  await publishLayer(client, 'second');
  const Layers = ['second', 'first'].map((name) => `${layerArnOf(name)}:1`);
  const expected = Layers.map((Arn) => ({ Arn, CodeSize: layerZip.length }));
  const FunctionName = 'layered';
  const created = await createActive(client, FunctionName, { Layers, Publish: true });
  assert.deepEqual(created.Layers, expected);
  const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName }));
  assert.deepEqual(Configuration?.Layers, expected);
  const { Functions } = await client.send(new ListFunctionsCommand({}));
  assert.deepEqual(Functions?.[0]?.Layers, expected);
  const update = { FunctionName, Layers: [] };
  const updated = await client.send(new UpdateFunctionConfigurationCommand(update));
  assert.equal(updated.Layers, undefined);
  await untilUpdated(client, FunctionName);
  const { Versions = [] } = await client.send(new ListVersionsByFunctionCommand({ FunctionName }));
  assert.deepEqual(
    Versions.map((version) => version.Layers),
    [undefined, expected],
  );
  const usage = (await client.send(new GetAccountSettingsCommand({}))).AccountUsage;
  assert.equal(usage?.TotalCodeSize, 2 * layerZip.length + 2 * handlerZip.length);
  await client.send(new DeleteFunctionCommand({ FunctionName }));
});

test('a function can have only layers that exist, five at most, each once', async () => {
  const { client } = server;
  const layers = [1, 2, 3, 4, 5, 6].map((n) => `${layerArnOf(`of-six-${n}`)}:1`);
  for (const n of [1, 2, 3, 4, 5, 6]) await publishLayer(client, `of-six-${n}`);
  await publishLayer(client, 'of-six-1');
  await publishLayer(client, 'deleted');
  const deletion = { LayerName: 'deleted', VersionNumber: 1 };
  await client.send(new DeleteLayerVersionCommand(deletion));
  const FunctionName = 'choosy';
  await createActive(client, FunctionName, { Layers: layers.slice(0, 5) });
  const second = `${layerArnOf('of-six-1')}:2`;
  const deleted = `${layerArnOf('deleted')}:1`;
  const refusals: readonly [string[], string | RegExp][] = [
    [layers, 'Cannot reference more than 5 layers.'],
    [
      [layers[0] ?? '', second],
      'Two different versions of the same layer are not allowed to be referenced in the same ' +
        `function. ${layers[0]} and ${second} are versions of the same layer.`,
    ],
    [[deleted], `Layer version ${deleted} does not exist.`],
    [
      [second.replace('us-east-1', 'eu-west-1')],
      /^Layers are not in the same region as the function\./,
    ],
  ];
  for (const [Layers, message] of refusals) {
    const refusal = { name: 'InvalidParameterValueException', message };
    const create = functionInput('other', { Layers });
    await assert.rejects(client.send(new CreateFunctionCommand(create)), refusal);
    const update = new UpdateFunctionConfigurationCommand({ FunctionName, Layers });
    await assert.rejects(client.send(update), refusal);
  }
  const unversioned = functionInput('other', { Layers: [layerArnOf('of-six-1')] });
  await assert.rejects(client.send(new CreateFunctionCommand(unversioned)), {
    name: 'ValidationException',
  });
});

/** One large layer, so that little code and small layers are at the bound. */
test('code and layers together unpack to at most 262,144,000 bytes', async () => {
  const { client } = server;
  const bytesLeft = 1000;
  const bytesMax = 262_144_000;
  const zipWith = (bytes: number): Buffer => zipOf({ 'index.js': Buffer.alloc(bytes) });
  const publish = async (name: string, bytes: number): Promise<string> => {
    const Content = { ZipFile: zipWith(bytes) };
    const published = await publishLayer(client, name, { Content });
    return published.LayerVersionArn ?? '';
  };
  const large = await publish('large', bytesMax - bytesLeft);
  const tooLarge = await publish('too-large', bytesLeft + 1);
  const tiny = await publish('tiny', 1);
  const FunctionName = 'full';
  const fits = { Code: { ZipFile: zipWith(bytesLeft) }, Layers: [large] };
  await createActive(client, FunctionName, fits);
  const largerCode = zipWith(bytesLeft + 1);
  await refused(
    client.send(
      new CreateFunctionCommand(
        functionInput('fuller', { Code: { ZipFile: largerCode }, Layers: [large] }),
      ),
    ),
    'InvalidParameterValueException',
    `Unzipped size must be smaller than ${bytesLeft} bytes`,
  );
  await refused(
    client.send(new CreateFunctionCommand(functionInput('fuller', { Layers: [large, tooLarge] }))),
    'InvalidParameterValueException',
    `Layers consume more than the available size of ${bytesMax} bytes`,
  );
  for (const DryRun of [true, false]) {
    const code = { FunctionName, ZipFile: largerCode, DryRun };
    await refused(
      client.send(new UpdateFunctionCodeCommand(code)),
      'InvalidParameterValueException',
      `Unzipped size must be smaller than ${bytesLeft} bytes`,
    );
  }
  for (const [added, actual] of [
    [tiny, bytesMax + 1],
    [tooLarge, bytesMax + bytesLeft + 1],
  ] as const) {
    const update = { FunctionName, Layers: [large, added] };
    await refused(
      client.send(new UpdateFunctionConfigurationCommand(update)),
      'InvalidParameterValueException',
      `Function code combined with layers exceeds the maximum allowed size of ${bytesMax} bytes. ` +
        `The actual size is ${actual} bytes.`,
    );
  }
  const swap = new UpdateFunctionConfigurationCommand({ FunctionName, Layers: [tooLarge] });
  assert.equal((await client.send(swap)).Layers?.[0]?.Arn, tooLarge);
});
