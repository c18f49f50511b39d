/** Chooses the sandbox driver: what the operator asked for, or the strongest that works here. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { createTriedOciDriver } from './oci/probe-oci.ts';
import { createProcessDriver } from './process/process-driver.ts';
import type { SandboxDriver, SandboxDriverName } from './sandbox.ts';

export interface SelectDriverOptions {
  readonly choice: 'auto' | SandboxDriverName;
  /** Folder of the server's own for sandboxes (DATA/run); made when missing. */
  readonly folder: string;
  /** Path or name of the OCI runtime's binary; 'runc' when not given. */
  readonly runtimePath?: string;
  /** Sandboxes of the OCI driver kept started in advance; its own default when not given, 0 for none. */
  readonly blankBoxes?: number;
}

const RUNTIME_PATH_DEFAULT = 'runc';

/** The driver that the operator insists on does not work on this host. */
export class SandboxDriverError extends Error {
  override readonly name = 'SandboxDriverError';

  constructor(reason: string) {
    super(
      `sandbox oci does not work here: ${reason}. ` +
        'Install what is missing (on Debian, as root: make setup), or choose --sandbox auto.',
    );
  }
}

/** Rejects with a SandboxDriverError when the choice is 'oci' and that does not work here. */
export async function selectDriver(
  clock: Clock,
  random: Random,
  log: Log,
  options: SelectDriverOptions,
): Promise<SandboxDriver> {
  const { choice, folder, runtimePath = RUNTIME_PATH_DEFAULT } = options;
  if (choice === 'process') return createProcessDriver(clock, random, log, { folder });
  const tried = await createTriedOciDriver(clock, random, log, { ...options, runtimePath });
  if ('driver' in tried) return tried.driver;
  if (choice === 'oci') throw new SandboxDriverError(tried.reason);
  const driver = createProcessDriver(clock, random, log, { folder });
  const notice = `sandbox oci does not work here, using process: ${tried.reason}`;
  return { ...driver, notices: [notice, ...driver.notices] };
}
