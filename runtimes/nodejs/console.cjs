/**
 * Log output. Everything goes to descriptor 1 synchronously, so that a line is in the pipe before the
 * response is in the channel. Text lines are `time TAB request id TAB level TAB message`; with
 * AWS_LAMBDA_LOG_FORMAT=JSON each is one JSON object and AWS_LAMBDA_LOG_LEVEL drops the lower ones.
 */
'use strict';

const fs = require('node:fs');
const { errorFields, loggedError } = require('./errors.cjs');

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const METHODS = {
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'INFO',
  log: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
  fatal: 'FATAL',
};
const PIPE_FULL_WAIT_MS = 1;

let requestId;
let tenantId;
let json = false;
let formatValues;
const waitCell = new Int32Array(new SharedArrayBuffer(4));

/** The ids that following lines carry; undefined before the first invocation, the tenant's where there are none. */
function setInvocation(id, tenant) {
  requestId = id;
  tenantId = tenant;
}

/** Replaces the console's methods and makes process.stdout and process.stderr synchronous. */
function installConsole(env) {
  json = env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
  const lowest = json ? LEVELS.indexOf(env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()) : -1;
  for (const [method, level] of Object.entries(METHODS)) {
    const enabled = LEVELS.indexOf(level) >= lowest;
    console[method] = enabled ? (...values) => writeLine(level, values) : () => {};
  }
  makeSynchronous('stdout', 1);
  makeSynchronous('stderr', 2);
}

/** Loaded on first use: a pooled process that prints nothing need not hold it. */
function format(...values) {
  formatValues ??= require('node:util').format;
  return formatValues(...values);
}

/** The line that reports an error the function did not catch. */
function logError(label, thrown) {
  const time = new Date().toISOString();
  if (!json) {
    const text = loggedError(thrown, 'stack');
    writeAll(1, `${time}\t${requestId}\tERROR\t${label} \t${text}\n`);
    return;
  }
  const head = JSON.stringify({ timestamp: time, level: 'ERROR', requestId, tenantId });
  writeAll(1, `${head.slice(0, -1)},"message":${loggedError(thrown, 'stackTrace')}}\n`);
}

function writeLine(level, values) {
  const time = new Date().toISOString();
  if (json) writeAll(1, `${jsonLine(time, level, values)}\n`);
  else writeAll(1, `${time}\t${requestId}\t${level}\t${format(...values)}\n`);
}

function jsonLine(timestamp, level, values) {
  const record = { timestamp, level, requestId, tenantId };
  if (values.length === 1) {
    record.message = values[0] === undefined ? format(undefined) : values[0];
  } else {
    record.message = format(...values);
    const error = values.find((value) => value instanceof Error);
    if (error !== undefined) Object.assign(record, errorFields(error, 'stackTrace'));
  }
  try {
    return JSON.stringify(record, (_key, value) => errorFields(value, 'stackTrace'));
  } catch {
    // Circular values and BigInt have no JSON form.
    return JSON.stringify({ timestamp, level, requestId, tenantId, message: format(...values) });
  }
}

/** Node makes a stream on first use, and on a full pipe that stream would queue. */
function makeSynchronous(name, descriptor) {
  const original = Object.getOwnPropertyDescriptor(process, name);
  let stream;
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get() {
      if (stream !== undefined) return stream;
      stream = original.get.call(process);
      stream._write = (chunk, encoding, done) => {
        writeAll(descriptor, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
        done();
      };
      stream._writev = null;
      return stream;
    },
  });
}

function writeAll(descriptor, data) {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  let written = 0;
  while (written < bytes.length) {
    try {
      written += fs.writeSync(descriptor, bytes, written);
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
      Atomics.wait(waitCell, 0, 0, PIPE_FULL_WAIT_MS);
    }
  }
}

module.exports = { setInvocation, installConsole, logError };
