/** Runs one of the host's tools (ip, nft, mkfs.ext4) to its end. */
import { spawn } from 'node:child_process';
import type { Clock } from '../../base/clock.ts';

/** Fixed, because the administrators' folders are not on every user's path; nothing else is passed on. */
export const TOOL_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
} as const;

const COMMAND_TIMEOUT_MS = 20_000;
const OUTPUT_BYTES_MAX = 64 * 1024;

export interface CommandResult {
  /** Exit status; null when it was killed for taking too long. */
  readonly code: number | null;
  /** Standard output and error, the first 64 KiB. */
  readonly output: string;
}

/** Resolves with the result, whatever the status; rejects when the command cannot be started. */
export function runCommand(
  clock: Clock,
  argv: readonly [string, ...string[]],
  input = '',
): Promise<CommandResult> {
  const [executable, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(executable, args, { env: TOOL_ENVIRONMENT, stdio: 'pipe' });
    const timer = clock.schedule(COMMAND_TIMEOUT_MS, () => child.kill('SIGKILL'));
    let output = '';
    const collect = (chunk: string): void => {
      if (output.length < OUTPUT_BYTES_MAX) output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.stdin.on('error', () => {}); // the command ended without reading its input
    child.stdin.end(input);
    child.once('error', (error) => {
      timer.cancel();
      reject(error);
    });
    child.once('close', (code) => {
      timer.cancel();
      resolve({ code, output: output.slice(0, OUTPUT_BYTES_MAX) });
    });
  });
}
