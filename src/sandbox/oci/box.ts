/**
 * What a sandbox is on the host before anything runs in it: a folder, the mounts in it, and a network
 * namespace. A box belongs to one sandbox, or to none yet (blank-box.ts), and is never used again.
 *
 * The folder lies in the driver's shared mount and has a mount point for each place inside. What is
 * mounted there appears inside, also while the container runs (late binding).
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { mount, mountFlags, unmount } from '../native.ts';
import { SandboxStartError } from '../sandbox.ts';
import type { SandboxNetwork } from './network.ts';
import type { OciParts } from './oci-parts.ts';
import { bindReadOnly } from './root-filesystem.ts';
import type { TemporaryFileSystem } from './temporary-storage.ts';

/** Mount point in the box's folder by path inside. */
const MOUNT_POINTS = {
  '/var/task': 'task',
  '/opt': 'opt',
  '/tmp': 'tmp',
  '/var/runtime': 'runtime',
  '/var/lang': 'lang',
} as const;

export type BoxPlace = keyof typeof MOUNT_POINTS;

const PLACES = Object.keys(MOUNT_POINTS) as readonly BoxPlace[];

/** Links followed when looking for a file, as the kernel's bound. */
const LINKS_MAX = 40;

export class Box {
  readonly name: string;
  /** Host folder by path inside. */
  readonly places: Readonly<Record<BoxPlace, string>>;
  /** For the OCI runtime: the description of the container that runs or ran last. */
  readonly bundle: string;
  readonly network: SandboxNetwork;
  readonly #parts: OciParts;
  readonly #folder: string;
  #temporaryStorageMb = 0;
  readonly #temporary: TemporaryFileSystem[] = [];
  #containers = 0;

  private constructor(parts: OciParts, name: string, network: SandboxNetwork) {
    this.name = name;
    this.network = network;
    this.#parts = parts;
    this.#folder = join(parts.folders.boxes, name);
    this.bundle = join(this.#folder, 'bundle');
    const entries = PLACES.map((place) => [place, join(this.#folder, MOUNT_POINTS[place])]);
    this.places = Object.fromEntries(entries) as Record<BoxPlace, string>;
  }

  /** With an empty /tmp of that size and nothing else; `name` is unique among the driver's boxes. */
  static async create(parts: OciParts, name: string, temporaryStorageMb: number): Promise<Box> {
    const box = new Box(parts, name, await parts.network.acquire());
    try {
      for (const place of PLACES) mkdirSync(box.places[place], { recursive: true });
      mkdirSync(box.bundle);
      await box.sizeTemporary(temporaryStorageMb);
      return box;
    } catch (error) {
      box.remove();
      throw error;
    }
  }

  /** A name for the next container in this box. */
  nextContainer(): string {
    this.#containers += 1;
    return `${this.name}.${this.#containers}`;
  }

  /** Another size of /tmp is a new image over the first one: call it only while /tmp is empty. */
  async sizeTemporary(sizeMb: number): Promise<void> {
    if (sizeMb === this.#temporaryStorageMb) return;
    this.#temporaryStorageMb = sizeMb;
    await this.renewTemporary();
  }

  /**
   * Begins /tmp with what another box's holds, which goes on being read from there; what is written goes
   * into this one. Nothing is copied, for the server must not follow a path that functions can change.
   */
  inheritTemporary(from: Box): void {
    const [before, own] = [from.places['/tmp'], this.places['/tmp']];
    if (isEmpty(before)) return;
    const { mode, uid, gid } = statSync(before);
    for (const name of ['upper', 'work']) mkdirSync(join(own, name));
    chownSync(join(own, 'upper'), uid, gid);
    chmodSync(join(own, 'upper'), mode & 0o7777);
    // By descriptor: a path may hold the characters that separate overlay options.
    const descriptors = [before, own].map((folder) => openSync(folder, 'r'));
    try {
      const [lower, upper] = descriptors.map((fd) => `/proc/self/fd/${fd}`);
      const options = `lowerdir=${lower},upperdir=${upper}/upper,workdir=${upper}/work`;
      mount('overlay', own, 'overlay', mountFlags.noSuid | mountFlags.noDevices, options);
    } finally {
      for (const fd of descriptors) closeSync(fd);
    }
  }

  /** An empty /tmp of the same size over what is there; nothing in the box may run. */
  async renewTemporary(): Promise<void> {
    const sizeMb = this.#temporaryStorageMb;
    this.#temporary.push(await this.#parts.storage.mountAt(this.places['/tmp'], sizeMb));
  }

  /**
   * A mount that becomes read-only after it appeared inside would stay writable there. So it is made
   * and protected in a private place first, and then moved to the shared one as it is.
   */
  mountReadOnly(source: string, place: BoxPlace): void {
    const { staging } = this.#parts.folders;
    bindReadOnly(source, staging);
    try {
      mount(staging, this.places[place], null, mountFlags.move);
    } catch (error) {
      unmount(staging);
      throw error;
    }
  }

  /** Merges layers, lowest first, read-only at /opt. */
  mountLayers(layerDirs: readonly string[]): void {
    const [first, ...others] = layerDirs;
    if (first === undefined) return;
    if (others.length === 0) {
      this.mountReadOnly(first, '/opt');
      return;
    }
    // Highest first, and by descriptor: a path may hold the characters that separate overlay options.
    const descriptors = layerDirs.toReversed().map((layerDir) => openSync(layerDir, 'r'));
    try {
      const lower = descriptors.map((fd) => `/proc/self/fd/${fd}`).join(':');
      const flags = mountFlags.readOnly | mountFlags.noSuid | mountFlags.noDevices;
      mount('overlay', this.places['/opt'], 'overlay', flags, `lowerdir=${lower}`);
    } finally {
      for (const fd of descriptors) closeSync(fd);
    }
  }

  /** Where a path inside is on the host; follows links of the last component as they point inside. */
  hostPathOf(path: string): string {
    let inside = resolve('/', path);
    for (let links = 0; links < LINKS_MAX; links += 1) {
      const place = PLACES.find((start) => inside === start || inside.startsWith(`${start}/`));
      const folder = place === undefined ? this.#parts.folders.root : this.places[place];
      const host = join(folder, inside.slice(place?.length ?? 0));
      if (!lstatSync(host, { throwIfNoEntry: false })?.isSymbolicLink()) return host;
      inside = resolve(dirname(inside), readlinkSync(host));
    }
    throw new SandboxStartError(`cannot start ${path}: too many links`);
  }

  /** Removed, but its /tmp is still there: the kernel is at it, or a process elsewhere has something in it open. */
  get isHeld(): boolean {
    return this.#temporary.some((fileSystem) => fileSystem.isHeld());
  }

  /** Takes it off the host. Nothing may run in it any more. */
  remove(): void {
    this.#parts.network.release(this.network);
    for (const place of PLACES) {
      while (unmount(this.places[place])); // /tmp may have two, one over the other
      removeFolder(this.places[place]);
    }
    rmSync(this.bundle, { recursive: true, force: true });
    removeFolder(this.#folder);
  }
}

/** Does not read it to the end: functions can make folders with millions of names. */
function isEmpty(path: string): boolean {
  const folder = opendirSync(path, { bufferSize: 1 });
  try {
    return folder.readSync() === null;
  } finally {
    folder.closeSync();
  }
}

/** Removes an empty folder: never more, for a function's code may have been mounted there. */
function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
