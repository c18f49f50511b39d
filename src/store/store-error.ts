/**
 * Operating errors of a store: expected, told apart by `code`, never by class. What the caller did
 * wrong (a key of two partitions, a value that is not JSON) is a programmer error and asserts.
 */

export type StoreErrorCode =
  /** One document's value is larger than `storeBounds.valueBytesMax`. */
  | 'ValueTooLarge'
  /** A commit has more operations or more bytes than `storeBounds` allows. */
  | 'CommitTooLarge'
  /** Too many calls are waiting; this one was not begun and may be tried again later. */
  | 'Overloaded'
  /** The device is full: the commit was undone; the store goes on. */
  | 'StorageFull'
  /** The store was closed, by its owner. */
  | 'Closed'
  /** The engine failed. For a commit under way it is unknown whether it is durable. Final. */
  | 'Failed'
  /** The database was written by a newer Hearth. */
  | 'SchemaTooNew'
  /** The file exists and is some other program's, or no database at all. */
  | 'NotAStore';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
