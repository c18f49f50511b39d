import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../../src/testing/zip-builder.ts';
import {
  arnOf,
  createActive,
  functionInput,
  handlerZip,
  role,
  useServer,
  waiting,
} from './server.ts';

const server = useServer();

test('CreateFunction answers 201 with the documented defaults, Pending', async () => {
  const { $metadata: metadata, ...created } = await server.client.send(
    new CreateFunctionCommand(functionInput('defaults')),
  );
  assert.equal(metadata.httpStatusCode, 201);
  assert.equal(created.CodeSha256, createHash('sha256').update(handlerZip).digest('base64'));
  assert.equal(created.FunctionArn, arnOf('defaults'));
  assert.equal(created.Role, role);
  assert.equal(created.Timeout, 3);
  assert.equal(created.MemorySize, 128);
  assert.equal(created.State, 'Pending');
  assert.equal(created.StateReasonCode, 'Creating');
  assert.equal(created.LastUpdateStatus, undefined);
  assert.match(created.LastModified ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  await waitUntilFunctionActiveV2(waiting(server.client), { FunctionName: 'defaults' });
  const active = await server.client.send(
    new GetFunctionConfigurationCommand({ FunctionName: 'defaults' }),
  );
  assert.equal(active.State, 'Active');
  assert.equal(active.LastUpdateStatus, 'Successful');
});

test('CreateFunction with Publish and Tags', async () => {
  const published = await createActive(server.client, 'published', {
    Publish: true,
    Tags: { team: 'a' },
  });
  assert.equal(published.Version, '1');
  assert.equal(published.FunctionArn, arnOf('published'));
  const name = { FunctionName: 'published', Qualifier: '1' };
  await waitUntilPublishedVersionActive(waiting(server.client), name);
  const found = await server.client.send(new GetFunctionCommand(name));
  assert.deepEqual(found.Tags, { team: 'a' });
  assert.equal(found.Configuration?.FunctionArn, `${arnOf('published')}:1`);
});

test('CreateFunction refuses a name that is taken with 409', async () => {
  await createActive(server.client, 'taken');
  await assert.rejects(server.client.send(new CreateFunctionCommand(functionInput('taken'))), {
    name: 'ResourceConflictException',
    message: 'Function already exist: taken',
    $fault: 'client',
  });
});

const bad: readonly [string, Parameters<typeof functionInput>[1], string, RegExp][] = [
  ['MemorySize 127', { MemorySize: 127 }, 'ValidationException', /'memorySize' failed to satisfy/],
  [
    'MemorySize 10241',
    { MemorySize: 10_241 },
    'ValidationException',
    /less than or equal to 10240/,
  ],
  ['Timeout 0', { Timeout: 0 }, 'ValidationException', /'timeout' failed to satisfy/],
  ['Timeout 901', { Timeout: 901 }, 'ValidationException', /less than or equal to 900/],
  ['511 MB of /tmp', { EphemeralStorage: { Size: 511 } }, 'ValidationException', /512/],
  [
    'an unknown runtime',
    { Runtime: 'nodejs99.x' as 'nodejs' },
    'InvalidParameterValueException',
    /nodejs99/,
  ],
  ['a bad variable name', { Environment: { Variables: { '1A': '' } } }, 'ValidationException', /./],
  ['no handler', { Handler: undefined }, 'InvalidParameterValueException', /mandatory/],
  [
    'a reserved variable',
    { Environment: { Variables: { AWS_REGION: 'x', LAMBDA_TASK_ROOT: 'y' } } },
    'InvalidParameterValueException',
    /Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT$/,
  ],
  [
    'what is no archive',
    { Code: { ZipFile: Buffer.from('no archive') } },
    'InvalidParameterValueException',
    /^Could not unzip uploaded file\. Please check your file, then try to upload again\.$/,
  ],
  [
    'a climbing entry',
    { Code: { ZipFile: zipOf({ '../../evil': 'x' }) } },
    'InvalidParameterValueException',
    /^Could not unzip uploaded file.*evil/,
  ],
];

for (const [what, overrides, name, message] of bad) {
  test(`CreateFunction refuses ${what} and makes nothing`, async () => {
    await assert.rejects(
      server.client.send(new CreateFunctionCommand(functionInput('bad', overrides))),
      (error: Error & { $metadata: { httpStatusCode: number } }) => {
        assert.equal(error.name, name);
        assert.match(error.message, message);
        assert.equal(error.$metadata.httpStatusCode, 400);
        return true;
      },
    );
    await assert.rejects(server.client.send(new GetFunctionCommand({ FunctionName: 'bad' })), {
      name: 'ResourceNotFoundException',
    });
  });
}
