/** Cuts a stream of output into lines. */
import { ByteList } from '../base/byte-list.ts';

const lineFeed = 0x0a;

export class LineSplitter {
  readonly #lineBytesMax: number;
  readonly #onLine: (line: Buffer) => void;
  /** The beginning of a line whose end has not come. */
  readonly #held = new ByteList();

  /**
   * @param lineBytesMax longer lines are cut there
   * @param onLine gets each line with its line feed, in their order
   */
  constructor(lineBytesMax: number, onLine: (line: Buffer) => void) {
    this.#lineBytesMax = lineBytesMax;
    this.#onLine = onLine;
  }

  /** There is the beginning of a line. */
  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  push(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      const room = this.#lineBytesMax - this.#held.length;
      const end = rest.subarray(0, room).indexOf(lineFeed) + 1;
      const isWhole = end > 0 || rest.length >= room;
      const part = rest.subarray(0, end > 0 ? end : room);
      rest = rest.subarray(part.length);
      // Copied: a part must not keep the whole chunk that it came in.
      this.#held.push(Buffer.from(part));
      if (isWhole) this.flush();
    }
  }

  /** What is held is a line, though its end has not come. */
  flush(): void {
    if (this.#held.length > 0) this.#onLine(this.#held.take());
  }
}
