/**
 * Waits for children that are not child_process's: those a detached OCI runtime leaves behind, which
 * become this process's because it adopts orphans. Node reaps only the children it started, so the two
 * never take each other's.
 */
import { deferred, type Deferred } from '../base/deferred.ts';
import { adoptOrphans, reapChild, type ChildStatus } from './native.ts';

export class ChildReaper {
  readonly #waiting = new Map<number, Deferred<ChildStatus | null>>();
  readonly #onChildSignal = (): void => this.#reapAll();

  constructor() {
    adoptOrphans();
    process.on('SIGCHLD', this.#onChildSignal);
  }

  /** Resolves with the child's status when it ends; null when `pid` is no child of this process. */
  wait(pid: number): Promise<ChildStatus | null> {
    const waiting = deferred<ChildStatus | null>();
    this.#waiting.set(pid, waiting);
    this.#reap(pid, waiting); // it may have ended before anyone asked
    return waiting.promise;
  }

  close(): void {
    process.off('SIGCHLD', this.#onChildSignal);
  }

  #reapAll(): void {
    for (const [pid, waiting] of this.#waiting) this.#reap(pid, waiting);
  }

  #reap(pid: number, waiting: Deferred<ChildStatus | null>): void {
    const status = reapChild(pid);
    if (status === null) return;
    this.#waiting.delete(pid);
    waiting.resolve(status === 'gone' ? null : status);
  }
}
