/**
 * The HTTP edge: socket, request id, size limit, routing, and the way through an operation:
 * parse, validate, handle, render (docs: ARCHITECTURE.md, the invoke path).
 *
 * Everything that depends on the operation is compiled when the server is made; what is left per
 * request is one small object and, for a body, the listeners that collect it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { apiLimits, bodyLimitOf } from '../model/api-limits.ts';
import { ApiError, isApiError, notImplemented, serviceError } from '../model/errors.ts';
import type { Quotas } from '../model/quotas.ts';
import { operations, type Operation } from '../model/service-model.ts';
import type { OperationHandlers, RequestContext } from './operation.ts';
import { createBrowserDefence, type BrowserDefence } from './browser-defence.ts';
import { createInputParser, type InputParser } from './parse-request.ts';
import {
  createOutputRenderer,
  renderError,
  type OutputRenderer,
  type RenderedResponse,
} from './render.ts';
import { createRouteTable, type RouteMatch, type RouteTable } from './route-table.ts';
import { createInputValidator, type InputValidator } from './validate.ts';
import { answerClientError, discardBody, hasBody, sendStream } from './wire.ts';

export interface ApiServerOptions {
  /** Refuse requests that a web page of another origin could have caused. Off for --insecure. */
  readonly loopbackOnly: boolean;
  /** What GET /healthz reports: true once requests can be served. Ready from the start by default. */
  readonly isReady?: () => boolean;
  /** What GET /metrics answers; without it the path is unknown. */
  readonly metrics?: { readonly contentType: string; render(): Promise<string> };
  /**
   * Tried before the route table; true when it took the request, body included. Throwing answers
   * ServiceException.
   */
  readonly extraRoutes?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Bounds the bodies that carry archives; default defaultQuotas. */
  readonly quotas?: Pick<Quotas, 'codeZippedBytesMax'>;
  /** Time bounds that tests shorten. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly keepAliveTimeoutMs?: number;
  readonly timeoutCheckIntervalMs?: number;
  readonly refusedBodyMs?: number;
}

export interface ApiAddress {
  readonly host: string;
  readonly port: number;
}

export interface ApiServer {
  /** Port 0 takes any free one. Rejects when the address cannot be bound. */
  listen(host: string, port: number): Promise<ApiAddress>;
  /** Stops accepting, lets requests in flight finish for `drainMs`, then ends every connection. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

type AnyHandler = (input: unknown, context: RequestContext) => Promise<unknown>;

/** All that an operation needs at run time. */
interface Endpoint {
  readonly operation: Operation;
  readonly bodyBytesMax: number;
  readonly actionName: string;
  readonly parse: InputParser;
  readonly validate: InputValidator;
  readonly handle: AnyHandler | undefined;
  readonly render: OutputRenderer;
}

function createEndpoint(
  operation: Operation,
  handlers: OperationHandlers,
  { quotas }: ApiServerOptions,
): Endpoint {
  const { bytesMax, actionName } = bodyLimitOf(operation.name, quotas);
  return {
    operation,
    bodyBytesMax: bytesMax,
    actionName,
    parse: createInputParser(operation),
    validate: createInputValidator(operation),
    handle: handlers[operation.name] as AnyHandler | undefined,
    render: createOutputRenderer(operation),
  };
}

function bodyTooLarge({ bodyBytesMax, actionName }: Endpoint): ApiError {
  return new ApiError(
    'RequestEntityTooLargeException',
    `Request must be smaller than ${bodyBytesMax} bytes for the ${actionName} operation`,
  );
}

/**
 * The service answers a known path under another method (serverless-application-model #430) and a path
 * that it does not know (cloudflare-worker-lambda-gateway #1) with an authorization refusal.
 */
function noOperation(): ApiError {
  return new ApiError(
    'AccessDeniedException',
    'Unable to determine service/operation name to be authorized',
  );
}

const noBody = new Uint8Array(0);

/** One request on its way. */
class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  endpoint: Endpoint | undefined;
  /** The client waits for a go-ahead (`Expect: 100-continue`) before it sends its body. */
  awaitsContinue: boolean;
  params: RouteMatch<Endpoint>['params'] = {};
  query = '';

  constructor(request: IncomingMessage, response: ServerResponse, requestId: string) {
    this.request = request;
    this.response = response;
    this.requestId = requestId;
    this.awaitsContinue = request.headers.expect !== undefined;
  }
}

