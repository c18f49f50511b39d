/**
 * The Extensions API, 2020-01-01 (guide page 052): how the extensions of an environment register,
 * wait for events and report errors. Words of refusals as in AWS's runtime interface emulator.
 */
import type { ServerResponse } from 'node:http';
import { KIB, MIB } from '../model/limits.ts';
import type {
  ExtensionAnswer,
  ExtensionError,
  ExtensionEventType,
  ExtensionPort,
  RegisterAnswer,
} from '../worker/extension-port.ts';
import { identifierHeader, readIdentifier } from './extension-identifier.ts';
import {
  answerAccepted,
  answerError,
  answerJson,
  callRoute,
  readBoundedBody,
  refuse,
  type Exchange,
  type RouteTable,
} from './http-exchange.ts';
import { parseJsonObject } from './json-body.ts';

const base = '/2020-01-01/extension';
/** A list of at most two events. */
export const registerBytesMax = 64 * KIB;
/** A message and a stack trace. */
export const extensionErrorBytesMax = MIB;

const nameHeader = 'lambda-extension-name';
const featuresHeader = 'lambda-extension-accept-feature';
const eventIdHeader = 'Lambda-Extension-Event-Identifier';
const errorTypeHeader = 'Lambda-Extension-Function-Error-Type';

const routes: RouteTable<ExtensionPort> = {
  [`${base}/register`]: { POST: postRegister },
  [`${base}/event/next`]: { GET: getNext },
  [`${base}/init/error`]: {
    POST: (port, exchange) =>
      postError(exchange, (id, error) => port.extensionInitError(id, error)),
  },
  [`${base}/exit/error`]: {
    POST: (port, exchange) =>
      postError(exchange, (id, error) => port.extensionExitError(id, error)),
  },
};

/** @returns whether the path is one of this API's, and so the request is taken care of */
export function callExtensionApi(port: ExtensionPort, path: string, exchange: Exchange): boolean {
  return callRoute(routes, path, { port, exchange });
}

function postRegister(port: ExtensionPort, exchange: Exchange): void {
  const { request, response } = exchange;
  const name = request.headers[nameHeader];
  if (typeof name !== 'string' || name === '') {
    const errorMessage = 'Empty extension name';
    refuse(exchange, 403, { errorType: 'Extension.InvalidExtensionName', errorMessage });
    return;
  }
  readBoundedBody(exchange, registerBytesMax, (body) => {
    const parsed = parseRegister(body);
    if ('errorType' in parsed) answerError(response, 403, parsed);
    else answerRegister(exchange, port.register(name, parsed.events));
  });
}

function parseRegister(
  body: Buffer,
):
  | { readonly events: readonly ExtensionEventType[] }
  | { readonly errorType: string; readonly errorMessage: string } {
  const errorType = 'InvalidRequestFormat';
  const document = parseJsonObject(body);
  if (document === null) return { errorType, errorMessage: 'The body is not a JSON object' };
  const { events = [], configurationKeys } = document;
  if (Array.isArray(configurationKeys) && configurationKeys.length > 0) {
    const errorMessage = 'configurationKeys are deprecated; use environment variables instead';
    return { errorType, errorMessage };
  }
  if (!isStringList(events)) {
    return { errorType, errorMessage: 'events is not an array of strings' };
  }
  const invalid = events.find((event) => !isEventType(event));
  if (invalid !== undefined) {
    const errorMessage = `${invalid}: ErrorInvalidEventType`;
    return { errorType: 'Extension.InvalidEventType', errorMessage };
  }
  return { events: [...new Set(events.filter(isEventType))] };
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}

function isEventType(event: string): event is ExtensionEventType {
  return event === 'INVOKE' || event === 'SHUTDOWN';
}

function answerRegister({ request, response }: Exchange, answer: RegisterAnswer): void {
  if (answer.status === 'refused') {
    answerError(response, answer.httpStatus, answer);
    return;
  }
  const { extensionId, functionName, functionVersion, handler, accountId } = answer;
  const features = String(request.headers[featuresHeader] ?? '').split(',');
  const asksForAccount = features.some((feature) => feature.trim() === 'accountId');
  const document = { functionName, functionVersion, handler };
  answerJson(response, 200, asksForAccount ? { ...document, accountId } : document, {
    [identifierHeader]: extensionId,
  });
}

function getNext(port: ExtensionPort, exchange: Exchange): void {
  const { response } = exchange;
  const extensionId = readIdentifier(exchange);
  if (extensionId === null) return;
  const answer = port.nextEvent(extensionId, (eventId, event) => {
    answerJson(response, 200, event, { [eventIdHeader]: eventId });
  });
  if (answer.status === 'refused') answerError(response, answer.httpStatus, answer);
}

function postError(
  exchange: Exchange,
  report: (extensionId: string, error: ExtensionError) => ExtensionAnswer,
): void {
  const { request, response } = exchange;
  const extensionId = readIdentifier(exchange);
  if (extensionId === null) return;
  const errorType = request.headers[errorTypeHeader.toLowerCase()];
  if (typeof errorType !== 'string' || errorType === '') {
    const errorMessage = `${errorTypeHeader} not found`;
    refuse(exchange, 403, { errorType: 'Extension.MissingHeader', errorMessage });
    return;
  }
  readBoundedBody(exchange, extensionErrorBytesMax, (payload) => {
    answerExtension(response, report(extensionId, { errorType, payload }));
  });
}

function answerExtension(response: ServerResponse, answer: ExtensionAnswer): void {
  if (answer.status === 'refused') answerError(response, answer.httpStatus, answer);
  else answerAccepted(response);
}
