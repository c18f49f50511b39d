/** The socket-level manners of the HTTP edge: refused bodies, streamed answers, broken requests. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { apiLimits } from '../model/api-limits.ts';

/** Whether a body is announced, be it an empty one. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/**
 * Reads and drops the rest of a request that has been answered already. Closing the socket instead
 * would reset it while the client is still sending, and the client would never see the answer.
 * Past `lingerMs`, or more bytes than anyone honest sends, the connection is cut.
 */
export function discardBody(clock: Clock, request: IncomingMessage, lingerMs: number): void {
  if (request.complete || !hasBody(request)) return;
  let byteCount = 0;
  const timer = clock.schedule(lingerMs, () => request.destroy());
  request.on('data', (chunk: Buffer) => {
    byteCount += chunk.length;
    if (byteCount > apiLimits.refusedBodyBytesMax) request.destroy();
  });
  request.once('close', () => timer.cancel());
  request.resume();
}

/** Unlike events.once, not rejected by an 'error' that nobody may be waiting for. */
function occurrence(response: ServerResponse, event: 'close' | 'drain'): Promise<void> {
  return new Promise((resolve) => {
    response.once(event, () => resolve());
  });
}

async function pipeChunks(
  response: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const gone = occurrence(response, 'close');
  for await (const chunk of chunks) {
    if (response.destroyed) return;
    // A client that is gone never drains: leaving the loop is what ends the source.
    if (!response.write(chunk)) await Promise.race([occurrence(response, 'drain'), gone]);
  }
  response.end();
}

/** Sends chunks as they come, no faster than the client reads. A failure cuts the connection. */
export function sendStream(
  response: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
  onFailure: (error: unknown) => void,
): void {
  response.flushHeaders();
  pipeChunks(response, chunks).catch((error: unknown) => {
    // Half an answer must not look like a whole one.
    if (!response.destroyed) onFailure(error);
    response.destroy();
  });
}

/** What node:http could not parse, or did not get in time. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = clientErrorStatus(error.code);
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function clientErrorStatus(code: string | undefined): string {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return '431 Request Header Fields Too Large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return '408 Request Timeout';
    default:
      return '400 Bad Request';
  }
}
