/** A store whose next commit something can come before, for tests of changes that meet. */
import type { Store } from '../store/store.ts';

export class Overtaking {
  #before: (() => Promise<unknown>) | undefined;

  /** Runs `change` when the next commit is about to be made, once. */
  by(change: () => Promise<unknown>): void {
    this.#before = change;
  }

  readonly wrap = (store: Store): Store => ({
    get: (key) => store.get(key),
    list: (collection, options) => store.list(collection, options),
    watch: (collections, listener) => store.watch(collections, listener),
    close: () => store.close(),
    commit: async (operations) => {
      const before = this.#before;
      this.#before = undefined;
      await before?.();
      return store.commit(operations);
    },
  });
}
