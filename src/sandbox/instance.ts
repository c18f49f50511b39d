/**
 * The name under which one data folder's sandboxes appear on the host (cgroups, devices, tables, marks),
 * derived from the folder's path so that a restarted server finds exactly its own leftovers.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';

/** Eight hexadecimal digits; makes the folder (mode 0700) when it is missing. */
export function instanceIdOf(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 8);
}
