/**
 * Error documents: what the caller of a failed invocation gets, and what the log says about it.
 * The shapes are those of the managed Node.js runtimes.
 */
'use strict';

/** An error that the runtime, not the function, raises; `type` is what callers see as errorType. */
class RuntimeError extends Error {
  constructor(type, message, extra) {
    super(message);
    // Not enumerable, so that the log line repeats it no more than errorType does.
    Object.defineProperty(this, 'name', { value: type, configurable: true, writable: true });
    Error.captureStackTrace(this, RuntimeError);
    Object.assign(this, extra);
  }
}

function isError(value) {
  if (value instanceof Error) return true;
  // Errors of another realm, and what passes for one.
  return Boolean(value && value.name && value.message && value.stack);
}

function stackLines(error) {
  return typeof error.stack === 'string' ? error.stack.split('\n') : [];
}

/** The caller's document: {errorType, errorMessage, trace}. Never throws, whatever was thrown. */
function errorDocument(thrown) {
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
function loggedError(thrown, stackKey) {
  const replace = (_key, item) => errorFields(item, stackKey);
  try {
    const value = isError(thrown) ? thrown : new Error(describe(thrown));
    return JSON.stringify(value, replace);
  } catch {
    // Fields that are circular or that throw when read: what callers see is safe.
    const { errorType, errorMessage, trace } = errorDocument(thrown);
    return JSON.stringify({ errorType, errorMessage, [stackKey]: trace });
  }
}

/** Errors lose their fields in JSON; this gives them back, own enumerable ones included. */
function errorFields(value, stackKey) {
  if (!(value instanceof Error)) return value;
  const fields = { errorType: value.name, errorMessage: value.message };
  if (value.code !== undefined) fields.code = value.code;
  Object.assign(fields, value);
  if (typeof value.stack === 'string') fields[stackKey] = stackLines(value);
  return fields;
}

function describe(value) {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

module.exports = { RuntimeError, errorDocument, loggedError, errorFields, describe };