class HttpApiServer implements ApiServer {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #options: ApiServerOptions;
  readonly #routes: RouteTable<Endpoint>;
  readonly #refuseBrowser: BrowserDefence | undefined;
  readonly #server: Server;
  #address = '';
  #isDraining = false;

  constructor(
    clock: Clock,
    random: Random,
    log: Log,
    handlers: OperationHandlers,
    options: ApiServerOptions,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
    this.#options = options;
    this.#refuseBrowser = options.loopbackOnly ? createBrowserDefence() : undefined;
    this.#routes = createRouteTable(
      [...operations.values()].map((operation) => [
        operation,
        createEndpoint(operation, handlers, options),
      ]),
    );
    this.#server = this.#createServer();
  }

  #createServer(): Server {
    const options = this.#options;
    const server = createServer({
      maxHeaderSize: apiLimits.headerBytesMax,
      headersTimeout: options.headersTimeoutMs ?? apiLimits.headersTimeoutMs,
      requestTimeout: options.requestTimeoutMs ?? apiLimits.requestTimeoutMs,
      keepAliveTimeout: options.keepAliveTimeoutMs ?? apiLimits.keepAliveTimeoutMs,
      connectionsCheckingInterval:
        options.timeoutCheckIntervalMs ?? apiLimits.timeoutCheckIntervalMs,
    });
    server.maxConnections = apiLimits.connectionsMax;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      this.#receive(request, response);
    server.on('request', onRequest);
    // `Expect: 100-continue`: the go-ahead is given once the body is wanted (see #collectBody).
    server.on('checkContinue', onRequest);
    server.on('clientError', answerClientError);
    return server;
  }

  listen(host: string, port: number): Promise<ApiAddress> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#log.error({ err: error }, 'api server error'));
        const bound = this.#server.address() as AddressInfo;
        const shownHost = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
        this.#address = `${shownHost}:${bound.port}`;
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  async close({ drainMs }: { readonly drainMs: number }): Promise<void> {
    this.#isDraining = true;
    const closed = new Promise<void>((resolve) => {
      // The error given when the server never listened is of no interest here.
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    const timer = this.#clock.schedule(drainMs, () => this.#server.closeAllConnections());
    await closed;
    timer.cancel();
  }

  /** First stop of every request. */
  #receive(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Exchange(request, response, this.#random.uuid());
    // A client that goes away mid-body or mid-answer is not worth an exception.
    request.on('error', ignore);
    response.on('error', ignore);
    try {
      const refusal = this.#refuseBrowser?.(request.headers);
      if (refusal !== undefined) this.#refuse(exchange, refusal);
      else if (request.url === '/healthz') this.#answerHealth(exchange);
      else if (this.#wantsMetrics(request)) this.#answerMetrics(exchange);
      else if (this.#options.extraRoutes?.(request, response) !== true) this.#route(exchange);
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  #answerHealth(exchange: Exchange): void {
    const isReady = !this.#isDraining && (this.#options.isReady?.() ?? true);
    const body = JSON.stringify({ status: isReady ? 'ready' : 'not ready' });
    const headers = ['Content-Type', 'application/json'];
    this.#send(exchange, { status: isReady ? 200 : 503, headers, body });
  }

  #wantsMetrics({ method, url }: IncomingMessage): boolean {
    return url === '/metrics' && method === 'GET' && this.#options.metrics !== undefined;
  }

  #answerMetrics(exchange: Exchange): void {
    const { metrics } = this.#options;
    metrics?.render().then(
      (body) =>
        this.#send(exchange, { status: 200, headers: ['Content-Type', metrics.contentType], body }),
      (error: unknown) => this.#fail(exchange, error),
    );
  }

  #route(exchange: Exchange): void {
    const method = exchange.request.method ?? '';
    const url = exchange.request.url ?? '';
    const match = this.#routes.find(method, url);
    if (match === undefined) {
      this.#refuse(exchange, noOperation());
      return;
    }
    exchange.endpoint = match.target;
    exchange.params = match.params;
    exchange.query = match.query;
    this.#readBody(exchange, match.target);
  }

  /** A body that says it is too large is refused before a byte of it is read. */
  #readBody(exchange: Exchange, endpoint: Endpoint): void {
    const { headers } = exchange.request;
    const contentLength = headers['content-length'];
    if (!hasBody(exchange.request)) {
      this.#perform(exchange, endpoint, noBody);
    } else if (contentLength !== undefined && Number(contentLength) > endpoint.bodyBytesMax) {
      this.#refuse(exchange, bodyTooLarge(endpoint));
    } else {
      if (exchange.awaitsContinue) {
        exchange.response.writeContinue();
        exchange.awaitsContinue = false;
      }
      this.#collectBody(exchange, endpoint);
    }
  }

  #collectBody(exchange: Exchange, endpoint: Endpoint): void {
    const { request } = exchange;
    const chunks: Buffer[] = [];
    let byteCount = 0;
    const onData = (chunk: Buffer): void => {
      byteCount += chunk.length;
      if (byteCount <= endpoint.bodyBytesMax) {
        chunks.push(chunk);
        return;
      }
      request.off('data', onData);
      request.off('end', onEnd);
      chunks.length = 0;
      this.#refuse(exchange, bodyTooLarge(endpoint));
    };
    const onEnd = (): void => {
      const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, byteCount);
      this.#perform(exchange, endpoint, body);
    };
    request.on('data', onData);
    request.on('end', onEnd);
  }

  #perform(exchange: Exchange, endpoint: Endpoint, body: Uint8Array): void {
    try {
      const { headers } = exchange.request;
      const { handle } = endpoint;
      if (handle === undefined) throw notImplemented(`The operation ${endpoint.operation.name}`);
      const { params, query } = exchange;
      const input = endpoint.parse({ params, query, headers, body });
      endpoint.validate(input);
      const context: RequestContext = {
        requestId: exchange.requestId,
        baseUrl: `http://${headers.host ?? this.#address}`,
        headers,
      };
      handle(input, context).then(
        (output) => this.#succeed(exchange, endpoint, output),
        (error: unknown) => this.#fail(exchange, error),
      );
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  #succeed(exchange: Exchange, endpoint: Endpoint, output: unknown): void {
    try {
      this.#send(exchange, endpoint.render((output ?? {}) as Record<string, unknown>));
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  /** Answers an error without having read the body: what is still to come of it is dropped. */
  #refuse(exchange: Exchange, error: ApiError): void {
    this.#fail(exchange, error);
    const lingerMs = this.#options.refusedBodyMs ?? apiLimits.refusedBodyMs;
    discardBody(this.#clock, exchange.request, lingerMs);
  }

  #fail(exchange: Exchange, error: unknown): void {
    const { response } = exchange;
    const rendered = isApiError(error) ? renderError(error) : undefined;
    if (rendered === undefined) this.#logDefect(exchange, error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    try {
      this.#send(exchange, rendered ?? renderError(serviceError())!);
    } catch (sendError) {
      this.#logDefect(exchange, sendError);
      response.destroy();
    }
  }

  #logDefect({ request, requestId, endpoint }: Exchange, error: unknown): void {
    const operation = endpoint?.operation.name;
    this.#log.error({ err: error, requestId, operation, method: request.method }, 'request failed');
  }

  #send({ response, requestId, awaitsContinue }: Exchange, rendered: RenderedResponse): void {
    if (response.destroyed) return;
    const { status, headers, body } = rendered;
    headers.push('x-amzn-RequestId', requestId);
    // A client still waiting to send its body might send the next request in its place.
    if (this.#isDraining || awaitsContinue) headers.push('Connection', 'close');
    if (typeof body === 'string' || body instanceof Uint8Array) {
      headers.push('Content-Length', String(Buffer.byteLength(body)));
      response.writeHead(status, headers);
      response.end(body);
    } else if (body === undefined) {
      // 204 has no body by definition; saying so is for the others.
      if (status !== 204) headers.push('Content-Length', '0');
      response.writeHead(status, headers);
      response.end();
    } else {
      response.writeHead(status, headers);
      sendStream(response, body, (error) => this.#logStreamFailure(requestId, error));
    }
  }

  #logStreamFailure(requestId: string, error: unknown): void {
    this.#log.error({ err: error, requestId }, 'response stream failed');
  }
}

function ignore(): void {}

/** The API on node:http. Operations without a handler answer 501. */
export function createApiServer(
  clock: Clock,
  random: Random,
  log: Log,
  handlers: OperationHandlers,
  options: ApiServerOptions,
): ApiServer {
  return new HttpApiServer(clock, random, log, handlers, options);
}
