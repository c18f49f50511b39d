/**
 * A sandbox driver, transports and a runtime that do what a test says, faults included: for tests of
 * the worker's side of the seams, where real processes could not be made to fail at a given moment.
 *
 * `ScriptedHost.script` plays every runtime process that is started; without one it does nothing, and
 * the test drives `host.runtimes` by hand.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PassThrough, Readable } from 'node:stream';
import { deferred } from '../base/deferred.ts';
import type {
  ForkKind,
  ForkSource,
  ProcessExit,
  Sandbox,
  SandboxBinding,
  SandboxCommand,
  SandboxDriver,
  SandboxPaths,
  SandboxProcess,
  SandboxSpec,
} from '../sandbox/sandbox.ts';
import type {
  Invocation,
  PortAnswer,
  RuntimeChannel,
  RuntimeInit,
  RuntimePort,
  RuntimeRestore,
  RuntimeTransports,
} from '../worker/runtime-port.ts';
import type { ExtensionPort } from '../worker/extension-port.ts';
import type { InstalledRuntime, RuntimeCatalog } from '../worker/runtimes.ts';

/** What a step of the seam does beside its work: throws, or takes its time. */
export type Fault = (() => Promise<void> | void) | null;

export interface Faults {
  create: Fault;
  serve: Fault;
  bind: Fault;
  start: Fault;
  startBeside: Fault;
  setCpus: Fault;
  kill: Fault;
  prepareFork: Fault;
  fork: Fault;
  freeze: Fault;
  thaw: Fault;
  destroy: Fault;
}

/** One runtime process and the two ways it could talk. */
export class ScriptedRuntime {
  readonly sandbox: ScriptedSandbox;
  readonly command: SandboxCommand;
  readonly process: SandboxProcess;
  readonly output = new Readable({ read: () => undefined });
  readonly booted = deferred<void>();
  readonly closed = deferred<void>();
  readonly inits: RuntimeInit[] = [];
  readonly restores: RuntimeRestore[] = [];
  readonly invocations: Invocation[] = [];
  onInit: (init: RuntimeInit) => void = () => undefined;
  onInvoke: (invocation: Invocation) => void = () => undefined;
  onRestore: (restore: RuntimeRestore) => void = () => undefined;
  /** What it does at a SIGTERM; a SIGKILL ends it. */
  onTerminate: () => void = () => undefined;
  readonly signals: string[] = [];
  isChannelClosed = false;
  /** It has asked for an event: its Init is over. */
  isInitialized = false;
  /** Who the channel speaks to. */
  #attached: RuntimePort | null = null;
  readonly #exited = deferred<ProcessExit>();
  #hasEnded = false;
  #unread: Buffer[] = [];

  constructor(sandbox: ScriptedSandbox, command: SandboxCommand) {
    this.sandbox = sandbox;
    this.command = command;
    this.booted.promise.catch(() => undefined);
    this.process = {
      channel: command.channel ? (new PassThrough() as Duplex) : null,
      output: this.output,
      drainOutput: () => this.#flush(),
      exited: this.#exited.promise,
      signal: (signal) => this.#signal(signal),
      kill: () => this.#kill(),
    };
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    if (signal === 'SIGKILL') this.exit({ signal });
    else this.onTerminate();
  }

