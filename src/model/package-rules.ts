/**
 * Which members go with which package type (guide page 003): archives need a runtime and a handler,
 * container images take neither, and neither takes the other's settings. A function's package type
 * never changes.
 */
import { invalidParameterValue } from './errors.ts';
import type {
  CreateFunctionRequest,
  UpdateFunctionCodeRequest,
  UpdateFunctionConfigurationRequest,
} from './generated/api-types.ts';
import { checkImageUri } from './image-uri.ts';

type PackageType = 'Image' | 'Zip';
type PackageRequest = Pick<
  CreateFunctionRequest,
  'Code' | 'Handler' | 'ImageConfig' | 'Layers' | 'PackageType' | 'Runtime' | 'SnapStart'
>;
type PackageSettings = Pick<
  UpdateFunctionConfigurationRequest,
  'Handler' | 'ImageConfig' | 'Layers' | 'Runtime'
>;
type PackageCode = Pick<
  UpdateFunctionCodeRequest,
  'ImageUri' | 'S3Bucket' | 'S3Key' | 'S3ObjectStorageMode' | 'S3ObjectVersion' | 'ZipFile'
>;

/** Throws InvalidParameterValue for members of a new function that do not go together. */
export function checkPackage(request: PackageRequest): void {
  const { Code, Runtime, Handler, SnapStart } = request;
  if (request.PackageType === 'Image') {
    if (SnapStart?.ApplyOn === 'PublishedVersions') {
      throw invalidParameterValue(
        'ContainerImage is not supported for SnapStart enabled functions.',
      );
    }
    checkImageSettings(request);
    checkImageCode(Code, 'creating');
    return;
  }
  checkArchiveCode(Code, 'creating');
  checkArchiveSettings(request, 'creating');
  if (Runtime === undefined || Handler === undefined) {
    throw invalidParameterValue(
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
    );
  }
}

/** Throws InvalidParameterValue for code that a function of this type cannot get. */
export function checkPackageCode(type: PackageType, code: PackageCode): void {
  if (type === 'Image') checkImageCode(code, 'updating');
  else checkArchiveCode(code, 'updating');
}

/** Throws InvalidParameterValue for settings that a function of this type cannot get. */
export function checkPackageSettings(type: PackageType, settings: PackageSettings): void {
  if (type === 'Image') checkImageSettings(settings);
  else checkArchiveSettings(settings, 'updating');
}

type Change = 'creating' | 'updating';

/** The words for updates are known (ds-caselaw-data-enrichment-service #337). */
function checkArchiveCode({ ImageUri }: PackageCode, change: Change): void {
  if (ImageUri === undefined) return;
  throw invalidParameterValue(
    `Please don't provide ImageUri when ${change} a function with packageType Zip.`,
  );
}

/** As checkArchiveCode. Tools send empty ImageConfigs: they say nothing. */
function checkArchiveSettings({ ImageConfig }: PackageSettings, change: Change): void {
  if (!Object.values(ImageConfig ?? {}).some((member) => member !== undefined)) return;
  throw invalidParameterValue(
    `Please don't provide ImageConfig when ${change} a function with packageType Zip.`,
  );
}

/** pulumi-aws #5439. */
function checkImageSettings({ Runtime, Handler, Layers = [] }: PackageSettings): void {
  if (Runtime === undefined && Handler === undefined && Layers.length === 0) return;
  throw invalidParameterValue(
    "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
  );
}

/** In the words for updates (appleboy/lambda-action #28). */
function checkImageCode(code: PackageCode, change: Change): void {
  const { ImageUri, ZipFile, S3Bucket, S3Key, S3ObjectVersion, S3ObjectStorageMode } = code;
  if (ImageUri === undefined) {
    throw invalidParameterValue(
      `Please provide ImageUri when ${change} a function with packageType Image.`,
    );
  }
  const others = [ZipFile, S3Bucket, S3Key, S3ObjectVersion, S3ObjectStorageMode];
  if (others.some((member) => member !== undefined)) {
    throw invalidParameterValue(
      'Please do not provide other FunctionCode parameters when providing an ImageUri.',
    );
  }
  checkImageUri(ImageUri);
}
