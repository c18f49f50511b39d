/**
 * A sandbox together with the runtime in it and the two ways to talk to it: the unit that the pool
 * holds unbound and that an execution environment owns once it is bound.
 */
import { constants } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { assert } from '../base/assert.ts';
import type {
  Sandbox,
  SandboxBinding,
  SandboxDriver,
  SandboxLimits,
  SandboxProcess,
} from '../sandbox/sandbox.ts';
import type { ExtensionPort } from './extension-port.ts';
import type {
  RuntimeChannel,
  RuntimeHttpApi,
  RuntimePort,
  RuntimeTransports,
} from './runtime-port.ts';
import { wrapCommand, wrapperOf } from './exec-wrapper.ts';
import { startArguments, type InstalledRuntime } from './runtimes.ts';

/** The runtime process of one sandbox; replaced by a new one after a reset. */
export interface RunningRuntime {
  readonly process: SandboxProcess;
  /** Null for custom runtimes, which use the HTTP Runtime API. */
  readonly channel: RuntimeChannel | null;
  /** It was started with its function's complete environment: INIT need not bring that. */
  readonly hasEnvironment: boolean;
  /** Its function's wrapper started it, which may run what uses the HTTP Runtime API instead. */
  readonly isWrapped: boolean;
}

export class RuntimeSandbox {
  readonly sandbox: Sandbox;
  readonly runtime: InstalledRuntime;
  /** 'host:port' as seen from inside: AWS_LAMBDA_RUNTIME_API. */
  readonly runtimeApiAddress: string;
  readonly limits: SandboxLimits;
  readonly #transports: RuntimeTransports;
  readonly #httpApi: RuntimeHttpApi;
  /** Of the process started last. */
  #output: Readable | null = null;
  #process: SandboxProcess | null = null;
  #onEnded: () => void = () => undefined;

  private constructor(
    sandbox: Sandbox,
    transports: RuntimeTransports,
    parts: {
      runtime: InstalledRuntime;
      limits: SandboxLimits;
      httpApi: RuntimeHttpApi;
      runtimeApiAddress: string;
    },
  ) {
    this.sandbox = sandbox;
    this.#transports = transports;
    this.runtime = parts.runtime;
    this.limits = parts.limits;
    this.#httpApi = parts.httpApi;
    this.runtimeApiAddress = parts.runtimeApiAddress;
  }

  static async create(
    driver: SandboxDriver,
    transports: RuntimeTransports,
    options: {
      id: string;
      runtime: InstalledRuntime;
      limits: SandboxLimits;
      startsAsCopy?: boolean;
    },
  ): Promise<RuntimeSandbox> {
    const { id, runtime, limits, startsAsCopy = false } = options;
    const { languageDir, runtimeDir } = runtime;
    const sandbox = await driver.create({ id, limits, languageDir, runtimeDir, startsAsCopy });
    const httpApi = transports.createHttpApi();
    try {
      const runtimeApiAddress = await sandbox.serve(httpApi.server);
      return new RuntimeSandbox(sandbox, transports, {
        runtime,
        limits,
        httpApi,
        runtimeApiAddress,
      });
    } catch (error) {
      httpApi.close();
      await sandbox.destroy();
      throw error;
    }
  }

  /** A process of the runtime is there; a reset ends it, and Init starts the next one. */
  get isRunning(): boolean {
    return this.#process !== null;
  }

  /** `listener` is called whenever the runtime's process has ended, for whatever reason. */
  set onEnded(listener: () => void) {
    this.#onEnded = listener;
  }

  /** From now on what the runtime says goes to `port`, and what extensions say to `extensions`. */
  attach(port: RuntimePort, extensions: ExtensionPort | null): void {
    this.#httpApi.attach(port, extensions);
  }

  bind(binding: SandboxBinding): Promise<void> {
    return this.sandbox.bind(binding);
  }

  /** Starts a managed runtime knowing no function and resolves once it has booted. */
  async boot(): Promise<RunningRuntime> {
    const running = await this.#startManaged(this.runtime.bootArguments, null);
    try {
      await running.channel?.booted;
    } catch (error) {
      await running.process.kill();
      throw error;
    }
    return running;
  }

  /** Makes a booted runtime, not yet bound, one that `fork` can copy, where that needs anything. */
  async prepareFork(): Promise<void> {
    await this.sandbox.prepareFork?.();
  }

