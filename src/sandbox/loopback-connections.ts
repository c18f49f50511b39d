/** The TCP connections of one sandbox to what listens inside. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { CONNECT_TIMEOUT_MS } from './sandbox.ts';

export class LoopbackConnections {
  readonly #clock: Clock;
  readonly #createSocket: () => Socket;
  readonly #sockets = new Set<Socket>();
  #isClosed = false;

  /** `createSocket` makes an unconnected socket of the sandbox's network. */
  constructor(clock: Clock, createSocket: () => Socket) {
    this.#clock = clock;
    this.#createSocket = createSocket;
  }

  /** See `Sandbox.connect`. */
  async open(port: number): Promise<Socket> {
    if (this.#isClosed) throw new Error('the sandbox is destroyed');
    const socket = this.#createSocket();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // Processes that are killed reset their connections: no reason to end the server if nobody listens.
    socket.on('error', () => {});
    const timer = this.#clock.schedule(CONNECT_TIMEOUT_MS, () => socket.destroy(timedOut(port)));
    try {
      socket.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      timer.cancel();
    }
  }

  /** Ends all of them: an open one would keep the sandbox's network on the host. */
  close(): void {
    this.#isClosed = true;
    const error = new Error('the sandbox is destroyed');
    for (const socket of this.#sockets) socket.destroy(socket.connecting ? error : undefined);
  }
}

function timedOut(port: number): Error {
  return Object.assign(new Error(`connect ETIMEDOUT 127.0.0.1:${port}`), { code: 'ETIMEDOUT' });
}
