/** Work that is under way and that something has to wait for, however it ends. */
export class WorkSet {
  readonly #underWay = new Set<Promise<unknown>>();

  get isEmpty(): boolean {
    return this.#underWay.size === 0;
  }

  /** Returns `work` itself. */
  add<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = (): void => void this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** Resolves when all of it has ended, also what was added meanwhile. */
  async settled(): Promise<void> {
    while (!this.isEmpty) await Promise.allSettled(this.#underWay);
  }
}
