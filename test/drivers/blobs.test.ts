/** The blobs contract over every implementation. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileBlobs } from '../../src/artifact/file-blobs.ts';
import { describeBlobs } from './blobs.contract.ts';

describeBlobs('files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-blobs-'));
  return {
    open: () => openFileBlobs({ folder }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});
