/** An S3-compatible server with one bucket, for tests of code that lies in one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** What this server asks its clients for: to be found by the SDK's default chain. */
export const bucketCredentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** The package has no types; these are the parts in use. */
type S3rver = new (options: {
  readonly address: string;
  readonly port: number;
  readonly silent: boolean;
  readonly directory: string;
  readonly configureBuckets: readonly { readonly name: string }[];
}) => { run(): Promise<{ port: number }>; close(): Promise<void> };

export interface BucketServer {
  readonly endpoint: string;
  readonly bucket: string;
  put(key: string, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export async function startBucketServer(): Promise<BucketServer> {
  const Server = createRequire(import.meta.url)('s3rver') as S3rver;
  const directory = await mkdtemp(join(tmpdir(), 'hearth-buckets-'));
  const bucket = 'packages';
  const server = new Server({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await server.run();
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: bucketCredentials,
  });
  return {
    endpoint,
    bucket,
    async put(key, bytes) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
    },
    async close() {
      client.destroy();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
