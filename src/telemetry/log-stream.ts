/**
 * One environment's log: what the function prints and what the platform says, in order. Keeps the
 * last bytes since the previous invocation ended for LogType=Tail, and passes everything on to a sink.
 * A log of records has whole ones in its tail only: what is longer than the tail is not in it, nor
 * what came before that (radkawar/stackd docs/lambda.md).
 */

export interface LogStreamName {
  readonly logGroup: string;
  readonly logStream: string;
}

/** Where log bytes go besides the tail; must not block. */
export type LogSink = (name: LogStreamName, bytes: Buffer) => void;

export const discardLogs: LogSink = () => undefined;

export interface TailShape {
  readonly bytesMax: number;
  /** The log is of records, one a line. */
  readonly isOfRecords: boolean;
}

const LINE_FEED = 0x0a;

export class LogStream {
  readonly name: LogStreamName;
  readonly #sink: LogSink;
  readonly #tail: TailShape;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;

  constructor(name: LogStreamName, sink: LogSink, tail: TailShape) {
    this.name = name;
    this.#sink = sink;
    this.#tail = tail;
  }

  /** Text of the platform, or bytes of the function as they came. */
  write(data: string | Buffer): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#sink(this.name, bytes);
    this.writeToTail(bytes);
  }

  /** What the log itself is spared. */
  writeToTail(data: string | Buffer): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
    if (this.#chunkBytes > 4 * this.#tail.bytesMax) this.#compact();
  }

  /** The last bytes since the last call, at most the bound; the next tail starts empty. */
  takeTail(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#chunkBytes = 0;
    return Buffer.from(all.subarray(this.#startOfTail(all)));
  }

  #startOfTail(all: Buffer): number {
    const start = Math.max(0, all.length - this.#tail.bytesMax);
    if (start === 0 || !this.#tail.isOfRecords) return start;
    const lineEnd = all.indexOf(LINE_FEED, start - 1);
    return lineEnd === -1 ? all.length : lineEnd + 1;
  }

  /** Keeps one byte more than the tail has: it tells whether the tail begins with a line. */
  #compact(): void {
    const all = Buffer.concat(this.#chunks);
    const kept = Buffer.from(all.subarray(Math.max(0, all.length - this.#tail.bytesMax - 1)));
    this.#chunks = [kept];
    this.#chunkBytes = kept.length;
  }
}
