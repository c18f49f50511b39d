/** Builds archives byte by byte, so that tests can make those that no tool would. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntrySpec {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** Unix mode with its file type, for example 0o100644 or 0o120777 for a link. */
  readonly mode?: number;
  readonly stored?: boolean;
  /** What the headers say, when it is not the truth. */
  readonly declaredBytes?: number;
  readonly declaredCrc?: number;
  readonly method?: number;
  readonly flags?: number;
  /** Upper byte of `version made by`; 3 is Unix. */
  readonly host?: number;
  /** Sizes in a zip64 extra field. */
  readonly zip64?: boolean;
}

/** An archive of files given as name and content. */
export function zipOf(files: Readonly<Record<string, string | Buffer>>): Buffer {
  return buildZip(Object.entries(files).map(([name, content]) => ({ name, content })));
}

export function buildZip(
  specs: readonly ZipEntrySpec[],
  options: { readonly declaredEntries?: number } = {},
): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const spec of specs) {
    const local = localEntry(spec);
    parts.push(local);
    directory.push(directoryEntry(spec, offset));
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(options.declaredEntries ?? specs.length, 8);
  end.writeUInt16LE(options.declaredEntries ?? specs.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

function describe(spec: ZipEntrySpec) {
  const name = Buffer.from(spec.name);
  const content = Buffer.from(spec.content ?? '');
  const packed = spec.stored === true ? content : deflateRawSync(content);
  const zip64 = spec.zip64 === true;
  return {
    name,
    packed,
    bytes: spec.declaredBytes ?? content.length,
    crc: spec.declaredCrc ?? crc32(content),
    method: spec.method ?? (spec.stored === true ? 0 : 8),
    flags: spec.flags ?? 0x800,
    zip64,
  };
}

/** The fields that the local header and the directory share, from `version needed` on. */
function sharedFields(spec: ZipEntrySpec, extraLength: number): Buffer {
  const { name, packed, bytes, crc, method, flags, zip64 } = describe(spec);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(zip64 ? 45 : 20, 0);
  fields.writeUInt16LE(flags, 2);
  fields.writeUInt16LE(method, 4);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(zip64 ? 0xffffffff : packed.length, 14);
  fields.writeUInt32LE(zip64 ? 0xffffffff : bytes, 18);
  fields.writeUInt16LE(name.length, 22);
  fields.writeUInt16LE(extraLength, 24);
  return fields;
}

function zip64Extra(spec: ZipEntrySpec): Buffer {
  const { packed, bytes, zip64 } = describe(spec);
  if (!zip64) return Buffer.alloc(0);
  const extra = Buffer.alloc(20);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(16, 2);
  extra.writeBigUInt64LE(BigInt(bytes), 4);
  extra.writeBigUInt64LE(BigInt(packed.length), 12);
  return extra;
}

function localEntry(spec: ZipEntrySpec): Buffer {
  const { name, packed } = describe(spec);
  const extra = zip64Extra(spec);
  const signature = Buffer.from([0x50, 0x4b, 3, 4]);
  return Buffer.concat([signature, sharedFields(spec, extra.length), name, extra, packed]);
}

function directoryEntry(spec: ZipEntrySpec, offset: number): Buffer {
  const { name } = describe(spec);
  const extra = zip64Extra(spec);
  const madeBy = Buffer.from([20, spec.host ?? 3]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((spec.mode ?? 0o100644) << 16) >>> 0, 6);
  rest.writeUInt32LE(offset, 10);
  const signature = Buffer.from([0x50, 0x4b, 1, 2]);
  return Buffer.concat([signature, madeBy, sharedFields(spec, extra.length), rest, name, extra]);
}
