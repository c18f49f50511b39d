/** Tasks that run one after the other, each when those asked for before it have ended. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as `task` does; one that fails does not keep the next from running. */
  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const ended = this.#last.then(task);
    this.#last = ended.catch(() => undefined);
    return ended;
  }
}
