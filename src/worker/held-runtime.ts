/**
 * A runtime that is initialised and waits at its snapshot point: where restored environments of versions
 * with SnapStart begin (ADR 0015).
 */
import type { RuntimeRestore } from './runtime-port.ts';
import type { RunningRuntime } from './runtime-sandbox.ts';

/** A runtime at its snapshot point, and the word that lets it go on. */
export interface HeldRuntime {
  readonly running: RunningRuntime;
  readonly restore: (restored: RuntimeRestore) => void;
  /** The variables that it was initialised with. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A restored environment could not be made; not the host's doing. */
export class RestoreFailure extends Error {
  override readonly name = 'RestoreFailure';
  readonly reason: 'init' | 'hook' | 'timeout';

  constructor(reason: RestoreFailure['reason']) {
    super(`a snapshot could not be restored: ${reason}`);
    this.reason = reason;
  }
}

export function isRestoreFailure(error: unknown): error is RestoreFailure {
  return error instanceof Error && error.name === 'RestoreFailure';
}

/** What is new in `after` or has another value there. */
export function changedVariables(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(after).filter(([name, value]) => before[name] !== value),
  );
}
