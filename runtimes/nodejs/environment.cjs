/**
 * Binds the booted process to a function: its environment variables, its folder, and NODE_PATH, which
 * Node.js normally reads only at start.
 */
'use strict';

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

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

module.exports = { bindEnvironment };
