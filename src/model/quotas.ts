/**
 * Quotas of an account that are settings of a server. Each default is the documented quota; the
 * bounds are ours: how far this implementation can go.
 */
import { KIB, limits, MIB } from './limits.ts';

export interface Quotas {
  /** All code of the account, zipped. */
  readonly codeStorageBytesMax: number;
  /** A .zip archive sent in a request. */
  readonly codeZippedBytesMax: number;
  /** Code and layers of one function, unpacked; also an archive in a bucket, as it is. */
  readonly codeUnzippedBytesMax: number;
  /** A function's environment variables as JSON. */
  readonly environmentBytesMax: number;
  readonly layersPerFunctionMax: number;
}

export const defaultQuotas: Quotas = {
  codeStorageBytesMax: limits.codeStorageBytesMax,
  codeZippedBytesMax: limits.codeZippedBytesMax,
  codeUnzippedBytesMax: limits.codeUnzippedBytesMax,
  environmentBytesMax: limits.environmentBytesMax,
  layersPerFunctionMax: limits.layersPerFunctionMax,
};

/** The lowest and highest that each can be set to. */
export const quotaBounds = {
  codeStorageBytesMax: { min: MIB, max: 1024 * 1024 * 1024 * MIB },
  codeZippedBytesMax: { min: MIB, max: 250 * MIB },
  /** An archive is unpacked from memory, one at a time. */
  codeUnzippedBytesMax: { min: MIB, max: 1024 * MIB },
  environmentBytesMax: { min: KIB, max: 64 * KIB },
  layersPerFunctionMax: { min: 1, max: 20 },
} as const satisfies Readonly<Record<keyof Quotas, { readonly min: number; readonly max: number }>>;

/**
 * The body of a request that carries an archive: base64 makes four bytes of three, and the rest has
 * room, too. For 50 MiB that is 70,167,211 bytes, the figure in the service's refusals
 * (aws-toolkit-visual-studio #533; in older ones it is 69,905,067, without that room).
 */
export function codeRequestBytesMax({
  codeZippedBytesMax,
}: Pick<Quotas, 'codeZippedBytesMax'>): number {
  return Math.ceil((codeZippedBytesMax * 4) / 3) + limits.besideArchiveBytesMax;
}
