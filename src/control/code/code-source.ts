/**
 * Where a request says that its code is: an archive in the request itself or an object in a bucket.
 * Refusals are in the service's own words where public reports have them.
 */
import { isObjectError, type ObjectError, type ObjectReference } from '../../artifact/objects.ts';
import { ApiError, invalidParameterValue } from '../../model/errors.ts';
import type { ImageReference, S3ObjectVersion } from '../../model/function.ts';
import type { S3ObjectStorageMode } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';

/** The members of CreateFunction's Code, UpdateFunctionCode and a layer's Content that name code. */
export interface CodeMembers {
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
  readonly S3ObjectStorageMode?: S3ObjectStorageMode | undefined;
}

export type CodeSource =
  | { readonly kind: 'archive'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'object';
      readonly reference: ObjectReference;
      /** It stays there (S3ObjectStorageMode REFERENCE): the same object, as functions know it. */
      readonly keptAs: S3ObjectVersion | undefined;
    };

/** Of a function: an archive, wherever it is, or an image. */
export type PackageSource = CodeSource | ImageReference;

/** Whether any member says that the code is in a bucket. */
export function namesBucket(members: CodeMembers): boolean {
  const { S3Bucket, S3Key, S3ObjectVersion, S3ObjectStorageMode } = members;
  return [S3Bucket, S3Key, S3ObjectVersion, S3ObjectStorageMode].some((one) => one !== undefined);
}

/** As codeSourceOf; what goes with an image's address was checked (model/package-rules.ts). */
export function packageSourceOf(
  members: CodeMembers & { readonly ImageUri?: string | undefined },
): PackageSource {
  const { ImageUri: imageUri } = members;
  return imageUri === undefined ? codeSourceOf(members) : { imageUri };
}

/** Throws InvalidParameterValue unless the members name exactly one archive or object. */
export function codeSourceOf(members: CodeMembers): CodeSource {
  const { ZipFile: bytes, S3Bucket: bucket, S3Key: key } = members;
  if (bytes !== undefined && namesBucket(members)) {
    throw invalidParameterValue(
      'Please do not provide other FunctionCode parameters when providing a ZipFile.',
    );
  }
  if (bytes !== undefined) return { kind: 'archive', bytes };
  if (bucket === undefined || key === undefined) {
    throw invalidParameterValue('Please provide a source for function code.');
  }
  if (leadsOut(key)) {
    throw invalidParameterValue(
      'Error occurred while GetObject. The S3 key has more relative elements (..) than elements before them.',
    );
  }
  const { S3ObjectVersion: version } = members;
  const keptAs =
    members.S3ObjectStorageMode === 'REFERENCE' ? kept(bucket, key, version) : undefined;
  return { kind: 'object', reference: { bucket, key, version }, keptAs };
}

/** In our own words: that a version is needed is said in the guide (self-managed S3 code storage). */
function kept(bucket: string, key: string, version: string | undefined): S3ObjectVersion {
  if (version !== undefined) return { bucket, key, version };
  throw invalidParameterValue('S3ObjectVersion is required when S3ObjectStorageMode is REFERENCE.');
}

/**
 * Whether a key has, at any point, more `..` than other elements: no object may (S3 user guide, naming
 * objects), and a store that resolves paths would look outside the bucket for it.
 */
function leadsOut(key: string): boolean {
  let depth = 0;
  for (const element of key.split('/')) {
    if (element === '..') depth -= 1;
    else if (element !== '' && element !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Gives the bytes of the archive to `use`; throws InvalidParameterValue, AccessDenied. */
export async function withArchive<Result>(
  { log, objects, settings }: Pick<ControlContext, 'log' | 'objects' | 'settings'>,
  source: CodeSource,
  use: (archive: Uint8Array) => Promise<Result>,
): Promise<Result> {
  if (source.kind === 'archive') return use(source.bytes);
  if (objects === undefined) {
    throw invalidParameterValue(
      'Code in a bucket needs an S3 endpoint: start this server with the environment variable ' +
        'AWS_ENDPOINT_URL_S3, or send a .zip archive in ZipFile.',
    );
  }
  const { reference } = source;
  const bytesMax = settings.codeUnzippedBytesMax;
  try {
    return await objects.fetch(reference, { bytesMax }, use);
  } catch (error) {
    if (!isObjectError(error)) throw error;
    log.info({ err: error, reference }, 'could not get a code package from its bucket');
    throw refusalOf(error, reference, bytesMax);
  }
}

/** Words: gilt/s3-sftp-bridge #9, terraform #16821; awslabs/lambda-streams-to-firehose #21. */
function refusalOf(
  error: ObjectError,
  { bucket, key }: ObjectReference,
  bytesMax: number,
): ApiError {
  const detail = `S3 Error Code: ${error.storeCode}. S3 Error Message: ${error.message}`;
  if (error.code === 'too-large') return unzippedTooLarge(bytesMax);
  if (error.code === 'unavailable') {
    return invalidParameterValue(
      `Error occurred while GetObject. The S3 endpoint of this server cannot be used: ${error.message}`,
    );
  }
  if (error.storeCode === 'AccessDenied') {
    return new ApiError(
      'AccessDeniedException',
      'Your access has been denied by S3, please make sure your request credentials have ' +
        `permission to GetObject for ${bucket}/${key}. ${detail}`,
    );
  }
  return invalidParameterValue(`Error occurred while GetObject. ${detail}`);
}

/** What an archive unpacks to is more than a function may have. */
export function unzippedTooLarge(bytesMax: number): ApiError {
  return invalidParameterValue(`Unzipped size must be smaller than ${bytesMax} bytes`);
}
