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

test('code and layers together unpack to at most 262,144,000 bytes', async () => {
  const { client } = server;
  const half = 131_072_000;
  const name = 'index.js';
  const halfZip = zipOf({ [name]: Buffer.alloc(half) });
  const largerZip = zipOf({ [name]: Buffer.alloc(half + 1) });
  const layers: string[] = [];
  for (const [index, ZipFile] of [halfZip, halfZip, largerZip].entries()) {
    const published = await publishLayer(client, `half-${index}`, { Content: { ZipFile } });
    layers.push(published.LayerVersionArn ?? '');
  }
  const [first = '', second = '', larger = ''] = layers;
  const FunctionName = 'full';
  const Code = { ZipFile: halfZip };
  await createActive(client, FunctionName, { Code, Layers: [first] });
  const invalid = (message: string) => ({ name: 'InvalidParameterValueException', message });
  const tooLarge = functionInput('fuller', { Code: { ZipFile: largerZip }, Layers: [first] });
  await assert.rejects(
    client.send(new CreateFunctionCommand(tooLarge)),
    invalid(`Unzipped size must be smaller than ${half} bytes`),
  );
  const noRoom = functionInput('fuller', { Layers: [first, larger] });
  await assert.rejects(
    client.send(new CreateFunctionCommand(noRoom)),
    invalid('Layers consume more than the available size of 262144000 bytes'),
  );
  const code = { FunctionName, ZipFile: largerZip };
  for (const DryRun of [true, false]) {
    await assert.rejects(
      client.send(new UpdateFunctionCodeCommand({ ...code, DryRun })),
      invalid(`Unzipped size must be smaller than ${half} bytes`),
    );
  }
  const combined = (actual: number): { name: string; message: string } =>
    invalid(
      'Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. ' +
        `The actual size is ${actual} bytes.`,
    );
  for (const [Layers, actual] of [
    [[larger], 2 * half + 1],
    [[first, second], 3 * half],
  ] as const) {
    const update = { FunctionName, Layers: [...Layers] };
    await assert.rejects(
      client.send(new UpdateFunctionConfigurationCommand(update)),
      combined(actual),
    );
  }
  const swap = new UpdateFunctionConfigurationCommand({ FunctionName, Layers: [second] });
  assert.equal((await client.send(swap)).Layers?.[0]?.Arn, second);
});
