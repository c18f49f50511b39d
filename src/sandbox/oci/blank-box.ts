/**
 * A box whose container already runs and belongs to nothing: the OCI runtime's time, most of a cold
 * start, has been paid in advance. Its main process is a shell that waits for one line on its standard
 * input: the command, which it becomes by `exec`. So the process keeps its number, its walls and its
 * streams, and the command gets the sandbox as if it had been started the ordinary way.
 */
import { closeSync, writeSync } from 'node:fs';
import { limits as quotas } from '../../model/limits.ts';
import type { SandboxCommand, SandboxLimits } from '../sandbox.ts';
import { Box } from './box.ts';
import { Container } from './container.ts';
import { envCommand } from './env-command.ts';
import type { OciParts } from './oci-parts.ts';

/** A longer command is started the ordinary way. A pipe takes this much at once, so writing never waits. */
export const LINE_BYTES_MAX = 32 * 1024;

/** What a box has until it is given its sandbox's: enough for a shell. */
export const BLANK_LIMITS: SandboxLimits = {
  memoryMb: quotas.memorySizeMbMin,
  cpus: null,
  temporaryStorageMb: quotas.ephemeralStorageMbDefault,
};

/** What is in its environment goes when it becomes the command; without HOME the runtime would add that. */
const SHELL: SandboxCommand = { argv: ['/bin/sh'], env: { HOME: '/' }, cwd: '/', channel: true };

export class BlankBox {
  readonly box: Box;
  readonly container: Container;
  #inputFd: number | null;

  private constructor(box: Box, container: Container) {
    this.box = box;
    this.container = container;
    this.#inputFd = container.streams.inputFd;
  }

  static async create(parts: OciParts, name: string): Promise<BlankBox> {
    const box = await Box.create(parts, name, BLANK_LIMITS.temporaryStorageMb);
    try {
      const options = { limits: BLANK_LIMITS, command: SHELL, withInput: true };
      return new BlankBox(box, await Container.start(parts, box, options));
    } catch (error) {
      box.remove();
      throw error;
    }
  }

  /**
   * Makes the shell become the command. False when it has to be started the ordinary way: the shell
   * has died, or the command is one of the few that cannot be passed on like this.
   */
  run(command: SandboxCommand): boolean {
    const line = shellLine(command);
    if (line === null || !this.container.isRunning) return false;
    if (!this.#write(line)) return false;
    if (!command.channel) this.container.streams.channel?.destroy();
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

  /** Ends the container without its having run anything; the box stays. */
  async endContainer(): Promise<void> {
    this.#closeInput();
    const { container } = this;
    if (container.isRunning) container.kill();
    await container.forgotten;
    container.streams.output.destroy();
    container.streams.channel?.destroy();
  }

  /** Ends the container and takes the box off the host. */
  async destroy(): Promise<void> {
    await this.endContainer();
    this.box.remove();
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
