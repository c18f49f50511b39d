/**
 * Binds the booted process to a function: its environment variables, its folder, and what Node.js
 * normally reads only at start (NODE_PATH, NODE_OPTIONS).
 */
'use strict';

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

/** What Node.js itself has applied already; a process that is not pooled is started with it. */
const appliedNodeOptions = process.env.NODE_OPTIONS ?? '';

async function bindEnvironment(env, taskRoot) {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  // Setting TZ makes Node.js forget the time zone it started with.
  for (const name in env) process.env[name] = env[name];
  process.chdir(taskRoot);
  const folders = (env.NODE_PATH ?? '').split(':').filter((folder) => folder !== '');
  if (folders.length > 0) {
    Module._initPaths();
    await searchNodePathForModules(folders, [taskRoot, env.LAMBDA_RUNTIME_DIR]);
  }
  const options = env.NODE_OPTIONS ?? '';
  if (options !== '' && options !== appliedNodeOptions) await applyNodeOptions(options, taskRoot);
}

/** Unlike plain Node.js, `import` finds packages in the folders of NODE_PATH (guide page 022). */
async function searchNodePathForModules(folders, ownFolders) {
  const present = folders.filter((folder) => fs.existsSync(folder));
  if (present.length === 0) return;
  if (typeof Module.registerHooks === 'function') {
    const { resolveOnNodePath } = await import('./node-path.mjs');
    Module.registerHooks({
      resolve: (specifier, context, next) => resolveOnNodePath(present, specifier, context, next),
    });
    return;
  }
  // Before registerHooks, hooks run on a thread of their own: too dear unless there are packages.
  const own = ownFolders.filter(Boolean).map((folder) => path.resolve(folder));
  if (present.every((folder) => own.includes(path.resolve(folder)))) return;
  Module.register('./node-path.mjs', { parentURL: pathToFileURL(__filename).href, data: present });
}

/** The options that can still be applied after start; the others need a process started with them. */
async function applyNodeOptions(options, taskRoot) {
  const words = options.split(/\s+/).filter((word) => word !== '');
  const requireFromTask = Module.createRequire(path.join(taskRoot, 'noop.js'));
  for (let index = 0; index < words.length; index += 1) {
    const [flag, inline] = splitFlag(words[index]);
    const value = () => inline ?? words[(index += 1)];
    if (flag === '-r' || flag === '--require') requireFromTask(value());
    else if (flag === '--import') await import(importTarget(value(), taskRoot));
    else if (flag === '--enable-source-maps') process.setSourceMapsEnabled(true);
    else if (flag === '--stack-trace-limit') Error.stackTraceLimit = Number(value());
  }
}

function splitFlag(word) {
  const equals = word.indexOf('=');
  return equals === -1 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

function importTarget(target, taskRoot) {
  const isPath = target.startsWith('/') || target.startsWith('./') || target.startsWith('../');
  return isPath ? pathToFileURL(path.resolve(taskRoot, target)).href : target;
}

module.exports = { bindEnvironment };
