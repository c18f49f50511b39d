/** Starts a command by way of `env`, which is how it gets exactly the environment that it was given. */

/** Runs its arguments as a command, and unlike `env` takes none of them for a variable. */
const PLAIN_EXEC = ['/usr/bin/nice', '-n', '0', '--'];

/**
 * Argument list that runs `argv` with the environment as `changes`, options and NAME=VALUE pairs, alter
 * it. Costs one more `exec`, under a millisecond.
 */
export function envCommand(changes: readonly string[], argv: readonly string[]): string[] {
  const isLikeVariable = argv[0]?.includes('=') === true;
  return ['/usr/bin/env', ...changes, ...(isLikeVariable ? PLAIN_EXEC : []), ...argv];
}
