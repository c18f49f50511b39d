/**
 * The whole program as its user starts it: `./hearth serve` on a data folder of its own, a client of
 * the AWS SDK for it, and the ways it can end. Shared by the end-to-end tests.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LambdaClient } from '@aws-sdk/client-lambda';

export const launcher = fileURLToPath(new URL('../../hearth', import.meta.url));

export type DriverName = 'process' | 'oci';

/**
 * The drivers that tests run on here. As root on Linux `oci` must work: a missing tool is a failure
 * then, not a reason to skip.
 */
export const drivers: readonly DriverName[] =
  process.platform === 'linux' && process.getuid?.() === 0 ? ['process', 'oci'] : ['process'];

export interface ServerOptions {
  readonly driver: DriverName;
  /** An existing data folder; a new temporary one without it. */
  readonly dataFolder?: string;
  readonly flags?: readonly string[];
}

export class HearthProcess {
  readonly url: string;
  readonly dataFolder: string;
  readonly child: ChildProcess;
  readonly client: LambdaClient;
  readonly #stderrChunks: Buffer[];

  private constructor(
    child: ChildProcess,
    url: string,
    dataFolder: string,
    stderrChunks: Buffer[],
  ) {
    this.child = child;
    this.#stderrChunks = stderrChunks;
    this.url = url;
    this.dataFolder = dataFolder;
    this.client = createClient(url);
  }

  static async start(options: ServerOptions): Promise<HearthProcess> {
    const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'hearth-e2e-')));
    const flags = ['serve', '--port', '0', '--data', dataFolder, '--sandbox', options.driver];
    const child = spawn(launcher, [...flags, ...(options.flags ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stderrChunks: Buffer[] = [];
    child.stderr.on('data', (bytes: Buffer) => stderrChunks.push(bytes));
    try {
      const url = await readyUrl(child, stderrChunks);
      return new HearthProcess(child, url, dataFolder, stderrChunks);
    } catch (error) {
      if (options.dataFolder === undefined) await rm(dataFolder, { recursive: true, force: true });
      throw error;
    }
  }

  /** All that the server printed on standard error so far. */
  get stderr(): string {
    return Buffer.concat(this.#stderrChunks).toString();
  }

  /** What it printed on standard error, once that has something like `pattern`. */
  async logged(pattern: RegExp): Promise<string> {
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const log = this.stderr;
      if (pattern.test(log)) return log;
      await sleep(10);
    }
    throw new Error(`nothing like ${pattern} in the log:\n${this.stderr}`);
  }

  /** Until an invocation is over, with --function-logs: then its environment can take the next. */
  async reported(requestId: string): Promise<void> {
    await this.logged(new RegExp(`REPORT RequestId: ${requestId}`));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** SIGTERM, and resolves with the exit status once the server has drained. */
  async stop(): Promise<number | null> {
    this.client.destroy();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const [code] = (await exited) as [number | null];
    return code;
  }

  /** SIGKILL: the server gets no chance to clean up. */
  async kill(): Promise<void> {
    this.client.destroy();
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  async stopAndRemove(): Promise<void> {
    await this.stop();
    await rm(this.dataFolder, { recursive: true, force: true });
  }
}

async function readyUrl(child: ChildProcess, stderrChunks: readonly Buffer[]): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error('the server has no standard output');
  for await (const line of createInterface({ input: stdout })) {
    const [, url] = /^hearth ready (http:\/\/\S+)$/.exec(line) ?? [];
    if (url !== undefined) {
      stdout.resume();
      return url;
    }
  }
  throw new Error(`the server ended before it was ready:\n${Buffer.concat(stderrChunks)}`);
}

export function createClient(endpoint: string): LambdaClient {
  return new LambdaClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
}
