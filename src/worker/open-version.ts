/** The unpacked code and layers of a function version, held for one environment. */
import type { RunnableVersion } from '../model/runnable-version.ts';
import { findExtensions } from './extension-files.ts';

/** A folder of unpacked code that stays where it is until it is released. */
export interface OpenCode {
  readonly folder: string;
  /** In places that LD_LIBRARY_PATH names. */
  readonly hasSharedLibraries: boolean;
  release(): void;
}

/** Opens the code of a hash; rejects when it cannot be had. */
export type CodeOpener = (codeHash: string) => Promise<OpenCode>;

export interface OpenVersion {
  readonly codeDir: string;
  /** Lowest first. */
  readonly layerDirs: readonly string[];
  /**
   * Of code or layers. The dynamic linker reads LD_LIBRARY_PATH only when a process starts, so such a
   * version cannot be bound to a process that was started before.
   */
  readonly hasSharedLibraries: boolean;
  /** File names of the external extensions, which start before the runtime does. */
  readonly extensions: readonly string[];
  /** Lets go of all folders. Exactly once. */
  release(): void;
}

/** Opens all or nothing. Rejects with the first failure. */
export async function openVersion(
  { codeHash, layerHashes }: Pick<RunnableVersion, 'codeHash' | 'layerHashes'>,
  openCode: CodeOpener,
): Promise<OpenVersion> {
  const opening = await Promise.allSettled([codeHash, ...layerHashes].map(openCode));
  const opened = opening.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const release = (): void => opened.forEach((code) => code.release());
  const failed = opening.find((one) => one.status === 'rejected');
  const [codeDir, ...layerDirs] = opened.map(({ folder }) => folder);
  if (failed !== undefined || codeDir === undefined) {
    release();
    throw failed?.reason;
  }
  const hasSharedLibraries = opened.some((code) => code.hasSharedLibraries);
  const extensions = await findExtensions(layerDirs);
  return { codeDir, layerDirs, hasSharedLibraries, extensions, release };
}
