/**
 * Waits for children that are not child_process's: those a detached OCI runtime leaves behind, which
 * become this process's because it adopts orphans. Node reaps only the children it started, so the two
 * never take each other's.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { deferred, type Deferred } from '../base/deferred.ts';
import { adoptOrphans, ignoreChildStops, reapChild, type ChildStatus } from './native.ts';

export class ChildReaper {
  readonly #waiting = new Map<number, Deferred<ChildStatus | null>>();
  readonly #spared = new Set<number>();
  readonly #onChildSignal = (): void => this.#reapAll();

  constructor() {
    adoptOrphans();
    process.on('SIGCHLD', this.#onChildSignal);
    ignoreChildStops();
  }

  /** Resolves with the child's status when it ends; null when `pid` is no child of this process. */
  wait(pid: number): Promise<ChildStatus | null> {
    const waiting = deferred<ChildStatus | null>();
    this.#waiting.set(pid, waiting);
    this.#reap(pid, waiting); // it may have ended before anyone asked
    return waiting.promise;
  }

  /** Does not ask for a child while `work` traces it: it would take the stops for the end, and from the tracer. */
  async sparing<T>(pid: number, work: () => Promise<T>): Promise<T> {
    this.#spared.add(pid);
    try {
      return await work();
    } finally {
      this.#spared.delete(pid);
      const waiting = this.#waiting.get(pid);
      if (waiting !== undefined) this.#reap(pid, waiting); // it may have ended meanwhile
    }
  }

  /**
   * Reaps adopted children in a pid namespace (`pid:[NUMBER]`) that nobody waits for, which a runtime left
   * behind when it failed midway: unreaped, they would keep the namespace from ending. Returns how many.
   */
  reapStrays(namespace: string): number {
    const zombies = adoptedZombies().filter((pid) => !this.#waiting.has(pid));
    const strays = zombies.filter((pid) => (pidNamespaceOf(pid) ?? namespace) === namespace);
    for (const pid of strays) reapChild(pid);
    return strays.length;
  }

  close(): void {
    process.off('SIGCHLD', this.#onChildSignal);
  }

  #reapAll(): void {
    for (const [pid, waiting] of this.#waiting) this.#reap(pid, waiting);
  }

  #reap(pid: number, waiting: Deferred<ChildStatus | null>): void {
    if (this.#spared.has(pid)) return;
    const status = reapChild(pid);
    if (status === null) return;
    this.#waiting.delete(pid);
    waiting.resolve(status === 'gone' ? null : status);
  }
}

/**
 * Children of this process that have ended and were inside a pid namespace, but not as its process 1:
 * those that child_process started are in our own namespace, or process 1 of another.
 */
function adoptedZombies(): number[] {
  const threads = readdirSync('/proc/self/task');
  const children = threads.flatMap((thread) => {
    const list = readText(`/proc/self/task/${thread}/children`);
    return list.split(' ').filter(Boolean).map(Number);
  });
  return children.filter((pid) => {
    const status = readText(`/proc/${pid}/status`);
    const inside = /^NSpid:\t\d+\t.*?(\d+)$/m.exec(status)?.[1];
    return /^State:\tZ/m.test(status) && inside !== undefined && inside !== '1';
  });
}

/** `pid:[NUMBER]`, also of a process that has ended and was not reaped; null when it is gone. */
export function pidNamespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
