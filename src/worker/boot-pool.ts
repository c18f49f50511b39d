/**
 * Booted sandboxes waiting to be bound, per runtime: cold starts paid in advance (ADR 0004).
 *
 * A runtime is kept warm once a function of it is known. What is taken is replaced in the background,
 * one at a time, when `refill` is called; a sandbox that is taken is bound to one function version
 * and never comes back.
 */
import type { Log } from '../base/log.ts';
import type { RunningRuntime, RuntimeSandbox } from './runtime-sandbox.ts';

export interface BootedRuntime {
  readonly runtimeSandbox: RuntimeSandbox;
  readonly running: RunningRuntime;
}

export interface BootPoolOptions {
  /** Sandboxes held per runtime; 0 holds none. */
  readonly size: number;
  /** Makes one booted sandbox of a runtime. */
  readonly boot: (runtimeId: string) => Promise<BootedRuntime>;
}

/**
 * After this many sandboxes in a row that did not boot, or died before anyone took them, a runtime is
 * no longer kept warm until it is wanted anew.
 */
const failuresMax = 3;

interface Shelf {
  readonly booted: BootedRuntime[];
  filling: Promise<void> | null;
  failures: number;
}

export class BootPool {
  readonly #log: Log;
  readonly #options: BootPoolOptions;
  readonly #shelves = new Map<string, Shelf>();
  #closed = false;

  constructor(log: Log, options: BootPoolOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** From now on sandboxes of this runtime are kept ready. */
  want(runtimeId: string): void {
    const shelf = this.#shelf(runtimeId);
    shelf.failures = 0;
    this.#fill(runtimeId, shelf);
  }

  /** A booted sandbox that is still alive, or undefined: then the caller starts one itself. */
  take(runtimeId: string): BootedRuntime | undefined {
    const shelf = this.#shelves.get(runtimeId);
    const taken = shelf?.booted.pop();
    if (shelf !== undefined && taken !== undefined) shelf.failures = 0;
    return taken;
  }

  /**
   * Replaces what was taken. Not a part of `take`: starting a process holds up the cold start that
   * the taken one is for.
   */
  refill(runtimeId: string): void {
    const shelf = this.#shelves.get(runtimeId);
    if (shelf !== undefined) this.#fill(runtimeId, shelf);
  }

  /** Resolves once every shelf is as full as it gets; for tests, benchmarks and a quiet start. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.#shelves.values(), (shelf) => shelf.filling));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
    const all = Array.from(this.#shelves.values()).flatMap((shelf) => shelf.booted.splice(0));
    await Promise.all(all.map((booted) => this.#destroy(booted)));
  }

  async #destroy({ runtimeSandbox }: BootedRuntime): Promise<void> {
    try {
      await runtimeSandbox.destroy();
    } catch (error) {
      this.#log.error({ error }, 'could not remove a sandbox that was booted in advance');
    }
  }

  #shelf(runtimeId: string): Shelf {
    const known = this.#shelves.get(runtimeId);
    if (known !== undefined) return known;
    const shelf: Shelf = { booted: [], filling: null, failures: 0 };
    this.#shelves.set(runtimeId, shelf);
    return shelf;
  }

  #isShort({ booted, failures }: Shelf): boolean {
    return !this.#closed && booted.length < this.#options.size && failures < failuresMax;
  }

  #fill(runtimeId: string, shelf: Shelf): void {
    if (shelf.filling === null && this.#isShort(shelf)) {
      shelf.filling = this.#fillShelf(runtimeId, shelf);
    }
  }

  async #fillShelf(runtimeId: string, shelf: Shelf): Promise<void> {
    while (this.#isShort(shelf)) {
      try {
        this.#put(runtimeId, shelf, await this.#options.boot(runtimeId));
      } catch (error) {
        shelf.failures += 1;
        this.#log.warn({ error, runtime: runtimeId }, 'could not boot a sandbox in advance');
      }
    }
    // At once after the last look at the shelf: a refill that is asked for from now on is a new one.
    shelf.filling = null;
  }

  #put(runtimeId: string, shelf: Shelf, booted: BootedRuntime): void {
    shelf.booted.push(booted);
    const onEnd = (): void => this.#discard(runtimeId, shelf, booted);
    booted.running.process.exited.then(onEnd, onEnd);
  }

  /** A booted process died on the shelf. */
  #discard(runtimeId: string, shelf: Shelf, booted: BootedRuntime): void {
    const index = shelf.booted.indexOf(booted);
    if (index === -1) return;
    shelf.booted.splice(index, 1);
    shelf.failures += 1;
    this.#log.warn({ runtime: runtimeId }, 'a sandbox that was booted in advance has died');
    void this.#destroy(booted);
    this.#fill(runtimeId, shelf);
  }
}
