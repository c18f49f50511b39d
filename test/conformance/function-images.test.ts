/**
 * Functions from container images: all operations take, keep and give back what they are made of;
 * invoking one is refused, since images cannot run here yet.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetRuntimeManagementConfigCommand,
  ListFunctionsCommand,
  PublishVersionCommand,
  PutFunctionCodeSigningConfigCommand,
  PutRuntimeManagementConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
  type CreateFunctionCommandInput,
  type FunctionConfiguration,
} from '@aws-sdk/client-lambda';
import { omitMembers } from '../../src/control/omit-members.ts';
import { active, configurationOf, creating, updating } from './configurations.ts';
import { createActive, functionInput, handlerZip, useServer } from './server.ts';

const server = useServer();
const invalid = 'InvalidParameterValueException';
const repository = '000000000000.dkr.ecr.us-east-1.amazonaws.com/team/image';
const digest = '0123456789abcdef'.repeat(4);
const ImageConfig = { EntryPoint: ['/run'], Command: ['handler', '-v'], WorkingDirectory: '/work' };
const image: Partial<CreateFunctionCommandInput> = {
  PackageType: 'Image',
  Code: { ImageUri: `${repository}:1` },
  Runtime: undefined,
  Handler: undefined,
  ImageConfig,
};

const wait = { maxWaitTime: 20, minDelay: 0.01, maxDelay: 0.05 };

async function createImage(
  name: string,
  members: Partial<CreateFunctionCommandInput> = {},
): Promise<FunctionConfiguration> {
  const created = await server.client.send(
    new CreateFunctionCommand(functionInput(name, { ...image, ...members })),
  );
  await waitUntilFunctionActiveV2({ ...wait, client: server.client }, { FunctionName: name });
  return created;
}

const configurationNow = (FunctionName: string) =>
  server.client.send(new GetFunctionConfigurationCommand({ FunctionName }));

/** Every member of the configuration of `createImage(name)`, without its states. */
function imageConfigurationOf(name: string, found: FunctionConfiguration): FunctionConfiguration {
  const members = {
    PackageType: 'Image',
    CodeSize: 0,
    ImageConfigResponse: { ImageConfig },
  } as const;
  return omitMembers(configurationOf(name, found, members), [
    'CodeSha256',
    'Handler',
    'Runtime',
    'RuntimeVersionConfig',
  ]);
}

function withoutMetadata<Answer extends object>(answer: Answer): Omit<Answer, '$metadata'> {
  return omitMembers({ $metadata: undefined, ...answer }, ['$metadata']) as Omit<
    Answer,
    '$metadata'
  >;
}

test('a function from an image is created, waited for, and read back whole', async () => {
  const usedBefore = (await server.client.send(new GetAccountSettingsCommand({}))).AccountUsage;
  const created = await createImage('whole');
  assert.deepEqual(withoutMetadata(created), {
    ...imageConfigurationOf('whole', created),
    ...creating,
  });
  const { Configuration, Code } = await server.client.send(
    new GetFunctionCommand({ FunctionName: 'whole' }),
  );
  assert.ok(Configuration);
  assert.deepEqual(Configuration, { ...imageConfigurationOf('whole', Configuration), ...active });
  // A tag's image is known to its registry alone.
  assert.deepEqual(Code, { RepositoryType: 'ECR', ImageUri: `${repository}:1` });
  const { Functions } = await server.client.send(new ListFunctionsCommand({}));
  assert.deepEqual(Functions?.find(({ FunctionName }) => FunctionName === 'whole')?.CodeSize, 0);
  // Images are not in the account's code storage.
  const { AccountUsage } = await server.client.send(new GetAccountSettingsCommand({}));
  assert.equal(AccountUsage?.TotalCodeSize, usedBefore?.TotalCodeSize);
  assert.equal(AccountUsage?.FunctionCount, (usedBefore?.FunctionCount ?? 0) + 1);
});

test('an address with a digest is resolved: it is the CodeSha256', async () => {
  const ImageUri = `${repository}:1@sha256:${digest}`;
  const created = await createImage('digest', { Code: { ImageUri }, ImageConfig: {} });
  assert.equal(created.CodeSha256, digest);
  assert.equal(created.ImageConfigResponse, undefined);
  const { Code } = await server.client.send(new GetFunctionCommand({ FunctionName: 'digest' }));
  assert.deepEqual(Code, {
    RepositoryType: 'ECR',
    ImageUri,
    ResolvedImageUri: `${repository}@sha256:${digest}`,
  });
});

test('the image of a function is replaced, with a new version if asked for', async () => {
  const FunctionName = 'replaced';
  await createImage(FunctionName, { Code: { ImageUri: `${repository}@sha256:${digest}` } });
  const ImageUri = `${repository}:2`;
  const input = { FunctionName, ImageUri, Architectures: ['arm64' as const] };
  const previewed = await server.client.send(
    new UpdateFunctionCodeCommand({ ...input, DryRun: true }),
  );
  assert.equal(previewed.CodeSha256, undefined);
  assert.equal((await configurationNow(FunctionName)).CodeSha256, digest);
  const updated = await server.client.send(new UpdateFunctionCodeCommand(input));
  assert.partialDeepStrictEqual(updated, { ...updating, Architectures: ['arm64'] });
  assert.equal(updated.CodeSha256, undefined);
  await waitUntilFunctionUpdatedV2({ ...wait, client: server.client }, { FunctionName });
  const published = await server.client.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(published.Version, '1');
  const again = await server.client.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(again.Version, '1');
  const next = { FunctionName, ImageUri: `${repository}:3`, Publish: true };
  const second = await server.client.send(new UpdateFunctionCodeCommand(next));
  assert.equal(second.Version, '2');
  const codeOf = async (Qualifier: string) =>
    (await server.client.send(new GetFunctionCommand({ FunctionName, Qualifier }))).Code?.ImageUri;
  assert.deepEqual(
    [await codeOf('1'), await codeOf('2'), await codeOf('$LATEST')],
    [ImageUri, next.ImageUri, next.ImageUri],
  );
});

