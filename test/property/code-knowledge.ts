/** Code packages: in the request, or in the bucket that the server of these tests can read. */
import { createHash } from 'node:crypto';
import { ObjectError, type Objects } from '../../src/artifact/objects.ts';
import { archives } from './fixture.ts';
import type { Body, Draw } from './journey.ts';

const bucket = 'packages';

function keyOf(archive: string): string {
  return `archive ${archives.indexOf(archive)}.zip`;
}

/** As answers have it. */
export function archiveHash(archive: string): string {
  return createHash('sha256').update(Buffer.from(archive, 'base64')).digest('base64');
}

/** An archive, whether it stays in its bucket, and the members of a request that name it. */
export function code({ random }: Draw): {
  readonly archive: string;
  readonly isReferenced: boolean;
  readonly members: Body;
} {
  const archive = random.pick(archives);
  if (random.chance(0.6)) return { archive, isReferenced: false, members: { ZipFile: archive } };
  const S3ObjectVersion = `v${random.hex(3)}`;
  // What stays in its bucket is known by its version.
  const version = random.pick([
    {},
    { S3ObjectVersion },
    { S3ObjectStorageMode: 'COPY' },
    { S3ObjectStorageMode: 'REFERENCE', S3ObjectVersion },
  ]);
  return {
    archive,
    isReferenced: version.S3ObjectStorageMode === 'REFERENCE',
    members: { S3Bucket: bucket, S3Key: keyOf(archive), ...version },
  };
}

/** A bucket with the archives, whatever version is asked for: the client for real ones has tests of its own. */
export const archiveBucket: Objects = {
  fetch(reference, _, use) {
    const archive = archives.find((one) => keyOf(one) === reference.key);
    if (reference.bucket === bucket && archive !== undefined) {
      return use(Buffer.from(archive, 'base64'));
    }
    const storeCode = 'NoSuchKey';
    return Promise.reject(
      new ObjectError('refused', 'The specified key does not exist.', { storeCode }),
    );
  },
};
