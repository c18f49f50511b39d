/** Bytes of request bodies that the server of one environment holds at once: they are in our memory. */
import { MIB } from '../model/limits.ts';

/** Several times the longest body; a runtime or extension sends one at a time. */
export const bodyBytesMax = 32 * MIB;

export class BodyRoom {
  #takenBytes = 0;

  /** False, and nothing is taken, when there is not so much. */
  take(bytes: number): boolean {
    if (this.#takenBytes + bytes > bodyBytesMax) return false;
    this.#takenBytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#takenBytes -= bytes;
  }
}
