/**
 * Store: durable documents with revisions, the first of the three storage seams (ADR 0006).
 *
 * A document lives in a collection, under a partition (a function's name: the unit of atomicity)
 * and an id within it. Every write is a compare-and-set on the document's revision. A commit is
 * atomic within one partition only, so that a distributed engine can stand behind the same
 * interface. The change feed delivers every committed change once, in commit order, and is how the
 * data plane learns of configuration: it never reads the store on the request path (ADR 0007).
 */

/** Increases with every write to the store; 0 is never used. */
export type Revision = number;

export interface DocumentKey {
  readonly collection: string;
  readonly partition: string;
  /** Empty for the only document of its collection in the partition. */
  readonly id: string;
}

export interface StoredDocument<Value = unknown> extends DocumentKey {
  readonly revision: Revision;
  /** JSON-compatible. */
  readonly value: Value;
}

/** What a write requires of the document's present state. */
export type Expectation = 'absent' | 'any' | { readonly revision: Revision };

export type WriteOperation =
  | {
      readonly type: 'put';
      readonly key: DocumentKey;
      readonly value: unknown;
      readonly expect: Expectation;
    }
  | { readonly type: 'delete'; readonly key: DocumentKey; readonly expect: Expectation };

export type CommitResult =
  /** Durable. `revisions[i]` is the revision that `operations[i]` gave its document (also for a delete). */
  | { readonly ok: true; readonly revisions: readonly Revision[] }
  /** Nothing was written: `conflict` is the first key whose expectation did not hold. */
  | { readonly ok: false; readonly conflict: DocumentKey };

export interface ListOptions {
  /** Only documents of this partition. */
  readonly partition?: string;
  /** Start strictly after this key, in (partition, id) order. */
  readonly after?: { readonly partition: string; readonly id: string };
  /** At most this many documents. */
  readonly limit: number;
}

export type Change =
  | { readonly type: 'put'; readonly document: StoredDocument }
  | { readonly type: 'delete'; readonly key: DocumentKey; readonly revision: Revision };

export interface Subscription {
  close(): void;
}

export interface Store {
  get<Value>(key: DocumentKey): Promise<StoredDocument<Value> | undefined>;
  /** Documents of a collection ordered by (partition, id), compared as UTF-8 bytes. */
  list<Value>(collection: string, options: ListOptions): Promise<StoredDocument<Value>[]>;
  /**
   * Applies all operations, or none. All keys must share one partition. Resolves only once the
   * writes are durable; rejects when the engine failed and nothing is known to be written.
   */
  commit(operations: readonly WriteOperation[]): Promise<CommitResult>;
  /**
   * Calls `listener` first with a `put` for every document of the collections, in their order and in as
   * many calls as they take, then with every later change in commit order. A commit's changes are
   * delivered together, in one call, and before that commit's promise resolves. Resolves once all
   * that was there was delivered.
   */
  watch(
    collections: readonly string[],
    listener: (changes: readonly Change[]) => void,
  ): Promise<Subscription>;
  close(): Promise<void>;
}
