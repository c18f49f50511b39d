/**
 * A store without a disk, for tests and simulation: passes the same contract suite as the real ones.
 * What outlives a close is the image, so that a test can open it again as after a restart.
 */
import {
  ChangeFeed,
  deliverPresent,
  type ChangeListener,
  type EncodedChange,
} from '../store/change-feed.ts';
import { compareUtf8 } from '../store/compare-utf8.ts';
import { StoreError } from '../store/store-error.ts';
import {
  checkCollections,
  checkKey,
  checkList,
  decodeDocument,
  encodeCommit,
  type EncodedCommit,
  type EncodedDocument,
  type EncodedOperation,
} from '../store/store-input.ts';
import type {
  CommitResult,
  DocumentKey,
  ListOptions,
  Revision,
  Store,
  StoredDocument,
  Subscription,
  WriteOperation,
} from '../store/store.ts';

/** What a disk would hold. */
export class MemoryStoreImage {
  readonly documents = new Map<string, EncodedDocument>();
  revision: Revision = 0;
}

export function createMemoryStore(image = new MemoryStoreImage()): Store {
  return new MemoryStore(image);
}

/** Every call takes effect one microtask after it was made, in the order of the calls. */
class MemoryStore implements Store {
  readonly #image: MemoryStoreImage;
  readonly #feed = new ChangeFeed();
  #isClosed = false;

  constructor(image: MemoryStoreImage) {
    this.#image = image;
  }

  async get<Value>(key: DocumentKey): Promise<StoredDocument<Value> | undefined> {
    checkKey(key);
    await this.#turn();
    const document = this.#image.documents.get(nameOf(key));
    return document && decodeDocument<Value>(document);
  }

  async list<Value>(collection: string, options: ListOptions): Promise<StoredDocument<Value>[]> {
    checkList(collection, options);
    const { partition, after, limit } = options;
    await this.#turn();
    return this.#select(collection)
      .filter((document) => partition === undefined || document.partition === partition)
      .filter((document) => !after || compareKeys(document, after) > 0)
      .slice(0, limit)
      .map((document) => decodeDocument<Value>(document));
  }

  async commit(operations: readonly WriteOperation[]): Promise<CommitResult> {
    const encoded = encodeCommit(operations);
    await this.#turn();
    return this.#apply(encoded);
  }

  async watch(collections: readonly string[], listener: ChangeListener): Promise<Subscription> {
    checkCollections(collections);
    const names = [...collections];
    await this.#turn();
    const snapshot = names.flatMap((name) => this.#select(name));
    deliverPresent(listener, snapshot);
    return this.#feed.subscribe(names, listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.resolve();
    this.#feed.close();
  }

  async #turn(): Promise<void> {
    if (this.#isClosed) throw new StoreError('Closed', 'the store is closed');
  }

  #select(collection: string): EncodedDocument[] {
    const documents = [...this.#image.documents.values()];
    return documents.filter((document) => document.collection === collection).sort(compareKeys);
  }

  #apply({ operations }: EncodedCommit): CommitResult {
    const conflict = operations.find((operation) => !this.#holds(operation));
    if (conflict) return { ok: false, conflict: { ...conflict.key } };
    const changes: EncodedChange[] = [];
    const revisions = operations.map((operation) => {
      const revision = ++this.#image.revision;
      changes.push(...this.#write(operation, revision));
      return revision;
    });
    this.#feed.publish(changes);
    return { ok: true, revisions };
  }

  #holds({ key, expect }: EncodedOperation): boolean {
    if (expect === 'any') return true;
    const revision = this.#image.documents.get(nameOf(key))?.revision;
    return revision === (expect === 'absent' ? undefined : expect.revision);
  }

  #write(operation: EncodedOperation, revision: Revision): EncodedChange[] {
    const { key } = operation;
    const name = nameOf(key);
    if (operation.type === 'delete') {
      return this.#image.documents.delete(name) ? [{ type: 'delete', key, revision }] : [];
    }
    const document = { ...key, revision, json: operation.json };
    this.#image.documents.set(name, document);
    return [{ type: 'put', document }];
  }
}

function nameOf({ collection, partition, id }: DocumentKey): string {
  return JSON.stringify([collection, partition, id]);
}

type PlaceInCollection = Pick<DocumentKey, 'partition' | 'id'>;

function compareKeys(left: PlaceInCollection, right: PlaceInCollection): number {
  return compareUtf8(left.partition, right.partition) || compareUtf8(left.id, right.id);
}
