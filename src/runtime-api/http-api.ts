/**
 * The HTTP server of one environment, at AWS_LAMBDA_RUNTIME_API: the Runtime API for custom runtimes
 * and runtime interface clients, and what extensions call. Each API has its file; every decision is
 * behind RuntimePort and ExtensionPort.
 */
import { createServer } from 'node:http';
import type { Clock } from '../base/clock.ts';
import type { ExtensionPort } from '../worker/extension-port.ts';
import type { RuntimeHttpApi, RuntimePort } from '../worker/runtime-port.ts';
import { ApiAllowance } from './api-allowance.ts';
import { BodyRoom } from './body-room.ts';
import { callExtensionApi } from './extension-api.ts';
import { refuse, type Exchange } from './http-exchange.ts';
import { noExtensions } from './no-extensions.ts';
import { callRuntimeApi } from './runtime-api.ts';
import { callTelemetryApi } from './telemetry-api.ts';

/** Each takes a descriptor of the server's, which all functions share; a runtime or extension needs two. */
export const connectionsMax = 64;

interface Ports {
  readonly runtime: RuntimePort;
  readonly extensions: ExtensionPort;
}

export function createRuntimeHttpApi(clock: Clock): RuntimeHttpApi {
  let ports: Ports | null = null;
  const room = new BodyRoom();
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    if (!allowance.admit(request, response)) return;
    const exchange = { request, response, room };
    if (ports !== null) route(ports, exchange);
    else {
      const errorMessage = 'No function is bound';
      refuse(exchange, 403, { errorType: 'InvalidStateTransition', errorMessage });
    }
  });
  // A connection that could not be accepted, for want of descriptors: the client sees it closed.
  server.on('error', () => undefined);
  const allowance = new ApiAllowance(clock, server, connectionsMax);
  // "next" may be held for as long as the function idles, and nobody else can reach this socket.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.timeout = 0;
  server.keepAliveTimeout = 0;
  return {
    server,
    attach: (runtime, extensions) => {
      ports = { runtime, extensions: extensions ?? noExtensions };
    },
    close: () => {
      allowance.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

function route(ports: Ports, exchange: Exchange): void {
  const path = (exchange.request.url ?? '').split('?', 1)[0] ?? '';
  if (callRuntimeApi(ports.runtime, path, exchange)) return;
  if (callExtensionApi(ports.extensions, path, exchange)) return;
  if (callTelemetryApi(ports.extensions, path, exchange)) return;
  const errorMessage = `No such Runtime API path: ${path}`;
  refuse(exchange, 404, { errorType: 'NotFound', errorMessage });
}
