/**
 * A pid namespace with its process 1: a small program that waits, ignores the end of its children (so that
 * the kernel reaps orphans), and does nothing else. It costs about 0.2 MB. It is not a shell: dash handles
 * SIGCHLD whatever it is told, so that its `read` ended with the first orphan, and all others with it.
 *
 * The main process of a sandbox is then an ordinary process of the namespace. As process 1 it would
 * ignore signals it sends itself, and it would have to reap what others leave behind. Killing process 1
 * ends every process of the namespace, all at once, whatever they do: that is how a sandbox is killed.
 *
 * Process 1 waits on a pipe that only this server can write: when the server dies, however it dies, the
 * pipe ends and with it every sandbox that is not frozen. `hearth sweep` ends the frozen ones.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { pidNamespaceOf } from '../child-reaper.ts';
import { createPipe, inNewPidNamespace } from '../native.ts';

/** Reads its standard input to the end. What it would print between columns is there for `ps` to show. */
const WAIT = ['--ignore-signal=CHLD', '/usr/bin/nl', '-s'];

/** The pipe that says the server lives. One for all namespaces. */
export interface LifeLine {
  readonly readFd: number;
  close(): void;
}

export function createLifeLine(): LifeLine {
  const { readFd, writeFd } = createPipe();
  return {
    readFd,
    close: () => {
      closeSync(writeFd);
      closeSync(readFd);
    },
  };
}

export class PidNamespace {
  readonly #init: ChildProcess;
  /** As /proc names it, `pid:[NUMBER]`; empty when its process could not start. */
  readonly id: string;
  /** Resolves when every process of the namespace has ended. */
  readonly ended: Promise<void>;

  /** `name` is what `ps` shows for process 1 on the host. */
  constructor(lifeLine: LifeLine, name: string) {
    this.#init = inNewPidNamespace(() =>
      spawn('/usr/bin/env', [...WAIT, name], {
        env: {},
        cwd: '/',
        stdio: [lifeLine.readFd, 'ignore', 'ignore'],
        detached: true, // not in the terminal's group: Ctrl-C is for the server
      }),
    );
    this.id = this.#init.pid === undefined ? '' : (pidNamespaceOf(this.#init.pid) ?? '');
    this.ended = new Promise((resolve) => {
      this.#init.once('exit', () => resolve());
      this.#init.once('error', () => resolve());
    });
  }

  /** Process 1 as the host numbers it; null when it could not start. */
  get pid(): number | null {
    return this.#init.pid ?? null;
  }

  /** The namespace as a path that another process can open; null when its process could not start. */
  get path(): string | null {
    return this.#init.pid === undefined ? null : `/proc/${this.#init.pid}/ns/pid`;
  }

  /** Kills everything inside; see `ended`. Frozen processes end when they are thawed. */
  kill(): void {
    this.#init.kill('SIGKILL');
  }
}
