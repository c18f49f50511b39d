/**
 * AWS_LAMBDA_EXEC_WRAPPER: a program of the function's that starts its managed runtime, with flags and
 * variables of its choice (guide page 053).
 */

/**
 * POSIX shell: refuses a wrapper that is not there or not executable in the words and with the exit
 * status that public reports of the service show, else becomes the wrapper. A shell also takes scripts
 * that name no interpreter.
 */
const LAUNCHER = [
  'refuse() { echo "$1: $2"; exit "$3"; }',
  'test -f "$1" || refuse "$1" "does not exist" 127',
  'test -x "$1" || refuse "$1" "is not an executable" 126',
  'exec "$@"',
].join('; ');

/** The wrapper that a function's environment names; undefined when there is none. */
export function wrapperOf(environment: Readonly<Record<string, string>>): string | undefined {
  return environment['AWS_LAMBDA_EXEC_WRAPPER'] || undefined;
}

/**
 * How to start the runtime `argv` (interpreter, arguments, bootstrap) in its function's `environment`:
 * behind the wrapper that this names, or as it is. The wrapper's first argument is `argv[0]`.
 */
export function wrapCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): readonly string[] {
  const wrapper = wrapperOf(environment);
  return wrapper === undefined ? argv : ['/bin/sh', '-c', LAUNCHER, 'sh', wrapper, ...argv];
}
