/**
 * What runs in one environment's sandbox: the runtime's process and the extensions. Starts both in the
 * documented order, tells when one of them fails, and ends all of them, gracefully where somebody is
 * there to be told (guide pages 045, 052).
 */
import { assert } from '../base/assert.ts';
import { within, type Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { ProcessExit, SandboxProcess } from '../sandbox/sandbox.ts';
import type { EnvironmentTelemetry } from '../telemetry/environment-telemetry.ts';
import { runtimeInit, type EnvironmentSetup } from './environment-setup.ts';
import { extensionVariables } from './environment-variables.ts';
import { extensionPath } from './extension-files.ts';
import type { ShutdownReason } from './extension-port.ts';
import { Extensions } from './extensions.ts';
import { hostFault, type Fault } from './faults.ts';
import { OutputDrain } from './output-drain.ts';
import type { RuntimePort } from './runtime-port.ts';
import { findBootstrap, type RunningRuntime, type RuntimeSandbox } from './runtime-sandbox.ts';
import { changedVariables, type HeldRuntime } from './held-runtime.ts';

export interface ProcessesListener {
  /** Something that should run does not; told of each failure, but of none that `end` brings about. */
  onFailure(fault: Fault): void;
  /** An extension waits for its next event. */
  onExtensionNext(): void;
}

/** From a channel's end to the end of a process that lives on: one that is exiting has its own status. */
const channelGraceMs = 1000;

export class EnvironmentProcesses {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #runtimeSandbox: RuntimeSandbox;
  readonly #setup: EnvironmentSetup;
  readonly #telemetry: EnvironmentTelemetry;
  readonly #port: RuntimePort;
  readonly #listener: ProcessesListener;
  readonly #drain = new OutputDrain();
  #variables: Readonly<Record<string, string>> = {};
  #running: RunningRuntime | null = null;
  /** The runtime is at its snapshot point and is restored from there, not initialised. */
  #held: HeldRuntime | null = null;
  #hasStartedRuntime = false;
  #extensions: Extensions;
  /** The start that is under way; never rejects. */
  #starting: Promise<void> = Promise.resolve();
  /** The end that is under way. */
  #ending: Promise<void> | null = null;
  /** The host no longer knows what became of a process: nothing can be started any more. */
  #lost: Error | null = null;

  constructor(
    clock: Clock,
    random: Random,
    log: Log,
    runtimeSandbox: RuntimeSandbox,
    options: {
      setup: EnvironmentSetup;
      telemetry: EnvironmentTelemetry;
      port: RuntimePort;
      listener: ProcessesListener;
    },
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
    this.#runtimeSandbox = runtimeSandbox;
    this.#setup = options.setup;
    this.#telemetry = options.telemetry;
    this.#port = options.port;
    this.#listener = options.listener;
    this.#extensions = this.#createExtensions([]);
  }

  /** Of the Init that is under way or was last. */
  get extensions(): Extensions {
    return this.#extensions;
  }

  /** There is a runtime that may speak: it has been started and is not being ended. */
  get hasRuntime(): boolean {
    return this.#running !== null && this.#ending === null;
  }

  /** In the Init that is under way or was last. */
  get hasStartedRuntime(): boolean {
    return this.#hasStartedRuntime;
  }

  get isEnding(): boolean {
    return this.#ending !== null;
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** What somebody found out: nothing can be started any more. */
  lose(error: Error): void {
    this.#lost ??= error;
  }

  /** The sandbox is bound: its paths are known. A `booted` runtime process is the first one. */
  bound(booted: RunningRuntime | null): void {
    this.#variables = this.#setup.variables(this.#runtimeSandbox.sandbox.paths);
    if (booted !== null) this.#adopt(booted);
  }

  /** As `bound`, for a runtime that `start` will restore from its snapshot point. */
  boundTo(held: HeldRuntime): void {
    this.bound(held.running);
    this.#held = held;
  }

  // ---- starting ----

  /** Extensions, then the runtime, then the function. What fails on the way is told as a failure. */
  start(): void {
    this.#extensions = this.#createExtensions(this.#setup.extensions);
    this.#starting = this.#start(this.#extensions).catch((error: unknown) =>
      this.#listener.onFailure(hostFault(error)),
    );
  }

  /** Once what `start` does is done. */
  get started(): Promise<void> {
    return this.#starting;
  }

  async #start(extensions: Extensions): Promise<void> {
    this.#hasStartedRuntime = false;
    if (this.#lost !== null) throw this.#lost;
    if (!(await extensions.launch())) return;
    this.#hasStartedRuntime = true;
    await this.#startRuntime();
  }

  #createExtensions(names: readonly string[]): Extensions {
    return new Extensions(this.#clock, this.#random, names, {
      start: (name) => this.#startExtension(name),
      onFailure: (fault) => void this.#onExtensionFailure(fault),
      onNext: () => this.#listener.onExtensionNext(),
    });
  }

  async #startExtension(name: string): Promise<SandboxProcess> {
    const { sandbox } = this.#runtimeSandbox;
    const process = await sandbox.startBeside({
      argv: [extensionPath(sandbox.paths.optRoot, name)],
      env: extensionVariables(this.#variables),
      cwd: '/',
      channel: false,
    });
    this.#drain.watch(process.output, (bytes) => this.#telemetry.extensionOutput(name, bytes));
    return process;
  }

  /** What it said before it ended may still be on its way up. */
  async #onExtensionFailure(fault: Fault): Promise<void> {
    const extensions = this.#extensions;
    await this.#drain.settle();
    if (this.#extensions === extensions && this.#ending === null) this.#listener.onFailure(fault);
  }

  async #startRuntime(): Promise<void> {
    const variables = this.#variables;
    const sandbox = this.#runtimeSandbox;
    if (this.#held !== null) {
      const env = changedVariables(this.#held.variables, variables);
      this.#held.restore({ env, optRoot: sandbox.sandbox.paths.optRoot });
      return;
    }
    if (sandbox.runtime.kind === 'custom') {
      await this.#startBootstrap();
      return;
    }
    if (this.#running === null) this.#adopt(await sandbox.startManaged(variables));
    const { paths } = sandbox.sandbox;
    this.#running?.channel?.sendInit(runtimeInit(this.#setup, paths, this.#running, variables));
  }

  async #startBootstrap(): Promise<void> {
    const { binding } = this.#setup;
    const { sandbox } = this.#runtimeSandbox;
    const bootstrap = await findBootstrap(sandbox, binding);
    if (bootstrap === null) {
      const { taskRoot, optRoot } = sandbox.paths;
      const message = `Couldn't find valid bootstrap(s): [${taskRoot}/bootstrap ${optRoot}/bootstrap]`;
      this.#listener.onFailure({ type: 'invalidEntrypoint', message });
      return;
    }
    try {
      this.#adopt(await this.#runtimeSandbox.startCustom(bootstrap, this.#variables));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'SandboxStartError') throw error;
      const message = `fork/exec ${bootstrap}: ${error.message}`;
      this.#listener.onFailure({ type: 'invalidEntrypoint', message });
    }
  }

  #adopt(running: RunningRuntime): void {
    assert(this.#running === null, 'an environment has one runtime');
    this.#running = running;
    this.#drain.watch(running.process.output, (bytes) => this.#telemetry.functionOutput(bytes));
    running.channel?.attach(this.#port);
    running.process.exited.then(
      (exit) => this.#onExit(running, exit),
      (error: unknown) => this.#onLost(running, error),
    );
    if (!running.isWrapped) void running.channel?.closed.then(() => this.#onChannelClosed(running));
  }

  // ---- failures ----

  async #onExit(running: RunningRuntime, exit: ProcessExit): Promise<void> {
    // What the process said before it ended may still be on its way up.
    await this.#drain.settle();
    if (this.#running !== running || this.#ending !== null) return;
    this.#running = null;
    running.channel?.close();
    this.#listener.onFailure(exit.outOfMemory ? { type: 'outOfMemory' } : { type: 'exit', exit });
  }

  /** Nobody can tell how the process ended, or whether it did. */
  #onLost(running: RunningRuntime, error: unknown): void {
    const { id } = this.#runtimeSandbox.sandbox;
    this.#log.error({ error, sandbox: id }, 'lost track of a runtime');
    const fault = hostFault(error);
    this.#lost ??= fault.cause;
    if (this.#running !== running) return;
    this.#running = null;
    this.#listener.onFailure(fault);
  }

  /** A managed runtime without its channel can neither get an event nor answer one. */
  #onChannelClosed(running: RunningRuntime): void {
    if (this.#running !== running) return;
    this.#clock.schedule(channelGraceMs, () => {
      // How this ends, `exited` tells.
      if (this.#running === running) running.process.kill().catch(() => undefined);
    });
  }

  // ---- output ----

  /** Takes what the runtime's pipe holds already. */
  drainOutput(): void {
    this.#running?.process.drainOutput();
  }

  /** Resolves once all output that was written so far has been read. */
  settleOutput(): Promise<void> {
    return this.#drain.settle();
  }

  // ---- ending ----

  /**
   * Ends everything that runs; /tmp stays. Without extensions at once; with some the runtime gets SIGTERM
   * and its share of the time, then they get SHUTDOWN, and what is left then is killed. Joins an end that
   * is under way. Rejects when the host failed.
   */
  end(reason: ShutdownReason): Promise<void> {
    this.#ending ??= this.#end(reason).finally(() => {
      this.#ending = null;
    });
    return this.#ending;
  }

  async #end(reason: ShutdownReason): Promise<void> {
    const extensions = this.#extensions;
    extensions.beginEnding();
    // What is being started can be ended only once it is there.
    await this.#starting;
    const running = this.#running;
    this.#running = null;
    if (extensions.isEmpty) {
      running?.channel?.close();
      await running?.process.kill();
    } else {
      await this.#endGracefully(running, extensions, reason);
      this.#extensions = this.#createExtensions([]);
    }
    await this.#telemetry.reset();
  }

  async #endGracefully(
    running: RunningRuntime | null,
    extensions: Extensions,
    reason: ShutdownReason,
  ): Promise<void> {
    const { shutdownMsMax, runtimeShutdownMsMax } = extensions;
    const endsAtMs = this.#clock.monotonicMs() + shutdownMsMax;
    running?.process.signal('SIGTERM');
    // Who listens should have heard all before it is told that it is over.
    const first = Promise.allSettled([running?.process.exited, this.#telemetry.flush()]);
    await within(this.#clock, runtimeShutdownMsMax, first);
    running?.process.signal('SIGKILL');
    await extensions.shutDown(reason, Math.max(0, endsAtMs - this.#clock.monotonicMs()));
    running?.channel?.close();
    await this.#runtimeSandbox.sandbox.kill();
    await this.#drain.settle();
  }

  /** Ends everything at once and takes the sandbox off the host. */
  async destroy(): Promise<void> {
    this.#extensions.beginEnding();
    this.#running?.channel?.close();
    this.#running = null;
    await this.#runtimeSandbox.destroy();
  }
}
