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
import type { Change, DocumentKey, Store } from '../../store/store.ts';
import { commitWithRetry, deleteDocument, putDocument } from '../commit.ts';
import type { Follower } from '../follow-together.ts';
import { SettleQueue } from '../settle-queue.ts';
import { withoutReasons } from './without-reasons.ts';

export class SnapshotSettler implements Follower {
  readonly collections = [collections.snapshotStatus];
  readonly #store: Store;
  readonly #queue: SettleQueue;

  constructor(clock: Clock, log: Log, store: Store) {
    this.#store = store;
    this.#queue = new SettleQueue(clock, log, {
      what: 'a snapshot',
      delayMs: 0,
      settle: (name) => this.#settle(keyOf(name)),
    });
  }

  apply(change: Change): void {
    if (change.type === 'put') this.#queue.settleSoon(nameOf(change.document));
  }

  /** Stops; resolves once nothing is under way. */
  async close(): Promise<void> {
    await this.#queue.close();
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

/** A message's key as the queue's name for it: function names hold no colon. */
function nameOf({ partition, id }: DocumentKey): string {
  return `${partition}:${id}`;
}

function keyOf(name: string): DocumentKey {
  const [partition = '', id = ''] = name.split(':');
  return { collection: collections.snapshotStatus, partition, id };
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
