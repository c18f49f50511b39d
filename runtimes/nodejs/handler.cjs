/**
 * Finds and loads the function's handler: `file.export`, `folder/file.export`, `file.object.method`.
 * A `.js` file is CommonJS unless its package.json says "type": "module"; `.mjs` and `.cjs` say it
 * themselves (guide page 022).
 */
'use strict';

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { RuntimeError } = require('./errors.cjs');

const HANDLER_PATTERN = /^([^.]*)\.(.+)$/;

/** Runtimes from this major version on take only handlers that return their result. */
const CALLBACKS_REMOVED_MAJOR = 24;
const nodeMajor = Number.parseInt(process.versions.node, 10);
const callbacksSupported = nodeMajor < CALLBACKS_REMOVED_MAJOR;

/** Marks handlers made by awslambda.streamifyResponse; wrappers of handlers copy it. */
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

/** A require of its own, so that the function's module has no parent among ours. */
const requireModule = createRequire(path.join(__dirname, 'bootstrap.cjs'));

/** Resolves with the handler function, or rejects with what the init error should say. */
async function loadHandler(taskRoot, name) {
  const { folder, file, exportPath } = splitName(name);
  const module = await loadModule(taskRoot, folder, file);
  const handler = exportPath.split('.').reduce((value, key) => value?.[key], module);
  if (handler === undefined || handler === null) {
    const message = `${file}.${exportPath} is undefined or not exported`;
    throw new RuntimeError('Runtime.HandlerNotFound', message);
  }
  if (typeof handler !== 'function') {
    const message = `${file}.${exportPath} is not a function`;
    throw new RuntimeError('Runtime.HandlerNotFound', message);
  }
  if (!callbacksSupported && handler.length > 2 && handler[STREAMING] === undefined) {
    throw new RuntimeError(
      'Runtime.CallbackHandlerDeprecated',
      'Handlers that take a callback are not supported from Node.js 24 on: ' +
        'return the result or a promise of it instead.',
    );
  }
  return handler;
}

function splitName(name) {
  if (name.includes('..')) {
    const message = `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`;
    throw new RuntimeError('Runtime.MalformedHandlerName', message);
  }
  const base = path.basename(name);
  const match = HANDLER_PATTERN.exec(base);
  if (match === null) throw new RuntimeError('Runtime.MalformedHandlerName', 'Bad handler');
  return { folder: name.slice(0, -base.length), file: match[1], exportPath: match[2] };
}

async function loadModule(taskRoot, folder, file) {
  try {
    const found = findFile(path.resolve(taskRoot, folder, file));
    if (found !== null) return await loadFile(found);
    const target = requireModule.resolve(folder === '' ? file : `./${path.join(folder, file)}`, {
      paths: [taskRoot],
    });
    return await loadFile(target);
  } catch (error) {
    throw asInitError(error);
  }
}

function findFile(stem) {
  for (const extension of ['.js', '.mjs', '.cjs']) {
    const candidate = stem + extension;
    if (fs.statSync(candidate, { throwIfNoEntry: false })?.isFile()) return candidate;
  }
  return null;
}

async function loadFile(file) {
  const isModule = file.endsWith('.mjs') || (file.endsWith('.js') && packageIsModule(file));
  if (isModule) return import(pathToFileURL(file).href);
  try {
    return requireModule(file);
  } catch (error) {
    // An ES module by its syntax, with top-level await (Node.js 24 tells by syntax).
    if (error?.code === 'ERR_REQUIRE_ASYNC_MODULE') return import(pathToFileURL(file).href);
    throw error;
  }
}

/** Whether the nearest package.json at or above the file has "type": "module". */
function packageIsModule(file) {
  let folder = path.dirname(file);
  for (;;) {
    try {
      const text = fs.readFileSync(path.join(folder, 'package.json'), 'utf8');
      return JSON.parse(text).type === 'module';
    } catch (error) {
      if (error instanceof SyntaxError) return false;
    }
    const parent = path.dirname(folder);
    if (parent === folder || path.basename(folder) === 'node_modules') return false;
    folder = parent;
  }
}

/**
 * Missing CommonJS modules and syntax errors get the runtime's own error types; anything else the
 * module threw, a missing ES module included, is reported as it is.
 */
function asInitError(error) {
  if (error instanceof SyntaxError) {
    const wrapped = new RuntimeError('Runtime.UserCodeSyntaxError', String(error));
    const place = /^(\S.*:\d+)$/m.exec(error.stack ?? '');
    if (place !== null) wrapped.stack = wrapped.stack.replace('\n', `\n    at ${place[1]}\n`);
    return wrapped;
  }
  if (error?.code === 'MODULE_NOT_FOUND') {
    return new RuntimeError('Runtime.ImportModuleError', String(error));
  }
  return error;
}

module.exports = { callbacksSupported, STREAMING, loadHandler };
