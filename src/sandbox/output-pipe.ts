/**
 * The read end of a process's output pipe, read no faster than one function's log may come: the server
 * reads for all functions on one thread, and one that floods its log would have that thread to itself.
 * Who writes faster waits in its own write, as with any full pipe.
 */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Clock, Timer } from '../base/clock.ts';
import { MIB } from '../model/limits.ts';
import { readableBytes } from './native.ts';

/** What one process may write in the long run, and what it may write at once after a pause. */
export const OUTPUT_BYTES_PER_SECOND = 16 * MIB;
export const OUTPUT_BURST_BYTES = 2 * MIB;
const READ_BYTES_MAX = 64 * 1024;
/** A shorter wait is not worth a timer. */
const PAUSE_MS_MIN = 10;

/** For all pipes: what is read is copied at once. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);

export class OutputPipe extends Readable {
  readonly #clock: Clock;
  readonly #fd: number;
  readonly #socket: Socket;
  #allowanceBytes = OUTPUT_BURST_BYTES;
  #allowedAtMs: number;
  #pause: Timer | null = null;

  /** `fd` is the pipe's, and this stream's from now on. */
  constructor(clock: Clock, fd: number) {
    super();
    this.#clock = clock;
    this.#fd = fd;
    this.#allowedAtMs = clock.monotonicMs();
    this.#socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: { buffer: readBuffer, callback: (length) => this.#take(length) },
    });
    // Whatever ended it: what was read before is still to be had.
    for (const event of ['end', 'error', 'close']) this.#socket.on(event, () => this.push(null));
  }

  override _read(): void {
    if (this.#pause === null) this.#socket.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#pause?.cancel();
    this.#socket.destroy();
    done(error);
  }

  /**
   * Reads beside the event loop, which then finds the pipe empty: so that a log is complete at the moment
   * an answer arrives, without waiting for a turn. What is being written meanwhile comes later.
   */
  drain(): void {
    // Once destroyed, its descriptor may be another file's.
    if (this.destroyed || this.#socket.destroyed) return;
    const length = readableBytes(this.#fd);
    if (length === 0) return;
    const bytes = Buffer.allocUnsafe(length);
    this.push(bytes.subarray(0, readSync(this.#fd, bytes)));
  }

  /** Whether to go on reading. */
  #take(length: number): boolean {
    const wanted = this.push(Buffer.from(readBuffer.subarray(0, length)));
    return this.#allow(length) && wanted;
  }

  #allow(length: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    const refill = ((nowMs - this.#allowedAtMs) / 1000) * OUTPUT_BYTES_PER_SECOND;
    this.#allowedAtMs = nowMs;
    this.#allowanceBytes = Math.min(OUTPUT_BURST_BYTES, this.#allowanceBytes + refill) - length;
    if (this.#allowanceBytes > 0) return true;
    const missingMs = (-this.#allowanceBytes / OUTPUT_BYTES_PER_SECOND) * 1000;
    this.#pause = this.#clock.schedule(Math.max(missingMs, PAUSE_MS_MIN), () => {
      this.#pause = null;
      this.#socket.resume();
    });
    return false;
  }
}
