/** Signals to processes that may have ended meanwhile. */

/** Signals a process (or a group, by a negative id) and ignores that it has gone. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: it has ended. EPERM: it became another user's, which needs privileges we gave nobody.
  }
}
