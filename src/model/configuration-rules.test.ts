import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfiguration } from './configuration-rules.ts';
import type { StoredConfiguration } from './function.ts';
import { limits } from './limits.ts';

const invalid = 'InvalidParameterValueException';
const VpcConfig = { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] };
const efs = {
  Arn: 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0',
  LocalMountPath: '/mnt/x',
};
const s3Files = {
  Arn: 'arn:aws:s3files:us-east-1:000000000000:file-system/fs-0/access-point/fsap-0',
  LocalMountPath: '/mnt/x',
};

function configuration(overrides: Partial<StoredConfiguration> = {}): StoredConfiguration {
  return {
    FunctionName: 'f',
    FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    Version: '$LATEST',
    RevisionId: '0',
    LastModified: '',
    Timeout: 3,
    MemorySize: 128,
    EphemeralStorage: { Size: limits.ephemeralStorageMbDefault },
    CodeSha256: '',
    CodeSize: 1,
    PackageType: 'Zip',
    Role: 'arn:aws:iam::000000000000:role/r',
    Runtime: 'python3.13',
    State: 'Active',
    LastUpdateStatus: 'Successful',
    ...overrides,
  };
}

test('checkConfiguration accepts settings that go together', () => {
  checkConfiguration(configuration());
  checkConfiguration(configuration({ VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } }));
  checkConfiguration(configuration({ VpcConfig, FileSystemConfigs: [efs] }));
  const S3FilesConfig = { DirectS3Read: 'AUTO' as const };
  const FileSystemConfigs = [{ ...s3Files, S3FilesConfig }];
  checkConfiguration(configuration({ VpcConfig, FileSystemConfigs }));
});

const snapStart = { SnapStart: { ApplyOn: 'PublishedVersions' } } as const;
const excluded: readonly [string, Partial<StoredConfiguration>, string][] = [
  ['a runtime without it', { Runtime: 'python3.11' }, 'python3.11'],
  ['an image', { Runtime: undefined as never }, 'ContainerImage'],
  [
    'a larger /tmp',
    { EphemeralStorage: { Size: limits.ephemeralStorageMbDefault + 1 } },
    'Ephemeral storage greater than 512 MB',
  ],
  ['EFS', { VpcConfig, FileSystemConfigs: [efs] }, 'Amazon EFS'],
  ['S3 files', { VpcConfig, FileSystemConfigs: [s3Files] }, 'Amazon S3 Files'],
];

for (const [what, overrides, named] of excluded) {
  test(`checkConfiguration refuses SnapStart with ${what}`, () => {
    checkConfiguration(configuration({ ...overrides, SnapStart: { ApplyOn: 'None' } }));
    assert.throws(() => checkConfiguration(configuration({ ...overrides, ...snapStart })), {
      code: invalid,
      message: `${named} is not supported for SnapStart enabled functions.`,
    });
  });
}

test('checkConfiguration takes standard queues and topics of every partition', () => {
  const check = (TargetArn: string) =>
    checkConfiguration(configuration({ DeadLetterConfig: { TargetArn } }));
  check('arn:aws:sqs:us-east-1:000000000000:q');
  check('arn:aws-cn:sns:cn-north-1:123456789012:t_1-A');
  for (const wrong of [
    'arn:aws:sns:us-east-1:000000000000:t.fifo',
    'arn:aws:sqs:us-east-1:000000000000:q.fifo',
    'arn:aws:sqs:us-east-1:0:q',
    'arn:aws:events:us-east-1:000000000000:event-bus/default',
  ]) {
    assert.throws(() => check(wrong), { code: invalid, message: /^Invalid dead letter ARN: / });
  }
});
