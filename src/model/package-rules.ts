/**
 * Which members go with which package type (guide page 003): archives need a runtime and a handler,
 * container images take neither, and neither takes the other's settings.
 */
import { invalidParameterValue } from './errors.ts';
import type { CreateFunctionRequest, ImageConfig } from './generated/api-types.ts';

type PackageRequest = Pick<
  CreateFunctionRequest,
  'Code' | 'Handler' | 'ImageConfig' | 'Layers' | 'PackageType' | 'Runtime' | 'SnapStart'
>;

/** Throws InvalidParameterValue for members that do not go together. */
export function checkPackage(request: PackageRequest): void {
  if (request.PackageType === 'Image') checkImagePackage(request);
  else checkZipPackage(request);
}

function checkZipPackage({ Code, Runtime, Handler, ImageConfig }: PackageRequest): void {
  // These two in the words for updates, which are known (ds-caselaw-data-enrichment-service #337).
  if (Code.ImageUri !== undefined) {
    throw invalidParameterValue(
      "Please don't provide ImageUri when creating a function with packageType Zip.",
    );
  }
  if (hasImageSettings(ImageConfig)) {
    throw invalidParameterValue(
      "Please don't provide ImageConfig when creating a function with packageType Zip.",
    );
  }
  if (Runtime === undefined || Handler === undefined) {
    throw invalidParameterValue(
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
    );
  }
}

/** Whether an ImageConfig says anything: tools send empty ones. */
export function hasImageSettings(config: ImageConfig | undefined): boolean {
  return Object.values(config ?? {}).some((member) => member !== undefined);
}

function checkImagePackage({ Code, Runtime, Handler, Layers, SnapStart }: PackageRequest): void {
  if (SnapStart?.ApplyOn === 'PublishedVersions') {
    throw invalidParameterValue('ContainerImage is not supported for SnapStart enabled functions.');
  }
  if (Runtime !== undefined || Handler !== undefined || (Layers ?? []).length > 0) {
    // pulumi-aws #5439
    throw invalidParameterValue(
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    );
  }
  const { ImageUri, ZipFile, S3Bucket, S3Key, S3ObjectVersion } = Code;
  if (ImageUri === undefined) {
    // The words for updates (appleboy/lambda-action #28).
    throw invalidParameterValue(
      'Please provide ImageUri when creating a function with packageType Image.',
    );
  }
  if ([ZipFile, S3Bucket, S3Key, S3ObjectVersion].some((member) => member !== undefined)) {
    throw invalidParameterValue(
      'Please do not provide other FunctionCode parameters when providing an ImageUri.',
    );
  }
  checkImageUri(ImageUri);
}

/** REGISTRY/NAME, then a tag, a digest or both. */
const imageUriPattern =
  /^[a-z0-9][a-z0-9.-]*(?::\d{1,5})?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
/** Far more than registries allow. */
const imageUriLengthMax = 1024;

/** Throws InvalidParameterValue, in the service's words (modernisation-platform #2419). */
function checkImageUri(uri: string): void {
  if (uri.length <= imageUriLengthMax && imageUriPattern.test(uri)) return;
  throw invalidParameterValue(`Source image ${uri} is not valid. Provide a valid source image.`);
}
