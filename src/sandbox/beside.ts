/** The bound on processes beside the main one, alike for all drivers. */
import { assert } from '../base/assert.ts';
import { PROCESSES_BESIDE_MAX, SandboxStartError, type SandboxCommand } from './sandbox.ts';

/** What every driver refuses beside the main process, `count` of them being there. Throws SandboxStartError. */
export function requireRoomBeside(command: SandboxCommand, count: number): void {
  assert(!command.channel, 'a process beside the main one has no channel');
  if (count < PROCESSES_BESIDE_MAX) return;
  throw new SandboxStartError(`more than ${PROCESSES_BESIDE_MAX} processes beside the main one`);
}
