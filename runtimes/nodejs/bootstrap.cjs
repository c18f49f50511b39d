/**
 * The managed Node.js runtime. Started knowing no function; says BOOTED, is bound by INIT, then runs
 * the handler once per INVOKE (docs/internals/runtime-channel.md and runtimes.md).
 *
 *   booted -> init -> idle <-> invoke
 *
 * CommonJS, because an ES module as the entry costs a fifth more start time and memory (measured).
 * While the function's code runs, waiting for the host does not keep the process alive: an empty event
 * loop shows as `beforeExit`, and only then.
 */
'use strict';

const channel = require('./channel.cjs');
const { installConsole, logError, setInvocation } = require('./console.cjs');
const { bindEnvironment } = require('./environment.cjs');
const { RuntimeError, describe, errorDocument } = require('./errors.cjs');
const { STREAMING, callbacksSupported, loadHandler } = require('./handler.cjs');

const EXIT_INIT_ERROR = 1;
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;
const NEVER_SETTLED =
  'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused ' +
  'by a Promise that was never settled. For more information, see ' +
  'https://nodejs.org/docs/latest/api/process.html#exit-codes';
/** The function may put fake timers in place of the global ones. */
const inNextTurn = setImmediate;
const INIT_ERROR_LABEL = callbacksSupported ? 'Uncaught Exception' : 'Init Error';

let phase = 'booted';
let handler;
let streaming = false;
let streamingModule;
/** What the context says of the function rather than of the invocation. */
let identity;
let invocation = null;

hideModules();
channel.openChannel((type, header, payload) => {
  if (type === channel.INVOKE && phase === 'idle') invoke(header, payload);
  else if (type === channel.INIT && phase === 'booted') void initialise(header);
});
channel.send(channel.BOOTED, '{}', '');

/** A function finds no main module, and none of our files in its require.cache. */
function hideModules() {
  process.mainModule = undefined;
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(`${__dirname}/`)) delete require.cache[file];
  }
}

/** Without `env` the process was started with its function's environment, and keeps it. */
async function initialise({ handler: name, taskRoot, env: given }) {
  const env = given ?? { ...process.env };
  phase = 'init';
  channel.keepAlive(false);
  watchProcess();
  installConsole(env);
  defineStreamingGlobal();
  try {
    await bindEnvironment(env, taskRoot);
    handler = await loadHandler(taskRoot, name ?? env._HANDLER ?? '');
  } catch (error) {
    failInit(INIT_ERROR_LABEL, error, EXIT_INIT_ERROR);
    return;
  }
  if (phase !== 'init') return;
  streaming = handler[STREAMING] !== undefined;
  identity = {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
  };
  phase = 'idle';
  channel.keepAlive(true);
  channel.send(channel.NEXT, '{}', '');
}

function failInit(label, error, status) {
  phase = 'ended';
  logError(label, error);
  const document = errorDocument(error);
  const header = JSON.stringify({ errorType: document.errorType });
  channel.send(channel.INIT_ERROR, header, JSON.stringify(document));
  channel.exitAfterSending(status);
}

/** One at a time: `settled` once its outcome is fixed, `null` in `invocation` once it is sent. */
function invoke(header, payload) {
  phase = 'invoke';
  channel.keepAlive(false);
  const current = {
    requestId: header.requestId,
    settled: false,
    /** The outcome a callback gave, held back until the event loop is empty. */
    held: null,
    waitsForEmptyLoop: true,
    returnedPromise: false,
    frame: null,
  };
  invocation = current;
  setInvocation(header.requestId, header.tenantId);
  if (header.traceId == null) delete process.env._X_AMZN_TRACE_ID;
  else process.env._X_AMZN_TRACE_ID = header.traceId;
  try {
    const event = parseEvent(payload);
    if (streaming) invokeStreaming(current, event, header);
    else if (callbacksSupported) invokeWithCallback(current, event, header);
    else invokeReturning(current, event, header);
  } catch (error) {
    fail(current, error);
  }
}

function parseEvent(payload) {
  const text = payload.utf8Slice(0, payload.length);
  return text === '' ? {} : JSON.parse(text);
}

/** A promise is the result; anything else returned is not: the callback or an empty loop ends it. */
function invokeWithCallback(current, event, header) {
  const settle = (error, result) => {
    if (error === undefined || error === null) succeed(current, result);
    else fail(current, error);
  };
  const callback = (error, result) => {
    if (current.settled || current.held !== null) return;
    if (current.waitsForEmptyLoop) current.held = { error, result };
    else settle(error, result);
  };
  const context = contextWithCallbacks(current, header, settle);
  const returned = handler(event, context, callback);
  if (!isThenable(returned)) return;
  current.returnedPromise = true;
  returned.then(
    (result) => succeed(current, result),
    (error) => fail(current, error ?? 'handled'),
  );
}

function invokeReturning(current, event, header) {
  current.returnedPromise = true;
  const returned = handler(event, baseContext(header));
  if (!isThenable(returned)) {
    succeed(current, returned);
    return;
  }
  returned.then(
    (result) => succeed(current, result),
    (error) => fail(current, error ?? 'handled'),
  );
}

function invokeStreaming(current, event, header) {
  const { StreamedResponse } = loadStreaming();
  const stream = new StreamedResponse();
  current.returnedPromise = true;
  const finished = new Promise((resolve, reject) => {
    stream.once('finish', resolve);
    stream.once('error', reject);
  });
  const returned = handler(event, stream, baseContext(header));
  Promise.all([returned, finished]).then(
    () => settle(current, channel.RESPONSE, stream.collect(), { contentType: stream.contentType }),
    (error) => fail(current, error ?? 'handled'),
  );
}

