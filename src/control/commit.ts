/**
 * Changes of documents: planned on what is stored, committed by compare-and-set, and planned again
 * when others came between.
 */
import { KeyedTurns } from '../base/keyed-turns.ts';
import { concurrentUpdate } from '../model/errors.ts';
import type { DocumentKey, Store, StoredDocument, WriteOperation } from '../store/store.ts';

/** Attempts in its turn at a change that others, who take no turns, keep overtaking. */
export const COMMIT_ATTEMPTS_MAX = 20;

export interface PlannedCommit<Result> {
  readonly operations: readonly WriteOperation[];
  readonly result: Result;
}

/** Changes that were overtaken once, by partition. */
const overtaken = new WeakMap<Store, KeyedTurns>();

/**
 * Plans and commits until no one else's change came between; `plan` reads anew each time and
 * throws what refuses the change. A plan without operations commits nothing.
 *
 * Changes of a partition that were overtaken go one after the other, and before changes that come later:
 * many quick ones do not keep a slow one from ever being committed.
 */
export async function commitWithRetry<Result>(
  store: Store,
  plan: () => Promise<PlannedCommit<Result>>,
): Promise<Result> {
  const turns = overtaken.get(store) ?? new KeyedTurns();
  overtaken.set(store, turns);
  const { operations, result } = await plan();
  const partition = operations[0]?.key.partition;
  if (partition === undefined) return result;
  if (!turns.isBusy(partition) && (await store.commit(operations)).ok) return result;
  return turns.run(partition, () => commitInTurn(store, plan));
}

async function commitInTurn<Result>(
  store: Store,
  plan: () => Promise<PlannedCommit<Result>>,
): Promise<Result> {
  for (let attempt = 1; attempt <= COMMIT_ATTEMPTS_MAX; attempt += 1) {
    const { operations, result } = await plan();
    if (operations.length === 0) return result;
    if ((await store.commit(operations)).ok) return result;
  }
  throw concurrentUpdate();
}

/** Writes a document, provided that it is still the one that was read. */
export function putDocument<Value>(
  { collection, partition, id, revision }: StoredDocument<Value>,
  value: Value,
): WriteOperation {
  return { type: 'put', key: { collection, partition, id }, value, expect: { revision } };
}

/** The same for a document that may not have been there. */
export function writeDocument(
  key: DocumentKey,
  present: StoredDocument | undefined,
  value: unknown,
): WriteOperation {
  if (present !== undefined) return putDocument(present, value);
  return { type: 'put', key, value, expect: 'absent' };
}

/** Deletes a document, provided that it is still the one that was read. */
export function deleteDocument({
  collection,
  partition,
  id,
  revision,
}: StoredDocument): WriteOperation {
  return { type: 'delete', key: { collection, partition, id }, expect: { revision } };
}
