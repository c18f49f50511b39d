import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  GetFunctionConfigurationCommand,
  GetRuntimeManagementConfigCommand,
  PublishVersionCommand,
  PutRuntimeManagementConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type PutRuntimeManagementConfigCommandInput,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, otherZip, region, untilUpdated, useServer } from './server.ts';

const server = useServer();
const otherRuntime = `arn:aws:lambda:${region}::runtime:${'0'.repeat(64)}`;

function put(
  FunctionName: string,
  input: Omit<PutRuntimeManagementConfigCommandInput, 'FunctionName'>,
) {
  return server.client.send(new PutRuntimeManagementConfigCommand({ FunctionName, ...input }));
}

async function modeOf(FunctionName: string, Qualifier?: string): Promise<string | undefined> {
  const get = new GetRuntimeManagementConfigCommand({ FunctionName, Qualifier });
  return (await server.client.send(get)).UpdateRuntimeOn;
}

test('PutRuntimeManagementConfig sets each mode, of $LATEST, a version and an alias', async () => {
  const FunctionName = 'managed';
  const { client } = server;
  const made = await createActive(client, FunctionName, { Publish: true });
  const RuntimeVersionArn = made.RuntimeVersionConfig?.RuntimeVersionArn;
  assert.ok(RuntimeVersionArn !== undefined);
  await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
  const manual = { UpdateRuntimeOn: 'Manual', RuntimeVersionArn } as const;
  const modes = [
    { UpdateRuntimeOn: 'FunctionUpdate' },
    manual,
    { UpdateRuntimeOn: 'Auto' },
  ] as const;
  for (const [Qualifier, FunctionArn] of [
    [undefined, arnOf(FunctionName)],
    ['$LATEST', `${arnOf(FunctionName)}:$LATEST`],
    ['1', `${arnOf(FunctionName)}:1`],
    ['live', `${arnOf(FunctionName)}:live`],
  ] as const) {
    for (const mode of modes) {
      const { $metadata, ...answer } = await put(FunctionName, { Qualifier, ...mode });
      assert.equal($metadata.httpStatusCode, 200);
      assert.deepEqual(answer, { FunctionArn, ...mode });
      const get = new GetRuntimeManagementConfigCommand({ FunctionName, Qualifier });
      const found = { ...(await client.send(get)), $metadata };
      assert.deepEqual(found, { ...answer, $metadata });
    }
  }
  await put(`${arnOf(FunctionName)}:live`, { UpdateRuntimeOn: 'FunctionUpdate' });
  assert.equal(await modeOf(FunctionName, '1'), 'FunctionUpdate');
  assert.equal(await modeOf(FunctionName), 'Auto');
});

test('PutRuntimeManagementConfig leaves configurations and revisions as they are', async () => {
  const FunctionName = 'unchanged';
  await createActive(server.client, FunctionName, { Publish: true });
  for (const Qualifier of [undefined, '1']) {
    const get = new GetFunctionConfigurationCommand({ FunctionName, Qualifier });
    const before = { ...(await server.client.send(get)), $metadata: undefined };
    await put(FunctionName, {
      Qualifier,
      UpdateRuntimeOn: 'Manual',
      RuntimeVersionArn: otherRuntime,
    });
    // Another runtime version than the one that is there is kept, but not said to be used.
    assert.deepEqual({ ...(await server.client.send(get)), $metadata: undefined }, before);
  }
});

test('PutRuntimeManagementConfig: a version inherits the mode of $LATEST, and keeps it', async () => {
  const FunctionName = 'inherited';
  const { client } = server;
  await createActive(client, FunctionName);
  await put(FunctionName, { UpdateRuntimeOn: 'FunctionUpdate' });
  assert.equal((await client.send(new PublishVersionCommand({ FunctionName }))).Version, '1');
  await put(FunctionName, { UpdateRuntimeOn: 'Auto' });
  assert.equal(await modeOf(FunctionName, '1'), 'FunctionUpdate');
  // The mode is not what makes one version differ from another.
  assert.equal((await client.send(new PublishVersionCommand({ FunctionName }))).Version, '1');
  await put(FunctionName, { UpdateRuntimeOn: 'FunctionUpdate' });
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip }));
  await untilUpdated(client, FunctionName);
  assert.equal(await modeOf(FunctionName), 'FunctionUpdate');
});

