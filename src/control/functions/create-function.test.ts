import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Runtime } from '../../model/generated/api-types.ts';
import { limits } from '../../model/limits.ts';
import {
  type ControlRig,
  createControlRig,
  createRequest,
  rigRole,
  rigZip,
} from '../../testing/control-rig.ts';
import { buildZip, zipOf } from '../../testing/zip-builder.ts';

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';
const invalid = 'InvalidParameterValueException';

test('createFunction answers with all defaults and becomes Active', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const { RevisionId: revision, ...created } =
    await rig.control.operations.CreateFunction(createRequest());
  assert.match(revision ?? '', /^[0-9a-f-]{36}$/);
  const sha256 = createHash('sha256').update(rigZip).digest('base64');
  const { RuntimeVersionConfig: runtimeVersion, ...rest } = created;
  assert.match(
    runtimeVersion?.RuntimeVersionArn ?? '',
    /^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/,
  );
  assert.deepEqual(rest, {
    FunctionName: 'rig',
    FunctionArn: arn,
    Runtime: 'nodejs22.x',
    Role: rigRole,
    Handler: 'index.handler',
    CodeSize: rigZip.length,
    Description: '',
    Timeout: 3,
    MemorySize: 128,
    LastModified: '2026-11-23T12:00:00.123+0000',
    CodeSha256: sha256,
    Version: '$LATEST',
    TracingConfig: { Mode: 'PassThrough' },
    State: 'Pending',
    StateReason: 'The function is being created.',
    StateReasonCode: 'Creating',
    PackageType: 'Zip',
    Architectures: ['x86_64'],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/rig' },
  });
  const pending = await rig.control.operations.GetFunctionConfiguration({ FunctionName: 'rig' });
  assert.equal(pending.State, 'Pending');
  assert.equal(pending.LastUpdateStatus, 'InProgress');
  await rig.settle('rig');
  const active = await rig.control.operations.GetFunctionConfiguration({ FunctionName: 'rig' });
  assert.equal(active.State, 'Active');
  assert.equal(active.LastUpdateStatus, 'Successful');
  assert.equal('StateReason' in active, false);
  assert.equal('LastUpdateStatusReason' in active, false);
  assert.notEqual(active.RevisionId, revision);
});

test('createFunction keeps and gives back settings that need nothing here', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const given = {
    Description: 'about',
    Timeout: 900,
    MemorySize: 10_240,
    EphemeralStorage: { Size: 10_240 },
    Architectures: ['arm64' as const],
    Environment: { Variables: { KEY: 'value' } },
    DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
    KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/k',
    TracingConfig: { Mode: 'Active' as const },
    FileSystemConfigs: [
      {
        Arn: 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0',
        LocalMountPath: '/mnt/x',
      },
    ],
  };
  const created = await rig.control.operations.CreateFunction(
    createRequest({
      ...given,
      Runtime: 'python3.13',
      Layers: [],
      SnapStart: { ApplyOn: 'None' },
      LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'DEBUG', LogGroup: 'mine' },
      VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
    }),
  );
  for (const [member, value] of Object.entries(given)) {
    assert.deepEqual(created[member as keyof typeof created], value, member);
  }
  assert.deepEqual(created.SnapStart, { ApplyOn: 'None', OptimizationStatus: 'Off' });
  assert.deepEqual(created.LoggingConfig, {
    LogFormat: 'JSON',
    ApplicationLogLevel: 'INFO',
    SystemLogLevel: 'DEBUG',
    LogGroup: 'mine',
  });
  assert.deepEqual(created.VpcConfig, {
    SubnetIds: ['subnet-1'],
    SecurityGroupIds: ['sg-1'],
    VpcId: '',
    Ipv6AllowedForDualStack: false,
  });
  assert.equal('Layers' in created, false);
});

