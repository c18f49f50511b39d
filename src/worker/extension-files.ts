/**
 * Which external extensions a function version has: every file in /opt/extensions, that is in the
 * `extensions` folder of a layer (guide page 055).
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const folderName = 'extensions';

/** Where a file of that name is, given the path of /opt inside. */
export function extensionPath(optRoot: string, name: string): string {
  return join(optRoot, folderName, name);
}

/** File names, sorted; of layers that have the same name the highest is seen inside, once. */
export async function findExtensions(layerDirs: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(layerDirs.map(filesOf));
  return [...new Set(found.flat())].toSorted();
}

async function filesOf(layerDir: string): Promise<readonly string[]> {
  const folder = join(layerDir, folderName);
  const names = await readdir(folder).catch(() => []);
  const isFolder = await Promise.all(names.map((name) => isDirectory(join(folder, name))));
  return names.filter((_name, index) => isFolder[index] !== true);
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() === true;
}
