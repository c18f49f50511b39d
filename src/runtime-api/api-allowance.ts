/**
 * How much of the server's time one sandbox may take by its calls of the Runtime API, as the server is one
 * thread for all functions. What a runtime does in earnest costs next to nothing; connections, refused
 * calls and garbage use the allowance up. Then the sandbox cannot connect for a while: its own loss.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.ts';

/** A shell script that calls curl twice for each of 500 invocations in a second stays within it. */
const tokensPerSecond = 1000;
const tokensMax = 2000;
const closedMs = 1000;

/** In tokens, each worth about 50 microseconds of the server's. */
const costs = {
  connection: 1,
  refusal: 8,
  /** One read brings up to 64 KiB of it, and those are parsed to their end. */
  garbage: 250,
} as const;

const badRequest = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';

export class ApiAllowance {
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #connectionsMax: number;
  /** The last answer on each connection. */
  readonly #answers = new WeakMap<Socket, ServerResponse>();
  #tokens = tokensMax;
  #countedAtMs: number;
  #closed: Timer | null = null;

  constructor(clock: Clock, server: Server, connectionsMax: number) {
    this.#clock = clock;
    this.#server = server;
    this.#connectionsMax = connectionsMax;
    this.#countedAtMs = clock.monotonicMs();
    server.maxConnections = connectionsMax;
    server.on('connection', (socket) => this.#spend(costs.connection, socket));
    server.on('clientError', (_, socket) => {
      if (socket.writable) socket.write(badRequest);
      socket.destroy();
      this.#spend(costs.garbage, socket as Socket);
    });
  }

  /**
   * Whether to answer this request. Not when it came before the answer to the one before: no client of
   * this API does that, and many requests in one read would keep the server from everyone else.
   */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request;
    if (socket.destroyed) return false;
    if (this.#answers.get(socket)?.writableFinished === false) {
      socket.destroy();
      this.#spend(costs.garbage, socket);
      return false;
    }
    this.#answers.set(socket, response);
    response.on('finish', () => {
      if (response.statusCode >= 400) this.#spend(costs.refusal, socket);
    });
    return true;
  }

  close(): void {
    this.#closed?.cancel();
  }

  #spend(cost: number, socket: Socket): void {
    const nowMs = this.#clock.monotonicMs();
    const refill = ((nowMs - this.#countedAtMs) / 1000) * tokensPerSecond;
    this.#countedAtMs = nowMs;
    this.#tokens = Math.min(tokensMax, this.#tokens + refill) - cost;
    if (this.#tokens > 0) return;
    socket.destroy();
    if (this.#closed !== null) return;
    this.#server.maxConnections = 0;
    this.#closed = this.#clock.schedule(closedMs, () => {
      this.#closed = null;
      this.#server.maxConnections = this.#connectionsMax;
    });
  }
}
