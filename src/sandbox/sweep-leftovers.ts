/** Removes what the sandboxes of a server that is gone left on the host, whichever driver it used. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { ociFolder } from './oci/oci-driver.ts';
import { sweepOci } from './oci/sweep-oci.ts';
import { createProcessDriver } from './process/process-driver.ts';
import type { SweepReport } from './sandbox.ts';

/** `folder` is what the drivers were given. The server that used it must not be running any more. */
export async function sweepLeftovers(
  clock: Clock,
  random: Random,
  log: Log,
  folder: string,
): Promise<SweepReport> {
  const contained = await sweepOci(clock, log, ociFolder(folder));
  const processDriver = createProcessDriver(clock, random, log, { folder });
  const plain = await processDriver.sweep();
  await processDriver.close();
  return {
    processes: contained.processes + plain.processes,
    mounts: contained.mounts + plain.mounts,
    cgroups: contained.cgroups + plain.cgroups,
    networkDevices: contained.networkDevices + plain.networkDevices,
    folders: contained.folders + plain.folders,
  };
}
