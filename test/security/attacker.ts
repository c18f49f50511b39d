/**
 * A function that tries to get out: what the tests of this folder share. Each makes an OCI driver, runs
 * hostile programs in its sandboxes and looks at what they reached.
 *
 * As root on Linux everything must be there and work; a missing tool is a failure, not a reason to skip.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { delay, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createOciDriver } from '../../src/sandbox/oci/oci-driver.ts';
import type {
  ProcessExit,
  Sandbox,
  SandboxCommand,
  SandboxDriver,
  SandboxLimits,
  SandboxProcess,
} from '../../src/sandbox/sandbox.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
export const skip: string | false = isRoot ? false : 'containers need root on Linux';

export const LIMITS: SandboxLimits = { memoryMb: 256, cpus: null, temporaryStorageMb: 512 };
const repositoryRoot = join(import.meta.dirname, '../..');

export interface Attempt {
  readonly output: string;
  readonly exit: ProcessExit;
}

export interface Attacker {
  readonly driver: SandboxDriver;
  /** The server's data folder: holds `secret`, and the sandboxes' own folder `run`. */
  readonly dataFolder: string;
  /** Resolves when the driver has that many boxes made in advance. */
  blankBoxesWaiting(count: number): Promise<void>;
  /** A new bound sandbox, in a box made in advance; a second start in it is the ordinary one. Its code folder holds `secret-of-ID`. */
  sandbox(id: string, limits?: SandboxLimits, codeDir?: string): Promise<Sandbox>;
  close(): Promise<void>;
}

export async function createAttacker(): Promise<Attacker> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'hearth-security-'));
  const runtimeDir = join(dataFolder, 'runtime');
  mkdirSync(runtimeDir);
  writeFileSync(join(dataFolder, 'secret'), 'secret of the server\n', { mode: 0o644 });
  const driver = await createOciDriver(systemClock, systemRandom, silentLog, {
    folder: join(dataFolder, 'run'),
    runtimePath: 'runc',
  });
  const blankBoxesWaiting = async (count: number): Promise<void> => {
    for (let round = 0; round < 1000 && driver.blankBoxesWaiting < count; round += 1) {
      await delay(systemClock, 10);
    }
    assert.ok(driver.blankBoxesWaiting >= count, 'boxes are made in advance');
  };
  return {
    driver,
    dataFolder,
    blankBoxesWaiting,
    sandbox: async (id, limits = LIMITS, codeDir = join(dataFolder, `code-${id}`)) => {
      const languageDir = dirname(dirname(process.execPath));
      await blankBoxesWaiting(1);
      const sandbox = await driver.create({ id, limits, languageDir, runtimeDir });
      mkdirSync(codeDir, { recursive: true });
      if (codeDir.startsWith(dataFolder)) writeFileSync(join(codeDir, `secret-of-${id}`), id);
      await sandbox.bind({ codeDir, layerDirs: [], limits });
      return sandbox;
    },
    close: async () => {
      await driver.close();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

/** Code folder that holds koffi, with which a Node.js function can make any system call. */
export const koffiCode = join(repositoryRoot, 'node_modules');

const ENVIRONMENT = { HOME: '/', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

export function shellCommand(script: string): SandboxCommand {
  return { argv: ['/bin/sh', '-c', script], env: ENVIRONMENT, cwd: '/tmp', channel: false };
}

export function startShell(sandbox: Sandbox, script: string): Promise<SandboxProcess> {
  return sandbox.start(shellCommand(script));
}

export function startNode(sandbox: Sandbox, script: string): Promise<SandboxProcess> {
  const argv = ['/var/lang/bin/node', '-e', script];
  return sandbox.start({ argv, env: ENVIRONMENT, cwd: '/tmp', channel: false });
}

export async function finish(started: SandboxProcess): Promise<Attempt> {
  const output = await text(started.output);
  return { output, exit: await started.exited };
}

/** Runs a shell script inside to its end. */
export async function attack(sandbox: Sandbox, script: string): Promise<Attempt> {
  return finish(await startShell(sandbox, script));
}

/** Runs a Node.js script inside to its end. */
export async function attackWithNode(sandbox: Sandbox, script: string): Promise<Attempt> {
  return finish(await startNode(sandbox, script));
}

/** Node.js source: tries to connect to each [host, port] of `targets`, prints one word per target. */
export function connectScript(targets: readonly (readonly [string, number])[]): string {
  return `
const net = require('node:net');
const tries = ${JSON.stringify(targets)}.map(([host, port]) => new Promise((resolve) => {
  const socket = net.connect({ host, port, timeout: 1500 });
  socket.on('connect', () => { resolve('CONNECTED ' + host); socket.destroy(); });
  socket.on('timeout', () => { resolve('timeout'); socket.destroy(); });
  socket.on('error', (error) => resolve(error.code));
}));
Promise.all(tries).then((results) => console.log(results.join('\\n')));`;
}
