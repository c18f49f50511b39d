/**
 * The HTTP Runtime API of one environment (2018-06-01; guide page 018): for custom runtimes and
 * runtime interface clients. Routes and status codes here, every decision behind RuntimePort.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { limits, MIB } from '../model/limits.ts';
import type {
  Invocation,
  PortAnswer,
  RuntimeError,
  RuntimeHttpApi,
  RuntimePort,
} from '../worker/runtime-port.ts';

const base = '/2018-06-01/runtime';
const invocationPath = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/;
/** An error document may be as long as a response, with room for its JSON quoting. */
const errorBytesMax = 8 * MIB;
/** Each takes a descriptor of the server's, which all functions share; a runtime or extension needs two. */
export const connectionsMax = 64;
const errorTypeHeader = 'lambda-runtime-function-error-type';

export function createRuntimeHttpApi(): RuntimeHttpApi {
  let port: RuntimePort | null = null;
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    if (port === null) answerError(response, 403, 'InvalidStateTransition', 'No function is bound');
    else route(port, request, response);
  });
  server.maxConnections = connectionsMax;
  // "next" may be held for as long as the function idles, and nobody else can reach this socket.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.timeout = 0;
  server.keepAliveTimeout = 0;
  return {
    server,
    attach: (attached) => {
      port = attached;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function route(port: RuntimePort, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (path === `${base}/invocation/next`) {
    if (request.method === 'GET') getNext(port, response);
    else answerMethodNotAllowed(request, response);
    return;
  }
  if (path === `${base}/restore/next`) {
    if (request.method === 'GET') getRestore(port, response);
    else answerMethodNotAllowed(request, response);
    return;
  }
  const report = reportPaths[path];
  if (report !== undefined) {
    if (request.method === 'POST') postReport(port[report].bind(port), request, response);
    else answerMethodNotAllowed(request, response);
    return;
  }
  const [, requestId, kind] = invocationPath.exec(path) ?? [];
  if (requestId === undefined) {
    request.resume();
    answerError(response, 404, 'NotFound', `No such Runtime API path: ${path}`);
  } else if (request.method !== 'POST') answerMethodNotAllowed(request, response);
  else if (kind === 'response') postResponse(port, requestId, { request, response });
  else postError(port, requestId, { request, response });
}

/** Errors of phases, which belong to no invocation, by path. */
const reportPaths: Readonly<Record<string, 'initError' | 'restoreError' | undefined>> = {
  [`${base}/init/error`]: 'initError',
  [`${base}/restore/error`]: 'restoreError',
};

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function getNext(port: RuntimePort, response: ServerResponse): void {
  const answer = port.next((invocation) => {
    response.writeHead(200, nextHeaders(invocation));
    response.end(invocation.payload);
  });
  if (answer.status !== 'accepted') answerPort(response, answer);
}

/** SnapStart: answered once the environment is restored, with nothing to say. */
function getRestore(port: RuntimePort, response: ServerResponse): void {
  const answer = port.restoreNext(() => {
    response.writeHead(200, { 'Content-Length': 0 });
    response.end();
  });
  if (answer.status !== 'accepted') answerPort(response, answer);
}

function nextHeaders(invocation: Invocation): Record<string, string | number> {
  const headers: Record<string, string | number> = {
    'Content-Type': 'application/json',
    'Content-Length': invocation.payload.length,
    'Lambda-Runtime-Aws-Request-Id': invocation.requestId,
    'Lambda-Runtime-Deadline-Ms': invocation.deadlineMs,
    'Lambda-Runtime-Invoked-Function-Arn': invocation.invokedFunctionArn,
    'Lambda-Runtime-Trace-Id': invocation.traceId,
  };
  if (invocation.clientContext !== undefined) {
    headers['Lambda-Runtime-Client-Context'] = asciiJson(invocation.clientContext);
  }
  if (invocation.cognitoIdentity !== undefined) {
    headers['Lambda-Runtime-Cognito-Identity'] = invocation.cognitoIdentity;
  }
  return headers;
}

/** The same JSON with nothing in it that a header cannot carry. */
function asciiJson(json: string): string {
  return json
    .replace(/[\0-\x1f]+/g, ' ') // between tokens only: within strings JSON escapes them
    .replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function postResponse(port: RuntimePort, requestId: string, exchange: Exchange): void {
  const { request, response } = exchange;
  const expected = port.expectsResponse(requestId);
  if (expected.status !== 'accepted') {
    request.resume();
    answerPort(response, expected);
    return;
  }
  readBody(request, limits.invokeResponseBytesMax, (body) => {
    const contentType = request.headers['content-type'];
    answerPort(response, port.respond(requestId, { contentType, body }));
  });
}

function postError(port: RuntimePort, requestId: string, exchange: Exchange): void {
  const { request, response } = exchange;
  const expected = port.expectsResponse(requestId);
  if (expected.status !== 'accepted') {
    request.resume();
    answerPort(response, expected);
    return;
  }
  readBody(request, errorBytesMax, (body) => {
    const errorType = reportedErrorType(request, body);
    answerPort(response, port.fail(requestId, { errorType, payload: body }));
  });
}

function postReport(
  report: (error: RuntimeError) => PortAnswer,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  readBody(request, errorBytesMax, (body) => {
    const errorType = reportedErrorType(request, body);
    answerPort(response, report({ errorType, payload: body }));
  });
}

/** The header's word, else the document's; any string is taken (guide page 018). */
function reportedErrorType(request: IncomingMessage, body: Buffer): string {
  const header = request.headers[errorTypeHeader];
  if (typeof header === 'string' && header !== '') return header;
  try {
    const document: unknown = JSON.parse(body.toString());
    if (typeof document === 'object' && document !== null && 'errorType' in document) {
      return String(document.errorType);
    }
  } catch {
    // Not JSON: the caller gets the bytes as they are.
  }
  return 'Runtime.UnknownReason';
}

/**
 * Reads a body whole. One that is longer than `maxBytes` is read to its end but kept only as far as
 * shows that it is too long, so that the answer can still be sent.
 */
function readBody(request: IncomingMessage, maxBytes: number, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    if (length <= maxBytes) chunks.push(chunk);
    length += chunk.length;
  });
  request.on('end', () => {
    done(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
  });
  request.on('error', () => undefined);
}

function answerPort(response: ServerResponse, answer: PortAnswer): void {
  switch (answer.status) {
    case 'accepted':
      answerJson(response, 202, { status: 'OK' });
      break;
    case 'invalidRequestId':
      answerError(response, 400, 'InvalidRequestID', 'Invalid request ID');
      break;
    case 'invalidTransition':
      answerError(
        response,
        403,
        'InvalidStateTransition',
        `State transition from ${answer.from} to ${answer.to} failed for runtime. Error: State transition is not allowed`,
      );
      break;
    case 'tooLarge':
      answerError(
        response,
        413,
        'RequestEntityTooLarge',
        `Exceeded maximum allowed payload size (${answer.maxBytes} bytes).`,
      );
      break;
  }
}

function answerMethodNotAllowed(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  answerError(response, 405, 'MethodNotAllowed', `Method ${request.method} is not allowed here`);
}

function answerError(
  response: ServerResponse,
  status: number,
  errorType: string,
  errorMessage: string,
): void {
  answerJson(response, status, { errorMessage, errorType });
}

function answerJson(response: ServerResponse, status: number, document: object): void {
  const body = JSON.stringify(document);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}