test('PutRuntimeManagementConfig: Manual of $LATEST rules out another runtime or architecture', async () => {
  const FunctionName = 'pinned';
  const { client } = server;
  await createActive(client, FunctionName);
  await put(FunctionName, { UpdateRuntimeOn: 'Manual', RuntimeVersionArn: otherRuntime });
  const refused = {
    name: 'InvalidParameterValueException',
    message: /^The runtime and the architecture of a function cannot be changed while /,
  };
  const configure = (Runtime: 'nodejs22.x' | 'nodejs24.x') =>
    client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Runtime, Timeout: 7 }));
  const update = (architecture: 'x86_64' | 'arm64', DryRun = false) =>
    client.send(
      new UpdateFunctionCodeCommand({
        FunctionName,
        ZipFile: otherZip,
        Architectures: [architecture],
        DryRun,
      }),
    );
  await assert.rejects(configure('nodejs24.x'), refused);
  await assert.rejects(update('arm64'), refused);
  await assert.rejects(update('arm64', true), refused);
  await configure('nodejs22.x');
  await untilUpdated(client, FunctionName);
  await update('x86_64');
  await untilUpdated(client, FunctionName);
  await put(FunctionName, { UpdateRuntimeOn: 'Auto' });
  assert.equal((await configure('nodejs24.x')).Runtime, 'nodejs24.x');
});

test('PutRuntimeManagementConfig refuses what is not there', async () => {
  await createActive(server.client, 'few');
  const mode = { UpdateRuntimeOn: 'Auto' } as const;
  for (const [name, Qualifier, arn] of [
    ['unknown', undefined, arnOf('unknown')],
    ['few', '7', `${arnOf('few')}:7`],
    ['few', 'live', `${arnOf('few')}:live`],
    ['few', '$LATEST.PUBLISHED', `${arnOf('few')}:$LATEST.PUBLISHED`],
  ] as const) {
    await assert.rejects(put(name, { Qualifier, ...mode }), {
      name: 'ResourceNotFoundException',
      message: `Function not found: ${arn}`,
    });
  }
  await assert.rejects(put('few:1', { Qualifier: '2', ...mode }), {
    name: 'InvalidParameterValueException',
    message: 'The derived qualifier from the function name does not match the specified qualifier.',
  });
});

test('PutRuntimeManagementConfig takes a runtime version with Manual, and only then', async () => {
  await createActive(server.client, 'strict');
  await assert.rejects(put('strict', { UpdateRuntimeOn: 'Manual' }), {
    name: 'InvalidParameterValueException',
    message: 'RuntimeVersionArn is required when UpdateRuntimeOn is set to Manual.',
  });
  for (const UpdateRuntimeOn of ['Auto', 'FunctionUpdate'] as const) {
    await assert.rejects(put('strict', { UpdateRuntimeOn, RuntimeVersionArn: otherRuntime }), {
      name: 'InvalidParameterValueException',
      message: 'RuntimeVersionArn can only be provided when UpdateRuntimeOn is set to Manual.',
    });
  }
  for (const input of [
    { UpdateRuntimeOn: 'auto' as 'Auto' },
    { UpdateRuntimeOn: undefined as never },
    { UpdateRuntimeOn: 'Manual', RuntimeVersionArn: 'nodejs22.x' },
  ] as const) {
    await assert.rejects(put('strict', input), { name: 'ValidationException' });
  }
  assert.equal(await modeOf('strict'), 'Auto');
});
