/**
 * The name under which one data folder's sandboxes appear on the host (cgroups, devices, tables, marks),
 * derived from the folder's path so that a restarted server finds exactly its own leftovers.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Eight hexadecimal digits; the same whether the folder exists, is yet to be made, or was removed. */
export function instanceIdOf(folder: string): string {
  return createHash('sha256').update(realPathOf(folder)).digest('hex').slice(0, 8);
}

/** The path without symbolic links, as far as it exists. */
export function realPathOf(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realPathOf(parent), basename(absolute));
  }
}
