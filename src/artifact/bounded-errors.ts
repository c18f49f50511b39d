/** Errors of a store, which the S3 client reads into memory whole, cut off at a bound. */
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';

/** No error of S3 is nearly so long. */
export const ERROR_BYTES_MAX = 1024 * 1024;

/** The same client; of an error that is longer it reads the beginning, which is none that it knows. */
export function boundErrors(client: S3Client): S3Client {
  client.middlewareStack.add(
    (next) => async (input) => {
      const result = await next(input);
      const response = result.response as { readonly statusCode: number; body?: unknown };
      if (response.statusCode >= 300 && response.body instanceof Readable) {
        response.body = Readable.from(beginningOf(response.body));
      }
      return result;
    },
    // Next to the connection: what reads answers comes after it.
    { step: 'deserialize', priority: 'low', name: 'boundErrors' },
  );
  return client;
}

async function* beginningOf(body: Readable): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > ERROR_BYTES_MAX) return;
    yield piece;
  }
}
