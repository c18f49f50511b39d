/**
 * Harness for the managed runtimes: starts a bootstrap the way a sandbox does, with a socket pair as
 * descriptor 3 and one pipe for both outputs, and speaks the host's side of the runtime channel.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';

export const FRAME = {
  INIT: 0x01,
  INVOKE: 0x02,
  RESTORE: 0x04,
  BOOTED: 0x81,
  NEXT: 0x82,
  INIT_ERROR: 0x83,
  RESPONSE: 0x84,
  ERROR: 0x85,
  SNAPSHOT: 0x88,
  RESTORE_ERROR: 0x89,
} as const;

const FRAME_NAMES = new Map<number, string>(
  Object.entries(FRAME).map(([name, type]) => [type, name]),
);
const ANSWER_WAIT_MS = 15_000;

export interface Frame {
  readonly name: string;
  readonly header: Record<string, unknown>;
  readonly payload: Buffer;
}

export interface RuntimeCommand {
  readonly executable: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface ErrorDocument {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
  readonly stackTrace?: readonly string[];
  readonly requestId?: string;
}

export interface Outcome {
  readonly name: 'RESPONSE' | 'ERROR';
  readonly header: Record<string, unknown>;
  readonly text: string;
  /** Whether NEXT followed; false when the process ended instead. */
  readonly next: boolean;
}

export class RuntimeProcess {
  readonly #child: ChildProcess;
  readonly #channel: Duplex;
  readonly #frames: Frame[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  #unread: Buffer = Buffer.alloc(0);
  #ended = false;
  #output = '';
  #invocations = 0;

  constructor(command: RuntimeCommand) {
    this.#child = spawn(
      '/bin/sh',
      ['-c', 'exec "$0" "$@" 2>&1', command.executable, ...command.args],
      { stdio: ['ignore', 'pipe', 'ignore', 'pipe'], env: { ...command.env } },
    );
    this.#channel = this.#child.stdio[3] as Duplex;
    this.#channel.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#channel.on('error', () => {});
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#ended = true;
        this.#wake();
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** All output so far; complete for an invocation once its outcome is here. */
  get output(): string {
    return this.#output;
  }

  /** Forgets output so far. */
  clearOutput(): void {
    this.#output = '';
  }

