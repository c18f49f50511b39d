/**
 * The plan of an archive: every file, folder and link that unpacking it would make, checked before
 * anything is written. Names are taken from the central directory only; a plan that exists holds no
 * name outside the root, no entry below a file or a link, and no link that leads out.
 */
import { isUtf8 } from 'node:buffer';
import { getFileNameLowLevel, validateFileName, type Entry } from 'yauzl';
import { ZipError } from '../zip-error.ts';

/** Longest name of one file or folder, in bytes: what Linux file systems take. */
export const NAME_BYTES_MAX = 255;
/** Longest path below the root, in bytes: leaves room for the root's own path within PATH_MAX. */
export const PATH_BYTES_MAX = 2_048;
/** Deepest folder: far beyond nested package folders, small enough to walk. */
export const PATH_DEPTH_MAX = 100;
/** Links followed while one link is resolved, as many as Linux follows. */
const LINK_HOPS_MAX = 40;

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
/** `version made by`, upper byte: hosts whose external attributes carry a Unix mode. */
const UNIX_HOSTS = new Set([3, 19]);
const METHOD_STORED = 0;
const METHOD_DEFLATED = 8;

export type ZipNode =
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly entry: Entry; readonly executable: boolean }
  | { readonly kind: 'link'; readonly entry: Entry };

export interface ZipPlan {
  /** Path below the root, without leading or trailing slash, in the archive's order. */
  readonly nodes: ReadonlyMap<string, ZipNode>;
  /** Sum of the sizes that the entries declare. */
  readonly unzippedBytes: number;
  readonly entries: number;
}

export interface ZipPlanLimits {
  readonly unzippedBytesMax: number;
  readonly entriesMax: number;
}

/** Collects entries into a plan; throws ZipError at the first that must not be unpacked. */
export class ZipPlanBuilder {
  readonly #limits: ZipPlanLimits;
  readonly #nodes = new Map<string, ZipNode>();
  #unzippedBytes = 0;
  #entries = 0;

  constructor(limits: ZipPlanLimits) {
    this.#limits = limits;
  }

  add(entry: Entry): void {
    this.#entries += 1;
    checkReadable(entry);
    this.#unzippedBytes += entry.uncompressedSize;
    if (this.#unzippedBytes > this.#limits.unzippedBytesMax) {
      throw new ZipError(
        'too-large',
        `the entries declare more than ${this.#limits.unzippedBytesMax} bytes`,
      );
    }
    const name = entryName(entry);
    const segments = pathSegments(name);
    const node = nodeOf(entry, name);
    if (segments.length === 0) {
      // './' and the like: the root itself.
      if (node.kind === 'folder') return;
      throw new ZipError('unsafe', `entry '${name}' has no name`);
    }
    this.#addParents(segments, name);
    this.#put(segments.join('/'), node, name);
  }

  finish(): ZipPlan {
    if (this.#entries === 0) throw new ZipError('empty', 'the archive has no entries');
    return {
      nodes: this.#nodes,
      unzippedBytes: this.#unzippedBytes,
      entries: this.#entries,
    };
  }

  #addParents(segments: readonly string[], name: string): void {
    for (let depth = 1; depth < segments.length; depth += 1) {
      const path = segments.slice(0, depth).join('/');
      const present = this.#nodes.get(path);
      if (present === undefined) this.#insert(path, { kind: 'folder' });
      else if (present.kind !== 'folder') {
        throw new ZipError('unsafe', `entry '${name}' is below a ${present.kind}`);
      }
    }
  }

  /** A file named twice keeps its last content, as with common tools; other doubles are refused. */
  #put(path: string, node: ZipNode, name: string): void {
    const present = this.#nodes.get(path);
    if (present === undefined) this.#insert(path, node);
    else if (present.kind === 'file' && node.kind === 'file') this.#nodes.set(path, node);
    else if (present.kind !== 'folder' || node.kind !== 'folder') {
      throw new ZipError(
        'unsafe',
        `entry '${name}' is there twice, as ${present.kind} and ${node.kind}`,
      );
    }
  }

  #insert(path: string, node: ZipNode): void {
    this.#nodes.set(path, node);
    if (this.#nodes.size > this.#limits.entriesMax) {
      throw new ZipError(
        'too-many-entries',
        `the archive has more than ${this.#limits.entriesMax} files and folders`,
      );
    }
  }
}

