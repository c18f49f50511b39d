/**
 * The sandbox driver with walls: a container per sandbox, made by an OCI runtime (runc, crun, ...).
 *
 * What every sandbox needs alike (root file system, network, storage templates, filter) is made once,
 * here; see docs/internals/sandbox.md for the parts and docs/security/threat-model.md for the walls.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { limits } from '../../model/limits.ts';
import { ChildReaper } from '../child-reaper.ts';
import { instanceIdOf } from '../instance.ts';
import { isLinux, mount, mountFlags } from '../native.ts';
import type { ForkKind, Sandbox, SandboxDriver, SandboxSpec, SweepReport } from '../sandbox.ts';
import {
  BLANK_BOX_MEMORY_MB,
  BLANK_BOXES_DEFAULT,
  BLANK_BOXES_MAX,
  BlankBoxes,
} from './blank-boxes.ts';
import { ContainerRuntime } from './container-runtime.ts';
import { helperName } from './copy-owner.ts';
import { findCgroups } from './find-cgroups.ts';
import { createNetwork } from './network.ts';
import type { OciFolders, OciParts } from './oci-parts.ts';
import { OciSandbox } from './oci-sandbox.ts';
import { createLifeLine } from './pid-namespace.ts';
import { buildRootFilesystem, findResolver } from './root-filesystem.ts';
import { seccompProfile } from './seccomp.ts';
import { NOTHING_SWEPT, sweepOci, unmountBelow } from './sweep-oci.ts';
import { createTemporaryStorage } from './temporary-storage.ts';
import { tryWallIn } from './wall-in.ts';

export interface OciDriverOptions {
  /** Folder of the server's own for sandboxes (DATA/run); made when missing. */
  readonly folder: string;
  /** Path or name of the OCI runtime's binary, for example 'runc'. */
  readonly runtimePath: string;
  /** Boxes kept started in advance (blank-boxes.ts); BLANK_BOXES_DEFAULT when not given, 0 for none. */
  readonly blankBoxes?: number;
}

export interface OciSandboxDriver extends SandboxDriver {
  /** How many boxes are started and wait for a sandbox. */
  readonly blankBoxesWaiting: number;
}

/** The driver cannot work on this host; the message says why. */
export class OciUnavailableError extends Error {
  override readonly name = 'OciUnavailableError';
}

const SANDBOX_ID = /^[a-z0-9-]{1,40}$/;

/** The driver's own folder in the server's folder for sandboxes. */
export function ociFolder(folder: string): string {
  return join(folder, 'oci');
}

/**
 * Sweeps what an earlier server left in the same folder, then sets the driver up (about 0.1 s). Throws
 * OciUnavailableError or whatever a failed step throws; nothing is left then. `random` is unused.
 */
