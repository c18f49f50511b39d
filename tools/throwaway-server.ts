/**
 * A server for the demo and the benchmark: started by ./hearth on a free port, with a data folder
 * that goes when it stops, or one that stays. Also stops when this process is asked to end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../hearth', import.meta.url));
const readyMsMax = 60_000;
const stopMsMax = 45_000;

export interface ThrowawayServer {
  readonly url: string;
  readonly pid: number;
  /** What it has said on standard error so far: its driver, what that cannot do here, its log. */
  readonly lines: readonly string[];
  /** From the start of ./hearth to its ready line. */
  readonly readyMs: number;
  /** Ends it with SIGTERM; resolves with its exit status, or in words with what went wrong. */
  stop(): Promise<number | string>;
}

/** With a data folder of its own, that goes when it stops: nothing is left. */
export async function startThrowawayServer(...flags: string[]): Promise<ThrowawayServer> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-throwaway-'));
  return startServerOn(folder, flags, { isThrowaway: true });
}

/**
 * Resolves once the server is ready; rejects with what it said when it ends before that. The folder
 * is removed when it stops if it is a throwaway.
 */
export async function startServerOn(
  folder: string,
  flags: readonly string[],
  { isThrowaway = false } = {},
): Promise<ThrowawayServer> {
  const startedMs = performance.now();
  const child = spawn(launcher, ['serve', '--port', '0', '--data', folder, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    child.once('error', (error) => resolve(error.message));
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));

  let stopping: Promise<number | string> | undefined;
  const stop = (): Promise<number | string> =>
    (stopping ??= stopChild(child, exited, isThrowaway ? folder : undefined));
  const onSignal = (): void => void stop().then(() => process.exit(130));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  void exited.then(() => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  });

  const url = await Promise.race([
    readUrl(child),
    exited,
    delay(readyMsMax, 'no ready line', { ref: false }),
  ]);
  if (typeof url === 'string' && url.startsWith('http:')) {
    return { url, pid: child.pid ?? 0, lines, readyMs: performance.now() - startedMs, stop };
  }
  await stop();
  throw new Error([`the server did not start: ${url}`, ...lines].join('\n  '));
}

function readUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const url = /^hearth ready (http:\/\/\S+)$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}

async function stopChild(
  child: ChildProcess,
  exited: Promise<number | string>,
  folder: string | undefined,
): Promise<number | string> {
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
  const status = await exited;
  clearTimeout(killer);
  if (folder === undefined) return status;
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    // A mount that is still there, for example: the server should have removed it.
    return `status ${status}, but it left something behind: ${(error as Error).message}`;
  }
  return status;
}
