/**
 * A bounded queue of lines, one for each name: lines take turns, and within a line who came first is
 * first. One long line neither delays the others by its length nor keeps them out when all is full.
 */
export class FairQueue<Item> {
  readonly #sizeMax: number;
  /** No line is empty; the first one has the turn. */
  readonly #lines = new Map<string, Item[]>();
  #size = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Appends to a line. Gives the item that has no place then, if there is one: when all is full,
   * the last of the longest line if that is longer than this one even so, else `item`.
   */
  add(name: string, item: Item): Item | undefined {
    const line = this.#lines.get(name);
    let displaced: Item | undefined;
    if (this.#size >= this.#sizeMax) {
      const longest = this.#longest();
      if (longest === undefined || longest.length <= (line?.length ?? 0) + 1) return item;
      displaced = longest.pop();
      this.#size -= 1;
    }
    if (line === undefined) this.#lines.set(name, [item]);
    else line.push(item);
    this.#size += 1;
    return displaced;
  }

  /** The first of the line that has the turn. */
  first(): Item | undefined {
    for (const line of this.#lines.values()) return line[0];
    return undefined;
  }

  /** Takes it out and gives the turn to the next line. */
  removeFirst(): void {
    for (const [name, line] of this.#lines) {
      line.shift();
      this.#size -= 1;
      this.#lines.delete(name);
      if (line.length > 0) this.#lines.set(name, line);
      return;
    }
  }

  /** The first of a line that is as asked. */
  find(name: string, isWanted: (item: Item) => boolean): Item | undefined {
    return this.#lines.get(name)?.find(isWanted);
  }

  /** Takes it out wherever it is; no turn changes by that. */
  remove(name: string, item: Item): void {
    const line = this.#lines.get(name);
    const index = line?.indexOf(item) ?? -1;
    if (line === undefined || index === -1) return;
    line.splice(index, 1);
    this.#size -= 1;
    if (line.length === 0) this.#lines.delete(name);
  }

  /** Takes out all. */
  clear(): Item[] {
    const all = [...this.#lines.values()].flat();
    this.#lines.clear();
    this.#size = 0;
    return all;
  }

  #longest(): Item[] | undefined {
    let longest: Item[] | undefined;
    for (const line of this.#lines.values()) {
      if (longest === undefined || line.length > longest.length) longest = line;
    }
    return longest;
  }
}
