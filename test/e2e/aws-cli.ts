/**
 * Clients that nobody here wrote, as they are on this machine: whether they are there, and the AWS CLI
 * as its users type it, by whole shell command lines.
 */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** No command takes longer, or something hangs. */
const commandMsMax = 120_000;

/**
 * A reason to skip, or false: under CI=true a missing client is a failure, not a skip.
 */
export function missing(command: string, args: readonly string[], what: string): string | false {
  const found = spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  return found || process.env['CI'] === 'true' ? false : `${what} is not installed on this machine`;
}

/** How a command failed. */
export interface Refusal {
  readonly status: number;
  readonly stderr: string;
}

/** Lines are a shell's, so they may quote and pipe; `aws` has the option --endpoint-url added. */
export class AwsCli {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  /** Commands run in `folder`, against the server at `url`, whatever the user of this machine set. */
  constructor(url: string, folder: string) {
    this.#folder = folder;
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
    this.#env = {
      ...Object.fromEntries(own),
      ENDPOINT: url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_PAGER: '',
      AWS_MAX_ATTEMPTS: '1',
    };
  }

  /** What the line printed on standard output; rejects with standard error when it failed. */
  async text(line: string): Promise<string> {
    const script = `aws() { command aws "$@" --endpoint-url "$ENDPOINT"; }\n${line}`;
    const options = { cwd: this.#folder, env: this.#env, timeout: commandMsMax };
    return (await run('sh', ['-c', script], options)).stdout;
  }

  /** The same as JSON, the CLI's own default; `{}` when nothing was printed. */
  async json<T = Record<string, unknown>>(line: string): Promise<T> {
    return JSON.parse((await this.text(line)) || '{}') as T;
  }

  /** The exit status and standard error of a line that must fail. */
  async refusal(line: string): Promise<Refusal> {
    let stdout: string;
    try {
      stdout = await this.text(line);
    } catch (error) {
      const { code, stderr } = error as { code: number; stderr: string };
      return { status: code, stderr };
    }
    throw new Error(`${line} succeeded with ${stdout}`);
  }
}
