/** The store contract over both implementations. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../src/base/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { createMemoryStore, MemoryStoreImage } from '../../src/testing/memory-store.ts';
import { describeStore } from './store.contract.ts';

describeStore('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-store-'));
  return {
    open: () => openSqliteStore(silentLog, { path: join(folder, 'store.db') }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});

describeStore('memory', async () => {
  const image = new MemoryStoreImage();
  return { open: async () => createMemoryStore(image), remove: async () => {} };
});