test('createFunction with Publish makes version 1, active together with $LATEST', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const created = await rig.control.operations.CreateFunction(createRequest({ Publish: true }));
  assert.equal(created.Version, '1');
  assert.equal(created.FunctionArn, arn, 'the service leaves the number out');
  assert.equal(created.State, 'Pending');
  assert.equal('LastUpdateStatus' in created, false);
  await rig.settle('rig');
  const one = await rig.control.operations.GetFunctionConfiguration({
    FunctionName: 'rig',
    Qualifier: '1',
  });
  assert.equal(one.FunctionArn, `${arn}:1`);
  assert.equal(one.State, 'Active');
  assert.equal(one.LastUpdateStatus, 'Successful');
  assert.equal(one.RevisionId, created.RevisionId, 'a version keeps its revision');
});

test('createFunction accepts names and ARNs', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const names = ['a', 'function:b', '000000000000:function:c', arn.replace(':rig', ':d')];
  for (const [index, name] of names.entries()) {
    const created = await rig.control.operations.CreateFunction(
      createRequest({ FunctionName: name }),
    );
    assert.equal(created.FunctionName, 'abcd'[index]);
  }
});

test('createFunction refuses a name that is taken, also in a race, and keeps the first', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const others = Array.from({ length: 5 }, (_, index) => zipOf({ 'index.js': `${index}` }));
  const outcomes = await Promise.allSettled(
    others.map((zip) =>
      rig.control.operations.CreateFunction(createRequest({ Code: { ZipFile: zip } })),
    ),
  );
  const winners = outcomes.filter(({ status }) => status === 'fulfilled');
  assert.equal(winners.length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    assert.equal(outcome.reason.code, 'ResourceConflictException');
    assert.equal(outcome.reason.message, 'Function already exist: rig');
  }
  await rig.settle('rig');
  const code = await rig.codeAfterClose();
  assert.equal(code.trees.length, 1, 'the losers leave no code');
  assert.deepEqual(code.blobs, code.trees);
});

const refusals: readonly [string, Parameters<typeof createRequest>[0], string | RegExp][] = [
  [
    'no runtime',
    { Runtime: undefined },
    'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
  ],
  [
    'no handler',
    { Handler: undefined },
    'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
  ],
  ['no code', { Code: {} }, 'Please provide a source for function code.'],
  [
    'code in a bucket without an endpoint',
    { Code: { S3Bucket: 'b', S3Key: 'k' } },
    'Code in a bucket needs an S3 endpoint: start this server with the environment variable ' +
      'AWS_ENDPOINT_URL_S3, or send a .zip archive in ZipFile.',
  ],
  ['half an object', { Code: { S3Bucket: 'b' } }, 'Please provide a source for function code.'],
  ['two sources', { Code: { ZipFile: rigZip, S3Bucket: 'b' } }, /do not provide other/],
  [
    'an image without a type',
    { Code: { ImageUri: 'x' } },
    "Please don't provide ImageUri when creating a function with packageType Zip.",
  ],
  [
    'a layer that does not exist',
    { Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:x:1'] },
    'Layer version arn:aws:lambda:us-east-1:000000000000:layer:x:1 does not exist.',
  ],
  [
    'six layers',
    { Layers: Array<string>(6).fill('arn:aws:lambda:us-east-1:000000000000:layer:x:1') },
    'Cannot reference more than 5 layers.',
  ],
  [
    'SnapStart for a runtime without it',
    { SnapStart: { ApplyOn: 'PublishedVersions' } },
    'nodejs22.x is not supported for SnapStart enabled functions.',
  ],
  [
    'a file system without a network',
    { FileSystemConfigs: [{ Arn: 'arn:x', LocalMountPath: '/mnt/x' }] },
    /^Function must be configured to execute in a VPC to reference access point arn:x\. /,
  ],
  [
    'log levels of the text format',
    { LoggingConfig: { LogFormat: 'Text', SystemLogLevel: 'WARN' } },
    'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request ' +
      'or change the LogFormat to "JSON" and try again.',
  ],
  [
    '51 tags',
    { Tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, ''])) },
    'Number of tags exceeds resource tag limit.',
  ],
  [
    'a name of 65 characters',
    { FunctionName: 'x'.repeat(65) },
    /at 'functionName' failed to satisfy constraint: .* less than or equal to 64$/,
  ],
  ['a reserved variable', { Environment: { Variables: { AWS_REGION: 'x' } } }, /reserved keys/],
  ['too large an environment', { Environment: { Variables: { A1: 'x'.repeat(4096) } } }, /4KB/],
  ['a reserved tag', { Tags: { 'aws:x': '1' } }, /aws:/],
  [
    'no archive',
    { Code: { ZipFile: Buffer.from('x') } },
    /^Could not unzip.*try to upload again\.$/,
  ],
  ['no bytes', { Code: { ZipFile: Buffer.alloc(0) } }, 'Uploaded file must be a non-empty zip'],
  ['no entries', { Code: { ZipFile: buildZip([]) } }, 'Uploaded file must be a non-empty zip'],
  [
    'a climbing entry',
    { Code: { ZipFile: zipOf({ '../x': 'x' }) } },
    /^Could not unzip .* \(invalid relative path: \.\.\/x\)$/,
  ],
  [
    'too much unzipped',
    {
      Code: {
        ZipFile: buildZip([
          { name: 'a', content: 'x', declaredBytes: limits.codeUnzippedBytesMax + 1 },
        ]),
      },
    },
    'Unzipped size must be smaller than 262144000 bytes',
  ],
  ['a version', { FunctionName: 'rig:1' }, /does not support versions other than \$LATEST/],
  ['durable execution', { DurableConfig: { ExecutionTimeout: 60 } }, /DurableConfig/],
  [
    'SnapStart for tenants',
    {
      Runtime: 'python3.13',
      SnapStart: { ApplyOn: 'PublishedVersions' },
      TenancyConfig: { TenantIsolationMode: 'PER_TENANT' },
    },
    'SnapStart is not supported for functions with tenant isolation mode.',
  ],
];

