/**
 * Rules of a function's configuration that the service model does not hold: what a setting may be,
 * and which settings need or exclude each other (guide pages 010, 011, 012, 027).
 */
import { isFifo, parseDestinationArn } from './destination-arn.ts';
import { invalidParameterValue } from './errors.ts';
import type { StoredConfiguration } from './function.ts';
import type { FileSystemConfig } from './generated/api-types.ts';
import { limits } from './limits.ts';
import { hasSnapStart } from './runtimes.ts';
import { refuseForTenants } from './tenant-isolation.ts';

/** Throws InvalidParameterValue for a configuration that no function may have. */
export function checkConfiguration(configuration: StoredConfiguration): void {
  const { DeadLetterConfig, FileSystemConfigs = [], SnapStart, VpcConfig } = configuration;
  checkVpc(VpcConfig?.SubnetIds ?? [], VpcConfig?.SecurityGroupIds ?? []);
  if (SnapStart?.ApplyOn === 'PublishedVersions') refuseForTenants('SnapStart', configuration);
  const excluded = excludedBySnapStart(configuration);
  if (excluded !== undefined) {
    throw invalidParameterValue(`${excluded} is not supported for SnapStart enabled functions.`);
  }
  for (const fileSystem of FileSystemConfigs) checkFileSystem(fileSystem, configuration);
  if (DeadLetterConfig?.TargetArn !== undefined) checkDeadLetterTarget(DeadLetterConfig.TargetArn);
}

/** aws-sdk-js #1293. */
function checkVpc(subnets: readonly string[], securityGroups: readonly string[]): void {
  if ((subnets.length === 0) === (securityGroups.length === 0)) return;
  throw invalidParameterValue('SubnetIds and SecurityIds must coexist or be both empty list.');
}

function isS3Files({ Arn }: FileSystemConfig): boolean {
  return Arn.split(':')[2] === 's3files';
}

function checkFileSystem(fileSystem: FileSystemConfig, { VpcConfig }: StoredConfiguration): void {
  if (fileSystem.S3FilesConfig !== undefined && !isS3Files(fileSystem)) {
    throw invalidParameterValue(
      'S3FilesConfig is only valid for an access point of Amazon S3 Files.',
    );
  }
  if ((VpcConfig?.SubnetIds ?? []).length > 0) return;
  throw invalidParameterValue(
    `Function must be configured to execute in a VPC to reference access point ` +
      `${fileSystem.Arn}. Please update the function configuration to include VPC subnets and ` +
      'security groups.',
  );
}

/** What a configuration asks for that does not go together with SnapStart (guide page 012). */
function excludedBySnapStart(configuration: StoredConfiguration): string | undefined {
  const { Runtime: runtime, SnapStart, FileSystemConfigs = [], EphemeralStorage } = configuration;
  if (SnapStart?.ApplyOn !== 'PublishedVersions') return undefined;
  if (runtime === undefined || !hasSnapStart(runtime)) return runtime ?? 'ContainerImage';
  if (EphemeralStorage.Size > limits.ephemeralStorageMbDefault) {
    return `Ephemeral storage greater than ${limits.ephemeralStorageMbDefault} MB`;
  }
  const [fileSystem] = FileSystemConfigs;
  if (fileSystem === undefined) return undefined;
  return isS3Files(fileSystem) ? 'Amazon S3 Files' : 'Amazon EFS';
}

/** Events that were given up go to a standard queue or topic (guide page 027). */
function checkDeadLetterTarget(arn: string): void {
  const target = parseDestinationArn(arn);
  const isKind = target?.kind === 'sqs' || target?.kind === 'sns';
  if (isKind && !isFifo(target)) return;
  throw invalidParameterValue(
    `Invalid dead letter ARN: ${arn} is not the ARN of a standard SQS queue or SNS topic.`,
  );
}
