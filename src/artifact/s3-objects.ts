/**
 * Objects in an S3-compatible store. The client is loaded with the first object: who sends archives
 * in requests pays nothing for it. Credentials and region come from the SDK's default chain, as
 * for any program that uses it.
 */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock, Timer } from '../base/clock.ts';
import { Places } from '../base/places.ts';
import { boundErrors } from './bounded-errors.ts';
import {
  ObjectError,
  isObjectError,
  type FetchOptions,
  type ObjectReference,
  type Objects,
} from './objects.ts';

/** Downloads at once: bounds what lies in the folder. */
export const DOWNLOADS_AT_ONCE_MAX = 4;
const CONNECT_MS_MAX = 5_000;
const ATTEMPTS_MAX = 3;
/** No byte for so long, or no answer. */
const SILENCE_MS_MAX = 30_000;
/** One object, its retries included: less than clients of ours wait at most. */
const DOWNLOAD_MS_MAX = 240_000;

export interface S3ObjectsOptions {
  /** 'http://HOST:PORT', for example. */
  readonly endpoint: string;
  /** Where the default chain names none. */
  readonly region: string;
  /** Emptied at the start; holds what is being downloaded. */
  readonly folder: string;
  /** Bounds that tests shorten. */
  readonly silenceMsMax?: number;
  readonly downloadMsMax?: number;
}

/** Rejects with the file system's error when the folder cannot be made. Connects to nothing yet. */
export async function openS3Objects(clock: Clock, options: S3ObjectsOptions): Promise<S3Objects> {
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  return new S3Objects(clock, options);
}

export class S3Objects implements Objects {
  readonly #clock: Clock;
  readonly #options: S3ObjectsOptions;
  readonly #downloads = new Places(DOWNLOADS_AT_ONCE_MAX);
  readonly #uses = new Places(1);
  readonly #stopped = new AbortController();
  #client: Promise<S3Client> | undefined;
  #fileCount = 0;

  constructor(clock: Clock, options: S3ObjectsOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  async fetch<Result>(
    reference: ObjectReference,
    options: FetchOptions,
    use: (bytes: Uint8Array) => Promise<Result>,
  ): Promise<Result> {
    this.#fileCount += 1;
    const file = join(this.#options.folder, String(this.#fileCount));
    return this.#downloads.run(async () => {
      try {
        await this.#download(reference, options, file);
        return await this.#uses.run(async () => use(await readFile(file)));
      } finally {
        await rm(file, { force: true });
      }
    });
  }

  /** Gives up what is being downloaded. */
  async close(): Promise<void> {
    this.#stopped.abort();
    (await this.#client?.catch(() => undefined))?.destroy();
  }

  /** One client for all objects; one that could not be made is tried again with the next. */
  async #open(): Promise<S3Client> {
    this.#client ??= openClient(this.#options);
    try {
      return await this.#client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  async #download(
    { bucket, key, version }: ObjectReference,
    { bytesMax }: FetchOptions,
    file: string,
  ): Promise<void> {
    const watch = new DownloadWatch(this.#clock, this.#stopped.signal, this.#options);
    let diskError: unknown;
    // A failure of the disk is not the store's fault, nor the caller's.
    const onDisk = async <Result>(work: Promise<Result>): Promise<Result> => {
      try {
        return await work;
      } catch (error) {
        diskError = error;
        throw error;
      }
    };
    try {
      const { GetObjectCommand } = await import('@aws-sdk/client-s3');
      const client = await this.#open();
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(version === undefined ? {} : { VersionId: version }),
      });
      const { Body, ContentLength } = await client.send(command, { abortSignal: watch.signal });
      const body = Body as Readable;
      // One that is given up fails with nobody listening.
      body.on('error', () => undefined);
      if ((ContentLength ?? 0) > bytesMax) throw tooLarge(bytesMax);
      const written = await onDisk(open(file, 'wx', 0o600));
      try {
        let bytes = 0;
        for await (const piece of piecesOf(body, watch)) {
          bytes += piece.length;
          if (bytes > bytesMax) throw tooLarge(bytesMax);
          await onDisk(written.writeFile(piece));
        }
      } finally {
        await written.close();
      }
    } catch (error) {
      // What is left of the answer is not wanted: the connection goes with it.
      watch.abandon();
      if (diskError !== undefined && diskError === error) throw error;
      throw this.#asObjectError(watch.reason ?? error);
    } finally {
      watch.end();
    }
  }

