/**
 * Removes code that nothing refers to: archives and trees of deleted functions and versions, and of
 * requests that failed or were cut off half-way. Code that is being stored right now is held, and a
 * hold waits for a removal under way, so neither takes code from under the other.
 */
import type { Blobs } from '../../artifact/blobs.ts';
import type { CodeTrees } from '../../artifact/code-trees.ts';
import { assert } from '../../base/assert.ts';
import type { Log } from '../../base/log.ts';

export interface CodeUse {
  isReferenced(hash: string): boolean;
}

export class CodeSweeper {
  readonly #log: Log;
  readonly #blobs: Blobs;
  readonly #codeTrees: CodeTrees;
  readonly #use: CodeUse;
  readonly #holds = new Map<string, number>();
  readonly #removals = new Map<string, Promise<void>>();

  constructor(log: Log, blobs: Blobs, codeTrees: CodeTrees, use: CodeUse) {
    this.#log = log;
    this.#blobs = blobs;
    this.#codeTrees = codeTrees;
    this.#use = use;
  }

  /**
   * Keeps a code package from being swept until the returned function is called (once), which
   * sweeps it if by then nothing refers to it.
   */
  async hold(hash: string): Promise<() => void> {
    this.#holds.set(hash, (this.#holds.get(hash) ?? 0) + 1);
    await this.#removals.get(hash);
    let held = true;
    return () => {
      assert(held, 'a hold is released once');
      held = false;
      const count = (this.#holds.get(hash) ?? 0) - 1;
      if (count > 0) this.#holds.set(hash, count);
      else {
        this.#holds.delete(hash);
        this.sweepSoon(hash);
      }
    };
  }

  /** Starts sweeping one package; failures are logged, and made good by the next start's sweep. */
  sweepSoon(hash: string): void {
    this.sweep(hash).catch((error: unknown) => {
      this.#log.warn({ err: error, hash }, 'could not remove unused code');
    });
  }

  /** Removes a package unless something refers to it or holds it. */
  async sweep(hash: string): Promise<boolean> {
    if (this.#isUsed(hash)) return false;
    const removal = this.#removals.get(hash) ?? this.#remove(hash);
    await removal;
    return true;
  }

  /** Removes every package that nothing uses. For the start, and for repair. */
  async sweepAll(): Promise<number> {
    const unused = new Set<string>();
    for await (const { hash } of this.#blobs.list()) {
      if (!this.#isUsed(hash)) unused.add(hash);
    }
    for (const hash of await this.#codeTrees.list()) {
      if (!this.#isUsed(hash)) unused.add(hash);
    }
    let removed = 0;
    for (const hash of unused) {
      if (await this.sweep(hash)) removed += 1;
    }
    return removed;
  }

  /** Resolves once no removal is under way. */
  async idle(): Promise<void> {
    while (this.#removals.size > 0) await Promise.allSettled(this.#removals.values());
  }

  #isUsed(hash: string): boolean {
    return this.#use.isReferenced(hash) || this.#holds.has(hash);
  }

  #remove(hash: string): Promise<void> {
    const removal = (async () => {
      await this.#codeTrees.remove(hash);
      await this.#blobs.delete(hash);
    })();
    // A hold only needs to know that the removal is over, not how it went.
    const over = removal.catch(() => {}).finally(() => this.#removals.delete(hash));
    this.#removals.set(hash, over);
    return removal;
  }
}
