/** The Runtime API, 2018-06-01 (guide page 018). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { limits, MIB } from '../model/limits.ts';
import type { Invocation, PortAnswer, RuntimeError, RuntimePort } from '../worker/runtime-port.ts';
import {
  answerAccepted,
  answerError,
  answerMethodNotAllowed,
  answerTooLarge,
  callRoute,
  readBody,
  type Exchange,
  type RouteTable,
} from './http-exchange.ts';

const base = '/2018-06-01/runtime';
const invocationPath = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/;
/** An error document may be as long as a response, with room for its JSON quoting. */
const errorBytesMax = 8 * MIB;
/** It goes into log lines and to every subscriber; longer ones are cut. */
const errorTypeCharactersMax = 1024;
const errorTypeHeader = 'lambda-runtime-function-error-type';

const routes: RouteTable<RuntimePort> = {
  [`${base}/invocation/next`]: { GET: getNext },
  [`${base}/init/error`]: { POST: postInitError },
  // SnapStart: runtime interface clients call these where AWS_LAMBDA_INITIALIZATION_TYPE says so.
  [`${base}/restore/next`]: { GET: getRestore },
  [`${base}/restore/error`]: { POST: postRestoreError },
};

/** @returns whether the path is one of this API's, and so the request is taken care of */
export function callRuntimeApi(port: RuntimePort, path: string, exchange: Exchange): boolean {
  if (callRoute(routes, path, { port, exchange })) return true;
  const [, requestId, kind] = invocationPath.exec(path) ?? [];
  if (requestId === undefined) return false;
  if (exchange.request.method !== 'POST') answerMethodNotAllowed(exchange);
  else if (kind === 'response') postResponse(port, requestId, exchange);
  else postError(port, requestId, exchange);
  return true;
}

function getNext(port: RuntimePort, { response }: Exchange): void {
  const answer = port.next((invocation) => {
    response.writeHead(200, nextHeaders(invocation));
    response.end(invocation.payload);
  });
  if (answer.status !== 'accepted') answerPort(response, answer);
}

/** Answered once the environment is restored, with nothing to say. */
function getRestore(port: RuntimePort, { response }: Exchange): void {
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
  if (invocation.tenantId !== undefined) {
    headers['Lambda-Runtime-Aws-Tenant-Id'] = invocation.tenantId;
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
  if (!isExpected(port, requestId, exchange)) return;
  readBody(exchange, limits.invokeResponseBytesMax, (body) => {
    const contentType = request.headers['content-type'];
    answerPort(response, port.respond(requestId, { contentType, body }));
  });
}

function postError(port: RuntimePort, requestId: string, exchange: Exchange): void {
  if (!isExpected(port, requestId, exchange)) return;
  readError(exchange, (error) => port.fail(requestId, error));
}

/** Whether the body is worth reading; if not the request is answered. */
function isExpected(
  port: RuntimePort,
  requestId: string,
  { request, response }: Exchange,
): boolean {
  const expected = port.expectsResponse(requestId);
  if (expected.status === 'accepted') return true;
  request.resume();
  answerPort(response, expected);
  return false;
}

function postInitError(port: RuntimePort, exchange: Exchange): void {
  readError(exchange, (error) => port.initError(error));
}

function postRestoreError(port: RuntimePort, exchange: Exchange): void {
  readError(exchange, (error) => port.restoreError(error));
}

function readError(exchange: Exchange, report: (error: RuntimeError) => PortAnswer): void {
  const { request, response } = exchange;
  readBody(exchange, errorBytesMax, (body) => {
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
      return String(document.errorType).slice(0, errorTypeCharactersMax);
    }
  } catch {
    // Not JSON: the caller gets the bytes as they are.
  }
  return 'Runtime.UnknownReason';
}

function answerPort(response: ServerResponse, answer: PortAnswer): void {
  switch (answer.status) {
    case 'accepted':
      answerAccepted(response);
      break;
    case 'invalidRequestId':
      answerError(response, 400, {
        errorType: 'InvalidRequestID',
        errorMessage: 'Invalid request ID',
      });
      break;
    case 'invalidTransition':
      answerError(response, 403, {
        errorType: 'InvalidStateTransition',
        errorMessage: `State transition from ${answer.from} to ${answer.to} failed for runtime. Error: State transition is not allowed`,
      });
      break;
    case 'tooLarge':
      answerTooLarge(response, answer.maxBytes);
      break;
  }
}
