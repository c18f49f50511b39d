/** KMSKeyArn and SourceKMSKeyArn: kept and given back where the service gives them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda';
import {
  createActive,
  functionInput,
  handlerZip,
  otherZip,
  untilUpdated,
  useServer,
} from './server.ts';

const server = useServer();
const key = 'arn:aws:kms:us-east-1:000000000000:key/0';
const otherKey = 'arn:aws:kms:us-east-1:000000000000:key/1';

test('the key for variables is given back, changed, kept and cleared', async () => {
  const FunctionName = 'variables';
  const Environment = { Variables: { COLOUR: 'blue' } };
  const created = await createActive(server.client, FunctionName, { Environment, KMSKeyArn: key });
  assert.equal(created.KMSKeyArn, key);
  const keyAfter = async (KMSKeyArn: string | undefined) => {
    const input = { FunctionName, KMSKeyArn };
    await server.client.send(new UpdateFunctionConfigurationCommand(input));
    await untilUpdated(server.client, FunctionName);
    const found = new GetFunctionConfigurationCommand({ FunctionName });
    return (await server.client.send(found)).KMSKeyArn;
  };
  assert.equal(await keyAfter(undefined), key);
  assert.equal(await keyAfter(otherKey), otherKey);
  assert.equal(await keyAfter(''), undefined);
});

/** terraform-provider-aws #6366, and its acceptance test of functions without variables. */
test('a key is not kept without variables', async () => {
  const FunctionName = 'bare';
  const created = await createActive(server.client, FunctionName, { KMSKeyArn: key });
  assert.equal(created.KMSKeyArn, undefined);
  const keyAfter = async (
    settings: Omit<UpdateFunctionConfigurationCommandInput, 'FunctionName'>,
  ) => {
    const input = { FunctionName, ...settings };
    const updated = await server.client.send(new UpdateFunctionConfigurationCommand(input));
    await untilUpdated(server.client, FunctionName);
    return updated.KMSKeyArn;
  };
  const Environment = { Variables: { COLOUR: 'blue' } };
  assert.equal(await keyAfter({ Environment }), undefined);
  assert.equal(await keyAfter({ KMSKeyArn: key }), key);
  assert.equal(await keyAfter({ Environment: { Variables: {} } }), undefined);
});

test('the key of a package is in GetFunction for as long as that package is', async () => {
  const FunctionName = 'package';
  await createActive(server.client, FunctionName, {
    Code: { ZipFile: handlerZip, SourceKMSKeyArn: key },
    Publish: true,
  });
  const keyOf = async (Qualifier?: string) => {
    const { Code } = await server.client.send(new GetFunctionCommand({ FunctionName, Qualifier }));
    return Code?.SourceKMSKeyArn;
  };
  assert.equal(await keyOf(), key);
  assert.equal(await keyOf('1'), key);
  await server.client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 }));
  await untilUpdated(server.client, FunctionName);
  assert.equal(await keyOf(), key);
  const code = { FunctionName, ZipFile: otherZip };
  await server.client.send(new UpdateFunctionCodeCommand({ ...code, SourceKMSKeyArn: otherKey }));
  await untilUpdated(server.client, FunctionName);
  assert.equal(await keyOf(), otherKey);
  await server.client.send(new UpdateFunctionCodeCommand(code));
  await untilUpdated(server.client, FunctionName);
  assert.equal(await keyOf(), undefined);
  assert.equal(await keyOf('1'), key);
});

test('what is no ARN is refused', async () => {
  for (const overrides of [
    { KMSKeyArn: 'key' },
    { Code: { ZipFile: handlerZip, SourceKMSKeyArn: 'key' } },
  ]) {
    const input = functionInput('refused', overrides);
    await assert.rejects(server.client.send(new CreateFunctionCommand(input)), {
      name: 'ValidationException',
      message: /KMSKeyArn' failed to satisfy constraint|kMSKeyArn' failed/i,
    });
  }
});
