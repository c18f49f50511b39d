/** A zip archive of a folder's files, with their modes, as a code package is uploaded. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import yazl from 'yazl';

export async function zipFolder(folder: string): Promise<Buffer> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const files: [string, Buffer, number][] = [];
  for (const name of names) {
    const info = await stat(join(folder, name));
    if (info.isFile()) files.push([name, await readFile(join(folder, name)), info.mode]);
  }
  return zipFiles(files);
}

/** Names, bytes and modes; the same entries give the same archive. */
export async function zipFiles(files: readonly [string, Buffer, number][]): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const [name, bytes, mode] of files) zip.addBuffer(bytes, name, { mode, mtime: new Date(0) });
  zip.end();
  return buffer(zip.outputStream as NodeJS.ReadableStream);
}
