/**
 * Takes in a code package: checks it by unpacking it, stores it durably, and holds it until the
 * function that wants it is written. The words of the refusals are the service's own.
 */
import { createHash } from 'node:crypto';
import { isZipError, type ZipError } from '../../artifact/zip-error.ts';
import { ApiError, invalidParameterValue } from '../../model/errors.ts';
import {
  isImage,
  type CodeReference,
  type PackageReference,
  type S3ObjectVersion,
} from '../../model/function.ts';
import { defined } from '../omit-members.ts';
import type { ControlContext } from '../control-context.ts';
import {
  unzippedTooLarge,
  withArchive,
  type CodeSource,
  type PackageSource,
} from './code-source.ts';

/** Hashed in place below this size: a millisecond or two. */
const INLINE_HASH_BYTES_MAX = 1024 * 1024;

export interface Staged<Reference extends PackageReference> {
  readonly code: Reference;
  /** Lets go of the code: it is removed again if no function has it by then. Exactly once. */
  release(): void;
}

export interface StageOptions {
  /** How often the account will have the package once it is written: 2 with a version made of it. */
  readonly copies: number;
  /** What the write takes away from the account's code. */
  readonly replacedBytes: number;
}

/** As stageCode, of a function's package; of an image there is nothing to take in. */
export async function stagePackage(
  context: ControlContext,
  source: PackageSource,
  options: StageOptions,
): Promise<Staged<PackageReference>> {
  return isImage(source) ? { code: source, release() {} } : stageCode(context, source, options);
}

/**
 * Fetches, checks, unpacks and stores a package. Throws InvalidParameterValue,
 * RequestEntityTooLarge, CodeStorageExceeded, AccessDenied.
 */
export async function stageCode(
  context: ControlContext,
  source: CodeSource,
  { copies, replacedBytes }: StageOptions = { copies: 1, replacedBytes: 0 },
): Promise<Staged<CodeReference>> {
  checkSent(context, source);
  return withArchive(context, source, async (archive) => {
    const storedBytes = keptAs(source) === undefined ? archive.byteLength * copies : 0;
    const giveBack = context.codeStorage.take(storedBytes - replacedBytes);
    try {
      const { code, release } = await stage(context, archive, source, { durable: true });
      return {
        code,
        release() {
          giveBack();
          release();
        },
      };
    } catch (error) {
      giveBack();
      throw error;
    }
  });
}

/** As stagePackage, but nothing is kept: for a dry run. */
export async function checkPackageSource(
  context: ControlContext,
  source: PackageSource,
): Promise<PackageReference> {
  if (isImage(source)) return source;
  checkSent(context, source);
  const staged = await withArchive(context, source, (archive) =>
    stage(context, archive, source, { durable: false }),
  );
  staged.release();
  return staged.code;
}

/** Archives in requests have a quota of their own. */
function checkSent({ settings }: ControlContext, source: CodeSource): void {
  if (source.kind !== 'archive') return;
  if (source.bytes.byteLength <= settings.codeZippedBytesMax) return;
  throw new ApiError(
    'RequestEntityTooLargeException',
    `Zipped size must be smaller than ${settings.codeZippedBytesMax} bytes`,
  );
}

async function stage(
  { log, blobs, codeTrees, sweeper, settings }: ControlContext,
  archive: Uint8Array,
  source: CodeSource,
  { durable }: { readonly durable: boolean },
): Promise<Staged<CodeReference>> {
  const unzippedBytesMax = settings.codeUnzippedBytesMax;
  const hash = await sha256(archive);
  const release = await sweeper.hold(hash);
  try {
    const { unzippedBytes } = await codeTrees.put(hash, archive, { unzippedBytesMax });
    if (durable) await blobs.put(archive);
    const code = { hash, zippedBytes: archive.byteLength, unzippedBytes };
    return { code: { ...code, ...defined({ s3Object: keptAs(source) }) }, release };
  } catch (error) {
    release();
    if (!isZipError(error)) throw error;
    log.info({ reason: error.code, detail: error.message }, 'refused a code package');
    throw zipRefusal(error, unzippedBytesMax);
  }
}

function keptAs(source: CodeSource): S3ObjectVersion | undefined {
  return source.kind === 'object' ? source.keptAs : undefined;
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

function zipRefusal(error: ZipError, unzippedBytesMax: number): ApiError {
  switch (error.code) {
    case 'corrupt':
      return invalidParameterValue(couldNotUnzip);
    case 'empty':
      return invalidParameterValue('Uploaded file must be a non-empty zip');
    case 'too-large':
      return unzippedTooLarge(unzippedBytesMax);
    case 'unsafe':
    case 'too-many-entries':
      // No words of the service are known for these: its general ones, and what is wrong.
      return invalidParameterValue(`${couldNotUnzip} (${error.message})`);
  }
}
