/**
 * One environment's log: what the function prints and what the platform says, in order. Keeps the
 * last bytes since the previous invocation ended for LogType=Tail, and passes everything on to a sink.
 */

export interface LogStreamName {
  readonly logGroup: string;
  readonly logStream: string;
}

/** Where log bytes go besides the tail; must not block. */
export type LogSink = (name: LogStreamName, bytes: Buffer) => void;

export const discardLogs: LogSink = () => undefined;

export class LogStream {
  readonly name: LogStreamName;
  readonly #sink: LogSink;
  readonly #tailBytesMax: number;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;

  constructor(name: LogStreamName, sink: LogSink, tailBytesMax: number) {
    this.name = name;
    this.#sink = sink;
    this.#tailBytesMax = tailBytesMax;
  }

  /** Text of the platform, or bytes of the function as they came. */
  write(data: string | Buffer): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#sink(this.name, bytes);
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
    if (this.#chunkBytes > 4 * this.#tailBytesMax) this.#compact();
  }

  /** The last bytes since the last call, at most the bound; the next tail starts empty. */
  takeTail(): Buffer {
    this.#compact();
    const tail = this.#chunks[0] ?? Buffer.alloc(0);
    this.#chunks = [];
    this.#chunkBytes = 0;
    return tail;
  }

  #compact(): void {
    const all = Buffer.concat(this.#chunks);
    const kept = Buffer.from(all.subarray(Math.max(0, all.length - this.#tailBytesMax)));
    this.#chunks = [kept];
    this.#chunkBytes = kept.length;
  }
}
