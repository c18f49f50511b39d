// Goal: objects arrive whole or not at all, within their bounds, and failures say what happened.
// Method: a real S3 server, and a plain HTTP server for answers that it does not give.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { deferred } from '../base/deferred.ts';
import {
  bucketCredentials,
  startBucketServer,
  type BucketServer,
} from '../testing/bucket-server.ts';
import { ERROR_BYTES_MAX } from './bounded-errors.ts';
import {
  DOWNLOADS_AT_ONCE_MAX,
  openS3Objects,
  type S3Objects,
  type S3ObjectsOptions,
} from './s3-objects.ts';

const bytesMax = 1024 * 1024;
let buckets: BucketServer;
let folder: string;

before(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = bucketCredentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = bucketCredentials.secretAccessKey;
  buckets = await startBucketServer();
  folder = await mkdtemp(join(tmpdir(), 'hearth-objects-'));
});
after(async () => {
  await buckets.close();
  await rm(folder, { recursive: true });
});

async function objectsOf(
  t: TestContext,
  endpoint: string,
  options: Partial<S3ObjectsOptions> = {},
): Promise<S3Objects> {
  const downloads = await mkdtemp(join(folder, 'downloads-'));
  const settings = { endpoint, region: 'us-east-1', folder: downloads, ...options };
  const objects = await openS3Objects(systemClock, settings);
  t.after(async () => {
    await objects.close();
    assert.deepEqual(await readdir(downloads), [], 'nothing stays behind');
  });
  return objects;
}

