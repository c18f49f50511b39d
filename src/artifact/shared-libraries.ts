/** Finds out whether unpacked code brings libraries for the dynamic linker. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Python loads these by their paths: nothing looks for them as libraries (PEP 3149, and the stable ABI). */
const EXTENSION_MODULE = /^(?!lib).*\.(?:cpython-\d+\w*(?:-[\w-]+)?|abi3)\.so$/;

/** Whether there are shared libraries in the folder itself or in its `lib`, which LD_LIBRARY_PATH names. */
export async function hasSharedLibraries(folder: string): Promise<boolean> {
  const listings = await Promise.all(
    [folder, join(folder, 'lib')].map((path) => readdir(path).catch(() => [])),
  );
  return listings.flat().some((name) => /\.so(?:\.|$)/.test(name) && !EXTENSION_MODULE.test(name));
}
