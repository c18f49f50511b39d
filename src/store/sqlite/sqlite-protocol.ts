/**
 * What the store and its worker thread say to each other. One batch is under way at a time: the
 * worker reads first, then makes all commits durable together (group commit), then answers once.
 */
import type { EncodedDocument, EncodedOperation } from '../store-input.ts';
import type { StoreErrorCode } from '../store-error.ts';
import type { DocumentKey, ListOptions, Revision } from '../store.ts';

export type ReadRequest =
  | { readonly type: 'get'; readonly key: DocumentKey }
  | { readonly type: 'list'; readonly collection: string; readonly options: ListOptions }
  | { readonly type: 'snapshot'; readonly collections: readonly string[] };

export type CommitOutcome =
  /** `absent`: indexes of deletes that found nothing, and so changed nothing. */
  | {
      readonly type: 'committed';
      readonly revisions: readonly Revision[];
      readonly absent: readonly number[];
    }
  /** The expectation of the operation at `index` was the first that did not hold. */
  | { readonly type: 'conflict'; readonly index: number }
  | { readonly type: 'failed'; readonly code: StoreErrorCode; readonly message: string };

export interface WorkerOptions {
  readonly path: string;
}

export type ToWorker =
  | {
      readonly type: 'batch';
      readonly reads: readonly ReadRequest[];
      readonly commits: readonly (readonly EncodedOperation[])[];
    }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'opened' }
  | { readonly type: 'openFailed'; readonly code: StoreErrorCode; readonly message: string }
  /** Of a snapshot: `read` is its place among the batch's reads. All parts come before the batch's answer. */
  | { readonly type: 'part'; readonly read: number; readonly documents: readonly EncodedDocument[] }
  | {
      readonly type: 'done';
      /** In the order of the batch's `reads`; nothing for a snapshot, whose parts came before. */
      readonly reads: readonly (readonly EncodedDocument[])[];
      /** In the order of the batch's `commits`. */
      readonly commits: readonly CommitOutcome[];
    };
