/** An environment that is on this host, with what it holds until it has been stopped: code and room. */
import { deferred } from '../base/deferred.ts';
import type { Log } from '../base/log.ts';
import type { ExecutionEnvironment } from './environment.ts';
import type { OpenVersion } from './open-version.ts';
import type { RuntimeSandbox } from './runtime-sandbox.ts';

export interface ResidentOptions {
  readonly runtimeSandbox: RuntimeSandbox;
  readonly code: OpenVersion;
  readonly isRetired: boolean;
  readonly expiresAtMs: number;
  /** Its room will be free. */
  readonly onStopping: () => void;
  /** Nothing of it is left, and its code is released. */
  readonly onStopped: () => void;
}

export class Resident {
  readonly environment: ExecutionEnvironment;
  /** Monotonic time from which it takes no further invocation. */
  readonly expiresAtMs: number;
  /** Its version is out of date or gone: it takes no further invocation. */
  isRetired: boolean;
  readonly #log: Log;
  readonly #options: ResidentOptions;
  #stopped: Promise<void> | null = null;

  constructor(log: Log, environment: ExecutionEnvironment, options: ResidentOptions) {
    this.#log = log;
    this.environment = environment;
    this.expiresAtMs = options.expiresAtMs;
    this.isRetired = options.isRetired;
    this.#options = options;
  }

  /** Init has succeeded and the runtime is there still: the next event needs no Init. */
  get isInitialized(): boolean {
    return this.#options.runtimeSandbox.isRunning;
  }

  /** `listener` is called whenever the runtime has ended: the next event would need Init. */
  onRuntimeEnded(listener: () => void): void {
    this.#options.runtimeSandbox.onEnded = listener;
  }

  get isStopping(): boolean {
    return this.#stopped !== null;
  }

  /** Can take another invocation, at this monotonic time. */
  canGoOn(nowMs: number): boolean {
    return this.environment.state === 'Ready' && !this.isRetired && nowMs < this.expiresAtMs;
  }

  /** Takes it apart once, however often it is asked for; resolves, too, when that fails. */
  stop(): Promise<void> {
    if (this.#stopped === null) {
      // Set before stopping begins: what stopping sets off may ask to stop once more.
      const stopped = deferred<void>();
      this.#stopped = stopped.promise;
      void this.#takeApart().then(stopped.resolve);
    }
    return this.#stopped;
  }

  async #takeApart(): Promise<void> {
    this.#options.onStopping();
    try {
      await this.environment.stop();
    } catch (error) {
      this.#log.error({ error, sandbox: this.environment.id }, 'could not stop an environment');
    }
    this.#options.code.release();
    this.#options.onStopped();
  }
}
