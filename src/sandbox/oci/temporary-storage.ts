/**
 * /tmp of a sandbox: bounded in size, and not memory that the sandbox could never give back.
 *
 * An ext4 image in a sparse file on a loop device (2-3 ms to make and mount): the files' pages are
 * ordinary cache, which the kernel drops under the memory limit, while a tmpfs would count against the
 * function's memory until it is killed. Where no loop device works, a tmpfs of that size, with a notice.
 *
 * The image file is unlinked as soon as the loop device has it and the device frees itself with the last
 * mount, so nothing is left even when the server is killed.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { MIB } from '../../model/limits.ts';
import { dataExtents, ioctl, mount, mountFlags, NativeError, unmount } from '../native.ts';
import { runCommand } from './command.ts';
import { SANDBOX_GID, SANDBOX_UID } from './user.ts';

export interface TemporaryStorage {
  /** What the driver should say at start; null when all is well. */
  readonly notice: string | null;
  /** Mounts an empty file system with `sizeMb` of room, owned by the sandbox's user, at the folder `target`. */
  mountAt(target: string, sizeMb: number): Promise<TemporaryFileSystem>;
}

export interface TemporaryFileSystem {
  /** Whether it is mounted, or a process has something in it open; its room on the disk is taken until then. */
  isHeld(): boolean;
}

const MOUNT_FLAGS = mountFlags.noSuid | mountFlags.noDevices;
const TMP_MODE = 0o1777;

/** Tries loop devices and settles for tmpfs. `folder` is for image files; it must exist. */
export async function createTemporaryStorage(
  clock: Clock,
  folder: string,
  trialSizeMb: number,
): Promise<TemporaryStorage> {
  const images = new ImageStorage(clock, folder);
  try {
    await images.prepare(trialSizeMb);
    return images;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new MemoryStorage(reason);
  }
}

class MemoryStorage implements TemporaryStorage {
  readonly notice: string;

  constructor(reason: string) {
    this.notice = `/tmp is a tmpfs and counts as function memory, for want of loop devices: ${reason}`;
  }

  async mountAt(target: string, sizeMb: number): Promise<TemporaryFileSystem> {
    const owner = `uid=${SANDBOX_UID},gid=${SANDBOX_GID},mode=${TMP_MODE.toString(8)}`;
    mount('tmpfs', target, 'tmpfs', MOUNT_FLAGS, `size=${sizeMb}m,${owner}`);
    return { isHeld: () => false }; // it is memory, which is counted as such
  }
}

interface ImageTemplate {
  readonly sizeBytes: number;
  /** The file system's metadata: a few hundred kilobytes, whatever the size. */
  readonly extents: readonly { readonly start: number; readonly data: Buffer }[];
}

/** One template per size that was asked for; sizes are whole megabytes within a documented range. */
const TEMPLATES_MAX = 64;

class ImageStorage implements TemporaryStorage {
  readonly notice = null;
  readonly #clock: Clock;
  readonly #folder: string;
  readonly #templates = new Map<number, Promise<ImageTemplate>>();
  #sequence = 0;

  constructor(clock: Clock, folder: string) {
    this.#clock = clock;
    this.#folder = folder;
  }

  async prepare(sizeMb: number): Promise<void> {
    await this.#template(sizeMb);
  }

  async mountAt(target: string, sizeMb: number): Promise<TemporaryFileSystem> {
    const template = await this.#template(sizeMb);
    const file = this.#nextFile();
    try {
      writeImage(file, template);
      const device = mountImage(file, target);
      return { isHeld: () => isBehind(file, device) };
    } finally {
      rmSync(file, { force: true });
    }
  }

  #nextFile(): string {
    this.#sequence += 1;
    return join(this.#folder, `image-${this.#sequence}`);
  }

  #template(sizeMb: number): Promise<ImageTemplate> {
    let template = this.#templates.get(sizeMb);
    if (template === undefined) {
      const oldest = this.#templates.keys().next();
      if (this.#templates.size >= TEMPLATES_MAX && !oldest.done)
        this.#templates.delete(oldest.value);
      template = this.#makeTemplate(sizeMb);
      this.#templates.set(sizeMb, template);
      template.catch(() => this.#templates.delete(sizeMb));
    }
    return template;
  }

  async #makeTemplate(sizeMb: number): Promise<ImageTemplate> {
    const file = this.#nextFile();
    const target = `${file}.mount`;
    try {
      await this.#format(file, imageBytes(sizeMb));
      prepareTopFolder(file, target);
      return readTemplate(file);
    } finally {
      rmSync(file, { force: true });
    }
  }

