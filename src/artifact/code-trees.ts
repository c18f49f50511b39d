/**
 * CodeTrees: unpacked code packages on this host, ready to be mounted, named by the SHA-256 of
 * their archive. A tree is a cache of its blob: it is unpacked once, becomes visible by one rename,
 * and may be removed and made again at any time.
 *
 *   FOLDER/boot-id               the boot of this machine that the trees were made in
 *   FOLDER/temporary/            being made or being removed; emptied at open
 *   FOLDER/<hash>/code/          the tree
 *   FOLDER/<hash>/unpacked.json  its size
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '../base/assert.ts';
import { defaultQuotas, quotaBounds } from '../model/quotas.ts';
import { unpackZip, type UnpackedZip, type ZipLimits } from './zip.ts';

/** SHA-256 as 64 lower-case hexadecimal digits. */
const HASH_PATTERN = /^[0-9a-f]{64}$/;

export interface CodeTree extends UnpackedZip {
  /** Host folder of the unpacked code. */
  readonly folder: string;
}

export interface CodeTrees {
  /**
   * The folder of a tree, unpacked from the archive that `read` gives if it is not there yet.
   * Callers asking for the same hash at once share one unpacking. Rejects with ZipError.
   */
  ensure(hash: string, read: () => Promise<Uint8Array>): Promise<string>;
  /** Unpacks an archive unless its tree is there already. Rejects with ZipError. */
  put(hash: string, bytes: Uint8Array, zipLimits?: ZipLimits): Promise<CodeTree>;
  /**
   * Keeps a tree from being removed until the returned function is called (once): a removal asked
   * for meanwhile takes place then. For as long as something has the folder mounted.
   */
  pin(hash: string): () => void;
  /** Removes a tree, now or once nothing pins it; a no-op when there is none. */
  remove(hash: string): Promise<void>;
  /** Hashes of all trees. */
  list(): Promise<string[]>;
}

export interface CodeTreesOptions {
  readonly folder: string;
  /** Identifies the present boot of the machine; default the kernel's. */
  readonly bootId?: string;
}

/**
 * Opens the trees below a folder, made if missing. One process at a time may have it open.
 * Trees are written without fsync, so those of an earlier boot may be damaged by a power failure:
 * they are dropped and made again from their durable blobs when needed.
 */
export async function openCodeTrees(options: CodeTreesOptions): Promise<CodeTrees> {
  const { folder } = options;
  const bootId = options.bootId ?? (await readBootId());
  await mkdir(join(folder, 'temporary'), { recursive: true });
  if ((await readTextFile(join(folder, 'boot-id'))) !== bootId) await dropAll(folder);
  await emptyFolder(join(folder, 'temporary'));
  await writeFile(join(folder, 'boot-id'), bootId);
  // Where code cannot be mounted elsewhere, no package.json further up may change what `.js` means.
  await writeFile(join(folder, 'package.json'), '{}');
  const names = await readdir(folder);
  return new FolderCodeTrees(folder, new Set(names.filter((name) => HASH_PATTERN.test(name))));
}

class FolderCodeTrees implements CodeTrees {
  readonly #folder: string;
  readonly #present: Set<string>;
  /** Unpackings and removals under way, by hash: whatever comes next waits for them. */
  readonly #busy = new Map<string, Promise<unknown>>();
  readonly #pins = new Map<string, number>();
  readonly #removeWhenUnpinned = new Set<string>();
  #temporaryCount = 0;

  constructor(folder: string, present: Set<string>) {
    this.#folder = folder;
    this.#present = present;
  }

  async ensure(hash: string, read: () => Promise<Uint8Array>): Promise<string> {
    // The usual case has no need to wait for anything.
    if (!this.#present.has(hash)) {
      await this.#exclusively(hash, async () => {
        if (!this.#present.has(hash)) await this.#unpack(hash, await read(), acceptedLimits);
      });
    }
    return this.#codeFolder(hash);
  }

  async put(hash: string, bytes: Uint8Array, zipLimits = defaultLimits): Promise<CodeTree> {
    const unpacked = await this.#exclusively(hash, async () => {
      this.#removeWhenUnpinned.delete(hash);
      if (this.#present.has(hash)) {
        const text = await readFile(join(this.#folder, hash, 'unpacked.json'), 'utf8');
        return JSON.parse(text) as UnpackedZip;
      }
      return this.#unpack(hash, bytes, zipLimits);
    });
    return { ...unpacked, folder: this.#codeFolder(hash) };
  }

  pin(hash: string): () => void {
    this.#pins.set(hash, (this.#pins.get(hash) ?? 0) + 1);
    let pinned = true;
    return () => {
      assert(pinned, 'a pin is released once');
      pinned = false;
      const count = (this.#pins.get(hash) ?? 0) - 1;
      if (count > 0) {
        this.#pins.set(hash, count);
        return;
      }
      this.#pins.delete(hash);
      // What cannot be removed now is found by the next sweep.
      if (this.#removeWhenUnpinned.delete(hash)) this.remove(hash).catch(() => {});
    };
  }

  async remove(hash: string): Promise<void> {
    await this.#exclusively(hash, async () => {
      if (!this.#present.has(hash)) return;
      if (this.#pins.has(hash)) {
        this.#removeWhenUnpinned.add(hash);
        return;
      }
      const doomed = this.#temporaryPath();
      this.#present.delete(hash);
      await rename(join(this.#folder, hash), doomed);
      await rm(doomed, { recursive: true, force: true });
    });
  }

  async list(): Promise<string[]> {
    return [...this.#present];
  }

  async #unpack(hash: string, bytes: Uint8Array, zipLimits: ZipLimits): Promise<UnpackedZip> {
    assert(HASH_PATTERN.test(hash), 'a code tree is named by a SHA-256');
    const made = this.#temporaryPath();
    await mkdir(made);
    try {
      const unpacked = await unpackZip(bytes, join(made, 'code'), zipLimits);
      await writeFile(join(made, 'unpacked.json'), JSON.stringify(unpacked));
      await rename(made, join(this.#folder, hash));
      this.#present.add(hash);
      return unpacked;
    } catch (error) {
      await rm(made, { recursive: true, force: true });
      throw error;
    }
  }

  /** Runs one task at a time for a hash. */
  async #exclusively<Result>(hash: string, task: () => Promise<Result>): Promise<Result> {
    const before = this.#busy.get(hash);
    const running = before === undefined ? task() : before.then(task, task);
    this.#busy.set(hash, running);
    try {
      return await running;
    } finally {
      if (this.#busy.get(hash) === running) this.#busy.delete(hash);
    }
  }

  #codeFolder(hash: string): string {
    return join(this.#folder, hash, 'code');
  }

  #temporaryPath(): string {
    this.#temporaryCount += 1;
    return join(this.#folder, 'temporary', String(this.#temporaryCount));
  }
}

const defaultLimits: ZipLimits = { unzippedBytesMax: defaultQuotas.codeUnzippedBytesMax };
/** What was deployed once stays usable, whatever the settings are now. */
const acceptedLimits: ZipLimits = { unzippedBytesMax: quotaBounds.codeUnzippedBytesMax.max };

async function dropAll(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (HASH_PATTERN.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function emptyFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Changes with every start of the machine; the same everywhere where the kernel has no such file. */
async function readBootId(): Promise<string> {
  return (await readTextFile('/proc/sys/kernel/random/boot_id')) ?? 'unknown';
}

async function readTextFile(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return undefined;
  }
}
