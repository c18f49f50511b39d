import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionConfigurationCommand,
  PutFunctionCodeSigningConfigCommand,
} from '@aws-sdk/client-lambda';
import { configMissing, createConfig, unknownConfigArn } from './code-signing.ts';
import { arnOf, createActive, useServer } from './server.ts';

const server = useServer();

function put(FunctionName: string, CodeSigningConfigArn: string) {
  const input = { FunctionName, CodeSigningConfigArn };
  return server.client.send(new PutFunctionCodeSigningConfigCommand(input));
}

async function configOf(FunctionName: string): Promise<string | undefined> {
  const get = new GetFunctionCodeSigningConfigCommand({ FunctionName });
  return (await server.client.send(get)).CodeSigningConfigArn;
}

async function configurationOf(FunctionName: string): Promise<object> {
  const get = new GetFunctionConfigurationCommand({ FunctionName });
  return { ...(await server.client.send(get)), $metadata: undefined };
}

test('PutFunctionCodeSigningConfig attaches, and attaches another, by name and ARNs', async () => {
  await createActive(server.client, 'attached');
  const before = await configurationOf('attached');
  for (const name of ['attached', arnOf('attached'), '000000000000:function:attached']) {
    const { CodeSigningConfigArn } = await createConfig(server.client, {
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' },
    });
    const { $metadata, ...answer } = await put(name, CodeSigningConfigArn);
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(answer, { CodeSigningConfigArn, FunctionName: 'attached' });
    assert.equal(await configOf('attached'), CodeSigningConfigArn);
  }
  // What is deployed is not touched, whatever the policy.
  assert.deepEqual(await configurationOf('attached'), before);
});

test('PutFunctionCodeSigningConfig refuses what is not there, and versions', async () => {
  await createActive(server.client, 'bare', { Publish: true });
  const { CodeSigningConfigArn } = await createConfig(server.client);
  await assert.rejects(put('bare', unknownConfigArn), configMissing);
  await assert.rejects(put('unknown', CodeSigningConfigArn), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('unknown')}`,
  });
  await assert.rejects(put('bare:1', CodeSigningConfigArn), {
    name: 'InvalidParameterValueException',
    message: 'Current operation does not support versions other than $LATEST',
  });
  await assert.rejects(put('bare', 'csc-0123456789abcdef0'), { name: 'ValidationException' });
  assert.equal(await configOf('bare'), undefined);
});

test('attaching and deleting a configuration at once never leaves a function with one that is gone', async () => {
  await createActive(server.client, 'racing');
  for (let round = 0; round < 20; round += 1) {
    const { CodeSigningConfigArn } = await createConfig(server.client);
    const remove = new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn });
    const [attached, removed] = await Promise.allSettled(
      round % 2 === 0
        ? [put('racing', CodeSigningConfigArn), server.client.send(remove)]
        : [server.client.send(remove), put('racing', CodeSigningConfigArn)],
    );
    assert.deepEqual(
      [attached.status, removed.status].sort(),
      ['fulfilled', 'rejected'],
      `round ${round}`,
    );
  }
  const last = await configOf('racing');
  if (last !== undefined) {
    const again = await put('racing', last);
    assert.equal(again.CodeSigningConfigArn, last);
  }
});