function isThenable(value) {
  return value !== null && value !== undefined && typeof value.then === 'function';
}

function baseContext(header) {
  const deadlineMs = header.deadlineMs;
  return {
    ...identity,
    clientContext: parseIfText(header.clientContext),
    identity: cognitoIdentity(header.cognitoIdentity),
    invokedFunctionArn: header.invokedFunctionArn,
    awsRequestId: header.requestId,
    tenantId: header.tenantId,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

/** With done, succeed and fail of the oldest runtimes: they end the invocation without waiting. */
function contextWithCallbacks(current, header, settle) {
  const done = (error, result) => settle(error, result);
  return {
    get callbackWaitsForEmptyEventLoop() {
      return current.waitsForEmptyLoop;
    },
    set callbackWaitsForEmptyEventLoop(value) {
      current.waitsForEmptyLoop = Boolean(value);
    },
    succeed: (result) => done(null, result),
    fail: (error) => done(error ?? 'handled'),
    done,
    ...baseContext(header),
  };
}

function parseIfText(value) {
  return typeof value === 'string' ? JSON.parse(value) : (value ?? undefined);
}

function cognitoIdentity(value) {
  const parsed = parseIfText(value);
  if (parsed === undefined) return undefined;
  return {
    cognitoIdentityId: parsed.cognitoIdentityId ?? parsed.identityId,
    cognitoIdentityPoolId: parsed.cognitoIdentityPoolId ?? parsed.identityPoolId,
  };
}

function succeed(current, result) {
  if (current.settled) return;
  let text;
  try {
    text = JSON.stringify(result) ?? 'null';
  } catch {
    const type = callbacksSupported ? 'Error' : 'Runtime.JSONStringifyError';
    fail(current, new RuntimeError(type, 'Unable to stringify response body'));
    return;
  }
  settle(current, channel.RESPONSE, text);
}

function fail(current, error) {
  if (current.settled) return;
  logError('Invoke Error', error);
  const document = errorDocument(error);
  settle(current, channel.ERROR, JSON.stringify(document), { errorType: document.errorType });
}

/**
 * Fixes the outcome and sends it in the next turn of the event loop: rejections that nobody handles
 * are reported in this one, and their log lines belong before the response.
 */
function settle(current, type, payload, fields) {
  if (current.settled) return;
  current.settled = true;
  const header = JSON.stringify({ requestId: current.requestId, ...fields });
  current.frame = { type, header, payload };
  inNextTurn(finish, current);
}

function finish(current) {
  if (invocation !== current) return;
  const { type, header, payload } = current.frame;
  invocation = null;
  phase = 'idle';
  channel.keepAlive(true);
  channel.sendWithNext(type, header, payload);
}

function watchProcess() {
  process.on('beforeExit', onEmptyLoop);
  process.on('uncaughtException', (error) => {
    endProcess('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION);
  });
  process.on('unhandledRejection', (reason, promise) => {
    const error = new RuntimeError('Runtime.UnhandledPromiseRejection', describe(reason), {
      reason,
      promise,
    });
    endProcess('Unhandled Promise Rejection', error, EXIT_UNHANDLED_REJECTION);
  });
}

/** Nothing can happen any more in this invocation, unless this makes it happen. */
function onEmptyLoop() {
  if (phase === 'init') {
    failInit(
      INIT_ERROR_LABEL,
      new RuntimeError('Runtime.NodeJsExit', NEVER_SETTLED),
      EXIT_INIT_ERROR,
    );
    return;
  }
  const current = invocation;
  if (current === null || current.settled) return;
  if (current.held !== null) {
    const { error, result } = current.held;
    if (error === undefined || error === null) succeed(current, result);
    else fail(current, error);
  } else if (current.returnedPromise) {
    endProcess(
      'Invoke Error',
      new RuntimeError('Runtime.NodeJsExit', NEVER_SETTLED),
      EXIT_INIT_ERROR,
    );
  } else {
    succeed(current, null);
  }
}

/** Reports what ended the process, to the caller too if one still waits, without asking for more. */
function endProcess(label, error, status) {
  if (phase === 'init') {
    failInit(label, error, EXIT_INIT_ERROR);
    return;
  }
  if (phase === 'ended') return;
  phase = 'ended';
  logError(label, error);
  const current = invocation;
  invocation = null;
  if (current?.frame) {
    channel.send(current.frame.type, current.frame.header, current.frame.payload);
  } else if (current !== null) {
    const document = errorDocument(error);
    const header = { requestId: current.requestId, errorType: document.errorType };
    channel.send(channel.ERROR, JSON.stringify(header), JSON.stringify(document));
  }
  channel.exitAfterSending(status);
}

function loadStreaming() {
  streamingModule ??= require('./streaming.cjs');
  hideModules();
  return streamingModule;
}

/** `awslambda` is there for every function but loaded only for those that touch it. */
function defineStreamingGlobal() {
  Object.defineProperty(globalThis, 'awslambda', {
    configurable: true,
    enumerable: false,
    get() {
      const { awslambda } = loadStreaming();
      replaceStreamingGlobal(awslambda);
      return awslambda;
    },
    set: replaceStreamingGlobal,
  });
}

function replaceStreamingGlobal(value) {
  Object.defineProperty(globalThis, 'awslambda', { value, writable: true, configurable: true });
}
