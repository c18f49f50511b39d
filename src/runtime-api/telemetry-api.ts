/**
 * The Telemetry API, 2022-07-01 (guide page 056), and the older Logs API, 2020-08-15: extensions say
 * what they want to be told and where they listen. What they may ask for: subscription-request.ts.
 */
import { KIB } from '../model/limits.ts';
import type { TelemetrySubscription } from '../telemetry/telemetry-subscription.ts';
import type { ExtensionPort } from '../worker/extension-port.ts';
import { readIdentifier } from './extension-identifier.ts';
import {
  answerError,
  answerJson,
  callRoute,
  readBoundedBody,
  refuse,
  type Exchange,
  type RouteTable,
} from './http-exchange.ts';
import { parseSubscription } from './subscription-request.ts';

/** Three types, three numbers and a destination. */
export const subscriptionBytesMax = 64 * KIB;

const routes: RouteTable<ExtensionPort> = {
  '/2022-07-01/telemetry': {
    PUT: (port, exchange) => putSubscription(port, exchange, 'telemetry'),
  },
  '/2020-08-15/logs': { PUT: (port, exchange) => putSubscription(port, exchange, 'logs') },
};

const validationErrorType = {
  telemetry: 'Telemetry.ValidationError',
  logs: 'Logs.ValidationError',
} as const;

/** @returns whether the path is one of these APIs', and so the request is taken care of */
export function callTelemetryApi(port: ExtensionPort, path: string, exchange: Exchange): boolean {
  return callRoute(routes, path, { port, exchange });
}

function putSubscription(
  port: ExtensionPort,
  exchange: Exchange,
  api: TelemetrySubscription['api'],
): void {
  const { response } = exchange;
  const extensionId = readIdentifier(exchange);
  if (extensionId === null) return;
  const expected = port.expectsSubscription(extensionId, api);
  if (expected.status === 'refused') {
    refuse(exchange, expected.httpStatus, expected);
    return;
  }
  readBoundedBody(exchange, subscriptionBytesMax, (body) => {
    const parsed = parseSubscription(api, body);
    if ('faults' in parsed) {
      const errorMessage = parsed.faults.join('; ');
      answerError(response, 400, { errorType: validationErrorType[api], errorMessage });
      return;
    }
    const answer = port.subscribe(extensionId, parsed.subscription);
    if (answer.status === 'refused') answerError(response, answer.httpStatus, answer);
    else answerJson(response, 200, 'OK');
  });
}
