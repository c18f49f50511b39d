/** Drives an OCI runtime (runc, crun, ...) by its command line. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { ProcessStreams } from '../process-streams.ts';
import { SandboxStartError } from '../sandbox.ts';
import { runCommand, TOOL_ENVIRONMENT } from './command.ts';

/** A start that takes longer than this is given up. */
const START_TIMEOUT_MS = 20_000;

/** What one process of a container is started with. */
export interface ExecSettings {
  readonly container: string;
  /** Folder for the runtime's files, and a name for them that no other start has at the same time. */
  readonly folder: string;
  readonly name: string;
  /** `process` of config.json. */
  readonly process: object;
}

export class ContainerRuntime {
  readonly #clock: Clock;
  readonly #path: string;
  readonly #stateFolder: string;

  /** `stateFolder` is where the runtime keeps what it knows about containers (`--root`). */
  constructor(clock: Clock, path: string, stateFolder: string) {
    this.#clock = clock;
    this.#path = path;
    this.#stateFolder = stateFolder;
  }

  /**
   * Makes and starts the container of `bundle` and leaves it running without any process of the runtime.
   * Resolves with the host's number of its process, a child of this process from now on. Throws
   * SandboxStartError with the runtime's own last words.
   */
  run(container: string, bundle: string, streams: ProcessStreams): Promise<number> {
    const files = { pidFile: join(bundle, 'pid'), logFile: join(bundle, 'runtime.log') };
    return this.#launch('run', ['--bundle', bundle], container, streams, files);
  }

  /** Starts one more process in a running container; result and errors as of `run`. */
  async exec(settings: ExecSettings, streams: ProcessStreams): Promise<number> {
    const fileFor = (kind: string): string => join(settings.folder, `${settings.name}.${kind}`);
    const [processFile, pidFile, logFile] = [fileFor('json'), fileFor('pid'), fileFor('log')];
    writeFileSync(processFile, JSON.stringify(settings.process), { mode: 0o600 });
    try {
      const options = ['--process', processFile];
      const files = { pidFile, logFile };
      return await this.#launch('exec', options, settings.container, streams, files);
    } catch (error) {
      killStarted(pidFile);
      throw error;
    } finally {
      for (const file of [processFile, pidFile, logFile]) rmSync(file, { force: true });
    }
  }

  async #launch(
    verb: 'run' | 'exec',
    options: readonly string[],
    container: string,
    streams: ProcessStreams,
    { pidFile, logFile }: { readonly pidFile: string; readonly logFile: string },
  ): Promise<number> {
    rmSync(logFile, { force: true });
    const preserved = streams.channel === null ? [] : ['--preserve-fds', '1'];
    const args = ['--root', this.#stateFolder, '--log', logFile, verb, '--detach'];
    args.push('--pid-file', pidFile, ...options, ...preserved, container);
    const code = await this.#spawn(args, streams);
    if (code === 0) return Number(readFileSync(pidFile, 'latin1'));
    throw new SandboxStartError(`cannot start the process: ${lastMessage(logFile)}`);
  }

  #spawn(args: readonly string[], streams: ProcessStreams): Promise<number | null> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.#path, args, {
        env: TOOL_ENVIRONMENT,
        stdio: [...streams.stdio],
        detached: true, // not in the terminal's group: Ctrl-C is for the server
      });
      streams.releaseChildEnds();
      const timer = this.#clock.schedule(START_TIMEOUT_MS, () => child.kill('SIGKILL'));
      child.once('error', (error) => {
        timer.cancel();
        reject(
          new SandboxStartError(`cannot run ${this.#path}: ${error.message}`, { cause: error }),
        );
      });
      child.once('exit', (code) => {
        timer.cancel();
        resolve(code);
      });
    });
  }

  /**
   * Makes the runtime forget a container whose processes have ended. Errors are ignored. All that runc
   * and crun keep is a folder (their control groups are removed here anyway); starting them for that would
   * cost ten milliseconds of CPU. Other runtimes keep processes and mounts of their own.
   */
  async delete(container: string): Promise<void> {
    const keepsOnlyFolder = ['runc', 'crun'].includes(basename(this.#path));
    if (!keepsOnlyFolder) await this.#runDelete(container);
    rmSync(join(this.#stateFolder, container), { recursive: true, force: true });
  }

  async #runDelete(container: string): Promise<void> {
    const args = ['--root', this.#stateFolder, 'delete', '--force', container] as const;
    await runCommand(this.#clock, [this.#path, ...args]).catch(() => {});
  }
}

/** A runtime that failed late may have left the process running, unreaped and so with its number. */
function killStarted(pidFile: string): void {
  try {
    process.kill(Number(readFileSync(pidFile, 'latin1')), 'SIGKILL');
  } catch {
    // It was not started, or has ended.
  }
}

/** The text of the log's last line: `time="..." level=error msg="..."`. */
function lastMessage(logFile: string): string {
  let text = '';
  try {
    text = readFileSync(logFile, 'utf8').trim();
  } catch {
    return 'the OCI runtime left no message';
  }
  const line = text.split('\n').at(-1) ?? '';
  const quoted = /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  return quoted === undefined ? line : quoted.replaceAll(/\\(.)/g, '$1');
}
