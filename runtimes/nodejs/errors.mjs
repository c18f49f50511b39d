/**
 * Error documents: what the caller of a failed invocation gets, and what the log says about it.
 * The shapes are those of the managed Node.js runtimes.
 */
import { types } from 'node:util';

/** An error that the runtime, not the function, raises; `type` is what callers see as errorType. */
export class RuntimeError extends Error {
  constructor(type, message, extra) {
    super(message);
    // Not enumerable, so that the log line repeats it no more than errorType does.
    Object.defineProperty(this, 'name', { value: type, configurable: true, writable: true });
    Error.captureStackTrace(this, RuntimeError);
    Object.assign(this, extra);
  }
}

function isError(value) {
  if (types.isNativeError(value)) return true;
  return Boolean(value && value.name && value.message && value.stack);
}

function stackLines(error) {
  return typeof error.stack === 'string' ? error.stack.split('\n') : [];
}

/** The caller's document: {errorType, errorMessage, trace}. Never throws, whatever was thrown. */
export function errorDocument(thrown) {
  try {
    if (isError(thrown)) {
      return {
        errorType: String(thrown.name),
        errorMessage: String(thrown.message),
        trace: stackLines(thrown),
      };
    }
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage: 'The error has a message, name or stack that cannot be read',
      trace: [],
    };
  }
}

/** The JSON text of a logged error; `stackKey` is `stack` in plain text logs, `stackTrace` in JSON. */
export function loggedError(thrown, stackKey) {
  let value = thrown;
  if (!isError(value)) value = new Error(describe(thrown));
  try {
    return JSON.stringify(value, (_key, item) => errorFields(item, stackKey));
  } catch {
    return JSON.stringify({
      errorType: String(value.name),
      errorMessage: String(value.message),
      [stackKey]: stackLines(value),
    });
  }
}

/** Errors lose their fields in JSON; this gives them back, own enumerable ones included. */
export function errorFields(value, stackKey) {
  if (!(value instanceof Error)) return value;
  const fields = { errorType: value.name, errorMessage: value.message };
  if (value.code !== undefined) fields.code = value.code;
  Object.assign(fields, value);
  if (typeof value.stack === 'string') fields[stackKey] = stackLines(value);
  return fields;
}

export function describe(value) {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
