/**
 * ZipError: why an archive was refused. Callers tell the reasons apart by `code` and put them into
 * the words of their own protocol; the message says which entry is at fault.
 */

export type ZipErrorCode =
  /** Not an archive, or damaged: bad structure, sizes or checksums, an unknown method, encrypted. */
  | 'corrupt'
  /** No entries at all. */
  | 'empty'
  /** A name, link or kind of entry that must not be unpacked. */
  | 'unsafe'
  /** More bytes unpacked than allowed. */
  | 'too-large'
  /** More files and folders than allowed. */
  | 'too-many-entries';

export class ZipError extends Error {
  override readonly name = 'ZipError';
  readonly code: ZipErrorCode;

  constructor(code: ZipErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export function isZipError(error: unknown): error is ZipError {
  return error instanceof Error && error.name === 'ZipError';
}
