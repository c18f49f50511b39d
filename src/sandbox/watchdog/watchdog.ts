/**
 * Cleans up when the server dies without cleaning up: a shell, in a session of its own, that waits on a
 * pipe only the server holds. When the pipe ends without a word, the server is dead, however it died, and
 * the shell becomes the given command. It costs about 1 MB and does nothing else.
 */
import { spawn } from 'node:child_process';

export interface WatchdogOptions {
  /** What to run once the server is dead; argv[0] is a path or a name on the usual search path. */
  readonly command: readonly [string, ...string[]];
}

export interface Watchdog {
  /** Ends the watchdog without running the command; resolves when it has ended. */
  stop(): Promise<void>;
}

/**
 * Signals are ignored while waiting, not in the command: only the end of the pipe counts. Any line means
 * that the server cleans up by itself.
 */
const SCRIPT = 'trap "" HUP INT TERM; read -r _ && exit 0; trap - HUP INT TERM; exec "$@"';

/** Starts watching this process. Rejects when the shell cannot be started. */
export function startWatchdog(options: WatchdogOptions): Promise<Watchdog> {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'hearth-watchdog', ...options.command], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // out of the reach of signals to the server's group and terminal
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin.on('error', () => {}); // it was killed
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      (child.stdin as unknown as { unref(): void }).unref();
      resolve({
        stop: async () => {
          child.ref();
          child.stdin.end('stop\n');
          await ended;
        },
      });
    });
  });
}