  async #kill(): Promise<ProcessExit> {
    await this.sandbox.host.faults.kill?.();
    this.exit({ signal: 'SIGKILL' });
    return this.#exited.promise;
  }

  /** The process ends by itself. */
  exit(how: Partial<ProcessExit> = {}): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.sandbox.running = null;
    this.closeChannel();
    const code = how.signal === undefined ? (how.code ?? 0) : null;
    this.#exited.resolve({
      code,
      signal: how.signal ?? null,
      outOfMemory: how.outOfMemory ?? false,
    });
  }

  /** The host can no longer tell what became of the process. */
  lose(error: Error): void {
    this.#hasEnded = true;
    this.sandbox.running = null;
    this.#exited.reject(error);
  }

  /** The runtime's end of the channel is closed, whatever becomes of the process. */
  closeChannel(): void {
    this.isChannelClosed = true;
    this.booted.reject(new Error('the runtime ended before it had booted'));
    this.closed.resolve();
  }

  say(text: string): void {
    this.#unread.push(Buffer.from(text));
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    for (const bytes of this.#unread.splice(0)) this.output.emit('data', bytes);
  }

  // What a runtime says to its environment.

  next(): PortAnswer {
    this.isInitialized = true;
    return this.#port.next((invocation) => {
      this.invocations.push(invocation);
      this.onInvoke(invocation);
    });
  }

  respond(body = '"done"', requestId = this.invocations.at(-1)?.requestId ?? ''): PortAnswer {
    return this.#port.respond(requestId, { contentType: undefined, body: Buffer.from(body) });
  }

  fail(document = '{}', errorType = 'Error'): PortAnswer {
    const requestId = this.invocations.at(-1)?.requestId ?? '';
    return this.#port.fail(requestId, { errorType, payload: Buffer.from(document) });
  }

  initError(document = '{}', errorType = 'Runtime.ImportModuleError'): PortAnswer {
    return this.#port.initError({ errorType, payload: Buffer.from(document) });
  }

  /** At its snapshot point. */
  snapshot(): PortAnswer {
    return this.#port.restoreNext((restore) => this.#restored(restore));
  }

  restoreError(document = '{}', errorType = 'Error'): PortAnswer {
    return this.#port.restoreError({ errorType, payload: Buffer.from(document) });
  }

  #restored(restore: RuntimeRestore): void {
    this.restores.push(restore);
    this.onRestore(restore);
  }

  get #port(): RuntimePort {
    const port = this.#attached ?? this.sandbox.port;
    if (port === null) throw new Error('the runtime is not bound');
    return port;
  }

  /** The host's end of this process's channel. */
  createChannel(): RuntimeChannel {
    return {
      booted: this.booted.promise,
      closed: this.closed.promise,
      attach: (port) => {
        this.#attached = port;
      },
      sendInit: (init) => {
        if (this.#attached === null) throw new Error('INIT before the channel was attached');
        if (this.isChannelClosed) return;
        this.inits.push(init);
        this.onInit(init);
      },
      sendRestore: (restore) => this.#restored(restore),
      forkRequest: Buffer.alloc(0),
      close: () => this.closeChannel(),
    };
  }
}

/** A process beside the runtime: an external extension. */
export class ScriptedExtension {
  readonly sandbox: ScriptedSandbox;
  readonly command: SandboxCommand;
  readonly process: SandboxProcess;
  readonly output = new Readable({ read: () => undefined });
  readonly signals: string[] = [];
  /** What it does at a SIGTERM; a SIGKILL ends it. */
  onTerminate: () => void = () => undefined;
  hasEnded = false;
  readonly #exited = deferred<ProcessExit>();

  constructor(sandbox: ScriptedSandbox, command: SandboxCommand) {
    this.sandbox = sandbox;
    this.command = command;
    this.process = {
      channel: null,
      output: this.output,
      drainOutput: () => undefined,
      exited: this.#exited.promise,
      signal: (signal) => this.#signal(signal),
      kill: () => {
        this.#signal('SIGKILL');
        return this.#exited.promise;
      },
    };
  }

  /** Its file's name. */
  get name(): string {
    return this.command.argv[0]?.split('/').at(-1) ?? '';
  }

  /** The environment's side of the Extensions API. */
  get port(): ExtensionPort {
    const { extensions } = this.sandbox;
    if (extensions === null) throw new Error('the sandbox is not bound');
    return extensions;
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    if (signal === 'SIGKILL') this.exit({ code: null, signal });
    else this.onTerminate();
  }

  say(text: string): void {
    this.output.emit('data', Buffer.from(text));
  }

  exit(how: Partial<ProcessExit> = {}): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#exited.resolve({ code: 0, signal: null, outOfMemory: false, ...how });
  }
}

export class ScriptedSandbox implements Sandbox {
  readonly host: ScriptedHost;
  readonly id: string;
  readonly isFromStandby = false;
  readonly spec: SandboxSpec;
  readonly paths: SandboxPaths;
  readonly prepareFork?: () => Promise<void>;
  isPrepared = false;
  /** Where the host can fork: `host.forks` has what was asked for. */
  readonly startFork?: (source: ForkSource) => Promise<SandboxProcess>;
  running: ScriptedRuntime | null = null;
  port: RuntimePort | null = null;
  extensions: ExtensionPort | null = null;
  readonly beside: ScriptedExtension[] = [];
  binding: SandboxBinding | null = null;
  cpus: number | null = null;
  isFrozen = false;
  isDestroyed = false;
  peakBytes = 40 << 20;
  #starting: Promise<unknown> = Promise.resolve();

