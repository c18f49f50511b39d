/**
 * The runtime's end of the runtime channel (docs/internals/runtime-channel.md): frames on descriptor 3.
 * Reads through one fixed buffer and writes synchronously, so that a round trip costs one event-loop
 * turn; only what a full socket does not take is queued.
 */
'use strict';

const fs = require('node:fs');
const net = require('node:net');

const INIT = 0x01;
const INVOKE = 0x02;
const BOOTED = 0x81;
const NEXT = 0x82;
const INIT_ERROR = 0x83;
const RESPONSE = 0x84;
const ERROR = 0x85;

const DESCRIPTOR = 3;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;
const BUFFER_BYTES = 64 * 1024;
/** `length`, `type` and `headerLength` in front of the header. */
const PREFIX_BYTES = 9;

/** The function may replace process.exit; ours must end the process. */
const exit = process.exit.bind(process);

const outgoing = Buffer.allocUnsafeSlow(BUFFER_BYTES);
const nothing = Buffer.alloc(0);
const nextFrame = Buffer.alloc(PREFIX_BYTES + 2);
writePrefix(nextFrame, NEXT, 2, 0);
nextFrame.write('{}', PREFIX_BYTES, 'latin1');

let socket;

/** Starts reading. `onFrame(type, header, payload)` must use `payload`, a view, before it returns. */
function openChannel(onFrame) {
  requireDescriptor();
  const receive = frameReader(onFrame);
  socket = new net.Socket({
    fd: DESCRIPTOR,
    readable: true,
    writable: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      callback(byteCount, buffer) {
        receive(buffer.subarray(0, byteCount));
        return true;
      },
    },
  });
  // The host is gone: nobody is left to answer to.
  socket.on('end', () => exit(0));
  socket.on('error', () => exit(0));
  socket.read(0);
}

/** A program that starts the runtime may have closed it, or put something else in its place. */
function requireDescriptor() {
  try {
    if (fs.fstatSync(DESCRIPTOR).isSocket()) return;
  } catch {
    // Closed.
  }
  fs.writeSync(2, 'The runtime was started without its channel: leave file descriptor 3 open.\n');
  exit(1);
}

/** Whether waiting for the host keeps the process alive; off while the function's code runs. */
function keepAlive(on) {
  if (on) socket.ref();
  else socket.unref();
}

/** Sends one frame; `header` is JSON text, `payload` text or bytes. */
function send(type, header, payload) {
  write(type, header, payload, nothing);
}

/** Sends one frame and NEXT behind it in the same write. */
function sendWithNext(type, header, payload) {
  write(type, header, payload, nextFrame);
}

/** Ends the process once everything sent has left it. */
function exitAfterSending(status) {
  if (socket.writableLength === 0) exit(status);
  socket.ref();
  socket.write(nothing, () => exit(status));
}

function write(type, header, payload, suffix) {
  const headerBytes = Buffer.byteLength(header);
  const payloadBytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
  const frameBytes = PREFIX_BYTES + headerBytes + payloadBytes;
  const total = frameBytes + suffix.length;
  const buffer = total <= outgoing.length ? outgoing : Buffer.allocUnsafe(total);
  writePrefix(buffer, type, headerBytes, payloadBytes);
  buffer.write(header, PREFIX_BYTES);
  if (typeof payload === 'string') buffer.write(payload, PREFIX_BYTES + headerBytes);
  else buffer.set(payload, PREFIX_BYTES + headerBytes);
  buffer.set(suffix, frameBytes);
  flush(buffer, total);
}

function writePrefix(buffer, type, headerBytes, payloadBytes) {
  buffer.writeUInt32BE(5 + headerBytes + payloadBytes, 0);
  buffer[4] = type;
  buffer.writeUInt32BE(headerBytes, 5);
}

function flush(buffer, total) {
  let written = 0;
  if (socket.writableLength === 0) {
    try {
      while (written < total) written += fs.writeSync(DESCRIPTOR, buffer, written, total - written);
      return;
    } catch (error) {
      if (error.code !== 'EAGAIN') exit(0);
    }
  }
  // A copy: the outgoing buffer is used again before a queued write is done.
  socket.write(Buffer.from(buffer.subarray(written, total)));
}

/** Cuts the stream into frames; those that lie whole in one chunk are not copied. */
function frameReader(onFrame) {
  let frame = null;
  let filled = 0;
  let prefix = nothing;
  return (received) => {
    const chunk = prefix.length > 0 ? Buffer.concat([prefix, received]) : received;
    prefix = nothing;
    let offset = 0;
    while (offset < chunk.length) {
      if (frame === null) {
        if (chunk.length - offset < 4) {
          prefix = Buffer.from(chunk.subarray(offset));
          return;
        }
        const length = chunk.readUInt32BE(offset);
        if (length < 5 || length > FRAME_BYTES_MAX) exit(1);
        offset += 4;
        if (chunk.length - offset >= length) {
          deliver(chunk.subarray(offset, offset + length), onFrame);
          offset += length;
          continue;
        }
        frame = Buffer.allocUnsafeSlow(length);
        filled = 0;
      }
      const copied = chunk.copy(frame, filled, offset);
      filled += copied;
      offset += copied;
      if (filled === frame.length) {
        const whole = frame;
        frame = null;
        deliver(whole, onFrame);
      }
    }
  };
}

function deliver(frame, onFrame) {
  const payloadAt = 5 + frame.readUInt32BE(1);
  onFrame(frame[0], JSON.parse(frame.utf8Slice(5, payloadAt)), frame.subarray(payloadAt));
}

module.exports = {
  INIT,
  INVOKE,
  BOOTED,
  NEXT,
  INIT_ERROR,
  RESPONSE,
  ERROR,
  openChannel,
  keepAlive,
  send,
  sendWithNext,
  exitAfterSending,
};
