/**
 * Writes how far provisioned concurrency is into the store, where the control plane reads it. What is
 * overtaken while a write is under way is left out, and a status of another generation than is wanted
 * is never written (ADR 0007: this is off the path of any invocation).
 */
import type { Log } from '../base/log.ts';
import {
  aliasCollections,
  type ProvisionedRecord,
  type ProvisionedStatusRecord,
} from '../model/alias.ts';
import type { DocumentKey, Store, StoredDocument } from '../store/store.ts';

interface Report {
  readonly functionName: string;
  readonly qualifier: string;
  /** Undefined when there is nothing to tell any more. */
  readonly status: ProvisionedStatusRecord | undefined;
}

/** Writers that meet are few: whoever loses so often has been overtaken. */
const triesMax = 5;

export class ProvisionReporter {
  readonly #log: Log;
  readonly #store: Store;
  /** The latest of each name, not yet begun to be written. */
  readonly #reports = new Map<string, Report>();
  readonly #writing = new Map<string, Promise<void>>();

  constructor(log: Log, store: Store) {
    this.#log = log;
    this.#store = store;
  }

  /** This is how it is now. */
  report(functionName: string, qualifier: string, status: ProvisionedStatusRecord): void {
    this.#write({ functionName, qualifier, status });
  }

  /** Nothing is provisioned there any more. */
  withdraw(functionName: string, qualifier: string): void {
    this.#write({ functionName, qualifier, status: undefined });
  }

  /** Resolves once all that was reported is durable, overtaken, or has failed and is logged. */
  async settled(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing.values());
  }

  #write(report: Report): void {
    const name = JSON.stringify([report.functionName, report.qualifier]);
    this.#reports.set(name, report);
    if (!this.#writing.has(name)) this.#writing.set(name, this.#writeLatest(name));
  }

  /** Never rejects. */
  async #writeLatest(name: string): Promise<void> {
    for (let next = this.#reports.get(name); next !== undefined; next = this.#reports.get(name)) {
      this.#reports.delete(name);
      try {
        await this.#commit(next);
      } catch (error) {
        const { functionName, qualifier } = next;
        this.#log.error({ error, functionName, qualifier }, 'could not write a provisioned status');
      }
    }
    this.#writing.delete(name);
  }

  async #commit(report: Report): Promise<void> {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const [wanted, present] = await this.#read(report);
      if (report.status?.generation !== wanted?.value.generation) return;
      if (isEqual(report.status, present?.value)) return;
      const key = documentKey(aliasCollections.provisionedStatus, report);
      const expect = present === undefined ? 'absent' : { revision: present.revision };
      const { status: value } = report;
      const { ok } = await this.#store.commit([
        value === undefined ? { type: 'delete', key, expect } : { type: 'put', key, value, expect },
      ]);
      if (ok) return;
    }
  }

  #read(
    report: Report,
  ): Promise<
    [
      StoredDocument<ProvisionedRecord> | undefined,
      StoredDocument<ProvisionedStatusRecord> | undefined,
    ]
  > {
    return Promise.all([
      this.#store.get<ProvisionedRecord>(documentKey(aliasCollections.provisioned, report)),
      this.#store.get<ProvisionedStatusRecord>(
        documentKey(aliasCollections.provisionedStatus, report),
      ),
    ]);
  }
}

function documentKey(collection: string, { functionName, qualifier }: Report): DocumentKey {
  return { collection, partition: functionName, id: qualifier };
}

function isEqual(
  one: ProvisionedStatusRecord | undefined,
  other: ProvisionedStatusRecord | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.generation === other.generation &&
    one.status === other.status &&
    one.statusReason === other.statusReason &&
    one.allocated === other.allocated &&
    one.available === other.available
  );
}
