/** Turns for each key: tasks of one key run one after the other, those of others are no matter. */
import { Turns } from './turns.ts';

interface Queue {
  readonly turns: Turns;
  /** Tasks that have not ended. */
  tasks: number;
}

export class KeyedTurns {
  /** Only keys that have tasks. */
  readonly #queues = new Map<string, Queue>();

  /** Whether a task of the key is running or waiting. */
  isBusy(key: string): boolean {
    return this.#queues.has(key);
  }

  /** Settles as `task` does. */
  async run<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
    const queue = this.#queues.get(key) ?? { turns: new Turns(), tasks: 0 };
    this.#queues.set(key, queue);
    queue.tasks += 1;
    try {
      return await queue.turns.run(task);
    } finally {
      queue.tasks -= 1;
      if (queue.tasks === 0) this.#queues.delete(key);
    }
  }
}
