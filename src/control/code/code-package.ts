/**
 * Takes in a code package: checks it by unpacking it, stores it durably, and holds it until the
 * function that wants it is written. The words of the refusals are the service's own.
 */
import { createHash } from 'node:crypto';
import { isZipError, type ZipError } from '../../artifact/zip-error.ts';
import { ApiError, codeStorageExceeded, invalidParameterValue } from '../../model/errors.ts';
import type { CodeReference } from '../../model/function.ts';
import { limits } from '../../model/limits.ts';
import type { ControlContext } from '../control-context.ts';

/** Hashed in place below this size: a millisecond or two. */
const INLINE_HASH_BYTES_MAX = 1024 * 1024;

export interface CodeSource {
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
  readonly ImageUri?: string | undefined;
}

export interface StagedCode {
  readonly code: CodeReference;
  /** Lets go of the code: it is removed again if no function has it by then. Exactly once. */
  release(): void;
}

/** The archive that a request brings; throws InvalidParameterValue for every other source. */
export function archiveOf(source: CodeSource): Uint8Array {
  const fromBucket =
    source.S3Bucket !== undefined ||
    source.S3Key !== undefined ||
    source.S3ObjectVersion !== undefined;
  if (source.ImageUri !== undefined) {
    throw invalidParameterValue(
      'Container images are not supported by this server yet: send a .zip archive in ZipFile.',
    );
  }
  if (source.ZipFile !== undefined && fromBucket) {
    throw invalidParameterValue(
      'Please do not provide other FunctionCode parameters when providing a ZipFile.',
    );
  }
  if (fromBucket) {
    throw invalidParameterValue(
      'Code in a bucket is not supported by this server yet: send a .zip archive in ZipFile.',
    );
  }
  if (source.ZipFile === undefined) {
    throw invalidParameterValue('Please provide a source for function code.');
  }
  return source.ZipFile;
}

/**
 * Checks, unpacks and stores an archive. Throws InvalidParameterValue, RequestEntityTooLarge,
 * CodeStorageExceeded.
 */
export async function stageCode(context: ControlContext, archive: Uint8Array): Promise<StagedCode> {
  if (archive.byteLength > limits.codeZippedBytesMax) {
    throw new ApiError(
      'RequestEntityTooLargeException',
      `Zipped size must be smaller than ${limits.codeZippedBytesMax} bytes`,
    );
  }
  const { catalog, settings } = context;
  if (catalog.usage.codeBytes + archive.byteLength > settings.codeStorageBytesMax) {
    throw codeStorageExceeded();
  }
  return stage(context, archive, { durable: true });
}

/** As stageCode, but nothing is kept: for a dry run. */
export async function checkCode(
  context: ControlContext,
  archive: Uint8Array,
): Promise<CodeReference> {
  const staged = await stage(context, archive, { durable: false });
  staged.release();
  return staged.code;
}

async function stage(
  { log, blobs, codeTrees, sweeper }: ControlContext,
  archive: Uint8Array,
  { durable }: { readonly durable: boolean },
): Promise<StagedCode> {
  const hash = await sha256(archive);
  const release = await sweeper.hold(hash);
  try {
    const { unzippedBytes } = await codeTrees.put(hash, archive);
    if (durable) await blobs.put(archive);
    return { code: { hash, zippedBytes: archive.byteLength, unzippedBytes }, release };
  } catch (error) {
    release();
    if (!isZipError(error)) throw error;
    log.info({ reason: error.code, detail: error.message }, 'refused a code package');
    throw zipRefusal(error);
  }
}

async function sha256(bytes: Uint8Array): Promise<string> {
  if (bytes.byteLength <= INLINE_HASH_BYTES_MAX) {
    return createHash('sha256').update(bytes).digest('hex');
  }
  // Off the event loop's thread.
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}

const couldNotUnzip =
  'Could not unzip uploaded file. Please check your file, then try to upload again.';

function zipRefusal(error: ZipError): ApiError {
  switch (error.code) {
    case 'corrupt':
      return invalidParameterValue(couldNotUnzip);
    case 'empty':
      return invalidParameterValue('Uploaded file must be a non-empty zip');
    case 'too-large':
      return invalidParameterValue(
        `Unzipped size must be smaller than ${limits.codeUnzippedBytesMax} bytes`,
      );
    case 'unsafe':
    case 'too-many-entries':
      // No words of the service are known for these: its general ones, and what is wrong.
      return invalidParameterValue(`${couldNotUnzip} (${error.message})`);
  }
}
