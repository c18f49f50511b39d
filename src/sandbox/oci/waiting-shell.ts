/**
 * A container whose first process is a shell that waits for one line on its standard input: the command,
 * which it becomes by `exec`. So the process keeps its number, its walls and its streams, and the command
 * gets the sandbox as if it had been started the ordinary way. Meanwhile the container is there: what waits
 * can be made in advance (blank-box.ts), and other processes can run in it before the command does.
 */
import { closeSync, writeSync } from 'node:fs';
import type { SandboxCommand, SandboxLimits } from '../sandbox.ts';
import type { Box } from './box.ts';
import { Container } from './container.ts';
import { envCommand } from './env-command.ts';
import type { OciParts } from './oci-parts.ts';

/** A longer command is started in another way. A pipe takes this much at once, so writing never waits. */
export const LINE_BYTES_MAX = 32 * 1024;

/** What is in its environment goes when it becomes the command; without HOME the runtime would add that. */
const SHELL: SandboxCommand = { argv: ['/bin/sh'], env: { HOME: '/' }, cwd: '/', channel: true };

export class WaitingShell {
  readonly container: Container;
  #inputFd: number | null;
  #hasRun = false;

  private constructor(container: Container) {
    this.container = container;
    this.#inputFd = container.first.streams.inputFd;
    const discard = (): void => this.#discard();
    container.ended.then(discard, discard);
  }

  /** Rejects with SandboxStartError. */
  static async start(parts: OciParts, box: Box, limits: SandboxLimits): Promise<WaitingShell> {
    const options = { limits, command: SHELL, withInput: true };
    return new WaitingShell(await Container.start(parts, box, options));
  }

  /**
   * Makes the shell become the command. False when that has to be started in another way: the shell has
   * died, or the command is one of the few that cannot be passed on like this.
   */
  run(command: SandboxCommand): boolean {
    const line = shellLine(command);
    if (line === null || !this.container.first.isRunning) return false;
    if (!this.#write(line)) return false;
    this.#hasRun = true;
    if (!command.channel) this.container.first.streams.channel?.destroy();
    return true;
  }

  #write(line: string): boolean {
    if (this.#inputFd === null) return false;
    try {
      writeSync(this.#inputFd, line);
      return true;
    } catch {
      return false; // the shell has ended meanwhile
    } finally {
      this.#closeInput();
    }
  }

  #closeInput(): void {
    if (this.#inputFd !== null) closeSync(this.#inputFd);
    this.#inputFd = null;
  }

  /** Ends a container that has not run the command; nothing of it is left then. */
  async end(): Promise<void> {
    this.#closeInput();
    this.container.kill();
    await this.container.forgotten;
  }

  /** The container is gone. The streams are the command's, if it ever had them. */
  #discard(): void {
    this.#closeInput();
    if (this.#hasRun) return;
    const { streams } = this.container.first;
    streams.output.destroy();
    streams.channel?.destroy();
  }
}

/**
 * The line that makes a POSIX shell become the command, with exactly its environment and nothing open but
 * its own descriptors; null when no line can say it.
 */
export function shellLine(command: SandboxCommand): string | null {
  const { argv, env, cwd, channel } = command;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if ('' in env) return null; // `env` refuses a variable without a name
  const words = envCommand(['-i', '--', ...variables], argv)
    .map(quote)
    .join(' ');
  // The shell keeps a descriptor that it moved away closed for what it executes.
  const streams = channel ? '</dev/null' : '</dev/null 3>&-';
  const line = `cd -P -- ${quote(cwd)} && exec ${words} ${streams}\n`;
  if (line.includes('\0') || Buffer.byteLength(line) > LINE_BYTES_MAX) return null;
  return line;
}

/** One word for a shell, whatever it holds. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