export async function createOciDriver(
  clock: Clock,
  _random: Random,
  log: Log,
  options: OciDriverOptions,
): Promise<OciSandboxDriver> {
  const { blankBoxes = BLANK_BOXES_DEFAULT } = options;
  const isInRange = blankBoxes >= 0 && blankBoxes <= BLANK_BOXES_MAX;
  assert(Number.isInteger(blankBoxes) && isInRange, `${blankBoxes} blank boxes`);
  requireHost();
  const folder = ociFolder(options.folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = realpathSync(folder);
  const swept = await sweepOci(clock, log, own);
  try {
    const made = await createParts(clock, log, own, options);
    return new OciDriver(clock, made.parts, { ...made, folder: own, swept, blankBoxes });
  } catch (error) {
    await sweepOci(clock, log, own);
    throw error;
  }
}

function requireHost(): void {
  if (!isLinux) throw new OciUnavailableError('containers need Linux');
  if (process.getuid?.() !== 0) throw new OciUnavailableError('containers need root');
}

async function createParts(
  clock: Clock,
  log: Log,
  folder: string,
  { runtimePath }: OciDriverOptions,
): Promise<{ parts: OciParts; notices: string[]; forks: ForkKind }> {
  const folders = prepareFolders(folder);
  const instanceId = instanceIdOf(folder);
  const cgroups = findCgroups(clock, instanceId);
  if (cgroups === null) throw new OciUnavailableError('no usable control groups');
  const resolver = findResolver();
  const trial = tryWallIn(clock, helperName(instanceId, 'trial')); // beside the rest; never rejects
  buildRootFilesystem(folders.root, resolver.resolvConf);
  const trialSizeMb = limits.ephemeralStorageMbDefault;
  const storage = await createTemporaryStorage(clock, folders.images, trialSizeMb);
  const network = await createNetwork(clock, log, instanceId);
  const notices = [...network.notices];
  if (storage.notice !== null) notices.push(`sandbox oci: ${storage.notice}`);
  if (resolver.problem !== null)
    notices.push(`sandbox oci: no name resolution: ${resolver.problem}`);
  // What copies leave in a tmpfs that others hold open would be memory without a limit.
  const obstacle = (await trial) ?? (storage.notice === null ? null : '/tmp is a tmpfs');
  if (obstacle !== null) {
    notices.push(`sandbox oci: SnapStart runs Init for each environment: ${obstacle}`);
  }
  const parts: OciParts = {
    clock,
    log,
    instanceId,
    folders,
    cgroups,
    runtime: new ContainerRuntime(clock, runtimePath, folders.state),
    network,
    storage,
    reaper: new ChildReaper(),
    lifeLine: createLifeLine(),
    seccomp: seccompProfile(process.arch),
  };
  return { parts, notices, forks: obstacle === null ? 'prepared' : 'none' };
}

function prepareFolders(folder: string): OciFolders {
  const at = (name: string): string => {
    mkdirSync(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  const folders = {
    root: at('root'),
    boxes: at('boxes'),
    staging: at('staging/mount'),
    images: at('images'),
    state: at('state'),
  };
  mount(folders.boxes, folders.boxes, null, mountFlags.bind);
  mount('none', folders.boxes, null, mountFlags.shared);
  // A mount can be moved only out of a private one; the host's own tree may be shared.
  const stagingParent = join(folder, 'staging');
  mount(stagingParent, stagingParent, null, mountFlags.bind);
  mount('none', stagingParent, null, mountFlags.private);
  return folders;
}

class OciDriver implements OciSandboxDriver {
  readonly name = 'oci';
  readonly forks: ForkKind;
  readonly notices: readonly string[];
  readonly standbyMemoryMb: number;
  readonly #clock: Clock;
  readonly #parts: OciParts;
  readonly #folder: string;
  readonly #blankBoxes: BlankBoxes;
  readonly #sandboxes = new Map<string, OciSandbox>();
  #swept: SweepReport;
  #closed: Promise<void> | null = null;

  constructor(
    clock: Clock,
    parts: OciParts,
    state: {
      folder: string;
      notices: readonly string[];
      forks: ForkKind;
      swept: SweepReport;
      blankBoxes: number;
    },
  ) {
    this.#clock = clock;
    this.#parts = parts;
    this.#folder = state.folder;
    this.notices = state.notices;
    this.forks = state.forks;
    this.standbyMemoryMb = state.blankBoxes * BLANK_BOX_MEMORY_MB;
    this.#swept = state.swept;
    this.#blankBoxes = new BlankBoxes(clock, parts, state.blankBoxes);
    this.#blankBoxes.postpone(); // the first ones, soon
  }

  get blankBoxesWaiting(): number {
    return this.#blankBoxes.size;
  }

  async create(spec: SandboxSpec): Promise<Sandbox> {
    assert(SANDBOX_ID.test(spec.id), `sandbox id ${spec.id}`);
    assert(!this.#sandboxes.has(spec.id), `sandbox id ${spec.id} is unique`);
    assert(this.#closed === null, 'the driver is open');
    const events = {
      onStart: () => this.#blankBoxes.postpone(),
      onDestroyed: () => void this.#sandboxes.delete(spec.id),
    };
    const blank = spec.startsAsCopy === true ? null : this.#blankBoxes.take();
    this.#blankBoxes.postpone();
    const sandbox = await OciSandbox.create(spec, this.#parts, events, blank);
    this.#sandboxes.set(spec.id, sandbox);
    return sandbox;
  }

  /** It has been done when the driver was made, as it must be; this tells what was found, once. */
  async sweep(): Promise<SweepReport> {
    const report = this.#swept;
    this.#swept = NOTHING_SWEPT;
    return report;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const sandboxes = [...this.#sandboxes.values()].map((sandbox) => sandbox.destroy());
    await Promise.all([this.#blankBoxes.close(), ...sandboxes]);
    this.#parts.reaper.close();
    this.#parts.lifeLine.close();
    await this.#parts.network.close();
    unmountBelow(this.#folder);
    await sweepOci(this.#clock, this.#parts.log, this.#folder);
  }
}
