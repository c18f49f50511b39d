/**
 * Which functions have which code signing configuration, in memory, fed by the change feed. A commit's
 * changes arrive before its promise resolves, so who waits for a commit sees it here.
 */
import { collections, type FunctionRecord } from '../../model/function.ts';
import type { Change } from '../../store/store.ts';
import type { Follower } from '../follow-together.ts';

interface Users {
  readonly names: Set<string>;
  /** The names in order; undefined since the last change. */
  sorted: readonly string[] | undefined;
}

export class CodeSigningUsers implements Follower {
  readonly collections = [collections.function];
  /** Configuration by function. */
  readonly #configs = new Map<string, string>();
  /** Functions by configuration; one that nobody has is not there. */
  readonly #users = new Map<string, Users>();

  isUsed(configId: string): boolean {
    return this.#users.has(configId);
  }

  /** Names of the functions that have a configuration, in order, from after a name. */
  functionsOf(
    configId: string,
    { after, limit }: { readonly after: string | undefined; readonly limit: number },
  ): readonly string[] {
    const users = this.#users.get(configId);
    if (users === undefined) return [];
    users.sorted ??= [...users.names].sort();
    const start = after === undefined ? 0 : firstBehind(users.sorted, after);
    return users.sorted.slice(start, start + limit);
  }

  apply(change: Change): void {
    if (change.type === 'delete') {
      this.#attach(change.key.partition, undefined);
      return;
    }
    const { partition, value } = change.document;
    this.#attach(partition, (value as FunctionRecord).codeSigningConfigId);
  }

  #attach(functionName: string, configId: string | undefined): void {
    const previous = this.#configs.get(functionName);
    if (previous === configId) return;
    if (previous !== undefined) this.#detach(functionName, previous);
    if (configId === undefined) return;
    const users = this.#users.get(configId) ?? { names: new Set<string>(), sorted: undefined };
    users.names.add(functionName);
    users.sorted = undefined;
    this.#users.set(configId, users);
    this.#configs.set(functionName, configId);
  }

  #detach(functionName: string, configId: string): void {
    this.#configs.delete(functionName);
    const users = this.#users.get(configId);
    if (users === undefined) return;
    users.names.delete(functionName);
    users.sorted = undefined;
    if (users.names.size === 0) this.#users.delete(configId);
  }
}

/** Index of the first name that sorts behind `after`. */
function firstBehind(sorted: readonly string[], after: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