test('an image whose digest is not known is published without a CodeSha256', async () => {
  const FunctionName = 'unknown-digest';
  await createImage(FunctionName);
  const input = { FunctionName, CodeSha256: digest };
  await assert.rejects(server.client.send(new PublishVersionCommand(input)), {
    name: invalid,
    message: `CodeSHA256 (${digest}) is different from current CodeSHA256 in $LATEST (unknown). Please try again with the CodeSHA256 in $LATEST.`,
  });
});

test('an ImageConfig is replaced whole, and taken away with an empty one', async () => {
  const FunctionName = 'settings';
  await createImage(FunctionName);
  const change = async (config: CreateFunctionCommandInput['ImageConfig']) => {
    const input = { FunctionName, ImageConfig: config };
    await server.client.send(new UpdateFunctionConfigurationCommand(input));
    await waitUntilFunctionUpdatedV2({ ...wait, client: server.client }, { FunctionName });
    return (await configurationNow(FunctionName)).ImageConfigResponse;
  };
  assert.deepEqual(await change(undefined), { ImageConfig });
  const Command = ['other'];
  assert.deepEqual(await change({ Command }), { ImageConfig: { Command } });
  assert.deepEqual(await change({ Command, EntryPoint: [], WorkingDirectory: '' }), {
    ImageConfig: { Command },
  });
  assert.equal(await change({}), undefined);
});

const refusals: readonly [string, Partial<CreateFunctionCommandInput>, string][] = [
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
    { ImageConfig },
    "Please don't provide ImageConfig when creating a function with packageType Zip.",
  ],
];

for (const [what, overrides, message] of refusals) {
  test(`CreateFunction refuses ${what} and keeps nothing`, async () => {
    const input = functionInput('refused', overrides);
    await assert.rejects(server.client.send(new CreateFunctionCommand(input)), {
      name: invalid,
      message,
    });
    await assert.rejects(server.client.send(new GetFunctionCommand({ FunctionName: 'refused' })), {
      name: 'ResourceNotFoundException',
    });
  });
}

test('the package type of a function is for good', async () => {
  const { client } = server;
  await createActive(client, 'archive');
  await createImage('image');
  const kept = [await configurationNow('archive'), await configurationNow('image')];
  const refused = async (sent: Promise<unknown>, message: string) =>
    assert.rejects(sent, { name: invalid, message });
  const ImageUri = `${repository}:2`;
  await refused(
    client.send(new UpdateFunctionCodeCommand({ FunctionName: 'archive', ImageUri })),
    "Please don't provide ImageUri when updating a function with packageType Zip.",
  );
  await refused(
    client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'archive', ImageConfig })),
    "Please don't provide ImageConfig when updating a function with packageType Zip.",
  );
  await refused(
    client.send(new UpdateFunctionCodeCommand({ FunctionName: 'image', ZipFile: handlerZip })),
    'Please provide ImageUri when updating a function with packageType Image.',
  );
  for (const settings of [{ Handler: 'a.b' }, { Runtime: 'nodejs24.x' as const }]) {
    await refused(
      client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'image', ...settings })),
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    );
  }
  await refused(
    client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: 'image',
        SnapStart: { ApplyOn: 'PublishedVersions' },
      }),
    ),
    'ContainerImage is not supported for SnapStart enabled functions.',
  );
  assert.deepEqual(
    [await configurationNow('archive'), await configurationNow('image')].map(withoutMetadata),
    kept.map(withoutMetadata),
  );
});

test('functions from images have no code signing', async () => {
  await createImage('unsigned');
  const CodeSigningConfigArn =
    'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0';
  await assert.rejects(createImage('signed', { CodeSigningConfigArn }), { name: invalid });
  await assert.rejects(
    server.client.send(
      new PutFunctionCodeSigningConfigCommand({ FunctionName: 'unsigned', CodeSigningConfigArn }),
    ),
    { name: /InvalidParameterValueException|CodeSigningConfigNotFoundException/ },
  );
});

test('functions from images have no runtime to manage', async () => {
  const FunctionName = 'unmanaged';
  await createImage(FunctionName);
  const { client } = server;
  const mode = { FunctionName, UpdateRuntimeOn: 'FunctionUpdate' } as const;
  for (const call of [
    client.send(new GetRuntimeManagementConfigCommand({ FunctionName })),
    client.send(new PutRuntimeManagementConfigCommand(mode)),
  ]) {
    await assert.rejects(call, {
      name: invalid,
      message: 'Runtime management is not supported for functions created with container images.',
    });
  }
});
