/** Version 1: the documents, and the counter that revisions come from. */
import type { Migration } from './migration.ts';

export const documents: Migration = {
  version: 1,
  // The primary key's index, in BINARY collation, is the UTF-8 byte order that list() promises. Rows
  // are stored apart from it because documents can be large.
  sql: `
    CREATE TABLE document (
      collection TEXT NOT NULL,
      partition  TEXT NOT NULL,
      id         TEXT NOT NULL,
      revision   INTEGER NOT NULL,
      value      TEXT NOT NULL,
      PRIMARY KEY (collection, partition, id)
    ) STRICT;
    CREATE TABLE counter (
      name  TEXT NOT NULL PRIMARY KEY,
      value INTEGER NOT NULL
    ) STRICT;
    INSERT INTO counter (name, value) VALUES ('revision', 0);
  `,
};
