/**
 * Provisioned concurrency: reads from the change feed how many environments of which version are
 * wanted, lets the worker keep them, tells admission how many units may be used, and reports how far
 * it is. An alias stands for the version it names; the share that its weights give to another version
 * is not provisioned.
 */
import { aliasCollections, type AliasRecord, type ProvisionedRecord } from '../model/alias.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import type { Change, Store, Subscription } from '../store/store.ts';
import { nothingProvisioned, type ProvisionedState } from '../worker/provisioned-pool.ts';
import type { Worker } from '../worker/worker.ts';
import type { Concurrency } from './concurrency.ts';
import type { FunctionDirectory } from './function-directory.ts';
import type { ProvisionReporter } from './provision-reporter.ts';

export interface ProvisionedParts {
  readonly directory: Pick<FunctionDirectory, 'find'>;
  readonly concurrency: Pick<Concurrency, 'setProvisioned' | 'removeProvisioned'>;
  readonly worker: Pick<Worker, 'provide' | 'withdraw'>;
  readonly reporter: Pick<ProvisionReporter, 'report' | 'withdraw' | 'settled'>;
}

interface Wishes {
  /** Version by alias. */
  readonly aliases: Map<string, string>;
  /** By qualifier. */
  readonly records: Map<string, ProvisionedRecord>;
  /** What the worker was asked for, by qualifier. */
  readonly provided: Map<string, { readonly versionKey: string; readonly generation: string }>;
}

/** Under which the worker keeps the environments of a version or an alias. */
export function provisionedName(functionName: string, qualifier: string): string {
  return `${functionName}:${qualifier}`;
}

export class ProvisionedConcurrency {
  readonly #parts: ProvisionedParts;
  readonly #functions = new Map<string, Wishes>();
  #subscription: Subscription | null = null;

  constructor(parts: ProvisionedParts) {
    this.#parts = parts;
  }

  /**
   * Begins to provide what the store says, and follows it. Open the directory first. Resolves once no
   * status of an earlier process is left, so that nobody reads of environments that are not there.
   */
  async open(store: Store): Promise<void> {
    const watched = [aliasCollections.alias, aliasCollections.provisioned];
    this.#subscription = await store.watch(watched, (changes) => {
      for (const change of changes) this.#apply(change);
      for (const functionName of new Set(changes.map(partitionOf))) this.#settle(functionName);
    });
    await this.#parts.reporter.settled();
  }

  close(): void {
    this.#subscription?.close();
  }

  /** The directory has learned of a version, or of a change to one. */
  onVersion({ functionName }: RunnableVersion): void {
    this.#settle(functionName);
  }

  #apply(change: Change): void {
    const { collection, partition, id } = change.type === 'put' ? change.document : change.key;
    const wishes = this.#wishesOf(partition);
    if (collection === aliasCollections.alias) {
      if (change.type === 'delete') wishes.aliases.delete(id);
      else wishes.aliases.set(id, versionOf(change.document.value as AliasRecord));
    } else if (change.type === 'delete') wishes.records.delete(id);
    else wishes.records.set(id, change.document.value as ProvisionedRecord);
  }

  #wishesOf(functionName: string): Wishes {
    const known = this.#functions.get(functionName);
    if (known !== undefined) return known;
    const wishes: Wishes = { aliases: new Map(), records: new Map(), provided: new Map() };
    this.#functions.set(functionName, wishes);
    return wishes;
  }

  /** Makes what is provided what is wanted. */
  #settle(functionName: string): void {
    const wishes = this.#functions.get(functionName);
    if (wishes === undefined) return;
    for (const qualifier of [...wishes.provided.keys()]) {
      if (!wishes.records.has(qualifier)) this.#withdraw(functionName, wishes, qualifier);
    }
    for (const record of wishes.records.values()) this.#provide(functionName, wishes, record);
    if (wishes.aliases.size + wishes.records.size === 0) this.#functions.delete(functionName);
  }

  #provide(functionName: string, { aliases, provided }: Wishes, record: ProvisionedRecord): void {
    const { qualifier, generation, requested } = record;
    const found = this.#parts.directory.find(functionName, aliases.get(qualifier) ?? qualifier);
    const version = found?.state === 'Active' ? found : undefined;
    const present = provided.get(qualifier);
    const versionKey = version?.key ?? '';
    if (present?.versionKey === versionKey && present.generation === generation) return;
    provided.set(qualifier, { versionKey, generation });
    const { worker } = this.#parts;
    const onState = (state: ProvisionedState): void =>
      this.#onState(functionName, record, { state, version: version?.version ?? '' });
    const name = provisionedName(functionName, qualifier);
    if (version === undefined) {
      worker.withdraw(name);
      onState(nothingProvisioned);
    } else onState(worker.provide(name, { version, requested, onState }));
  }

  #withdraw(functionName: string, { provided }: Wishes, qualifier: string): void {
    const { worker, concurrency, reporter } = this.#parts;
    provided.delete(qualifier);
    worker.withdraw(provisionedName(functionName, qualifier));
    concurrency.removeProvisioned(functionName, qualifier);
    reporter.withdraw(functionName, qualifier);
  }

  #onState(
    functionName: string,
    { qualifier, generation }: ProvisionedRecord,
    { state, version }: { readonly state: ProvisionedState; readonly version: string },
  ): void {
    const { units: count, ...status } = state;
    this.#parts.concurrency.setProvisioned(functionName, qualifier, { version, count });
    this.#parts.reporter.report(functionName, qualifier, { generation, ...status });
  }
}

function versionOf({ configuration }: AliasRecord): string {
  return configuration.FunctionVersion ?? '';
}

function partitionOf(change: Change): string {
  return change.type === 'put' ? change.document.partition : change.key.partition;
}
