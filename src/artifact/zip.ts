/**
 * Unpacks a code package safely and without holding up the event loop: the whole archive is checked
 * first (names, links, sizes), then files are written by a few workers, links last. Inflating and
 * file access run on the thread pool; only tiny entries are inflated in place.
 */
import { chmod, mkdir, open, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32, createInflateRaw, inflateRaw, inflateRawSync } from 'node:zlib';
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl';
import { checkLinks, ZipPlanBuilder, type ZipPlan } from './internal/zip-plan.ts';
import { isZipError, ZipError } from './zip-error.ts';

/** Files and folders in one archive: several times the largest sensible package. */
export const ZIP_ENTRIES_MAX = 100_000;
/** Entries written at once: keeps the thread pool busy, bounds memory. */
const WRITERS = 8;
/** Inflated in place, a fraction of a millisecond. */
const INLINE_BYTES_MAX = 32 * 1024;
/** Inflated as one buffer on the thread pool; larger entries are streamed. */
const BUFFERED_BYTES_MAX = 2 * 1024 * 1024;
const STREAM_CHUNK_BYTES = 256 * 1024;
const FOLDER_MODE = 0o755;
/** Code is read-only for everyone, and readable whatever the archive says: many tools write 0600. */
const FILE_MODE = 0o444;
const EXECUTABLE_MODE = 0o555;

const inflateRawAsync = promisify<Buffer, { maxOutputLength: number; chunkSize: number }, Buffer>(
  inflateRaw,
);

export interface ZipLimits {
  /** All entries together, unpacked. */
  readonly unzippedBytesMax: number;
  /** Files and folders together; default ZIP_ENTRIES_MAX. */
  readonly entriesMax?: number;
}

export interface UnpackedZip {
  readonly unzippedBytes: number;
  readonly entries: number;
}

/**
 * Unpacks an archive into `folder`, which must not exist yet. On any failure nothing is left behind
 * and the error is a ZipError when the archive is at fault. Modes: folders 0755, files 0444, or 0555
 * when the archive gives anyone the right to execute.
 */
