/**
 * The ways to a telemetry subscriber, which listens inside the environment: HTTP, whose answer says
 * that the records have arrived, and TCP, which cannot say so (guide page 056).
 */
import { Agent, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { KIB } from '../model/limits.ts';
import type { TelemetryDestination } from './telemetry-subscription.ts';

/** Opens a connection to a port of the environment's own network; rejects when nobody listens. */
export type ConnectToPort = (port: number) => Promise<Socket>;

export interface TelemetrySender {
  /**
   * Resolves once the records are delivered; rejects when they are not, or when `signal` said to
   * give up. One call at a time.
   * @param records each one line of JSON
   */
  send(records: readonly string[], signal: AbortSignal): Promise<void>;
  close(): void;
}

export function createTelemetrySender(
  connect: ConnectToPort,
  destination: TelemetryDestination,
): TelemetrySender {
  return destination.protocol === 'HTTP'
    ? new HttpSender(connect, destination)
    : new TcpSender(connect, destination);
}

/** Nobody looks at what a subscriber answers; one that answers without end keeps the server reading. */
const answerBytesMax = 64 * KIB;

/** The name that a sandbox has for itself. */
const sandboxHost = 'sandbox.localdomain';

class HttpSender implements TelemetrySender {
  readonly #agent: SandboxAgent;
  readonly #destination: TelemetryDestination;

  constructor(connect: ConnectToPort, destination: TelemetryDestination) {
    this.#agent = new SandboxAgent(connect, destination.port);
    this.#destination = destination;
  }

  send(records: readonly string[], signal: AbortSignal): Promise<void> {
    const body = Buffer.from(`[${records.join(',')}]`);
    const { method, path, port } = this.#destination;
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          agent: this.#agent,
          method,
          path,
          signal,
          headers: {
            Host: `${sandboxHost}:${port}`,
            'Content-Type': 'application/json',
            'Content-Length': body.length,
          },
        },
        (response) => {
          const { statusCode = 0 } = response;
          const isTaken = statusCode >= 200 && statusCode < 300;
          response.on('error', reject);
          // Only a whole answer frees the connection for the next batch.
          response.on('end', () => {
            if (isTaken) resolve();
            else reject(new Error(`the subscriber answered ${statusCode}`));
          });
          let answerBytes = 0;
          response.on('data', (chunk: Buffer) => {
            answerBytes += chunk.length;
            if (answerBytes > answerBytesMax) request.destroy(new Error('the answer is too long'));
          });
        },
      );
      request.on('error', reject);
      // While it has no connection yet, a request that is aborted says nothing.
      const giveUp = (): void => reject(new Error('the subscriber took too long'));
      signal.addEventListener('abort', giveUp, { once: true });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.close();
  }
}

/** Keeps one connection to a port of the environment. */
class SandboxAgent extends Agent {
  readonly #connect: ConnectToPort;
  readonly #port: number;
  #isClosed = false;

  constructor(connect: ConnectToPort, port: number) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#connect = connect;
    this.#port = port;
  }

  override createConnection(
    _options: object,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#connect(this.#port).then(
      (socket) => {
        if (this.#isClosed) socket.destroy();
        done?.(null, socket);
      },
      // The type asks for a stream even of a failure.
      (error: Error) => (done as ((error: Error) => void) | undefined)?.(error),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.destroy();
  }
}

class TcpSender implements TelemetrySender {
  readonly #connect: ConnectToPort;
  readonly #port: number;
  #socket: Socket | null = null;
  #isClosed = false;

  constructor(connect: ConnectToPort, destination: TelemetryDestination) {
    this.#connect = connect;
    this.#port = destination.port;
  }

  async send(records: readonly string[], signal: AbortSignal): Promise<void> {
    const known = this.#socket;
    const socket = known === null || known.destroyed ? await this.#open(signal) : known;
    const abort = (): void => void socket.destroy();
    signal.addEventListener('abort', abort);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.write(`${records.join('\n')}\n`, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #open(signal: AbortSignal): Promise<Socket> {
    const given = Promise.withResolvers<never>();
    const giveUp = (): void => given.reject(new Error('connecting took too long'));
    signal.addEventListener('abort', giveUp);
    const connecting = this.#connect(this.#port);
    connecting.then(
      (socket) => {
        if (signal.aborted || this.#isClosed) socket.destroy();
      },
      () => undefined,
    );
    try {
      const socket = await Promise.race([connecting, given.promise]);
      this.#socket = socket;
      socket.on('error', () => undefined);
      // Nothing is expected from there, but its end has to be seen.
      socket.resume();
      return socket;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }
}
