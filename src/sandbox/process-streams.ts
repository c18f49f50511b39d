/**
 * The streams between the server and a sandbox's main process: its output, its channel, and for a process
 * that waits for its command (see oci/blank-box.ts) its standard input.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { createPipe, createSocketPair } from './native.ts';
import { OutputPipe } from './output-pipe.ts';

export interface ProcessStreams {
  /** Our read end of the one pipe that is both standard output and standard error. */
  readonly output: Readable;
  /** Emits at once, as 'data' of `output`, what the pipe holds already. */
  drainOutput(): void;
  /** Our end of the channel; null without one. */
  readonly channel: Socket | null;
  /** The end of its standard input that we write, a descriptor which the caller closes; null when that is empty. */
  readonly inputFd: number | null;
  /** What to give child_process.spawn as `stdio`. */
  readonly stdio: readonly ('ignore' | number)[];
  /** Closes the child's ends in this process; call right after the child has them. */
  releaseChildEnds(): void;
}

/**
 * A real pipe, not a socket pair, for output: /dev/stderr can be opened again only on a pipe, and one pipe
 * for both keeps their order. The channel is not child_process's own 'pipe', whose parent's end is drained
 * when the direct child exits, which under an OCI runtime is long before the channel ends.
 */
export function createProcessStreams(
  clock: Clock,
  withChannel: boolean,
  withInput = false,
): ProcessStreams {
  const pipe = createPipe();
  const pair = withChannel ? createSocketPair() : null;
  const input = withInput ? createPipe() : null;
  const channelEnd = pair === null ? [] : [pair[1]];
  const childEnds = [pipe.writeFd, ...channelEnd, ...(input === null ? [] : [input.readFd])];
  const output = new OutputPipe(clock, pipe.readFd);
  const channel = pair === null ? null : new Socket({ fd: pair[0], allowHalfOpen: true });
  // A process that dies with bytes unread resets the channel. That is an end like any other, and must
  // not end the server where nobody listens for errors.
  for (const stream of [output, channel]) stream?.on('error', () => {});
  return {
    output,
    drainOutput: () => output.drain(),
    channel,
    inputFd: input?.writeFd ?? null,
    stdio: [input?.readFd ?? 'ignore', pipe.writeFd, pipe.writeFd, ...channelEnd],
    releaseChildEnds: () => childEnds.splice(0).forEach((fd) => closeSync(fd)),
  };
}

/** Ends the streams of a process that did not start. */
export function discardStreams(streams: ProcessStreams): void {
  streams.releaseChildEnds();
  streams.output.destroy();
  streams.channel?.destroy();
  if (streams.inputFd !== null) closeSync(streams.inputFd);
}
