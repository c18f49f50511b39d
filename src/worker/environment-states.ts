/**
 * The states of an execution environment and the only moves between them.
 *
 *   Starting --init done or failed--> Ready <--finished, failed or timed out-- Invoking
 *      |                              |  ^  \                                     ^
 *      | host cannot start it         |  |   `----------- event ------------------'
 *      v                       freeze v  | thaw                                   |
 *    Failed                         Frozen                                        |
 *      |                              |                                           |
 *      `------------> Stopping <------+-----------------server stops--------------'
 *                        |
 *                        v
 *                     Stopped
 *
 * When the host fails in the middle of an invocation, Invoking goes to Failed: the environment is not
 * used again. A reset (after a crash, a timeout or a failed init) does not leave Ready: the environment keeps its
 * sandbox and /tmp, loses its process, and runs Init again inside the next invocation.
 */

export type EnvironmentState =
  /** The sandbox is being made or bound, and Init runs. */
  | 'Starting'
  /** Idle: can take an event. */
  | 'Ready'
  /** Exactly one invocation is in flight. */
  | 'Invoking'
  /** Idle with its processes stopped where they are. */
  | 'Frozen'
  /** Being taken apart. */
  | 'Stopping'
  /** Nothing of it is left on the host. */
  | 'Stopped'
  /** The host could not make it; only stopping is left. */
  | 'Failed';

const moves: Readonly<Record<EnvironmentState, readonly EnvironmentState[]>> = {
  Starting: ['Ready', 'Failed', 'Stopping'],
  Ready: ['Invoking', 'Frozen', 'Stopping'],
  Invoking: ['Ready', 'Failed', 'Stopping'],
  Frozen: ['Ready', 'Stopping'],
  Failed: ['Stopping'],
  Stopping: ['Stopped'],
  Stopped: [],
};

export const environmentStates = Object.keys(moves) as readonly EnvironmentState[];

export function canMove(from: EnvironmentState, to: EnvironmentState): boolean {
  return moves[from].includes(to);
}
