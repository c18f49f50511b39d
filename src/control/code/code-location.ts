/**
 * Links to code packages for GetFunction's Code.Location: signed, valid for ten minutes like the
 * service's own, and the handler that serves them. A link names its package by hash, so it stays
 * right whatever happens to the function.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Blobs } from '../../artifact/blobs.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';

/** Every path of ours that is not the service's lies below this one. */
export const CODE_PATH_PREFIX = '/_hearth/code/';
export const CODE_LOCATION_VALID_MS = 10 * 60 * 1000;

export type CodeLocationCheck =
  | { readonly ok: true; readonly hash: string }
  | { readonly ok: false; readonly reason: 'malformed' | 'bad signature' | 'expired' };

export interface CodeLocations {
  /** Link to a package's archive below `baseUrl` ('http://HOST:PORT'). */
  urlFor(baseUrl: string, hash: string): string;
  /** Checks a link: the whole URL or its path and query. */
  verify(url: string): CodeLocationCheck;
}

/** `secret` signs the links; a new one makes all links of before invalid. */
export function createCodeLocations(clock: Clock, secret: string): CodeLocations {
  const sign = (hash: string, expires: string): Buffer =>
    createHmac('sha256', secret).update(`${hash}\n${expires}`).digest();
  return {
    urlFor(baseUrl, hash) {
      const expires = String(clock.nowMs() + CODE_LOCATION_VALID_MS);
      const signature = sign(hash, expires).toString('base64url');
      return `${baseUrl}${CODE_PATH_PREFIX}${hash}?expires=${expires}&signature=${signature}`;
    },
    verify(url) {
      const match =
        /\/_hearth\/code\/([0-9a-f]{64})\?expires=([0-9]{1,16})&signature=([A-Za-z0-9_-]{43})$/.exec(
          url,
        );
      const [, hash, expires, signature] = match ?? [];
      if (hash === undefined || expires === undefined || signature === undefined) {
        return { ok: false, reason: 'malformed' };
      }
      const given = Buffer.from(signature, 'base64url');
      const right = sign(hash, expires);
      if (given.length !== right.length || !timingSafeEqual(given, right)) {
        return { ok: false, reason: 'bad signature' };
      }
      if (clock.nowMs() >= Number(expires)) return { ok: false, reason: 'expired' };
      return { ok: true, hash };
    },
  };
}

export type RequestRoute = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Serves the links, for the API server's extra routes: true when the request was for one. */
export function createCodeDownloadRoute(
  log: Log,
  blobs: Blobs,
  codeLocations: CodeLocations,
): RequestRoute {
  return (request, response) => {
    const url = request.url ?? '';
    if (!url.startsWith(CODE_PATH_PREFIX)) return false;
    request.resume();
    serve(request, response, { url, blobs, codeLocations }).catch((error: unknown) => {
      // A client that went away half-way is no matter; anything else is worth a line.
      if (!request.destroyed) log.warn({ err: error }, 'could not send a code package');
      response.destroy();
    });
    return true;
  };
}

interface Download {
  readonly url: string;
  readonly blobs: Blobs;
  readonly codeLocations: CodeLocations;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { url, blobs, codeLocations }: Download,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    refuse(response, 405, { code: 'MethodNotAllowed', message: 'Only GET and HEAD are allowed.' });
    return;
  }
  const check = codeLocations.verify(url);
  if (!check.ok) {
    const message = check.reason === 'expired' ? 'Request has expired' : 'Access Denied';
    refuse(response, 403, { code: 'AccessDenied', message });
    return;
  }
  const blob = await blobs.open(check.hash);
  if (blob === undefined) {
    const message = 'The specified key does not exist.';
    refuse(response, 404, { code: 'NoSuchKey', message });
    return;
  }
  response.writeHead(200, {
    'content-type': 'application/zip',
    'content-length': blob.sizeBytes,
    etag: `"${check.hash}"`,
  });
  if (request.method === 'HEAD') {
    blob.stream.destroy();
    response.end();
    return;
  }
  await pipeline(blob.stream, response);
}

/** In the form of the object store that serves these links in the real service. */
function refuse(
  response: ServerResponse,
  status: number,
  { code, message }: { readonly code: string; readonly message: string },
): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, {
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
