/** Finds out whether unpacked code brings libraries for the dynamic linker. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether there are shared libraries in the folder itself or in its `lib`, which LD_LIBRARY_PATH names. */
export async function hasSharedLibraries(folder: string): Promise<boolean> {
  const listings = await Promise.all(
    [folder, join(folder, 'lib')].map((path) => readdir(path).catch(() => [])),
  );
  return listings.flat().some((name) => /\.so(?:\.|$)/.test(name));
}
