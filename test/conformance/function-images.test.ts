/** Functions from container images: what is wrong with a request is said first, then that none runs here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type CreateFunctionCommandInput,
} from '@aws-sdk/client-lambda';
import { createActive, functionInput, useServer } from './server.ts';

const server = useServer();
const invalid = 'InvalidParameterValueException';
const image: Partial<CreateFunctionCommandInput> = {
  PackageType: 'Image',
  Code: { ImageUri: '000000000000.dkr.ecr.us-east-1.amazonaws.com/image:1' },
  Runtime: undefined,
  Handler: undefined,
  ImageConfig: { EntryPoint: ['/run'], Command: ['handler'], WorkingDirectory: '/work' },
};

const refusals: readonly [string, Partial<CreateFunctionCommandInput>, string][] = [
  [
    'a whole image function',
    image,
    'PackageType Image is not supported by this server yet: container images cannot run here, ' +
      '.zip archives can.',
  ],
  [
    'an image with a handler',
    { ...image, Handler: 'index.handler' },
    "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
  ],
  [
    'an image that is no address',
    { ...image, Code: { ImageUri: 'image:latest' } },
    'Source image image:latest is not valid. Provide a valid source image.',
  ],
  [
    'an image function without an image',
    { ...image, Code: {} },
    'Please provide ImageUri when creating a function with packageType Image.',
  ],
  [
    'an archive function with an image',
    { Code: image.Code },
    "Please don't provide ImageUri when creating a function with packageType Zip.",
  ],
  [
    'an archive function with settings of an image',
    { ImageConfig: image.ImageConfig },
    "Please don't provide ImageConfig when creating a function with packageType Zip.",
  ],
];

for (const [what, overrides, message] of refusals) {
  test(`CreateFunction refuses ${what} and keeps nothing`, async () => {
    const input = functionInput('image', overrides);
    await assert.rejects(server.client.send(new CreateFunctionCommand(input)), {
      name: invalid,
      message,
    });
    await assert.rejects(server.client.send(new GetFunctionCommand({ FunctionName: 'image' })), {
      name: 'ResourceNotFoundException',
    });
  });
}

test('a function from an archive stays one', async () => {
  const FunctionName = 'archive';
  await createActive(server.client, FunctionName);
  const ImageUri = image.Code?.ImageUri;
  await assert.rejects(
    server.client.send(new UpdateFunctionCodeCommand({ FunctionName, ImageUri })),
    {
      name: invalid,
      message: "Please don't provide ImageUri when updating a function with packageType Zip.",
    },
  );
  const { ImageConfig } = image;
  await assert.rejects(
    server.client.send(new UpdateFunctionConfigurationCommand({ FunctionName, ImageConfig })),
    {
      name: invalid,
      message: "Please don't provide ImageConfig when updating a function with packageType Zip.",
    },
  );
});
