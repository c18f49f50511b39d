/**
 * Settles versions with SnapStart: the data plane runs their Init and leaves a message, `SnapshotStatus`,
 * in the store; this turns Pending into Active or Failed and removes the message in the same commit.
 * Driven by the change feed alone, so a message that a crash left is seen to after the start.
 */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import {
  collections,
  type PublishedVersionRecord,
  type SnapshotStatus,
  type StoredConfiguration,
} from '../../model/function.ts';
import type { DocumentKey, Store, Subscription } from '../../store/store.ts';
import { commitWithRetry, deleteDocument, putDocument } from '../commit.ts';
import { withoutReasons } from './without-reasons.ts';

/** After a failure that may pass, such as a full disk. */
const retryDelayMs = 1_000;

export class SnapshotSettler {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #store: Store;
  readonly #running = new Set<Promise<void>>();
  #subscription: Subscription | null = null;
  #isClosed = false;

  constructor(clock: Clock, log: Log, store: Store) {
    this.#clock = clock;
    this.#log = log;
    this.#store = store;
  }

  /** Sees to the messages there are and to every later one. */
  async open(): Promise<void> {
    this.#subscription = await this.#store.watch([collections.snapshotStatus], (changes) => {
      for (const change of changes) if (change.type === 'put') this.#settleSoon(change.document);
    });
  }

  /** Resolves once nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#subscription?.close();
    await Promise.all(this.#running);
  }

  #settleSoon({ collection, partition, id }: DocumentKey): void {
    if (this.#isClosed) return;
    const key = { collection, partition, id };
    const run = this.#settle(key)
      .catch((error: unknown) => {
        this.#log.warn({ err: error, ...key }, 'could not settle a snapshot yet');
        this.#clock.schedule(retryDelayMs, () => this.#settleSoon(key));
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #settle(key: DocumentKey): Promise<void> {
    await commitWithRetry(this.#store, async () => {
      const message = await this.#store.get<SnapshotStatus>(key);
      if (message === undefined) return { operations: [], result: undefined };
      const { value: status } = message;
      const operations = [deleteDocument(message)];
      const versionKey = { ...key, collection: collections.version };
      const version = await this.#store.get<PublishedVersionRecord>(versionKey);
      // It may have been deleted meanwhile, and another one made under its number.
      if (version !== undefined && isWaitingFor(version.value, status)) {
        const configuration = settled(version.value.configuration, status);
        operations.push(putDocument(version, { ...version.value, configuration }));
      }
      return { operations, result: undefined };
    });
  }
}

function isWaitingFor(version: PublishedVersionRecord, { buildId }: SnapshotStatus): boolean {
  return version.buildId === buildId && version.configuration.State === 'Pending';
}

function settled(
  configuration: StoredConfiguration,
  { failure }: SnapshotStatus,
): StoredConfiguration {
  const rest = withoutReasons(configuration);
  if (failure === undefined) {
    const snapStart = { ApplyOn: 'PublishedVersions', OptimizationStatus: 'On' } as const;
    return { ...rest, State: 'Active', LastUpdateStatus: 'Successful', SnapStart: snapStart };
  }
  const { code, reason } = failure;
  return {
    ...rest,
    State: 'Failed',
    StateReason: reason,
    StateReasonCode: code,
    LastUpdateStatus: 'Failed',
    LastUpdateStatusReason: reason,
    LastUpdateStatusReasonCode: code,
  };
}
