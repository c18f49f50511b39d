/**
 * Blobs as files: FOLDER/<first two digits>/<hash>. A blob is written under FOLDER/temporary, synced,
 * renamed to its name, and its folder synced; so a name is there only with all of its bytes, and what
 * a crash leaves behind is removed at the next open. Reading checks the bytes against the name.
 */
import { createHash, type Hash } from 'node:crypto';
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  type FileHandle,
} from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, Transform, type Readable } from 'node:stream';
import { assert } from '../base/assert.ts';
import { quotaBounds } from '../model/quotas.ts';
import type { BlobHash, BlobInfo, Blobs } from './blobs.ts';

/** Nothing that is deployed may unpack to more, whatever the settings, so nothing longer is worth keeping. */
export const blobBytesMax = quotaBounds.codeUnzippedBytesMax.max;

export type BlobErrorCode =
  /** The stored bytes are not those that the name stands for: the device or someone changed them. */
  | 'BlobCorrupted'
  /** More than `blobBytesMax`. */
  | 'BlobTooLarge';

export class BlobError extends Error {
  override readonly name = 'BlobError';
  readonly code: BlobErrorCode;

  constructor(code: BlobErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface FileBlobsOptions {
  /** Created when there is none. One `Blobs` at a time: opening clears the unfinished writes. */
  readonly folder: string;
}

/** Opens or creates the folder. Rejects with the file system's error when it cannot. */
export async function openFileBlobs({ folder }: FileBlobsOptions): Promise<Blobs> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await rm(temporaryFolder(folder), { recursive: true, force: true });
  await mkdir(temporaryFolder(folder), { mode: 0o700 });
  // All at once, here: were they made when first needed, a put could be acknowledged while the
  // folder it wrote into was made, but not yet synced, by another.
  const present = new Set(await readdir(folder));
  for (const name of fanOut)
    if (!present.has(name)) await mkdir(join(folder, name), { mode: 0o700 });
  await syncFolder(folder);
  return new FileBlobs(folder);
}

const fanOut = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hashPattern = /^[0-9a-f]{64}$/;

class FileBlobs implements Blobs {
  readonly #folder: string;
  #temporaryCount = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(bytes: Uint8Array): Promise<BlobInfo> {
    const sizeBytes = bytes.byteLength;
    if (sizeBytes > blobBytesMax) {
      const message = `a blob of ${sizeBytes} bytes: at most ${blobBytesMax} are allowed`;
      throw new BlobError('BlobTooLarge', message);
    }
    const hash = await hashOf(bytes);
    // Bytes that are there already may be there since a moment ago, or damaged.
    const present = await readFile(this.#path(hash)).catch(undefinedWhenAbsent);
    if (!present?.equals(bytes)) await this.#write(hash, bytes);
    await syncFolder(this.#folderOf(hash));
    return { hash, sizeBytes };
  }

  async get(hash: BlobHash): Promise<Buffer | undefined> {
    const path = this.#path(hash);
    const bytes = await readFile(path).catch(undefinedWhenAbsent);
    if (bytes && (await hashOf(bytes)) !== hash) throw corrupted(path);
    return bytes;
  }

  /** The stream ends with a BlobError `BlobCorrupted`, instead of its end, when the bytes are wrong. */
  async open(hash: BlobHash): Promise<{ sizeBytes: number; stream: Readable } | undefined> {
    const path = this.#path(hash);
    const file = await open(path, 'r').catch(undefinedWhenAbsent);
    if (!file) return undefined;
    const sizeBytes = await sizeOrClose(file);
    const verified = verifier(hash, path);
    // What goes wrong on the way destroys `verified` with the error: its reader is told.
    pipeline(file.createReadStream(), verified, () => {});
    return { sizeBytes, stream: verified };
  }

  async has(hash: BlobHash): Promise<boolean> {
    return (await stat(this.#path(hash)).catch(undefinedWhenAbsent)) !== undefined;
  }

  async *list(): AsyncIterable<BlobInfo> {
    for (const name of fanOut) {
      const names = await readdir(join(this.#folder, name));
      const hashes = names.filter((hash) => hashPattern.test(hash));
      // At once: a start with thousands of packages would wait for each in turn.
      const found = await Promise.all(
        hashes.map((hash) => stat(this.#path(hash)).catch(undefinedWhenAbsent)),
      );
      for (const [index, hash] of hashes.entries()) {
        const sizeBytes = found[index]?.size;
        if (sizeBytes !== undefined) yield { hash, sizeBytes };
      }
    }
  }

  /** Not synced: a blob that comes back after a power cut is one more that nothing refers to. */
  async delete(hash: BlobHash): Promise<void> {
    await rm(this.#path(hash), { force: true });
  }

  async #write(hash: BlobHash, bytes: Uint8Array): Promise<void> {
    const temporary = join(temporaryFolder(this.#folder), `${this.#temporaryCount++}`);
    try {
      await writeSynced(temporary, bytes);
      await rename(temporary, this.#path(hash));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  #folderOf(hash: BlobHash): string {
    return join(this.#folder, hash.slice(0, 2));
  }

  #path(hash: BlobHash): string {
    assert(hashPattern.test(hash), `not a blob's name: ${hash}`);
    return join(this.#folderOf(hash), hash);
  }
}

function temporaryFolder(folder: string): string {
  return join(folder, 'temporary');
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Off the event loop's thread, which `createHash` would hold up for the length of the package. */
async function hashOf(bytes: Uint8Array): Promise<BlobHash> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}

async function sizeOrClose(file: FileHandle): Promise<number> {
  try {
    return (await file.stat()).size;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function verifier(hash: BlobHash, path: string): Transform {
  const running: Hash = createHash('sha256');
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      running.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      done(running.digest('hex') === hash ? null : corrupted(path));
    },
  });
}

function corrupted(path: string): BlobError {
  return new BlobError(
    'BlobCorrupted',
    `the blob ${path} does not hold the bytes it is named after: the file was damaged or changed; ` +
      `deploying the same package again, or restoring the file from a copy, repairs it`,
  );
}

function undefinedWhenAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
