/** One request to an environment's HTTP APIs and its answer, as their routes share them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ByteList } from '../base/byte-list.ts';
import type { BodyRoom } from './body-room.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For the body, shared by all requests of the environment. */
  readonly room: BodyRoom;
}

/** By path, then by method. */
export type RouteTable<Port> = Readonly<
  Record<string, Readonly<Record<string, (port: Port, exchange: Exchange) => void>>>
>;

/**
 * Calls the route of a table, or answers 405 where the path knows no such method.
 * @returns whether the table has the path
 */
export function callRoute<Port>(
  table: RouteTable<Port>,
  path: string,
  call: { readonly port: Port; readonly exchange: Exchange },
): boolean {
  const methods = Object.hasOwn(table, path) ? table[path] : undefined;
  if (methods === undefined) return false;
  const { port, exchange } = call;
  const method = exchange.request.method ?? '';
  const route = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (route === undefined) answerMethodNotAllowed(exchange);
  else route(port, exchange);
  return true;
}

/**
 * Reads a body whole. One that is longer than `maxBytes` is read to its end but kept only as far as
 * shows that it is too long, so that the answer can still be sent. Closes the connection when there is
 * no room for it.
 */
export function readBody(
  { request, room }: Exchange,
  maxBytes: number,
  done: (body: Buffer) => void,
): void {
  const body = new ByteList();
  let takenBytes = 0;
  request.on('data', (chunk: Buffer) => {
    if (body.length > maxBytes) return;
    if (!room.take(chunk.length)) {
      request.destroy();
      return;
    }
    takenBytes += chunk.length;
    body.push(chunk);
  });
  request.on('end', () => done(body.take()));
  request.on('error', () => undefined);
  request.on('close', () => room.giveBack(takenBytes));
}

/** As readBody, but answers 413 itself when the body is longer than `maxBytes`. */
export function readBoundedBody(
  exchange: Exchange,
  maxBytes: number,
  done: (body: Buffer) => void,
): void {
  readBody(exchange, maxBytes, (body) => {
    if (body.length > maxBytes) answerTooLarge(exchange.response, maxBytes);
    else done(body);
  });
}

/** Answers without reading what else the request brings. */
export function refuse(
  exchange: Exchange,
  status: number,
  error: { readonly errorType: string; readonly errorMessage: string },
): void {
  exchange.request.resume();
  answerError(exchange.response, status, error);
}

export function answerMethodNotAllowed(exchange: Exchange): void {
  const errorMessage = `Method ${exchange.request.method} is not allowed here`;
  refuse(exchange, 405, { errorType: 'MethodNotAllowed', errorMessage });
}

export function answerTooLarge(response: ServerResponse, maxBytes: number): void {
  const errorMessage = `Exceeded maximum allowed payload size (${maxBytes} bytes).`;
  answerError(response, 413, { errorType: 'RequestEntityTooLarge', errorMessage });
}

export function answerAccepted(response: ServerResponse): void {
  answerJson(response, 202, { status: 'OK' });
}

/** The error document of all of these APIs. */
export function answerError(
  response: ServerResponse,
  status: number,
  error: { readonly errorType: string; readonly errorMessage: string },
): void {
  const { errorMessage, errorType } = error;
  answerJson(response, status, { errorMessage, errorType });
}

export function answerJson(
  response: ServerResponse,
  status: number,
  document: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify(document);
  response.writeHead(status, {
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}
