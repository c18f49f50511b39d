/**
 * The listeners of one store: hands each commit's changes, in the order they are published, to every
 * subscription that asked for their collection. Each listener gets values of its own, so that none
 * can alter what another sees.
 */
import { decodeDocument, type EncodedDocument } from './store-input.ts';
import type { Change, DocumentKey, Revision, Subscription } from './store.ts';

export type EncodedChange =
  | { readonly type: 'put'; readonly document: EncodedDocument }
  | { readonly type: 'delete'; readonly key: DocumentKey; readonly revision: Revision };

export type ChangeListener = (changes: readonly Change[]) => void;

interface Subscriber {
  readonly collections: ReadonlySet<string>;
  readonly listener: ChangeListener;
}

export class ChangeFeed {
  readonly #subscribers = new Set<Subscriber>();

  /** Delivers every commit published from now on. What is there already is delivered before. */
  subscribe(collections: readonly string[], listener: ChangeListener): Subscription {
    const subscriber: Subscriber = { collections: new Set(collections), listener };
    this.#subscribers.add(subscriber);
    return { close: () => void this.#subscribers.delete(subscriber) };
  }

  /** Delivers one commit's changes. */
  publish(changes: readonly EncodedChange[]): void {
    for (const subscriber of [...this.#subscribers]) {
      if (this.#subscribers.has(subscriber)) this.#deliver(subscriber, changes);
    }
  }

  close(): void {
    this.#subscribers.clear();
  }

  #deliver({ collections, listener }: Subscriber, changes: readonly EncodedChange[]): void {
    const wanted = changes.filter((change) => collections.has(collectionOf(change)));
    if (wanted.length > 0) call(listener, wanted.map(decodeChange));
  }
}

/** Delivers a part of what a new subscriber finds there. */
export function deliverPresent(
  listener: ChangeListener,
  documents: readonly EncodedDocument[],
): void {
  if (documents.length === 0) return;
  call(
    listener,
    documents.map((document) => decodeChange({ type: 'put', document })),
  );
}

function call(listener: ChangeListener, changes: readonly Change[]): void {
  try {
    listener(changes);
  } catch (error) {
    // A listener that throws is a programmer error and ends the process, but not from inside the
    // store's own bookkeeping: the commit is durable and its promise is still owed.
    queueMicrotask(() => {
      throw error;
    });
  }
}

function collectionOf(change: EncodedChange): string {
  return change.type === 'put' ? change.document.collection : change.key.collection;
}

function decodeChange(change: EncodedChange): Change {
  if (change.type === 'delete') return { ...change, key: { ...change.key } };
  return { type: 'put', document: decodeDocument(change.document) };
}
