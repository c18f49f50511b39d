import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetCodeSigningConfigCommand } from '@aws-sdk/client-lambda';
import { configNotFound, createConfig, unknownConfigArn } from './code-signing.ts';
import { useServer } from './server.ts';

const server = useServer();

function get(CodeSigningConfigArn: string) {
  return server.client.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn }));
}

test('GetCodeSigningConfig answers as creating did', async () => {
  const made = await createConfig(server.client, { Description: 'read back' });
  const found = await get(made.CodeSigningConfigArn);
  assert.equal(found.$metadata.httpStatusCode, 200);
  assert.deepEqual(found.CodeSigningConfig, made);
});

test('GetCodeSigningConfig finds none that does not exist, or is of another account or region', async () => {
  await assert.rejects(get(unknownConfigArn), configNotFound);
  const { CodeSigningConfigArn: arn } = await createConfig(server.client);
  for (const other of [
    arn.replace('000000000000', '123456789012'),
    arn.replace('us-east-1', 'eu-west-1'),
  ]) {
    await assert.rejects(get(other), {
      name: 'ResourceNotFoundException',
      message: `The Lambda code signing configuration ${other} can not be found.`,
    });
  }
  await assert.rejects(get('csc-0123456789abcdef0'), { name: 'ValidationException' });
});
