/** What all sandboxes of one OCI driver share. */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ChildReaper } from '../child-reaper.ts';
import type { Cgroups } from './cgroups.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import type { Network } from './network.ts';
import type { LifeLine } from './pid-namespace.ts';
import type { SeccompProfile } from './seccomp.ts';
import type { TemporaryStorage } from './temporary-storage.ts';

export interface OciFolders {
  /** Root file system of every sandbox; its mounts are private. */
  readonly root: string;
  /** One folder per box, in a shared mount: what is mounted below appears inside. */
  readonly boxes: string;
  /** A private mount point for one mount at a time, until it is moved to its place. */
  readonly staging: string;
  /** Image files on their way into a loop device. */
  readonly images: string;
  /** What the OCI runtime knows. */
  readonly state: string;
}

export interface OciParts {
  readonly clock: Clock;
  readonly log: Log;
  /** See instance.ts. */
  readonly instanceId: string;
  readonly folders: OciFolders;
  readonly cgroups: Cgroups;
  readonly runtime: ContainerRuntime;
  readonly network: Network;
  readonly storage: TemporaryStorage;
  readonly reaper: ChildReaper;
  readonly lifeLine: LifeLine;
  readonly seccomp: SeccompProfile;
}
