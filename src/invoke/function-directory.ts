/**
 * What the data plane knows of all functions, in memory, fed by the change feed: an invoke reads
 * nothing else (ADR 0007).
 */
import { aliasCollections, type AliasRecord } from '../model/alias.ts';
import { collections, type FunctionRecord, type VersionRecord } from '../model/function.ts';
import { runnableVersion, type RunnableVersion } from '../model/runnable-version.ts';
import type { Change, Store, Subscription } from '../store/store.ts';
import { aliasRoute, type AliasRoute } from './alias-route.ts';

interface Entry {
  latest: RunnableVersion | undefined;
  readonly versions: Map<string, RunnableVersion>;
  readonly aliases: Map<string, AliasRoute>;
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
    const watched = [collections.function, collections.version, aliasCollections.alias];
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

  /** Where an alias leads; undefined for a name that no alias has, such as a version's number. */
  findAlias(functionName: string, name: string): AliasRoute | undefined {
    return this.#entries.get(functionName)?.aliases.get(name);
  }

  #apply(change: Change): void {
    const key = change.type === 'put' ? change.document : change.key;
    if (key.collection === aliasCollections.alias) {
      if (change.type === 'delete') this.#removeAlias(key.partition, key.id);
      else this.#putAlias(key.partition, key.id, change.document.value as AliasRecord);
      return;
    }
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
    const entry = this.#entryOf(functionName);
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
    this.#dropIfEmpty(functionName, entry);
  }

  #putAlias(functionName: string, name: string, record: AliasRecord): void {
    this.#entryOf(functionName).aliases.set(name, aliasRoute(record));
  }

  #removeAlias(functionName: string, name: string): void {
    const entry = this.#entries.get(functionName);
    if (entry === undefined) return;
    entry.aliases.delete(name);
    this.#dropIfEmpty(functionName, entry);
  }

  #entryOf(functionName: string): Entry {
    const known = this.#entries.get(functionName);
    if (known !== undefined) return known;
    const entry: Entry = { latest: undefined, versions: new Map(), aliases: new Map() };
    this.#entries.set(functionName, entry);
    return entry;
  }

  #dropIfEmpty(functionName: string, { latest, versions, aliases }: Entry): void {
    if (latest === undefined && versions.size === 0 && aliases.size === 0) {
      this.#entries.delete(functionName);
    }
  }
}
