/**
 * Reads a runtime's output pipe and tells when all that was written so far has been read.
 *
 * A process writes its log before it answers, into another descriptor. What is in the pipe when the
 * answer arrives is read within the next turn of the event loop, so the log is complete once a whole
 * turn brought nothing: no marker in the stream, no waiting by time.
 */
import type { Readable } from 'node:stream';

/** Turns without an end after which a runtime that never stops writing is no longer waited for. */
const turnsMax = 64;

export class OutputDrain {
  #bytesRead = 0;

  watch(output: Readable, onBytes: (bytes: Buffer) => void): void {
    output.on('data', (bytes: Buffer) => {
      this.#bytesRead += bytes.length;
      onBytes(bytes);
    });
    output.on('error', () => undefined);
  }

  /** Leaves what is read from now on to another. */
  unwatch(output: Readable): void {
    output.removeAllListeners('data');
  }

  /** Resolves once a whole turn of the event loop read nothing more. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < turnsMax; turn += 1) {
      const before = this.#bytesRead;
      await eventLoopTurn();
      await eventLoopTurn();
      if (this.#bytesRead === before) return;
    }
  }
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
