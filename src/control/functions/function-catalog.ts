/**
 * What the control plane knows of all functions, layers and their versions, in memory, fed by the
 * change feed: which code packages are in use, how much code the account has, and what is not settled
 * yet.
 */
import {
  archivesOf,
  collections,
  storedBytesOf,
  type FunctionRecord,
  type StoredConfiguration,
  type VersionRecord,
} from '../../model/function.ts';
import { layerCollections, type LayerVersionRecord } from '../../model/layer.ts';
import type { Change, DocumentKey } from '../../store/store.ts';
import type { Follower } from '../follow-together.ts';

interface Entry {
  /** Of its own code and, for a function's version, of its layers. */
  readonly hashes: readonly string[];
  /** Of its own code. */
  readonly storedBytes: number;
}

export interface CatalogListener {
  /** A function or one of its versions is in a state that does not last. */
  onUnsettled(functionName: string): void;
  /** Nothing refers to this code package any more. */
  onUnreferenced(hash: string): void;
}

export interface AccountUsage {
  readonly functionCount: number;
  readonly codeBytes: number;
}

export class FunctionCatalog implements Follower {
  readonly collections = [collections.function, collections.version, layerCollections.layerVersion];
  readonly #entries = new Map<string, Entry>();
  readonly #references = new Map<string, number>();
  readonly #listener: CatalogListener;
  #functionCount = 0;
  #codeBytes = 0;

  constructor(listener: CatalogListener) {
    this.#listener = listener;
  }

  /** Whether a layer version has this code package, or any function or version, as code or as layer. */
  isReferenced(hash: string): boolean {
    return this.#references.has(hash);
  }

  /** Code counts once for $LATEST, once for each version and once for each layer version. */
  get usage(): AccountUsage {
    return { functionCount: this.#functionCount, codeBytes: this.#codeBytes };
  }

  apply(change: Change): void {
    if (change.type === 'delete') {
      this.#replace(change.key, undefined);
      return;
    }
    const { document } = change;
    if (document.collection === layerCollections.layerVersion) {
      const { code } = document.value as LayerVersionRecord;
      this.#replace(document, { hashes: [code.hash], storedBytes: storedBytesOf(code) });
      return;
    }
    const version =
      document.collection === collections.function
        ? (document.value as FunctionRecord).latest
        : (document.value as VersionRecord);
    const { code, configuration } = version;
    this.#replace(document, {
      hashes: archivesOf(version).map(({ hash }) => hash),
      storedBytes: storedBytesOf(code),
    });
    if (isUnsettled(configuration)) this.#listener.onUnsettled(document.partition);
  }

  #replace(key: DocumentKey, next: Entry | undefined): void {
    const name = `${key.collection}/${key.partition}/${key.id}`;
    const previous = this.#entries.get(name);
    if (next === undefined) this.#entries.delete(name);
    else this.#entries.set(name, next);
    // The new references come first, so that code kept by a change is never without one.
    for (const hash of next?.hashes ?? []) {
      this.#references.set(hash, (this.#references.get(hash) ?? 0) + 1);
    }
    this.#codeBytes += (next?.storedBytes ?? 0) - (previous?.storedBytes ?? 0);
    if (key.collection === collections.function) {
      this.#functionCount += (next === undefined ? 0 : 1) - (previous === undefined ? 0 : 1);
    }
    for (const hash of previous?.hashes ?? []) this.#unreference(hash);
  }

  #unreference(hash: string): void {
    const count = (this.#references.get(hash) ?? 0) - 1;
    if (count > 0) this.#references.set(hash, count);
    else {
      this.#references.delete(hash);
      this.#listener.onUnreferenced(hash);
    }
  }
}

/** Pending, or with an update in progress: the reconciler has something to do. */
export function isUnsettled(configuration: StoredConfiguration): boolean {
  return configuration.State === 'Pending' || configuration.LastUpdateStatus === 'InProgress';
}