export async function unpackZip(
  bytes: Uint8Array,
  folder: string,
  limits: ZipLimits,
): Promise<UnpackedZip> {
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (archive.length === 0) throw new ZipError('empty', 'the archive has no bytes');
  const zip = await openZip(archive);
  const plan = await readPlan(zip, limits);
  await mkdir(folder, { mode: FOLDER_MODE });
  try {
    await writePlan(new EntryReader(archive, zip), plan, folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return { unzippedBytes: plan.unzippedBytes, entries: plan.entries };
}

async function openZip(archive: Buffer): Promise<ZipFile> {
  try {
    return await fromBufferPromise(archive, { lazyEntries: true, decodeStrings: false });
  } catch (error) {
    throw corrupt(error);
  }
}

async function readPlan(zip: ZipFile, limits: ZipLimits): Promise<ZipPlan> {
  const entriesMax = limits.entriesMax ?? ZIP_ENTRIES_MAX;
  if (zip.entryCount > entriesMax) {
    throw new ZipError('too-many-entries', `the archive has more than ${entriesMax} entries`);
  }
  const builder = new ZipPlanBuilder({ unzippedBytesMax: limits.unzippedBytesMax, entriesMax });
  try {
    for await (const entry of zip.eachEntry()) builder.add(entry);
  } catch (error) {
    throw corrupt(error);
  }
  return builder.finish();
}

async function writePlan(reader: EntryReader, plan: ZipPlan, folder: string): Promise<void> {
  // A strict umask would hide the code from the sandbox's user; then modes are set explicitly.
  const masked = ((await stat(folder)).mode & FOLDER_MODE) !== FOLDER_MODE;
  if (masked) await chmod(folder, FOLDER_MODE);
  const links = new Map<string, string>();
  // Parents come before their children in the plan.
  for (const [path, node] of plan.nodes) {
    if (node.kind === 'folder') await makeFolder(join(folder, path), masked);
    if (node.kind === 'link') links.set(path, (await reader.read(node.entry)).toString('utf8'));
  }
  checkLinks(links);
  await forEachFile(plan, async (path, entry, mode) => {
    await writeFile(reader, entry, { path: join(folder, path), mode, masked });
  });
  for (const [path, target] of links) await symlink(target, join(folder, path));
}

async function makeFolder(path: string, masked: boolean): Promise<void> {
  await mkdir(path, { mode: FOLDER_MODE });
  if (masked) await chmod(path, FOLDER_MODE);
}

/** Runs `write` for all files, a few at a time; after a failure no write is under way any more. */
async function forEachFile(
  plan: ZipPlan,
  write: (path: string, entry: Entry, mode: number) => Promise<void>,
): Promise<void> {
  const nodes = plan.nodes.entries();
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [path, node] of nodes) {
      if (failed) return;
      if (node.kind !== 'file') continue;
      try {
        await write(path, node.entry, node.executable ? EXECUTABLE_MODE : FILE_MODE);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: WRITERS }, work));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

interface FileTarget {
  readonly path: string;
  readonly mode: number;
  readonly masked: boolean;
}

async function writeFile(reader: EntryReader, entry: Entry, target: FileTarget): Promise<void> {
  // 'wx' never opens what is there already and never follows a link.
  const handle = await open(target.path, 'wx', target.mode);
  try {
    if (target.masked) await handle.chmod(target.mode);
    if (entry.uncompressedSize <= BUFFERED_BYTES_MAX) {
      await handle.writeFile(await reader.read(entry));
    } else {
      await reader.stream(entry, (chunk) => handle.writeFile(chunk));
    }
  } finally {
    await handle.close();
  }
}

/** Reads entries' content out of the archive, with sizes and checksums verified. */
class EntryReader {
  readonly #archive: Buffer;
  readonly #zip: ZipFile;

  constructor(archive: Buffer, zip: ZipFile) {
    this.#archive = archive;
    this.#zip = zip;
  }

  /** A small entry's content. */
  async read(entry: Entry): Promise<Buffer> {
    const packed = await this.#packed(entry);
    let content: Buffer;
    try {
      content = await inflate(packed, entry);
    } catch (error) {
      throw corrupt(error);
    }
    verify(entry, content.length, crc32(content));
    return content;
  }

  /** Any entry's content in pieces. */
  async stream(entry: Entry, write: (chunk: Buffer) => Promise<void>): Promise<void> {
    const packed = Readable.from(pieces(await this.#packed(entry)));
    let length = 0;
    let checksum = 0;
    const sink = new Writable({
      highWaterMark: STREAM_CHUNK_BYTES,
      write: (chunk: Buffer, _encoding, done) => {
        length += chunk.length;
        // More than declared was not counted against the limits: stop before it is written.
        if (length > entry.uncompressedSize) return done(sizeMismatch());
        checksum = crc32(chunk, checksum);
        write(chunk).then(() => done(), done);
      },
    });
    try {
      if (isDeflated(entry)) {
        await pipeline(packed, createInflateRaw({ chunkSize: STREAM_CHUNK_BYTES }), sink);
      } else {
        await pipeline(packed, sink);
      }
    } catch (error) {
      throw isZlibError(error) ? corrupt(error) : error;
    }
    verify(entry, length, checksum);
  }

  async #packed(entry: Entry): Promise<Buffer> {
    let start: number;
    try {
      ({ fileDataStart: start } = await this.#zip.readLocalFileHeaderPromise(entry, {
        minimal: true,
      }));
    } catch (error) {
      throw corrupt(error);
    }
    const end = start + entry.compressedSize;
    if (end > this.#archive.length) throw new ZipError('corrupt', 'an entry reaches past the end');
    return this.#archive.subarray(start, end);
  }
}

async function inflate(packed: Buffer, entry: Entry): Promise<Buffer> {
  if (!isDeflated(entry)) return packed;
  const options = {
    // Reaching more than was declared ends the inflating: nothing more is held in memory.
    maxOutputLength: entry.uncompressedSize + 1,
    chunkSize: Math.max(entry.uncompressedSize + 1, 1024),
  };
  if (entry.uncompressedSize <= INLINE_BYTES_MAX && packed.length <= INLINE_BYTES_MAX) {
    return inflateRawSync(packed, options);
  }
  return inflateRawAsync(packed, options);
}

function isDeflated(entry: Entry): boolean {
  return entry.compressionMethod !== 0;
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += STREAM_CHUNK_BYTES) {
    yield bytes.subarray(start, start + STREAM_CHUNK_BYTES);
  }
}

function verify(entry: Entry, length: number, checksum: number): void {
  if (length !== entry.uncompressedSize) throw sizeMismatch();
  if (checksum !== entry.crc32) throw new ZipError('corrupt', 'an entry has a wrong checksum');
}

function sizeMismatch(): ZipError {
  return new ZipError('corrupt', 'an entry has another size than it declares');
}

function corrupt(error: unknown): ZipError {
  if (isZipError(error)) return error;
  return new ZipError('corrupt', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}

function isZlibError(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && (code.startsWith('Z_') || code === 'ERR_BUFFER_TOO_LARGE');
}
