/**
 * The host's end of the private channel of managed runtimes (ADR 0011): frames on a duplex stream,
 * in front of the same RuntimePort as the HTTP Runtime API. Format: docs/internals/runtime-channel.md.
 */
import type { Duplex } from 'node:stream';
import { ByteList } from '../base/byte-list.ts';
import { deferred } from '../base/deferred.ts';
import { KIB, MIB } from '../model/limits.ts';
import type {
  Invocation,
  RuntimeChannel,
  RuntimeInit,
  RuntimePort,
  RuntimeRestore,
} from '../worker/runtime-port.ts';

const frameType = {
  init: 0x01,
  invoke: 0x02,
  fork: 0x03,
  restore: 0x04,
  booted: 0x81,
  next: 0x82,
  initError: 0x83,
  response: 0x84,
  error: 0x85,
  snapshot: 0x88,
  restoreError: 0x89,
} as const;

/** A frame longer than this ends the conversation: the runtime is broken or hostile. */
const frameBytesMax = 64 * MIB;
/** A header names one invocation or error; parsed, JSON takes many times its length. */
const headerBytesMax = 64 * KIB;
const lengthBytes = 4;
/** Frames out of place after which a runtime is taken for broken or hostile: ours send none. */
const strangeFramesMax = 64;
/** Of what follows the length: the type and the header's length. */
const prefixBytes = 5;

interface FrameHeader {
  readonly requestId?: unknown;
  readonly errorType?: unknown;
  readonly contentType?: unknown;
}

interface RuntimeFrame {
  readonly type: number;
  readonly header: FrameHeader;
  readonly payload: Buffer;
}

export function openRuntimeChannel(stream: Duplex): RuntimeChannel {
  const booted = deferred<void>();
  const closed = deferred<void>();
  booted.promise.catch(() => undefined);
  let port: RuntimePort | null = null;
  let strangeFrames = 0;
  /** It has asked for an event and not had one. */
  let isWaiting = false;
  const deliver = (invocation: Invocation): void => {
    isWaiting = false;
    sendInvoke(stream, invocation);
  };
  const restore = (restored: RuntimeRestore): void => sendRestore(stream, restored);
  const isInPlace = (frame: RuntimeFrame): boolean => {
    if (frame.type === frameType.booted) booted.resolve();
    if (port === null) return frame.type === frameType.booted;
    if (frame.type !== frameType.next) return passOn(port, restore, frame);
    if (isWaiting) return false;
    // Before the call: it may deliver at once.
    isWaiting = true;
    const isAccepted = port.next(deliver).status === 'accepted';
    if (!isAccepted) isWaiting = false;
    return isAccepted;
  };
  const onFrame = (frame: RuntimeFrame): boolean => {
    if (!isInPlace(frame)) strangeFrames += 1;
    return strangeFrames <= strangeFramesMax;
  };
  const end = (): void => {
    booted.reject(new Error('the runtime ended before it had booted'));
  };
  stream.on(
    'data',
    readFrames(onFrame, () => stream.destroy()),
  );
  stream.on('error', end);
  stream.on('end', () => stream.destroy());
  stream.on('close', () => {
    end();
    closed.resolve();
  });
  return {
    booted: booted.promise,
    closed: closed.promise,
    attach: (attached) => {
      port = attached;
    },
    sendInit: (init) => sendInit(stream, init),
    sendRestore: restore,
    forkRequest: renderFrame(frameType.fork, '{}', 0),
    close: () => stream.destroy(),
  };
}

/** Whether the frame was one that the environment could take now. */
function passOn(
  port: RuntimePort,
  restore: (restored: RuntimeRestore) => void,
  { type, header, payload }: RuntimeFrame,
): boolean {
  const requestId = textOr(header.requestId, '');
  const errorType = textOr(header.errorType, 'Runtime.UnknownReason');
  switch (type) {
    case frameType.response: {
      const contentType = textOr(header.contentType, undefined);
      return port.respond(requestId, { contentType, body: payload }).status === 'accepted';
    }
    case frameType.error:
      return port.fail(requestId, { errorType, payload }).status === 'accepted';
    case frameType.initError:
      return port.initError({ errorType, payload }).status === 'accepted';
    case frameType.snapshot:
      return port.restoreNext(restore).status === 'accepted';
    case frameType.restoreError:
      return port.restoreError({ errorType, payload }).status === 'accepted';
    default:
      // A frame type of a later bootstrap: not understood, no harm done.
      return false;
  }
}

/** What a runtime says may be of any type, and not every value can be made a string. */
function textOr<Other>(value: unknown, other: Other): string | Other {
  return typeof value === 'string' ? value : other;
}

/**
 * Cuts a byte stream into frames; `onBroken` is called once, for input that cannot be one or when
 * `onFrame` says that this was enough.
 */
function readFrames(
  onFrame: (frame: RuntimeFrame) => boolean,
  onBroken: () => void,
): (bytes: Buffer) => void {
  const buffered = new ByteList();
  let needed = lengthBytes;
  let broken = false;
  return (bytes) => {
    if (broken) return;
    buffered.push(bytes);
    if (buffered.length < needed) return;
    let input = buffered.take();
    needed = lengthBytes;
    while (input.length >= lengthBytes) {
      const length = input.readUInt32BE(0);
      if (length < prefixBytes || length > frameBytesMax) {
        broken = true;
        onBroken();
        return;
      }
      needed = lengthBytes + length;
      if (input.length < needed) break;
      if (!readFrame(input.subarray(lengthBytes, needed), onFrame)) {
        broken = true;
        onBroken();
        return;
      }
      input = input.subarray(needed);
      needed = lengthBytes;
    }
    if (input.length > 0) buffered.push(input);
  };
}

function readFrame(frame: Buffer, onFrame: (frame: RuntimeFrame) => boolean): boolean {
  const headerBytes = frame.readUInt32BE(1);
  const headerEnd = prefixBytes + headerBytes;
  if (headerBytes > headerBytesMax || headerEnd > frame.length) return false;
  let header: unknown;
  try {
    header = JSON.parse(frame.toString('utf8', prefixBytes, headerEnd));
  } catch {
    return false;
  }
  if (typeof header !== 'object' || header === null) return false;
  return onFrame({ type: frame.readUInt8(0), header, payload: frame.subarray(headerEnd) });
}

function sendInit(stream: Duplex, init: RuntimeInit): void {
  stream.write(renderFrame(frameType.init, JSON.stringify(init), 0));
}

function sendRestore(stream: Duplex, restore: RuntimeRestore): void {
  stream.write(renderFrame(frameType.restore, JSON.stringify(restore), 0));
}

function sendInvoke(stream: Duplex, invocation: Invocation): void {
  const { payload, ...rest } = invocation;
  const frame = renderFrame(frameType.invoke, JSON.stringify(rest), payload.length);
  if (payload.length < 16 * 1024) {
    stream.write(Buffer.concat([frame, payload]));
    return;
  }
  stream.cork();
  stream.write(frame);
  stream.write(payload);
  stream.uncork();
}

function renderFrame(type: number, header: string, payloadBytes: number): Buffer {
  const headerBytes = Buffer.byteLength(header);
  const frame = Buffer.allocUnsafe(lengthBytes + prefixBytes + headerBytes);
  frame.writeUInt32BE(prefixBytes + headerBytes + payloadBytes, 0);
  frame.writeUInt8(type, lengthBytes);
  frame.writeUInt32BE(headerBytes, lengthBytes + 1);
  frame.write(header, lengthBytes + prefixBytes);
  return frame;
}
