/** The two ways a runtime talks to its environment, as `worker/` wants them. */
import type { RuntimeTransports } from '../worker/runtime-port.ts';
import { openRuntimeChannel } from './channel.ts';
import { createRuntimeHttpApi } from './http-api.ts';

export const runtimeTransports: RuntimeTransports = {
  openChannel: openRuntimeChannel,
  createHttpApi: createRuntimeHttpApi,
};
