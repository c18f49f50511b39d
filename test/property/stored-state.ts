/**
 * What a server has stored, read past the server: nothing is changed without a new revision, and the
 * packages of refused requests do not stay.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export class StoredState {
  readonly #database: DatabaseSync;
  readonly #blobFolder: string;

  /** `folder` is the server's. */
  constructor(folder: string) {
    this.#database = new DatabaseSync(join(folder, 'state.db'), { readOnly: true });
    this.#blobFolder = join(folder, 'blobs');
  }

  /** Every write of any document raises it. */
  revision(): number {
    const row = this.#database.prepare(`SELECT value FROM counter WHERE name = 'revision'`).get();
    return Number(row?.['value']);
  }

  /** All documents, and the files of all code packages. */
  content(): { readonly documents: readonly unknown[]; readonly files: readonly string[] } {
    const documents = this.#database
      .prepare('SELECT * FROM document ORDER BY collection, partition, id')
      .all();
    const files = readdirSync(this.#blobFolder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
    return { documents, files: files.sort() };
  }

  close(): void {
    this.#database.close();
  }
}
