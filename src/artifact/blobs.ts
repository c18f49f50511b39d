/**
 * Blobs: content-addressed bytes (code packages, layers), one of the three storage seams (ADR 0006).
 *
 * A blob is named by the SHA-256 of its bytes, so writing the same bytes twice is one blob and a
 * half-written blob can never carry a valid name. `put` returns only once the bytes are durable.
 */
import type { Readable } from 'node:stream';

/** SHA-256 of the bytes as 64 lower-case hexadecimal digits. */
export type BlobHash = string;

export interface BlobInfo {
  readonly hash: BlobHash;
  readonly sizeBytes: number;
}

export interface Blobs {
  /** Stores bytes durably; a no-op when they are there already. */
  put(bytes: Uint8Array): Promise<BlobInfo>;
  /** The whole blob, or undefined when there is none of that name. */
  get(hash: BlobHash): Promise<Buffer | undefined>;
  /** A stream of the blob's bytes, or undefined when there is none of that name. */
  open(hash: BlobHash): Promise<{ sizeBytes: number; stream: Readable } | undefined>;
  has(hash: BlobHash): Promise<boolean>;
  /** Every stored blob, in no particular order. */
  list(): AsyncIterable<BlobInfo>;
  /** Removes a blob; a no-op when there is none of that name. */
  delete(hash: BlobHash): Promise<void>;
}
