/**
 * Settles mappings: a change is done once it is stored, for pollers learn of it from the change feed.
 * Driven by that feed alone, so what a crash left unsettled is settled after the start.
 *
 *   Creating Enabling Disabling Updating  ------>  Enabled, or Disabled
 *   Deleting                              ------>  gone
 */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import {
  isMappingUnsettled,
  type EventSourceMappingRecord,
} from '../../model/event-source-mapping.ts';
import type { Store } from '../../store/store.ts';
import { commitWithRetry, deleteDocument, putDocument } from '../commit.ts';
import { SettleQueue } from '../settle-queue.ts';
import { mappingKey } from './mapping-documents.ts';

/** `delayMs` is from the change to its settling. */
export function createMappingSettler(
  clock: Clock,
  log: Log,
  store: Store,
  { delayMs }: { readonly delayMs: number },
): SettleQueue {
  const settle = (uuid: string): Promise<void> => settleMapping(store, uuid);
  return new SettleQueue(clock, log, { what: 'an event source mapping', delayMs, settle });
}

/** `LastModified` stays that of the change (radkawar/stackd's notes of the service). */
async function settleMapping(store: Store, uuid: string): Promise<void> {
  await commitWithRetry(store, async () => {
    const present = await store.get<EventSourceMappingRecord>(mappingKey(uuid));
    if (present === undefined || !isMappingUnsettled(present.value.configuration)) {
      return { operations: [], result: undefined };
    }
    const { configuration, enabled } = present.value;
    if (configuration.State === 'Deleting') {
      return { operations: [deleteDocument(present)], result: undefined };
    }
    const State = enabled ? 'Enabled' : 'Disabled';
    const settled = { ...present.value, configuration: { ...configuration, State } };
    return { operations: [putDocument(present, settled)], result: undefined };
  });
}
