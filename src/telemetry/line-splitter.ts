/** Cuts a stream of output into lines. */

const lineFeed = 0x0a;

export class LineSplitter {
  readonly #lineBytesMax: number;
  readonly #onLine: (line: Buffer) => void;
  /** The beginning of a line whose end has not come. */
  #held: Buffer[] = [];
  #heldBytes = 0;

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
    return this.#heldBytes > 0;
  }

  push(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      const room = this.#lineBytesMax - this.#heldBytes;
      const end = rest.subarray(0, room).indexOf(lineFeed) + 1;
      const isWhole = end > 0 || rest.length >= room;
      const part = rest.subarray(0, end > 0 ? end : room);
      rest = rest.subarray(part.length);
      // What is held is copied: a part must not keep the whole chunk that it came in.
      this.#held.push(isWhole ? part : Buffer.from(part));
      this.#heldBytes += part.length;
      if (isWhole) this.flush();
    }
  }

  /** What is held is a line, though its end has not come. */
  flush(): void {
    if (this.#heldBytes === 0) return;
    const line = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#onLine(line);
  }
}