  constructor(host: ScriptedHost, spec: SandboxSpec) {
    this.host = host;
    this.id = spec.id;
    this.spec = spec;
    this.paths = {
      taskRoot: '/var/task',
      optRoot: '/opt',
      runtimeDir: '/var/runtime',
      languageDir: null,
      temporaryDir: '/tmp',
    };
    if (host.driver.forks === 'prepared') {
      this.prepareFork = async () => {
        await host.faults.prepareFork?.();
        if (this.binding !== null) throw new Error('the function may have run');
        this.isPrepared = true;
      };
    }
    if (host.driver.forks !== 'none') {
      this.startFork = async (source) => {
        await host.faults.fork?.();
        const { isPrepared } = source.sandbox as ScriptedSandbox;
        if (host.driver.forks === 'prepared' && !isPrepared) throw new Error('not prepared');
        host.forks.push(source);
        return this.start({ argv: [], env: {}, cwd: '/', channel: true });
      };
    }
  }

  async bind(binding: SandboxBinding): Promise<void> {
    if (this.binding !== null) throw new Error('a sandbox is bound once');
    this.binding = binding;
    await this.host.faults.bind?.();
  }

  start(command: SandboxCommand): Promise<SandboxProcess> {
    const started = this.#start(command);
    this.#starting = started.catch(() => undefined);
    return started;
  }

  async #start(command: SandboxCommand): Promise<SandboxProcess> {
    if (this.running !== null) throw new Error('a sandbox runs one process');
    if (this.isDestroyed) throw new Error('the sandbox is destroyed');
    const runtime = new ScriptedRuntime(this, command);
    this.running = runtime;
    try {
      await this.host.faults.start?.();
    } catch (error) {
      this.running = null;
      throw error;
    }
    this.host.runtimes.push(runtime);
    this.host.played(runtime);
    return runtime.process;
  }

  async startBeside(command: SandboxCommand): Promise<SandboxProcess> {
    if (this.isDestroyed) throw new Error('the sandbox is destroyed');
    await this.host.faults.startBeside?.();
    const extension = new ScriptedExtension(this, command);
    this.beside.push(extension);
    this.host.extensionScript(extension);
    return extension.process;
  }

  async kill(): Promise<void> {
    await this.host.faults.kill?.();
    this.#endAll();
  }

  #endAll(): void {
    for (const extension of this.beside.splice(0))
      extension.exit({ code: null, signal: 'SIGKILL' });
    this.running?.exit({ signal: 'SIGKILL' });
  }

  async connect(port: number): Promise<Socket> {
    return this.host.connect(port);
  }

  async serve(server: Server): Promise<string> {
    await this.host.faults.serve?.();
    this.host.serve(server, this);
    return '127.0.0.1:9001';
  }

  async setCpus(cpus: number | null): Promise<void> {
    await this.host.faults.setCpus?.();
    this.cpus = cpus;
  }

  freeze(): void {
    void this.host.faults.freeze?.();
    this.isFrozen = true;
  }

  thaw(): void {
    void this.host.faults.thaw?.();
    this.isFrozen = false;
  }

  memoryPeakBytes(): number {
    return this.peakBytes;
  }

  async destroy(): Promise<void> {
    await this.#starting;
    this.#endAll();
    this.isDestroyed = true;
    await this.host.faults.destroy?.();
    this.host.destroyed.push(this);
  }
}

export class ScriptedHost {
  readonly sandboxes: ScriptedSandbox[] = [];
  readonly destroyed: ScriptedSandbox[] = [];
  /** What was asked for copies. */
  readonly forks: ForkSource[] = [];
  /** Every process, in the order of their starts. */
  readonly runtimes: ScriptedRuntime[] = [];
  readonly faults: Faults = {
    ...{ create: null, serve: null, bind: null, start: null, startBeside: null, setCpus: null },
    ...{ prepareFork: null, fork: null, kill: null, freeze: null, thaw: null, destroy: null },
  };
  /** Plays each extension's process, from its start. */
  extensionScript: (extension: ScriptedExtension) => void = () => undefined;
  /** Nobody listens inside, unless a test does. */
  connect: (port: number) => Promise<Socket> = (port) =>
    Promise.reject(Object.assign(new Error(`nobody at ${port}`), { code: 'ECONNREFUSED' }));
  /** Plays each runtime process, from its start. */
  script: (runtime: ScriptedRuntime) => void = () => undefined;
  readonly #sandboxOf = new Map<Server, ScriptedSandbox>();
  #watchers: { readonly count: number; readonly reached: () => void }[] = [];

