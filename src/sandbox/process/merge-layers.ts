/** Merges unpacked layers into one folder for the process driver, which cannot mount an overlay. */
import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Merges `layerDirs` (lowest first; a later file replaces an earlier one) into the new folder `target`. */
export async function mergeLayers(layerDirs: readonly string[], target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const layerDir of layerDirs) await mergeInto(layerDir, target);
}

async function mergeInto(source: string, target: string): Promise<void> {
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) {
      await ensureFolder(to);
      await mergeInto(from, to);
    } else {
      await rm(to, { recursive: true, force: true });
      if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
      else await linkOrCopy(from, to);
    }
  }
}

async function ensureFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch {
    // A folder of a lower layer stays; a file or link of one gives way, also a link to a folder.
    if ((await lstat(path)).isDirectory()) return;
    await rm(path, { force: true });
    await mkdir(path);
  }
}

/** A hard link keeps module resolution inside the merged folder, which a symbolic link would leave. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}