  #asObjectError(error: unknown): ObjectError {
    if (isObjectError(error)) return error;
    if (isAnswer(error)) {
      const message = error.name === 'PermanentRedirect' ? otherRegion(error) : error.message;
      return new ObjectError('refused', message, { storeCode: error.name, cause: error });
    }
    return new ObjectError('unavailable', describeFailure(error), { cause: error });
  }
}

async function openClient({ endpoint, region }: S3ObjectsOptions): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const settings = {
    endpoint,
    // Stores of one's own seldom have a name for each bucket.
    forcePathStyle: true,
    maxAttempts: ATTEMPTS_MAX,
    requestHandler: { connectionTimeout: CONNECT_MS_MAX },
  };
  const client = new S3Client(settings);
  try {
    await client.config.region();
    return boundErrors(client);
  } catch {
    client.destroy();
    return boundErrors(new S3Client({ ...settings, region }));
  }
}

/** Ends a download that takes too long, as a whole or between two pieces, or when the server stops. */
class DownloadWatch {
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #silenceMsMax: number;
  readonly #whole: Timer;
  readonly #stopped: AbortSignal;
  readonly #onStop = (): void => this.#give('the server is stopping');
  #heardMs: number;
  #silence: Timer | undefined;
  /** Why it was ended, if it was. */
  reason: ObjectError | undefined;

  constructor(clock: Clock, stopped: AbortSignal, options: S3ObjectsOptions) {
    this.#clock = clock;
    this.#stopped = stopped;
    this.#silenceMsMax = options.silenceMsMax ?? SILENCE_MS_MAX;
    const msMax = options.downloadMsMax ?? DOWNLOAD_MS_MAX;
    this.#heardMs = clock.monotonicMs();
    const late = (): void => this.#give(`the object did not arrive within ${msMax / 1000} s`);
    this.#whole = clock.schedule(msMax, late);
    this.#listen(this.#silenceMsMax);
    if (stopped.aborted) this.#onStop();
    else stopped.addEventListener('abort', this.#onStop);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /** Ends the download, whatever the reason. */
  abandon(): void {
    this.#abort.abort();
  }

  end(): void {
    this.#whole.cancel();
    this.#silence?.cancel();
    this.#stopped.removeEventListener('abort', this.#onStop);
  }

  #listen(delayMs: number): void {
    this.#silence = this.#clock.schedule(delayMs, () => {
      const leftMs = this.#heardMs + this.#silenceMsMax - this.#clock.monotonicMs();
      if (leftMs > 0) this.#listen(leftMs);
      else this.#give(`nothing was heard for ${this.#silenceMsMax / 1000} s`);
    });
  }

  #give(why: string): void {
    this.reason ??= new ObjectError('unavailable', why);
    this.#abort.abort();
  }
}

async function* piecesOf(body: Readable, watch: DownloadWatch): AsyncGenerator<Buffer> {
  for await (const piece of addAbortSignal(watch.signal, body)) {
    watch.heard();
    yield piece as Buffer;
  }
}

function tooLarge(bytesMax: number): ObjectError {
  return new ObjectError('too-large', `the object has more than ${bytesMax} bytes`);
}

/** What the client's errors have when there was an answer. */
interface StoreAnswer extends Error {
  readonly $fault: 'client' | 'server';
  readonly $metadata: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** An error document of S3, not just any answer to HTTP, which has no fault or no name of its own. */
function isAnswer(error: unknown): error is StoreAnswer {
  if (!(error instanceof Error) || (error as Partial<StoreAnswer>).$fault === undefined)
    return false;
  return !/^Unknown(?:Error)?$/.test(error.name);
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const status = (error as Partial<StoreAnswer>).$metadata?.httpStatusCode;
  if (status !== undefined) return `it answered with HTTP status ${status}, and not as S3 does`;
  return error.message || error.name;
}

/** In the words of the service's own client, which knows the region from a header. */
function otherRegion({ $response: response }: StoreAnswer): string {
  const region = response?.headers?.['x-amz-bucket-region'] ?? 'null';
  return `The bucket is in this region: ${region}. Please use this region to retry the request`;
}
