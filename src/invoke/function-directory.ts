/**
 * What the data plane knows of all functions, in memory, fed by the change feed: an invoke reads
 * nothing else (ADR 0007).
 */
import { collections, type FunctionRecord, type VersionRecord } from '../model/function.ts';
import { runnableVersion, type RunnableVersion } from '../model/runnable-version.ts';
import type { Change, Store, Subscription } from '../store/store.ts';

interface Entry {
  latest: RunnableVersion | undefined;
  readonly versions: Map<string, RunnableVersion>;
}

export interface DirectoryListener {
  /** A version that may be invoked is known, new or changed. */
  onVersion(version: RunnableVersion): void;
  /** This key is out of date or gone: no new invocation will name it. */
  onRetired(versionKey: string): void;
  /** The function has this concurrency reserved, or none. */
  onReserve(functionName: string, reserved: number | undefined): void;
  /** The function is deleted. */
  onDeleted(functionName: string): void;
}

export class FunctionDirectory {
  readonly #entries = new Map<string, Entry>();
  readonly #listener: DirectoryListener;
  #subscription: Subscription | null = null;

  constructor(listener: DirectoryListener) {
    this.#listener = listener;
  }

  /** Loads all functions and follows every change from there. */
  async open(store: Store): Promise<void> {
    const watched = [collections.function, collections.version];
    this.#subscription = await store.watch(watched, (changes) => {
      for (const change of changes) this.#apply(change);
    });
  }

  close(): void {
    this.#subscription?.close();
  }

  /** The version that a qualifier names: '$LATEST' (or none) or a number. */
  find(functionName: string, qualifier: string | undefined): RunnableVersion | undefined {
    const entry = this.#entries.get(functionName);
    if (entry === undefined) return undefined;
    if (qualifier === undefined || qualifier === '$LATEST') return entry.latest;
    return entry.versions.get(qualifier);
  }

  #apply(change: Change): void {
    const key = change.type === 'put' ? change.document : change.key;
    const isLatest = key.collection === collections.function;
    if (change.type === 'delete') {
      this.#remove(key.partition, isLatest ? '$LATEST' : String(Number(key.id)));
      if (isLatest) this.#listener.onDeleted(key.partition);
      return;
    }
    const { value } = change.document;
    if (!isLatest) {
      this.#put(key.partition, runnableVersion(value as VersionRecord));
      return;
    }
    const { latest, reservedConcurrency } = value as FunctionRecord;
    this.#listener.onReserve(key.partition, reservedConcurrency);
    this.#put(key.partition, runnableVersion(latest));
  }

  #put(functionName: string, version: RunnableVersion): void {
    let entry = this.#entries.get(functionName);
    if (entry === undefined) {
      entry = { latest: undefined, versions: new Map() };
      this.#entries.set(functionName, entry);
    }
    const isLatest = version.version === '$LATEST';
    const previous = isLatest ? entry.latest : entry.versions.get(version.version);
    // While an update is under way, or after it failed, what was there before goes on serving.
    if (previous?.state === 'Active' && version.updateStatus !== 'Successful') return;
    if (isLatest) entry.latest = version;
    else entry.versions.set(version.version, version);
    if (previous !== undefined && previous.key !== version.key) {
      this.#listener.onRetired(previous.key);
    }
    this.#listener.onVersion(version);
  }

  #remove(functionName: string, version: string): void {
    const entry = this.#entries.get(functionName);
    if (entry === undefined) return;
    const removed = version === '$LATEST' ? entry.latest : entry.versions.get(version);
    if (version === '$LATEST') entry.latest = undefined;
    else entry.versions.delete(version);
    if (removed !== undefined) this.#listener.onRetired(removed.key);
    if (entry.latest === undefined && entry.versions.size === 0) this.#entries.delete(functionName);
  }
}
