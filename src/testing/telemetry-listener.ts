/** An extension's HTTP listener for telemetry, on the loopback interface: it remembers what came. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface ReceivedBatch {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly records: readonly { time: string; type: string; record: unknown }[];
}

export class TelemetryListener {
  readonly batches: ReceivedBatch[] = [];
  /** How many connections were made. */
  connections = 0;
  /** Answers a batch that has come whole; says nothing when it does nothing. */
  answer: (response: ServerResponse) => void = (response) => void response.end();
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const records = JSON.parse(String(Buffer.concat(chunks))) as ReceivedBatch['records'];
      this.batches.push({ method, path: url, headers, records });
      this.answer(response);
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  });
  #watchers: (() => void)[] = [];

  constructor() {
    this.#server.on('connection', () => {
      this.connections += 1;
    });
  }

  /** @param port 0 for any that is free */
  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', () => resolve()));
    return (this.#server.address() as AddressInfo).port;
  }

  /** The first `count` batches, once they have come. */
  async received(count: number): Promise<readonly ReceivedBatch[]> {
    while (this.batches.length < count) {
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
    return this.batches.slice(0, count);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** To a port of the loopback interface, as a sandbox connects to one of its own. */
export function connectLoopback(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