for (const [what, overrides, message] of refusals) {
  test(`createFunction refuses ${what} and leaves nothing`, async (t) => {
    const rig = await createControlRig();
    t.after(() => rig.close());
    await assert.rejects(rig.control.operations.CreateFunction(createRequest(overrides)), {
      code: invalid,
      message,
    });
    assert.deepEqual((await rig.control.operations.ListFunctions({})).Functions, []);
    assert.deepEqual(await rig.codeAfterClose(), { trees: [], blobs: [] });
  });
}

function refusalOf(runtime: string, newest: string) {
  return {
    code: invalid,
    message:
      `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS ` +
      `Lambda functions. We recommend you use the new runtime (${newest}) while creating or ` +
      'updating functions.',
  };
}

test('createFunction refuses runtimes past their date, those that run here only when that is enforced', async (t) => {
  const nowMs = Date.parse('2026-11-24');
  const rig = await createControlRig({ nowMs });
  t.after(() => rig.close());
  const create = ({ control }: ControlRig, Runtime: Runtime) =>
    control.operations.CreateFunction(
      createRequest({ FunctionName: Runtime.replace('.', '-'), Runtime }),
    );
  for (const runtime of ['nodejs16.x', 'nodejs6.10'] as const) {
    await assert.rejects(create(rig, runtime), refusalOf(runtime, 'nodejs24.x'));
  }
  await assert.rejects(create(rig, 'python3.8'), refusalOf('python3.8', 'python3.14'));
  await create(rig, 'nodejs18.x');
  const strict = await createControlRig({ nowMs, enforceRuntimeDeprecation: true });
  t.after(() => strict.close());
  await assert.rejects(create(strict, 'nodejs18.x'), refusalOf('nodejs18.x', 'nodejs24.x'));
  await create(strict, 'nodejs22.x');
});

test('createFunction refuses an archive over 50 MB', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const ZipFile = Buffer.alloc(limits.codeZippedBytesMax + 1);
  await assert.rejects(
    rig.control.operations.CreateFunction(createRequest({ Code: { ZipFile } })),
    {
      code: 'RequestEntityTooLargeException',
      message: 'Zipped size must be smaller than 52428800 bytes',
    },
  );
});

test('createFunction refuses code over the account quota', async (t) => {
  const rig = await createControlRig({ codeStorageBytesMax: rigZip.length * 2 });
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest({ FunctionName: 'one' }));
  await rig.control.operations.CreateFunction(createRequest({ FunctionName: 'two' }));
  await assert.rejects(
    rig.control.operations.CreateFunction(createRequest({ FunctionName: 'three' })),
    {
      code: 'CodeStorageExceededException',
    },
  );
});
