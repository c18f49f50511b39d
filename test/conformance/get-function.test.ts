import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, functionInput, handlerZip, useServer } from './server.ts';

const server = useServer();

test('GetFunction gives a link that downloads the archive', async () => {
  await createActive(server.client, 'linked');
  const found = await server.client.send(new GetFunctionCommand({ FunctionName: 'linked' }));
  assert.equal(found.Code?.RepositoryType, 'S3');
  assert.equal(found.Concurrency, undefined);
  assert.equal(found.Tags, undefined);
  const response = await fetch(found.Code?.Location ?? '');
  assert.equal(response.status, 200);
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(handlerZip));
});

test('GetFunctionConfiguration answers for names, ARNs and qualifiers', async () => {
  const name = 'named';
  await createActive(server.client, name, { Publish: true });
  const forms: readonly [string, string | undefined, string][] = [
    [name, undefined, arnOf(name)],
    [`000000000000:function:${name}`, undefined, arnOf(name)],
    [arnOf(name), undefined, arnOf(name)],
    [`${arnOf(name)}:1`, undefined, `${arnOf(name)}:1`],
    [name, '1', `${arnOf(name)}:1`],
    [name, '$LATEST', `${arnOf(name)}:$LATEST`],
    [`${name}:$LATEST`, '$LATEST', `${arnOf(name)}:$LATEST`],
  ];
  for (const [FunctionName, Qualifier, expected] of forms) {
    const command = new GetFunctionConfigurationCommand({ FunctionName, Qualifier });
    assert.equal((await server.client.send(command)).FunctionArn, expected, FunctionName);
  }
});

test('GetFunctionConfiguration refuses what is not there, and qualifiers that differ', async () => {
  await createActive(server.client, 'known');
  const missing: readonly [string, string | undefined, string][] = [
    ['unknown', undefined, arnOf('unknown')],
    ['known', '3', `${arnOf('known')}:3`],
    ['known', 'live', `${arnOf('known')}:live`],
  ];
  for (const [FunctionName, Qualifier, expected] of missing) {
    await assert.rejects(
      server.client.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier })),
      { name: 'ResourceNotFoundException', message: `Function not found: ${expected}` },
    );
  }
  const differing = { FunctionName: 'known:1', Qualifier: '2' };
  await assert.rejects(server.client.send(new GetFunctionConfigurationCommand(differing)), {
    name: 'InvalidParameterValueException',
    message: 'The derived qualifier from the function name does not match the specified qualifier.',
  });
});

test('GetAccountSettings counts what there is', async () => {
  const before = await server.client.send(new GetAccountSettingsCommand({}));
  await server.client.send(new CreateFunctionCommand(functionInput('counted')));
  const after = await server.client.send(new GetAccountSettingsCommand({}));
  assert.equal(after.AccountLimit?.CodeSizeUnzipped, 262_144_000);
  assert.equal(after.AccountLimit?.ConcurrentExecutions, 1000);
  const functions = (before.AccountUsage?.FunctionCount ?? 0) + 1;
  const bytes = (before.AccountUsage?.TotalCodeSize ?? 0) + handlerZip.length;
  assert.deepEqual(after.AccountUsage, { FunctionCount: functions, TotalCodeSize: bytes });
});