  /** The next frame, or null when the process ends without one. */
  async frame(): Promise<Frame | null> {
    const deadline = Date.now() + ANSWER_WAIT_MS;
    while (this.#frames.length === 0 && !this.#ended) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        timer = setTimeout(resolve, Math.max(0, deadline - Date.now()));
      });
      clearTimeout(timer);
      assert(Date.now() < deadline, `no frame in ${ANSWER_WAIT_MS} ms; output: ${this.#output}`);
    }
    // Output written before the frame is readable by now: let this turn of the event loop take it.
    await new Promise((resolve) => setImmediate(resolve));
    return this.#frames.shift() ?? null;
  }

  async expect(name: string): Promise<Frame> {
    const frame = await this.frame();
    const got = frame === null ? 'the end' : `${frame.name} ${frame.payload.toString()}`;
    assert.equal(frame?.name, name, `expected ${name}, got ${got}; output: ${this.#output}`);
    return frame as Frame;
  }

  send(type: number, header: object, payload: Buffer | string = ''): void {
    const head = Buffer.from(JSON.stringify(header));
    const body = Buffer.from(payload);
    const prefix = Buffer.alloc(9);
    prefix.writeUInt32BE(5 + head.length + body.length, 0);
    prefix[4] = type;
    prefix.writeUInt32BE(head.length, 5);
    this.#channel.write(Buffer.concat([prefix, head, body]));
  }

  /** A Buffer is sent as it is, anything else as JSON. */
  sendInvoke(event: unknown, header: Record<string, unknown> = {}): string {
    this.#invocations += 1;
    const requestId = `00000000-0000-4000-8000-${String(this.#invocations).padStart(12, '0')}`;
    const fields = {
      requestId,
      deadlineMs: Date.now() + 3000,
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:example',
      traceId: 'Root=1-00000000-000000000000000000000001;Parent=0000000000000001;Sampled=0',
      ...header,
    };
    this.send(FRAME.INVOKE, fields, Buffer.isBuffer(event) ? event : JSON.stringify(event));
    return String(fields.requestId);
  }

  /** Sends one event and waits for its outcome and for what follows it: NEXT or the end. */
  async invoke(event: unknown, header: Record<string, unknown> = {}): Promise<Outcome> {
    const requestId = this.sendInvoke(event, header);
    const frame = await this.frame();
    assert(frame !== null, `ended without an answer; output: ${this.#output}`);
    assert(frame.name === 'RESPONSE' || frame.name === 'ERROR', frame.name);
    assert.equal(frame.header['requestId'], requestId);
    const following = await this.frame();
    assert(following === null || following.name === 'NEXT');
    return {
      name: frame.name,
      header: frame.header,
      text: frame.payload.toString(),
      next: following !== null,
    };
  }

  /** Sends one event that must succeed; its result, parsed. */
  async result(event: unknown, header: Record<string, unknown> = {}): Promise<unknown> {
    const outcome = await this.invoke(event, header);
    assert.equal(outcome.name, 'RESPONSE', outcome.text);
    return JSON.parse(outcome.text);
  }

  /** Sends one event that must fail; its error document. */
  async failure(event: unknown, header: Record<string, unknown> = {}): Promise<ErrorDocument> {
    const outcome = await this.invoke(event, header);
    assert.equal(outcome.name, 'ERROR', outcome.text);
    const document = JSON.parse(outcome.text) as ErrorDocument;
    assert.equal(outcome.header['errorType'], document.errorType);
    return document;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** What the host going away looks like. */
  closeChannel(): void {
    this.#channel.end();
  }

  async stop(): Promise<void> {
    if (!this.#ended) this.#child.kill('SIGKILL');
    await this.exited;
    this.#channel.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    for (;;) {
      if (this.#unread.length < 4) break;
      const length = this.#unread.readUInt32BE(0);
      if (this.#unread.length < 4 + length) break;
      const body = this.#unread.subarray(4, 4 + length);
      this.#unread = this.#unread.subarray(4 + length);
      const headerLength = body.readUInt32BE(1);
      this.#frames.push({
        name: FRAME_NAMES.get(body[0] ?? 0) ?? `0x${body[0]?.toString(16)}`,
        header: JSON.parse(body.subarray(5, 5 + headerLength).toString()) as Frame['header'],
        payload: Buffer.from(body.subarray(5 + headerLength)),
      });
    }
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

export interface FunctionSetup {
  /** Where layers are; /opt without it. */
  readonly optRoot?: string;
  /** Default 'on-demand'. */
  readonly initializationType?: string;
  readonly handler?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes throw-away function folders and processes for one suite, and removes them. */
export class RuntimeBench {
  readonly root = mkdtempSync(join(tmpdir(), 'hearth-runtime-'));
  readonly #processes: RuntimeProcess[] = [];
  readonly #command: RuntimeCommand;
  readonly #functionEnv: Readonly<Record<string, string>>;
  #folders = 0;

  constructor(command: RuntimeCommand, functionEnv: Readonly<Record<string, string>>) {
    this.#command = command;
    this.#functionEnv = functionEnv;
  }

  folder(files: Readonly<Record<string, string>>): string {
    this.#folders += 1;
    const folder = join(this.root, `task-${this.#folders}`);
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  }

  /** A process that has said BOOTED. */
  async boot(startEnv: Readonly<Record<string, string>> = {}): Promise<RuntimeProcess> {
    const process = new RuntimeProcess({
      ...this.#command,
      env: { ...this.#command.env, ...startEnv },
    });
    this.#processes.push(process);
    await process.expect('BOOTED');
    return process;
  }

  bind(process: RuntimeProcess, taskRoot: string, setup: FunctionSetup, handler: string): void {
    const env = {
      _HANDLER: handler,
      LAMBDA_TASK_ROOT: taskRoot,
      AWS_LAMBDA_FUNCTION_NAME: 'example',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/example',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef',
      AWS_REGION: 'us-east-1',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      PATH: '/usr/local/bin:/usr/bin:/bin:/opt/bin',
      ...this.#functionEnv,
      ...setup.env,
    };
    const { initializationType = 'on-demand', optRoot } = setup;
    process.send(FRAME.INIT, { handler, taskRoot, optRoot, env, initializationType });
  }

  /** A process bound to a folder that is there already. */
  async startIn(folder: string, handler: string): Promise<RuntimeProcess> {
    const process = await this.boot();
    this.bind(process, folder, {}, handler);
    await process.expect('NEXT');
    return process;
  }

  /** A process bound to these files that has asked for its first event. */
  async start(
    files: Readonly<Record<string, string>>,
    handler: string,
    setup: FunctionSetup = {},
  ): Promise<RuntimeProcess> {
    const process = await this.boot();
    this.bind(process, this.folder(files), setup, handler);
    await process.expect('NEXT');
    return process;
  }

  /** The error document and output of a function whose init must fail. */
  async initFailure(
    files: Readonly<Record<string, string>>,
    handler: string,
    setup: FunctionSetup = {},
  ): Promise<{ document: ErrorDocument; output: string; code: number | null }> {
    const process = await this.boot();
    this.bind(process, this.folder(files), setup, handler);
    const frame = await process.expect('INIT_ERROR');
    const document = JSON.parse(frame.payload.toString()) as ErrorDocument;
    assert.equal(frame.header['errorType'], document.errorType);
    const { code } = await process.exited;
    return { document, output: process.output, code };
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    rmSync(this.root, { recursive: true, force: true });
  }
}
