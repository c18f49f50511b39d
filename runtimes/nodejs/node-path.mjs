/**
 * Module resolution hook: when ordinary resolution of a bare specifier finds nothing, looks in the
 * folders of NODE_PATH. Serves Module.registerHooks (same thread) and Module.register (its own).
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const NOT_FOUND = new Set(['ERR_MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED']);

let folders = [];

export function initialize(data) {
  folders = data;
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!mayBeOnNodePath(specifier, error)) throw error;
    for (const candidate of candidates(folders, specifier, context)) {
      try {
        return await next(...candidate);
      } catch {
        // Not there either: the first error is the one to report.
      }
    }
    throw error;
  }
}

export function resolveOnNodePath(present, specifier, context, next) {
  try {
    return next(specifier, context);
  } catch (error) {
    if (!mayBeOnNodePath(specifier, error)) throw error;
    for (const candidate of candidates(present, specifier, context)) {
      try {
        return next(...candidate);
      } catch {
        // Not there either: the first error is the one to report.
      }
    }
    throw error;
  }
}

function mayBeOnNodePath(specifier, error) {
  return NOT_FOUND.has(error?.code) && !/^(\.{0,2}\/|[a-z]+:)/.test(specifier);
}

function* candidates(present, specifier, context) {
  for (const folder of present) {
    // As if a file beside the folder had asked, so that "exports" and "import" conditions apply.
    const beside = path.join(path.dirname(folder), 'noop.mjs');
    if (path.basename(folder) === 'node_modules') {
      yield [specifier, { ...context, parentURL: pathToFileURL(beside).href }];
      continue;
    }
    try {
      const file = createRequire(beside).resolve(path.join(folder, specifier));
      yield [pathToFileURL(file).href, context];
    } catch {
      // No such file in this folder.
    }
  }
}