  /**
   * Starts a managed runtime's process for a function, already bound: with its memory limit, in its
   * complete `environment` and behind the wrapper that this may name (guide page 053).
   */
  startManaged(environment: Readonly<Record<string, string>>): Promise<RunningRuntime> {
    const bootArguments = startArguments(this.runtime, this.limits.memoryMb, environment);
    return this.#startManaged(bootArguments, environment);
  }

  /**
   * Starts a managed runtime's process as a copy of one that waits at its snapshot point, where the
   * copy waits, too. For drivers that fork. Rejects with SandboxStartError.
   */
  async fork(from: RuntimeSandbox, template: RunningRuntime): Promise<RunningRuntime> {
    assert(this.sandbox.startFork !== undefined && template.channel !== null, 'it can be copied');
    const request = template.channel.forkRequest;
    const { sandbox } = from;
    const process = await this.sandbox.startFork({ sandbox, process: template.process, request });
    return { ...this.#opened(process), hasEnvironment: template.hasEnvironment, isWrapped: false };
  }

  /** @param environment the function's; null when that is not known yet */
  async #startManaged(
    bootArguments: readonly string[],
    environment: Readonly<Record<string, string>> | null,
  ): Promise<RunningRuntime> {
    const { paths } = this.sandbox;
    const { runtime } = this;
    const place = (text: string): string =>
      text
        .replaceAll('{runtime}', paths.runtimeDir)
        .replaceAll('{language}', paths.languageDir ?? '');
    const executable =
      paths.languageDir === null ? runtime.executable : join(paths.languageDir, runtime.executable);
    const bootEnvironment = Object.fromEntries(
      Object.entries(runtime.bootEnvironment).map(([name, value]) => [name, place(value)]),
    );
    const argv = [executable, ...bootArguments.map(place)];
    const variables = environment ?? {};
    const process = await this.sandbox.start({
      argv: wrapCommand(argv, variables),
      env: withLibraries(bootEnvironment, variables),
      cwd: environment === null ? paths.temporaryDir : paths.taskRoot,
      channel: true,
    });
    const isWrapped = wrapperOf(variables) !== undefined;
    return { ...this.#opened(process), hasEnvironment: environment !== null, isWrapped };
  }

  #opened(process: SandboxProcess): Pick<RunningRuntime, 'process' | 'channel'> {
    this.#watch(process);
    const channel = process.channel && this.#transports.openChannel(process.channel);
    return { process, channel };
  }

  /** Starts a custom runtime's bootstrap, already bound. */
  async startCustom(
    bootstrap: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<RunningRuntime> {
    const process = await this.sandbox.start({
      argv: [bootstrap],
      env: environment,
      cwd: this.sandbox.paths.taskRoot,
      channel: false,
    });
    this.#watch(process);
    return { process, channel: null, hasEnvironment: true, isWrapped: false };
  }

  #watch(process: SandboxProcess): void {
    this.#process = process;
    this.#output = process.output;
    const onEnd = (): void => {
      if (this.#process !== process) return;
      this.#process = null;
      this.#onEnded();
    };
    process.exited.then(onEnd, onEnd);
  }

  async destroy(): Promise<void> {
    this.#httpApi.close();
    // Output that nobody reads, of a runtime never bound, would keep its pipe open.
    this.#output?.resume();
    await this.sandbox.destroy();
  }
}

/** Both environments, with the interpreter's own libraries first: without them it does not start. */
function withLibraries(
  bootEnvironment: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const all = { ...bootEnvironment, ...environment };
  const own = bootEnvironment['LD_LIBRARY_PATH'];
  if (own === undefined) return all;
  const others = environment['LD_LIBRARY_PATH']?.split(':').filter((path) => path !== own) ?? [];
  return { ...all, LD_LIBRARY_PATH: [own, ...others].join(':') };
}

/**
 * Where a custom runtime's `bootstrap` is: in the code, else in a layer (guide page 021). The answer
 * is a path inside the sandbox, or null when there is none that may be executed.
 */
export async function findBootstrap(
  sandbox: Sandbox,
  binding: SandboxBinding,
): Promise<string | null> {
  const candidates = [
    { host: join(binding.codeDir, 'bootstrap'), inside: join(sandbox.paths.taskRoot, 'bootstrap') },
    ...binding.layerDirs.toReversed().map((layer) => ({
      host: join(layer, 'bootstrap'),
      inside: join(sandbox.paths.optRoot, 'bootstrap'),
    })),
  ];
  for (const { host, inside } of candidates) {
    const found = await stat(host).catch(() => null);
    if (found?.isFile() && (found.mode & constants.S_IXOTH) !== 0) return inside;
  }
  return null;
}
