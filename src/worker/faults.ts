/**
 * Faults: how an environment can fail, the third of the four error families (ADR 0013). A closed
 * list; only `worker/` makes them and only `invoke/` turns them into answers.
 */
import { asError } from '../base/as-error.ts';
import type { ProcessExit } from '../sandbox/sandbox.ts';
import type { RuntimeError } from './runtime-port.ts';

export type Fault =
  /** The invocation ran longer than the function's timeout. */
  | { readonly type: 'timeout'; readonly timeoutMs: number }
  /** The runtime process ended while an answer was due. */
  | { readonly type: 'exit'; readonly exit: ProcessExit }
  /** The sandbox hit its memory limit. */
  | { readonly type: 'outOfMemory' }
  /** The runtime reported that it could not load the function. */
  | { readonly type: 'initError'; readonly error: RuntimeError }
  /** No executable bootstrap in the code or a layer. */
  | { readonly type: 'invalidEntrypoint'; readonly message: string }
  /** An extension could not be started, reported an error, or ended by itself. */
  | { readonly type: 'extension'; readonly errorType: string; readonly message: string }
  /** The response was longer than a synchronous invoke may return. */
  | { readonly type: 'responseTooLarge'; readonly sizeBytes: number; readonly maxBytes: number }
  /** The host could not make the environment: not the function's doing. */
  | { readonly type: 'host'; readonly cause: Error };

/** The `Error Type` that system log lines and error documents carry. */
export function faultErrorType(fault: Fault): string {
  switch (fault.type) {
    case 'timeout':
      return 'Sandbox.Timedout';
    case 'exit':
      return 'Runtime.ExitError';
    case 'outOfMemory':
      return 'Runtime.OutOfMemory';
    case 'initError':
      return fault.error.errorType;
    case 'invalidEntrypoint':
      return 'Runtime.InvalidEntrypoint';
    case 'extension':
      return fault.errorType;
    case 'responseTooLarge':
      return 'Function.ResponseSizeTooLarge';
    case 'host':
      return 'Sandbox.Failure';
  }
}

/** How a process ended, in the words of the service's error messages. */
export function describeExit(exit: ProcessExit): string {
  if (exit.signal !== null) return `Runtime exited with error: signal: ${signalName(exit.signal)}`;
  if (exit.code === null || exit.code === 0) return 'Runtime exited without providing a reason';
  return `Runtime exited with error: exit status ${exit.code}`;
}

/** How the process of an extension ended, in the same words. */
export function describeExtensionExit(exit: ProcessExit): string {
  if (exit.signal !== null) return `signal: ${signalName(exit.signal)}`;
  return exit.code === 0 ? 'exit code 0' : `exit status ${exit.code ?? 'unknown'}`;
}

const signalNames: Readonly<Record<string, string>> = {
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGHUP: 'hangup',
  SIGILL: 'illegal instruction',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGPIPE: 'broken pipe',
  SIGQUIT: 'quit',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
  SIGTRAP: 'trace/breakpoint trap',
};

function signalName(signal: string): string {
  return signalNames[signal] ?? signal.toLowerCase();
}

/** What the host could not do. */
export function hostFault(error: unknown): Extract<Fault, { type: 'host' }> {
  return { type: 'host', cause: asError(error) };
}
