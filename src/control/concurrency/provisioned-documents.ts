/**
 * Documents of provisioned concurrency: what is wanted, which is written here, and what there is,
 * which the data plane writes and only deletions here touch.
 */
import {
  aliasCollections,
  type ProvisionedRecord,
  type ProvisionedStatusRecord,
} from '../../model/alias.ts';
import type { GetProvisionedConcurrencyConfigResponse } from '../../model/generated/api-types.ts';
import type { DocumentKey, Store, StoredDocument, WriteOperation } from '../../store/store.ts';
import { deleteDocument } from '../commit.ts';

export function provisionedKey(functionName: string, qualifier: string): DocumentKey {
  return { collection: aliasCollections.provisioned, partition: functionName, id: qualifier };
}

function statusKey(functionName: string, qualifier: string): DocumentKey {
  return { collection: aliasCollections.provisionedStatus, partition: functionName, id: qualifier };
}

export async function readProvisioned(
  store: Store,
  functionName: string,
  qualifier: string,
): Promise<StoredDocument<ProvisionedRecord> | undefined> {
  return store.get<ProvisionedRecord>(provisionedKey(functionName, qualifier));
}

/** What to delete so that this version or alias has no provisioned concurrency; empty if it has none. */
export async function provisionedDeletions(
  store: Store,
  functionName: string,
  qualifier: string,
): Promise<WriteOperation[]> {
  const provisioned = await readProvisioned(store, functionName, qualifier);
  if (provisioned === undefined) return [];
  return [
    deleteDocument(provisioned),
    { type: 'delete', key: statusKey(functionName, qualifier), expect: 'any' },
  ];
}

/** As GetProvisionedConcurrencyConfig answers: nothing is allocated until a status tells of this generation. */
export async function describeProvisioned(
  store: Store,
  functionName: string,
  { qualifier, requested, lastModified, generation }: ProvisionedRecord,
): Promise<GetProvisionedConcurrencyConfigResponse> {
  const found = await store.get<ProvisionedStatusRecord>(statusKey(functionName, qualifier));
  const status = found?.value.generation === generation ? found.value : undefined;
  return {
    RequestedProvisionedConcurrentExecutions: requested,
    AvailableProvisionedConcurrentExecutions: status?.available ?? 0,
    AllocatedProvisionedConcurrentExecutions: status?.allocated ?? 0,
    Status: status?.status ?? 'IN_PROGRESS',
    ...(status?.statusReason === undefined ? {} : { StatusReason: status.statusReason }),
    LastModified: renderLastModified(lastModified),
  };
}

/** '2023-01-21T11:30:00+0000': whole seconds (guide page 019). */
export function renderLastModified(iso: string): string {
  return iso.replace(/(?:\.\d+)?Z$/u, '+0000');
}
