/**
 * The account's room for code: what is stored, as the catalog counts it, and what requests under way
 * are about to store. So requests at once cannot go past the quota together.
 */
import { assert } from '../../base/assert.ts';
import { codeStorageExceeded } from '../../model/errors.ts';

export class CodeStorage {
  readonly #storedBytes: () => number;
  readonly #bytesMax: number;
  #takenBytes = 0;

  constructor(storedBytes: () => number, bytesMax: number) {
    this.#storedBytes = storedBytes;
    this.#bytesMax = bytesMax;
  }

  /** Throws CodeStorageExceeded when so many more bytes are not to be had. Less is always possible. */
  check(moreBytes: number): void {
    if (moreBytes <= 0) return;
    if (this.#storedBytes() + this.#takenBytes + moreBytes > this.#bytesMax) {
      throw codeStorageExceeded();
    }
  }

  /** As check, and keeps the room until the returned function is called (once), after the write. */
  take(moreBytes: number): () => void {
    this.check(moreBytes);
    const taken = Math.max(0, moreBytes);
    this.#takenBytes += taken;
    let held = true;
    return () => {
      assert(held, 'room for code is given back once');
      held = false;
      this.#takenBytes -= taken;
    };
  }
}
