/**
 * What the control plane keeps in memory follows the store by one watch: with thousands of functions a
 * start is mostly reading and decoding documents, and that is done once for all of it.
 */
import type { Change, Store, Subscription } from '../store/store.ts';

export interface Follower {
  /** What it wants to know of. */
  readonly collections: readonly string[];
  /** A document of these is there, has changed or is gone. Values are shared: they are only read. */
  apply(change: Change): void;
}

/** Resolves once the followers know all that is there; then they are told of every change. */
export async function followTogether(
  store: Store,
  followers: readonly Follower[],
): Promise<Subscription> {
  const byCollection = new Map<string, Follower[]>();
  for (const follower of followers) {
    for (const collection of follower.collections) {
      byCollection.set(collection, [...(byCollection.get(collection) ?? []), follower]);
    }
  }
  return store.watch([...byCollection.keys()], (changes) => {
    for (const change of changes) {
      const { collection } = change.type === 'put' ? change.document : change.key;
      for (const follower of byCollection.get(collection) ?? []) follower.apply(change);
    }
  });
}
