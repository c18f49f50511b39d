/** VpcConfig and FileSystemConfigs: kept, given back, cleared, and what they need. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  type FileSystemConfig,
  type FunctionConfiguration,
  type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda';
import { createActive, functionInput, untilUpdated, useServer } from './server.ts';

const server = useServer();
const network = { SubnetIds: ['subnet-0a1', 'subnet-0a2'], SecurityGroupIds: ['sg-0b1'] };
const none = { SubnetIds: [], SecurityGroupIds: [], VpcId: '', Ipv6AllowedForDualStack: false };
const efs: FileSystemConfig = {
  Arn: 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0',
  LocalMountPath: '/mnt/shared',
};
const s3Files: FileSystemConfig = {
  Arn: 'arn:aws:s3files:us-east-1:000000000000:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0',
  LocalMountPath: '/mnt/objects',
  S3FilesConfig: { DirectS3Read: 'DISABLED' },
};
const invalid = 'InvalidParameterValueException';

async function update(
  FunctionName: string,
  input: Omit<UpdateFunctionConfigurationCommandInput, 'FunctionName'>,
): Promise<FunctionConfiguration> {
  await server.client.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...input }));
  await untilUpdated(server.client, FunctionName);
  return server.client.send(new GetFunctionConfigurationCommand({ FunctionName }));
}

test('a network is given back by create, get and the version published from it', async () => {
  const VpcConfig = { ...network, Ipv6AllowedForDualStack: true };
  const expected = { ...VpcConfig, VpcId: '' };
  const created = await createActive(server.client, 'network', { VpcConfig });
  assert.deepEqual(created.VpcConfig, expected);
  const FunctionName = 'network';
  const found = await server.client.send(new GetFunctionConfigurationCommand({ FunctionName }));
  assert.deepEqual(found.VpcConfig, expected);
  const version = await server.client.send(new PublishVersionCommand({ FunctionName }));
  assert.deepEqual(version.VpcConfig, expected);
});

test('a function that never had a network has no such member', async () => {
  const created = await createActive(server.client, 'plain');
  assert.equal(created.VpcConfig, undefined);
  assert.equal(created.FileSystemConfigs, undefined);
});

test('an update keeps the network, changes parts of it, and clears it with empty lists', async () => {
  const name = 'moving';
  await createActive(server.client, name, { VpcConfig: network });
  const kept = { ...network, VpcId: '', Ipv6AllowedForDualStack: false };
  assert.deepEqual((await update(name, { Timeout: 9 })).VpcConfig, kept);
  const dual = await update(name, { VpcConfig: { Ipv6AllowedForDualStack: true } });
  assert.deepEqual(dual.VpcConfig, { ...kept, Ipv6AllowedForDualStack: true });
  const other = await update(name, { VpcConfig: { SubnetIds: ['subnet-9'] } });
  assert.deepEqual(other.VpcConfig?.SubnetIds, ['subnet-9']);
  const cleared = await update(name, {
    VpcConfig: { SubnetIds: [], SecurityGroupIds: [], Ipv6AllowedForDualStack: false },
  });
  assert.deepEqual(cleared.VpcConfig, none);
});

test('subnets and security groups go together', async () => {
  const error = {
    name: invalid,
    message: 'SubnetIds and SecurityIds must coexist or be both empty list.',
  };
  for (const VpcConfig of [
    { SubnetIds: ['subnet-1'] },
    { SecurityGroupIds: ['sg-1'] },
    { SubnetIds: ['subnet-1'], SecurityGroupIds: [] },
  ]) {
    const input = functionInput('half', { VpcConfig });
    await assert.rejects(server.client.send(new CreateFunctionCommand(input)), error);
  }
  await createActive(server.client, 'whole', { VpcConfig: network });
  await assert.rejects(update('whole', { VpcConfig: { SecurityGroupIds: [] } }), error);
});

test('16 subnets and 5 security groups are the most', async () => {
  const subnets = Array.from({ length: 17 }, (_, index) => `subnet-${index}`);
  const groups = Array.from({ length: 6 }, (_, index) => `sg-${index}`);
  const most = { SubnetIds: subnets.slice(0, 16), SecurityGroupIds: groups.slice(0, 5) };
  const created = await createActive(server.client, 'most', { VpcConfig: most });
  assert.equal(created.VpcConfig?.SubnetIds?.length, 16);
  for (const more of [{ SubnetIds: subnets }, { SecurityGroupIds: groups }]) {
    await assert.rejects(update('most', { VpcConfig: { ...most, ...more } }), {
      name: 'ValidationException',
      message: /Member must have length less than or equal to (16|5)$/,
    });
  }
});

test('file systems of both kinds are given back and cleared with an empty list', async () => {
  const name = 'files';
  const created = await createActive(server.client, name, {
    VpcConfig: network,
    FileSystemConfigs: [efs],
  });
  assert.deepEqual(created.FileSystemConfigs, [efs]);
  assert.deepEqual((await update(name, { Timeout: 9 })).FileSystemConfigs, [efs]);
  const other = await update(name, { FileSystemConfigs: [s3Files] });
  assert.deepEqual(other.FileSystemConfigs, [s3Files]);
  assert.equal((await update(name, { FileSystemConfigs: [] })).FileSystemConfigs, undefined);
});

test('a file system needs a network, when it is set and as long as it is', async () => {
  const error = {
    name: invalid,
    message:
      `Function must be configured to execute in a VPC to reference access point ${efs.Arn}. ` +
      'Please update the function configuration to include VPC subnets and security groups.',
  };
  const input = functionInput('outside', { FileSystemConfigs: [efs] });
  await assert.rejects(server.client.send(new CreateFunctionCommand(input)), error);
  await createActive(server.client, 'inside', { VpcConfig: network, FileSystemConfigs: [efs] });
  const VpcConfig = { SubnetIds: [], SecurityGroupIds: [] };
  await assert.rejects(update('inside', { VpcConfig }), error);
  await update('inside', { VpcConfig, FileSystemConfigs: [] });
});

const badFileSystems: readonly [string, FileSystemConfig[], string, RegExp][] = [
  ['two', [efs, s3Files], 'ValidationException', /less than or equal to 1$/],
  ['a path elsewhere', [{ ...efs, LocalMountPath: '/data' }], 'ValidationException', /\/mnt\//],
  ['another kind of ARN', [{ ...efs, Arn: 'arn:aws:s3:::b' }], 'ValidationException', /pattern/],
  [
    'settings of S3 files for EFS',
    [{ ...efs, S3FilesConfig: { DirectS3Read: 'AUTO' } }],
    invalid,
    /S3FilesConfig is only valid/,
  ],
];

for (const [what, FileSystemConfigs, name, message] of badFileSystems) {
  test(`file systems: ${what} is refused`, async () => {
    const input = functionInput('bad', { VpcConfig: network, FileSystemConfigs });
    await assert.rejects(server.client.send(new CreateFunctionCommand(input)), { name, message });
  });
}