/** A server that answers as `listener` does; gives its address. */
async function answering(t: TestContext, listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function reference(key: string, version?: string) {
  return { bucket: buckets.bucket, key, version };
}

const copy = async (bytes: Uint8Array): Promise<Buffer> => Buffer.from(bytes);

test('an object arrives as it is, whatever its name and size', async (t) => {
  const objects = await objectsOf(t, buckets.endpoint);
  const contents: [string, Buffer][] = [
    ['plain.zip', Buffer.from('plain')],
    ['folder/with space/ä+&.zip', Buffer.from('odd name')],
    ['large.zip', Buffer.alloc(bytesMax, 'x')],
  ];
  for (const [key, content] of contents) {
    await buckets.put(key, content);
    const found = await objects.fetch(reference(key), { bytesMax }, copy);
    assert.ok(found.equals(content), key);
  }
});

test('what the store refuses is told in its words', async (t) => {
  const objects = await objectsOf(t, buckets.endpoint);
  await assert.rejects(objects.fetch(reference('missing'), { bytesMax }, copy), {
    name: 'ObjectError',
    code: 'refused',
    storeCode: 'NoSuchKey',
    message: 'The specified key does not exist.',
  });
  const elsewhere = { bucket: 'no-such-bucket', key: 'x', version: undefined };
  await assert.rejects(objects.fetch(elsewhere, { bytesMax }, copy), {
    code: 'refused',
    storeCode: 'NoSuchBucket',
    message: 'The specified bucket does not exist',
  });
});

test('the version asked for is in the request', async (t) => {
  const urls: (string | undefined)[] = [];
  const endpoint = await answering(t, (request, response) => {
    urls.push(request.url);
    response.end('bytes');
  });
  const objects = await objectsOf(t, endpoint);
  await objects.fetch(reference('k', 'v/1'), { bytesMax }, copy);
  await objects.fetch(reference('k'), { bytesMax }, copy);
  assert.deepEqual(urls, [
    '/packages/k?versionId=v%2F1&x-id=GetObject',
    '/packages/k?x-id=GetObject',
  ]);
});

test('a bucket of another region is told with that region', async (t) => {
  const endpoint = await answering(t, (_request, response) => {
    response.writeHead(301, { 'x-amz-bucket-region': 'eu-west-1' });
    response.end('<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>');
  });
  const objects = await objectsOf(t, endpoint);
  await assert.rejects(objects.fetch(reference('k'), { bytesMax }, copy), {
    code: 'refused',
    storeCode: 'PermanentRedirect',
    message: 'The bucket is in this region: eu-west-1. Please use this region to retry the request',
  });
});

test('what is no S3 is unavailable', async (t) => {
  const endpoint = await answering(t, (_request, response) => {
    response.writeHead(404).end('{"message":"not here"}');
  });
  const other = await objectsOf(t, endpoint);
  await assert.rejects(other.fetch(reference('k'), { bytesMax }, copy), {
    code: 'unavailable',
    message: 'it answered with HTTP status 404, and not as S3 does',
  });
  const nobody = await objectsOf(t, 'http://127.0.0.1:1');
  await assert.rejects(nobody.fetch(reference('k'), { bytesMax }, copy), {
    code: 'unavailable',
    message: /ECONNREFUSED/,
  });
});

test('one byte too many is refused, with and without a declared size', async (t) => {
  const endpoint = await answering(t, (request, response) => {
    const size = request.url?.includes('fits') ? 10 : 11;
    if (request.url?.includes('declared')) response.writeHead(200, { 'content-length': size });
    response.flushHeaders();
    response.end('x'.repeat(size));
  });
  const objects = await objectsOf(t, endpoint);
  for (const kind of ['declared', 'open']) {
    const fits = await objects.fetch(reference(`${kind}-fits`), { bytesMax: 10 }, copy);
    assert.equal(fits.length, 10);
    await assert.rejects(objects.fetch(reference(kind), { bytesMax: 10 }, copy), {
      code: 'too-large',
    });
  }
});

test('an error of any length that S3 may have is read, a longer one is not', async (t) => {
  const document = (length: number): string => {
    const [start, end] = ['<Error><Code>Odd</Code><Message>', '</Message></Error>'];
    return start + 'x'.repeat(length - start.length - end.length) + end;
  };
  const endpoint = await answering(t, (request, response) => {
    const isLong = request.url?.includes('long') === true;
    response.writeHead(400).end(document(ERROR_BYTES_MAX + (isLong ? 1 : 0)));
  });
  const objects = await objectsOf(t, endpoint);
  await assert.rejects(objects.fetch(reference('most'), { bytesMax }, copy), {
    code: 'refused',
    storeCode: 'Odd',
  });
  await assert.rejects(objects.fetch(reference('long'), { bytesMax }, copy), {
    code: 'unavailable',
    message: 'it answered with HTTP status 400, and not as S3 does',
  });
});

test('what a server left in the folder when it was killed is removed at the start', async (t) => {
  const downloads = await mkdtemp(join(folder, 'left-'));
  await writeFile(join(downloads, '1'), 'half an object');
  await buckets.put('plain.zip', Buffer.from('plain'));
  const objects = await objectsOf(t, buckets.endpoint, { folder: downloads });
  assert.deepEqual(await readdir(downloads), []);
  const found = await objects.fetch(reference('plain.zip'), { bytesMax }, copy);
  assert.equal(found.toString(), 'plain');
});

test('an object that breaks off, or is not what its checksum says, is the fault of the store', async (t) => {
  const endpoint = await answering(t, (request, response) => {
    if (request.url?.includes('checksum')) {
      response.writeHead(200, { 'content-length': 4, 'x-amz-checksum-crc32': 'AAAAAA==' });
      response.end('text');
      return;
    }
    const checksum = request.url?.includes('summed') ? { 'x-amz-checksum-crc32': 'AAAAAA==' } : {};
    response.writeHead(200, { 'content-length': 1000, ...checksum });
    response.write('x', () => response.destroy());
  });
  const objects = await objectsOf(t, endpoint);
  for (const [key, message] of [
    ['broken', /aborted/],
    ['broken-summed', /aborted/],
    ['checksum', /Checksum mismatch/],
  ] as const) {
    await assert.rejects(objects.fetch(reference(key), { bytesMax }, copy), {
      code: 'unavailable',
      message,
    });
  }
});

test('the connection of an object that is too large is given up', async (t) => {
  const closed = deferred<void>();
  const endpoint = await answering(t, (_request, response) => {
    response.writeHead(200, { 'content-length': bytesMax + 1, 'x-amz-checksum-crc32': 'AAAAAA==' });
    response.write('x');
    response.once('close', () => closed.resolve());
  });
  const objects = await objectsOf(t, endpoint);
  await assert.rejects(objects.fetch(reference('k'), { bytesMax }, copy), { code: 'too-large' });
  await closed.promise;
});

test('silence and slowness end a download', async (t) => {
  const endpoint = await answering(t, (request, response) => {
    if (request.url?.includes('mute')) return;
    response.writeHead(200, { 'content-length': 1000 });
    const timer = setInterval(() => response.write('x'), 20);
    response.once('close', () => clearInterval(timer));
    if (request.url?.includes('stalled')) clearInterval(timer);
  });
  const quick = await objectsOf(t, endpoint, { silenceMsMax: 150, downloadMsMax: 10_000 });
  for (const key of ['mute', 'stalled']) {
    await assert.rejects(quick.fetch(reference(key), { bytesMax }, copy), {
      code: 'unavailable',
      message: 'nothing was heard for 0.15 s',
    });
  }
  const short = await objectsOf(t, endpoint, { downloadMsMax: 150 });
  await assert.rejects(short.fetch(reference('slow'), { bytesMax }, copy), {
    code: 'unavailable',
    message: 'the object did not arrive within 0.15 s',
  });
});

test('only a few objects are downloaded at once, and used one at a time', async (t) => {
  let requests = 0;
  let open = 0;
  const full = deferred<void>();
  const gate = deferred<void>();
  const endpoint = await answering(t, (_request, response) => {
    requests += 1;
    open += 1;
    if (open === DOWNLOADS_AT_ONCE_MAX) full.resolve();
    void gate.promise.then(() => {
      open -= 1;
      response.end('x');
    });
  });
  const objects = await objectsOf(t, endpoint);
  let used = 0;
  const count = DOWNLOADS_AT_ONCE_MAX + 3;
  const fetches = Array.from({ length: count }, (_, index) =>
    objects.fetch(reference(`k${index}`), { bytesMax }, async () => {
      used += 1;
      assert.equal(used, 1);
      await new Promise((resolve) => setImmediate(resolve));
      used -= 1;
    }),
  );
  await full.promise;
  assert.equal(requests, DOWNLOADS_AT_ONCE_MAX);
  gate.resolve();
  await Promise.all(fetches);
  assert.equal(requests, count);
});

test('closing ends what is being downloaded', async (t) => {
  const asked = deferred<void>();
  const endpoint = await answering(t, () => asked.resolve());
  const objects = await objectsOf(t, endpoint);
  const fetching = objects.fetch(reference('k'), { bytesMax }, copy);
  const ended = assert.rejects(fetching, { code: 'unavailable', message: /stopping/ });
  await asked.promise;
  await objects.close();
  await ended;
});

test('a disk that fails is not the fault of the store', async () => {
  const downloads = join(folder, 'gone');
  const { endpoint } = buckets;
  const objects = await openS3Objects(systemClock, {
    endpoint,
    region: 'us-east-1',
    folder: downloads,
  });
  await rm(downloads, { recursive: true });
  await buckets.put('plain.zip', Buffer.from('plain'));
  await assert.rejects(objects.fetch(reference('plain.zip'), { bytesMax }, copy), {
    code: 'ENOENT',
  });
  await objects.close();
});
