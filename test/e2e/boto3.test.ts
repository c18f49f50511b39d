/** boto3, unmodified: each script beside this file is one user's program, run against a server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { missing } from './aws-cli.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const run = promisify(execFile);
const scriptMsMax = 180_000;
const driver = drivers.at(-1) ?? 'process';
const skip = missing('python3', ['-c', 'import boto3'], 'boto3');

describe(`boto3, on the ${driver} driver`, { skip }, () => {
  let hearth: HearthProcess;

  before(async () => {
    hearth = await HearthProcess.start({ driver });
  });
  after(() => hearth.stopAndRemove());

  for (const [script, what] of [
    ['boto3_functions.py', 'deploys, invokes, versions, tags and deletes'],
    ['boto3_layers.py', 'publishes layers, routes by aliases and keeps concurrency'],
  ] as const) {
    test(what, async () => {
      const path = fileURLToPath(new URL(script, import.meta.url));
      const { stdout } = await run('python3', ['-B', path, hearth.url], { timeout: scriptMsMax });
      assert.match(stdout, /^boto3 [\d.]+ ok$/m);
    });
  }
});
