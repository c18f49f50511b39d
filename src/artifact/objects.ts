/**
 * Objects: code packages that lie in a bucket of an object store, fetched once and then kept as our
 * own. Seam between the control plane and the S3 client (s3-objects.ts).
 */

/** Names one object. */
export interface ObjectReference {
  readonly bucket: string;
  readonly key: string;
  /** One of its versions; the latest without it. */
  readonly version: string | undefined;
}

export interface FetchOptions {
  /** A larger object is refused, before it is downloaded where the store tells its size. */
  readonly bytesMax: number;
}

export interface Objects {
  /**
   * Downloads an object and gives its bytes to `use`, for one object at a time: what is slow is
   * written to disk, memory holds one package. Rejects with an ObjectError, or as `use` does.
   */
  fetch<Result>(
    reference: ObjectReference,
    options: FetchOptions,
    use: (bytes: Uint8Array) => Promise<Result>,
  ): Promise<Result>;
}

export type ObjectErrorCode =
  /** The store answered with an error of its own: `storeCode` and the message are the store's. */
  | 'refused'
  | 'too-large'
  /** No answer, an answer that is none, or one that took too long; the message says which. */
  | 'unavailable';

export class ObjectError extends Error {
  override readonly name = 'ObjectError';
  readonly code: ObjectErrorCode;
  /** For `refused`: 'NoSuchKey' and its like. */
  readonly storeCode: string;

  constructor(
    code: ObjectErrorCode,
    message: string,
    options: { readonly storeCode?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.storeCode = options.storeCode ?? '';
  }
}

export function isObjectError(error: unknown): error is ObjectError {
  return error instanceof Error && error.name === 'ObjectError';
}
