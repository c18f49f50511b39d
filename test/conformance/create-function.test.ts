/** CreateFunction: what it answers and makes, defaults, bounds, and all that it refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionExists,
  waitUntilPublishedVersionActive,
  type CreateFunctionCommandInput,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../../src/testing/zip-builder.ts';
import {
  active,
  configurationOf,
  creating,
  publishChanged,
  sha256Of,
  withRuntimeVersion,
} from './configurations.ts';
import { notFound, refused } from './expect.ts';
import {
  arnOf,
  createActive,
  functionInput,
  membersOf,
  otherZip,
  perTenant,
  untilUpdated,
  useServer,
  waiting,
  type ErrorName,
} from './server.ts';

const server = useServer();

function create(name: string, overrides: Partial<CreateFunctionCommandInput> = {}) {
  return server.client.send(new CreateFunctionCommand(functionInput(name, overrides)));
}

test('it answers 201 with every default, Pending and without an update status', async () => {
  const FunctionName = 'defaults';
  const { $metadata, ...created } = await create(FunctionName);
  assert.equal($metadata.httpStatusCode, 201);
  const expected = configurationOf(FunctionName, created, creating);
  assert.deepEqual(created, withRuntimeVersion(expected, created));
  await waitUntilFunctionExists(waiting(server.client), { FunctionName });
  await waitUntilFunctionActiveV2(waiting(server.client), { FunctionName });
  const reading = new GetFunctionConfigurationCommand({ FunctionName });
  const { $metadata: read, ...found } = await server.client.send(reading);
  assert.equal(read.httpStatusCode, 200);
  assert.equal(found.LastModified, created.LastModified);
  // aws-sdk #377: settling gives another revision.
  assert.notEqual(found.RevisionId, created.RevisionId);
  assert.deepEqual(
    found,
    withRuntimeVersion(configurationOf(FunctionName, found, active), created),
  );
});

test('it answers with every member that the request sets', async () => {
  const FunctionName = 'everything';
  const settings = {
    Runtime: 'python3.13',
    Handler: 'app.main',
    Description: 'all of it',
    Timeout: 900,
    MemorySize: 10_240,
    TracingConfig: { Mode: 'Active' },
    Environment: { Variables: { AA: '1', BB: 'ü' } },
    EphemeralStorage: { Size: 10_240 },
    Architectures: ['arm64'],
    DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
    KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/k',
  } satisfies Partial<CreateFunctionCommandInput>;
  const { $metadata, ...created } = await create(FunctionName, {
    ...settings,
    Code: { ZipFile: otherZip },
    LoggingConfig: { LogFormat: 'JSON' },
    VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
  });
  assert.equal($metadata.httpStatusCode, 201);
  const expected = configurationOf(FunctionName, created, {
    ...creating,
    ...settings,
    CodeSize: otherZip.length,
    CodeSha256: sha256Of(otherZip),
    LoggingConfig: {
      LogFormat: 'JSON',
      LogGroup: `/aws/lambda/${FunctionName}`,
      ApplicationLogLevel: 'INFO',
      SystemLogLevel: 'INFO',
    },
    VpcConfig: {
      SubnetIds: ['subnet-1'],
      SecurityGroupIds: ['sg-1'],
      VpcId: '',
      Ipv6AllowedForDualStack: false,
    },
  });
  assert.deepEqual(created, withRuntimeVersion(expected, created));
});

// floci #2820, #2825: measured on the real service.
test('with Publish it answers as version 1, whose ARN has no number there', async () => {
  const FunctionName = 'published';
  const { $metadata, ...created } = await create(FunctionName, {
    Publish: true,
    Tags: { team: 'a' },
  });
  assert.equal($metadata.httpStatusCode, 201);
  const expected = configurationOf(FunctionName, created, { ...creating, Version: '1' });
  assert.deepEqual(created, withRuntimeVersion(expected, created));
  const name = { FunctionName, Qualifier: '1' };
  await waitUntilPublishedVersionActive(waiting(server.client), name);
  const { Tags } = await server.client.send(new GetFunctionCommand({ FunctionName }));
  assert.deepEqual(Tags, { team: 'a' });
  const { Configuration } = await server.client.send(new GetFunctionCommand(name));
  assert.equal(Configuration?.FunctionArn, `${arnOf(FunctionName)}:1`);
  assert.equal(Configuration.RevisionId, created.RevisionId);
  const listing = new ListVersionsByFunctionCommand({ FunctionName });
  const { Versions = [] } = await server.client.send(listing);
  assert.deepEqual(
    Versions.map(({ Version }) => Version),
    ['$LATEST', '1'],
  );
});

test('tenant isolation is shown wherever the function or a version of it is', async () => {
  const { client } = server;
  const FunctionName = 'tenants';
  const created = membersOf(await create(FunctionName, { ...perTenant, Publish: true }));
  const first = { ...creating, Version: '1', ...perTenant };
  assert.deepEqual(
    created,
    withRuntimeVersion(configurationOf(FunctionName, created, first), created),
  );
  await untilUpdated(client, FunctionName);
  await publishChanged(client, FunctionName, 7);
  for (const Qualifier of [undefined, '1', '2']) {
    const found = await client.send(new GetFunctionCommand({ FunctionName, Qualifier }));
    assert.deepEqual(found.Configuration?.TenancyConfig, perTenant.TenancyConfig);
  }
  const { Functions = [] } = await client.send(new ListFunctionsCommand({}));
  const { Versions = [] } = await client.send(new ListVersionsByFunctionCommand({ FunctionName }));
  const listed = [...Functions.filter((one) => one.FunctionName === FunctionName), ...Versions];
  assert.equal(listed.length, 4);
  for (const { TenancyConfig } of listed) assert.deepEqual(TenancyConfig, perTenant.TenancyConfig);
});

test('a name that is free again starts with a new $LATEST; versions count on', async () => {
  const FunctionName = 'again';
  await createActive(server.client, FunctionName, { Publish: true, Tags: { old: '' } });
  await publishChanged(server.client, FunctionName, 20);
  await server.client.send(new DeleteFunctionCommand({ FunctionName }));
  await createActive(server.client, FunctionName);
  const { Tags, Configuration } = await server.client.send(
    new GetFunctionCommand({ FunctionName }),
  );
  assert.equal(Tags, undefined);
  assert.equal(Configuration?.Timeout, 3);
  const next = await server.client.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(next.Version, '3');
});

test('a name that is taken is refused, whatever the rest, and of many one is made', async () => {
  await createActive(server.client, 'taken');
  for (const form of ['taken', '000000000000:function:taken', arnOf('taken')]) {
    await refused(create(form), 'ResourceConflictException', 'Function already exist: taken');
  }
  const races = Array.from({ length: 8 }, (_, index) => create('raced', { Timeout: index + 1 }));
  const made: (number | undefined)[] = [];
  for (const outcome of await Promise.allSettled(races)) {
    if (outcome.status === 'fulfilled') made.push(outcome.value.Timeout);
    else assert.equal((outcome.reason as Error).name, 'ResourceConflictException');
  }
  assert.equal(made.length, 1);
  assert.equal((await untilUpdated(server.client, 'raced')).Timeout, made[0]);
});

test('values at their bounds are taken', async () => {
  const least = { Timeout: 1, MemorySize: 128, EphemeralStorage: { Size: 512 } };
  const most = {
    Timeout: 900,
    MemorySize: 10_240,
    EphemeralStorage: { Size: 10_240 },
    Description: 'd'.repeat(256),
    Handler: 'h'.repeat(128),
    Tags: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 'v'])),
  };
  for (const [name, overrides] of [
    ['l', least],
    ['m'.repeat(64), most],
  ] as const) {
    const created = await create(name, overrides);
    assert.equal(created.FunctionName, name);
    assert.equal(created.Timeout, overrides.Timeout);
    assert.equal(created.MemorySize, overrides.MemorySize);
  }
});

const bad: readonly [string, Partial<CreateFunctionCommandInput>, ErrorName, RegExp | string][] = [
  ['MemorySize 127', { MemorySize: 127 }, 'ValidationException', /'memorySize' failed to satisfy/],
  ['MemorySize 10241', { MemorySize: 10_241 }, 'ValidationException', /or equal to 10240/],
  ['Timeout 0', { Timeout: 0 }, 'ValidationException', /'timeout' failed to satisfy/],
  ['Timeout 901', { Timeout: 901 }, 'ValidationException', /less than or equal to 900/],
  ['511 MB of /tmp', { EphemeralStorage: { Size: 511 } }, 'ValidationException', /512/],
  ['10241 MB of /tmp', { EphemeralStorage: { Size: 10_241 } }, 'ValidationException', /10240/],
  ['a long description', { Description: 'd'.repeat(257) }, 'ValidationException', /'description'/],
  ['a long handler', { Handler: 'h'.repeat(129) }, 'ValidationException', /'handler'/],
  ['a handler with a space', { Handler: 'a b' }, 'ValidationException', /'handler'/],
  ['a role that is no ARN', { Role: 'admin' }, 'ValidationException', /Value 'admin' at 'role'/],
  [
    'no role',
    { Role: undefined },
    'ValidationException',
    /Value null at 'role'.*must not be null$/,
  ],
  [
    'no code',
    { Code: undefined },
    'ValidationException',
    /Value null at 'code'.*must not be null$/,
  ],
  [
    'two architectures',
    { Architectures: ['x86_64', 'arm64'] },
    'ValidationException',
    /Value '\[x86_64, arm64\]' at 'architectures'.*length less than or equal to 1$/,
  ],
  [
    'an unknown runtime',
    { Runtime: 'nodejs99.x' as 'nodejs' },
    'InvalidParameterValueException',
    /nodejs99/,
  ],
  ['a bad variable name', { Environment: { Variables: { '1A': '' } } }, 'ValidationException', /./],
  ['no handler', { Handler: undefined }, 'InvalidParameterValueException', /mandatory/],
  ['no runtime', { Runtime: undefined }, 'InvalidParameterValueException', /mandatory/],
  [
    'a reserved variable',
    { Environment: { Variables: { AWS_REGION: 'x', LAMBDA_TASK_ROOT: 'y' } } },
    'InvalidParameterValueException',
    /Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT$/,
  ],
  [
    'a source of code that is none',
    { Code: {} },
    'InvalidParameterValueException',
    'Please provide a source for function code.',
  ],
  [
    'two sources of code',
    { Code: { ZipFile: otherZip, S3Bucket: 'bucket', S3Key: 'key' } },
    'InvalidParameterValueException',
    'Please do not provide other FunctionCode parameters when providing a ZipFile.',
  ],
  [
    'what is no archive',
    { Code: { ZipFile: Buffer.from('no archive') } },
    'InvalidParameterValueException',
    'Could not unzip uploaded file. Please check your file, then try to upload again.',
  ],
  [
    'an unknown isolation mode',
    { TenancyConfig: { TenantIsolationMode: 'SHARED' as 'PER_TENANT' } },
    'ValidationException',
    /Value 'SHARED' at 'tenancyConfig.tenantIsolationMode' failed to satisfy/,
  ],
  [
    'no isolation mode',
    { TenancyConfig: { TenantIsolationMode: undefined } },
    'ValidationException',
    /Value null at 'tenancyConfig.tenantIsolationMode'.*must not be null$/,
  ],
  [
    'tenants and SnapStart',
    { ...perTenant, Runtime: 'python3.13', SnapStart: { ApplyOn: 'PublishedVersions' } },
    'InvalidParameterValueException',
    'SnapStart is not supported for functions with tenant isolation mode.',
  ],
  [
    'a climbing entry',
    { Code: { ZipFile: zipOf({ '../../evil': 'x' }) } },
    'InvalidParameterValueException',
    /^Could not unzip uploaded file.*evil/,
  ],
  [
    '50 MiB that are no archive, beside the other members',
    { Code: { ZipFile: Buffer.alloc(50 * 1024 * 1024) } },
    'InvalidParameterValueException',
    /^Could not unzip uploaded file/,
  ],
  [
    'more than 50 MiB of archive',
    { Code: { ZipFile: Buffer.alloc(50 * 1024 * 1024 + 1) } },
    'RequestEntityTooLargeException',
    // aws-extensions-for-dotnet-cli #289
    'Zipped size must be smaller than 52428800 bytes',
  ],
  [
    'a reserved tag',
    { Tags: { 'aws:x': '1' } },
    'InvalidParameterValueException',
    /^Tag keys may not start with 'aws:'/,
  ],
  [
    '51 tags',
    { Tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, ''])) },
    'InvalidParameterValueException',
    'Number of tags exceeds resource tag limit.',
  ],
];

for (const [what, overrides, name, message] of bad) {
  test(`it refuses ${what} and makes nothing`, async () => {
    await refused(create('bad', overrides), name, message);
    await notFound(server.client.send(new GetFunctionCommand({ FunctionName: 'bad' })), 'bad');
  });
}