/**
 * Follows every link of a plan as the kernel would, with `targets` its links' contents by path;
 * throws ZipError when one is absolute, leads out of the root or goes in circles. Missing targets
 * are fine: they are missing inside the root.
 */
export function checkLinks(targets: ReadonlyMap<string, string>): void {
  for (const path of targets.keys()) followLink(path, targets);
}

function followLink(path: string, targets: ReadonlyMap<string, string>): void {
  const reached: string[] = [];
  // Segments still to walk, last first.
  const rest = path.split('/').reverse();
  let hops = 0;
  for (let segment = rest.pop(); segment !== undefined; segment = rest.pop()) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (reached.pop() === undefined) throw linkError(path, 'leads out of the archive');
      continue;
    }
    reached.push(segment);
    const target = targets.get(reached.join('/'));
    if (target === undefined) continue;
    hops += 1;
    if (hops > LINK_HOPS_MAX) throw linkError(path, 'goes in circles');
    if (target === '' || target.includes('\0')) throw linkError(path, 'has no valid target');
    if (target.startsWith('/')) throw linkError(path, 'is absolute');
    reached.pop();
    rest.push(...target.split('/').reverse());
  }
}

function linkError(path: string, what: string): ZipError {
  return new ZipError('unsafe', `link '${path}' ${what}`);
}

function checkReadable(entry: Entry): void {
  if (entry.isEncrypted()) throw new ZipError('corrupt', 'the archive is encrypted');
  if (entry.compressionMethod !== METHOD_STORED && entry.compressionMethod !== METHOD_DEFLATED) {
    throw new ZipError('corrupt', `compression method ${entry.compressionMethod} is not supported`);
  }
}

/** Archives made on macOS hold UTF-8 names without saying so; code page 437 is the last resort. */
function entryName(entry: Entry): string {
  const raw = entry.fileNameRaw;
  const flags = entry.generalPurposeBitFlag | (isUtf8(raw) ? 0x800 : 0);
  const name = getFileNameLowLevel(flags, raw, entry.extraFields, false);
  const complaint = validateFileName(name);
  if (complaint !== null) throw new ZipError('unsafe', complaint);
  if (name.includes('\0')) throw new ZipError('unsafe', 'an entry has a NUL in its name');
  return name;
}

function pathSegments(name: string): string[] {
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (Buffer.byteLength(name) > PATH_BYTES_MAX || segments.length > PATH_DEPTH_MAX) {
    throw new ZipError(
      'unsafe',
      `entry '${name.slice(0, 100)}...' has too long or too deep a path`,
    );
  }
  if (segments.some((segment) => Buffer.byteLength(segment) > NAME_BYTES_MAX)) {
    throw new ZipError('unsafe', `entry '${name.slice(0, 100)}...' has too long a name`);
  }
  return segments;
}

function nodeOf(entry: Entry, name: string): ZipNode {
  const mode = entry.externalFileAttributes >>> 16;
  const type = UNIX_HOSTS.has(entry.versionMadeBy >>> 8) ? mode & S_IFMT : 0;
  if (name.endsWith('/') || type === S_IFDIR) {
    if (entry.uncompressedSize > 0) throw new ZipError('corrupt', `folder '${name}' has content`);
    return { kind: 'folder' };
  }
  if (type === S_IFLNK) {
    if (entry.uncompressedSize > PATH_BYTES_MAX) {
      throw new ZipError('unsafe', `link '${name}' has too long a target`);
    }
    return { kind: 'link', entry };
  }
  if (type !== 0 && type !== S_IFREG) {
    throw new ZipError('unsafe', `entry '${name}' is neither a file, a folder nor a link`);
  }
  return { kind: 'file', entry, executable: (mode & 0o111) !== 0 };
}
