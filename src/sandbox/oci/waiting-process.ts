/** Processes of the server's that do nothing, to be traced. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { TraceError } from './traced-process.ts';

export interface WaitingOptions {
  /** What `ps` shows for its shell; `$0` in the command. */
  readonly name?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Its standard input; empty when not given. */
  readonly inputFd?: number;
}

/**
 * Starts a command that waits and resolves with its process id. It is a shell's child, for Node would take the
 * stops of one of its own for its end.
 */
export async function startWaiting(command: string, options: WaitingOptions = {}): Promise<number> {
  const { name = 'sh', inputFd = 'ignore', ...user } = options;
  const script = `exec 3<&0; ${command} <&3 3<&- >/dev/null & echo $!; exec >&-; wait`;
  const shell = spawn('/bin/sh', ['-c', script, name], {
    ...{ ...user, stdio: [inputFd, 'pipe', 'ignore'], env: {}, cwd: '/' },
    detached: true, // not in the terminal's group: Ctrl-C is for the server
  });
  shell.unref();
  const failed = new Promise<never>((_, reject) => shell.once('error', reject));
  const line = await Promise.race([text(shell.stdout!), failed]);
  const pid = Number(line);
  if (!Number.isSafeInteger(pid) || pid <= 1) throw new TraceError(`cannot start ${command}`);
  return pid;
}

/** For ten seconds. */
export function startSleeper(user: Pick<WaitingOptions, 'uid' | 'gid'> = {}): Promise<number> {
  return startWaiting('/bin/sleep 10', user);
}
