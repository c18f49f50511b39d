/** An environment that is on this host, with what it holds until it has been stopped: code and room. */
import { deferred } from '../base/deferred.ts';
import type { Log } from '../base/log.ts';
import type { ExecutionEnvironment } from './environment.ts';
import type { OpenVersion } from './open-version.ts';

export interface ResidentHolds {
  readonly code: OpenVersion;
  /** Its room will be free. */
  readonly onStopping: () => void;
  /** Nothing of it is left, and its code is released. */
  readonly onStopped: () => void;
}

export class Resident {
  readonly environment: ExecutionEnvironment;
  /** Its version is out of date or gone: it takes no further invocation. */
  retired: boolean;
  readonly #log: Log;
  readonly #holds: ResidentHolds;
  #stopped: Promise<void> | null = null;

  constructor(
    log: Log,
    environment: ExecutionEnvironment,
    options: ResidentHolds & { readonly retired: boolean },
  ) {
    this.#log = log;
    this.environment = environment;
    this.retired = options.retired;
    this.#holds = options;
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
    this.#holds.onStopping();
    try {
      await this.environment.stop();
    } catch (error) {
      this.#log.error({ error, sandbox: this.environment.id }, 'could not stop an environment');
    }
    this.#holds.code.release();
    this.#holds.onStopped();
  }
}