  async #format(file: string, sizeBytes: number): Promise<void> {
    const fd = openSync(file, 'wx', 0o600);
    ftruncateSync(fd, sizeBytes);
    closeSync(fd);
    // No journal: the file system never outlives its sandbox, so there is nothing to recover.
    const features = '^has_journal,^resize_inode,sparse_super2,uninit_bg';
    const options = 'lazy_itable_init=1,nodiscard';
    const argv = ['mkfs.ext4', '-q', '-F', '-m', '0', '-O', features, '-E', options, file] as const;
    const { code, output } = await runCommand(this.#clock, argv);
    if (code !== 0) throw new Error(`mkfs.ext4: ${output.trim()}`);
  }
}

/** Room for the inode tables (256 bytes per 16 KiB) and the blocks that ext4 keeps back for itself. */
export function imageBytes(sizeMb: number): number {
  return (sizeMb + Math.ceil(sizeMb / 50) + 18) * MIB;
}

/** Gives the top folder its owner and mode and removes lost+found, which functions should not see. */
function prepareTopFolder(file: string, target: string): void {
  mkdirSync(target);
  mountImage(file, target);
  try {
    rmdirSync(join(target, 'lost+found'));
    chownSync(target, SANDBOX_UID, SANDBOX_GID);
    chmodSync(target, TMP_MODE);
  } finally {
    unmount(target);
    rmdirSync(target);
  }
}

function readTemplate(file: string): ImageTemplate {
  const fd = openSync(file, 'r');
  try {
    const sizeBytes = statSync(file).size;
    const extents = dataExtents(fd, sizeBytes).map(({ start, end }) => {
      const data = Buffer.alloc(end - start);
      readSync(fd, data, 0, data.length, start);
      return { start, data };
    });
    return { sizeBytes, extents };
  } finally {
    closeSync(fd);
  }
}

function writeImage(file: string, template: ImageTemplate): void {
  const fd = openSync(file, 'wx', 0o600);
  try {
    ftruncateSync(fd, template.sizeBytes);
    for (const { start, data } of template.extents) writeSync(fd, data, 0, data.length, start);
  } finally {
    closeSync(fd);
  }
}

// Loop devices: <linux/loop.h>.

const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LOOP_CONFIG_BYTES = 304;
const LOOP_CONFIG_FLAGS_OFFSET = 8 + 52;
const LO_FLAGS_AUTOCLEAR = 4;
const LO_FLAGS_DIRECT_IO = 16;
/** Another process may take the free device between the question and the use. */
const ATTACH_ATTEMPTS_MAX = 16;

/** Attaches the image to a loop device, which is returned, and mounts that; the device goes with its last mount. */
function mountImage(file: string, target: string): string {
  const { device, fd } = attachLoopDevice(file);
  try {
    // noinit_itable: no background zeroing of tables that the sparse file has as zeroes anyway.
    const options = 'noinit_itable,discard,errors=remount-ro';
    mount(device, target, 'ext4', MOUNT_FLAGS, options);
    return device;
  } finally {
    closeSync(fd);
  }
}

/** The device may have gone, or be another file's. */
function isBehind(file: string, device: string): boolean {
  try {
    const path = `/sys/block/${basename(device)}/loop/backing_file`;
    return readFileSync(path, 'utf8').trim() === `${file} (deleted)`;
  } catch {
    return false;
  }
}

function attachLoopDevice(file: string): { device: string; fd: number } {
  const backing = openSync(file, 'r+');
  try {
    for (let attempt = 1; ; attempt += 1) {
      const device = `/dev/loop${freeLoopNumber()}`;
      const fd = openSync(device, 'r+');
      try {
        configureLoopDevice(fd, backing);
        return { device, fd };
      } catch (error) {
        closeSync(fd);
        const isTaken = error instanceof NativeError && error.code === 'EBUSY';
        if (!isTaken || attempt === ATTACH_ATTEMPTS_MAX) throw error;
      }
    }
  } finally {
    closeSync(backing);
  }
}

function freeLoopNumber(): number {
  const control = openSync('/dev/loop-control', 'r+');
  try {
    return ioctl(control, LOOP_CTL_GET_FREE, 0);
  } finally {
    closeSync(control);
  }
}

/** Direct I/O keeps the data from being cached twice; not every file system below can do it. */
function configureLoopDevice(fd: number, backing: number): void {
  for (const flags of [LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO, LO_FLAGS_AUTOCLEAR]) {
    const config = Buffer.alloc(LOOP_CONFIG_BYTES);
    config.writeUInt32LE(backing, 0);
    config.writeUInt32LE(flags, LOOP_CONFIG_FLAGS_OFFSET);
    try {
      ioctl(fd, LOOP_CONFIGURE, config);
      return;
    } catch (error) {
      const isRefused = error instanceof NativeError && error.code === 'EINVAL';
      if (!isRefused || flags === LO_FLAGS_AUTOCLEAR) throw error;
    }
  }
}
