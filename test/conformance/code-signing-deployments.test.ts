/** What a code signing configuration means for CreateFunction, UpdateFunctionCode and layers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  PublishVersionCommand,
  PutFunctionCodeSigningConfigCommand,
  UpdateCodeSigningConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type CodeSigningPolicy,
} from '@aws-sdk/client-lambda';
import { configMissing, createConfig, unknownConfigArn } from './code-signing.ts';
import { publishLayer } from './layers.ts';
import { arnOf, createActive, functionInput, otherZip, untilUpdated, useServer } from './server.ts';

const server = useServer();

async function configWith(UntrustedArtifactOnDeployment: CodeSigningPolicy): Promise<string> {
  const CodeSigningPolicies = { UntrustedArtifactOnDeployment };
  return (await createConfig(server.client, { CodeSigningPolicies })).CodeSigningConfigArn;
}

function attach(FunctionName: string, CodeSigningConfigArn: string) {
  const input = { FunctionName, CodeSigningConfigArn };
  return server.client.send(new PutFunctionCodeSigningConfigCommand(input));
}

function refusal(name: string) {
  return {
    name: 'CodeVerificationFailedException',
    message:
      'Lambda cannot deploy the function. The function or layer might be signed using a ' +
      `signature that the client is not configured to accept. Check the provided signature for ${name}.`,
  };
}

test('CreateFunction with a configuration that warns makes the function and attaches it', async () => {
  const CodeSigningConfigArn = await configWith('Warn');
  await createActive(server.client, 'warned', { CodeSigningConfigArn, Publish: true });
  const found = await server.client.send(
    new GetFunctionCodeSigningConfigCommand({ FunctionName: 'warned' }),
  );
  assert.equal(found.CodeSigningConfigArn, CodeSigningConfigArn);
});

test('CreateFunction with a configuration that enforces refuses unsigned code and makes nothing', async () => {
  const create = (CodeSigningConfigArn: string) =>
    server.client.send(new CreateFunctionCommand(functionInput('stern', { CodeSigningConfigArn })));
  await assert.rejects(create(await configWith('Enforce')), refusal('stern'));
  await assert.rejects(create(unknownConfigArn), configMissing);
  await assert.rejects(server.client.send(new GetFunctionCommand({ FunctionName: 'stern' })), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('stern')}`,
  });
});

test('CreateFunction refuses a configuration for an image', async () => {
  const create = new CreateFunctionCommand({
    ...functionInput('image', {
      PackageType: 'Image',
      CodeSigningConfigArn: await configWith('Warn'),
      Code: { ImageUri: '000000000000.dkr.ecr.us-east-1.amazonaws.com/image:latest' },
    }),
    Runtime: undefined,
    Handler: undefined,
  });
  await assert.rejects(server.client.send(create), {
    name: 'InvalidParameterValueException',
    message: 'Code signing is not supported for functions created with container images.',
  });
});

test('UpdateFunctionCode is refused from the attachment on, and works again without', async () => {
  const FunctionName = 'updated';
  const { client } = server;
  const { CodeSha256 } = await createActive(client, FunctionName);
  const update = (overrides: { DryRun?: boolean; Publish?: boolean } = {}) =>
    client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip, ...overrides }));
  await attach(FunctionName, await configWith('Enforce'));
  await assert.rejects(update(), refusal(FunctionName));
  await assert.rejects(update({ DryRun: true }), refusal(FunctionName));
  await assert.rejects(update({ Publish: true }), refusal(FunctionName));
  const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName }));
  assert.equal(Configuration?.CodeSha256, CodeSha256);
  // What is there can be published and configured.
  assert.equal((await client.send(new PublishVersionCommand({ FunctionName }))).Version, '1');
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 }));
  await untilUpdated(client, FunctionName);
  await client.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName }));
  assert.notEqual((await update()).CodeSha256, CodeSha256);
});

test('a change of the policy counts for the next deployment', async () => {
  const FunctionName = 'policy';
  const { client } = server;
  await createActive(client, FunctionName);
  const CodeSigningConfigArn = await configWith('Warn');
  await attach(FunctionName, CodeSigningConfigArn);
  const update = () =>
    client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip }));
  await update();
  await untilUpdated(client, FunctionName);
  const CodeSigningPolicies = { UntrustedArtifactOnDeployment: 'Enforce' as const };
  await client.send(
    new UpdateCodeSigningConfigCommand({ CodeSigningConfigArn, CodeSigningPolicies }),
  );
  await assert.rejects(update(), refusal(FunctionName));
});

test('UpdateFunctionConfiguration refuses layers that are added, and leaves those that are there', async () => {
  const FunctionName = 'layered';
  const { client } = server;
  const { LayerVersionArn: first = '' } = await publishLayer(client, 'first');
  const { LayerVersionArn: second = '' } = await publishLayer(client, 'second');
  await createActive(client, FunctionName, { Layers: [first] });
  await attach(FunctionName, await configWith('Enforce'));
  const update = (Layers: string[]) =>
    client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Layers }));
  await assert.rejects(update([first, second]), refusal(FunctionName));
  await update([first]);
  await untilUpdated(client, FunctionName);
  assert.equal((await update([])).Layers, undefined);
  await untilUpdated(client, FunctionName);
  await attach(FunctionName, await configWith('Warn'));
  assert.equal((await update([first, second])).Layers?.length, 2);
});