  readonly driver: SandboxDriver & { forks: ForkKind } = {
    name: 'process',
    notices: [],
    /** A test that wants copies sets it before anything is made. */
    forks: 'none',
    standbyMemoryMb: 0,
    create: async (spec) => {
      await this.faults.create?.();
      const sandbox = new ScriptedSandbox(this, spec);
      this.sandboxes.push(sandbox);
      return sandbox;
    },
    sweep: () =>
      Promise.resolve({ processes: 0, mounts: 0, cgroups: 0, networkDevices: 0, folders: 0 }),
    close: async () => {
      await Promise.all(this.living().map((sandbox) => sandbox.destroy()));
    },
  };

  readonly transports: RuntimeTransports = {
    openChannel: (stream) => {
      const runtime = this.runtimes.find(({ process }) => process.channel === stream);
      if (runtime === undefined) throw new Error('whose channel is that?');
      return runtime.createChannel();
    },
    createHttpApi: () => {
      const server = createServer();
      return {
        server,
        attach: (port, extensions) => {
          const sandbox = this.#sandboxOf.get(server);
          if (sandbox === undefined) return;
          sandbox.port = port;
          sandbox.extensions = extensions;
        },
        close: () => undefined,
      };
    },
  };

  readonly catalog: RuntimeCatalog = {
    find: (id) => ({ available: true, runtime: scriptedRuntime(id) }),
    list: () => [],
  };

  serve(server: Server, sandbox: ScriptedSandbox): void {
    this.#sandboxOf.set(server, sandbox);
  }

  /** Sandboxes that still exist. */
  living(): ScriptedSandbox[] {
    return this.sandboxes.filter((sandbox) => !this.destroyed.includes(sandbox));
  }

  played(runtime: ScriptedRuntime): void {
    this.script(runtime);
    const reached = this.#watchers.filter(({ count }) => this.runtimes.length >= count);
    this.#watchers = this.#watchers.filter((watcher) => !reached.includes(watcher));
    for (const watcher of reached) watcher.reached();
  }

  /** The `count`th process (from 1), once it has been started and the server knows it. */
  async started(count: number): Promise<ScriptedRuntime> {
    if (this.runtimes.length < count) {
      await new Promise<void>((resolve) => {
        this.#watchers.push({ count, reached: resolve });
      });
    }
    await turns();
    const runtime = this.runtimes[count - 1];
    if (runtime === undefined) throw new Error('no such process');
    return runtime;
  }
}

/** Boots, is ready at once, and answers every event with itself. */
export function obedient(runtime: ScriptedRuntime): void {
  runtime.booted.resolve();
  runtime.onInit = () => queueMicrotask(() => runtime.next());
  runtime.onInvoke = ({ payload }) => {
    queueMicrotask(() => {
      runtime.respond(payload.toString());
      runtime.next();
    });
  };
}

/** As `obedient`, for versions with SnapStart: initialised to the snapshot point, ready when restored. */
export function snapshotting(runtime: ScriptedRuntime): void {
  obedient(runtime);
  runtime.onInit = () => queueMicrotask(() => runtime.snapshot());
  runtime.onRestore = () => queueMicrotask(() => runtime.next());
}

/** Boots, is ready at once, and answers when the test says so. */
export function patient(runtime: ScriptedRuntime): void {
  runtime.booted.resolve();
  runtime.onInit = () => queueMicrotask(() => runtime.next());
}

/** 'provided' ids are custom runtimes, all others managed ones. */
export function scriptedRuntime(id: string): InstalledRuntime {
  const isCustom = id.startsWith('provided');
  return {
    id,
    language: isCustom ? 'provided' : 'nodejs',
    version: '24.0.0',
    kind: isCustom ? 'custom' : 'managed',
    languageDir: null,
    executable: '/usr/bin/runtime',
    runtimeDir: '/host/runtime',
    bootArguments: ['{runtime}/bootstrap'],
    bootEnvironment: {},
  };
}

/** Some turns of the event loop: all that is ready to happen has happened. */
export async function turns(count = 8): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
