/** The two ways a runtime talks to its environment, as `worker/` wants them. */
import type { Clock } from '../base/clock.ts';
import type { RuntimeTransports } from '../worker/runtime-port.ts';
import { openRuntimeChannel } from './channel.ts';
import { createRuntimeHttpApi } from './http-api.ts';

export function createRuntimeTransports(clock: Clock): RuntimeTransports {
  return { openChannel: openRuntimeChannel, createHttpApi: () => createRuntimeHttpApi(clock) };
}
