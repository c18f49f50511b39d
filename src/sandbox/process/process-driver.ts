/**
 * The portable sandbox driver: plain processes with no walls between them and the host.
 *
 * For laptops and systems where nothing stronger works (macOS, no privileges). It keeps the lifecycle
 * of the seam, not its isolation, and its notices say so.
 */
import { rmSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { instanceIdOf } from '../instance.ts';
import { isLinux } from '../native.ts';
import type { Sandbox, SandboxDriver, SandboxSpec, SweepReport } from '../sandbox.ts';
import { instanceMark, killMarked } from './process-mark.ts';
import { ProcessSandbox } from './process-sandbox.ts';

export interface ProcessDriverOptions {
  /** Folder of the server's own for sandboxes (DATA/run); made when missing. */
  readonly folder: string;
}

const NOTICES = [
  'sandbox process: functions run as plain processes of this user, without isolation: run only code you trust',
  'sandbox process: memory, CPU and /tmp size limits are not enforced',
  'sandbox process: extensions share the ports of this machine, and cannot listen at the name sandbox.localdomain',
];
const NOTICE_NO_MARKS =
  'sandbox process: a process that leaves its process group cannot be found again on this system';

/** `random` is unused: the seam passes the same three to every driver. */
export function createProcessDriver(
  clock: Clock,
  _random: Random,
  log: Log,
  options: ProcessDriverOptions,
): SandboxDriver {
  const folder = resolve(options.folder, 'process');
  const mark = instanceMark(instanceIdOf(folder));
  const sandboxes = new Map<string, ProcessSandbox>();
  let sequence = 0;

  async function create(spec: SandboxSpec): Promise<Sandbox> {
    sequence += 1;
    const ownMark = mark.forSandbox(sequence); // before anyone else's turn
    const own = join(folder, spec.id);
    await mkdir(join(own, 'tmp'), { recursive: true });
    const onDestroyed = (): void => void sandboxes.delete(spec.id);
    const parts = { clock, log, folder: own, mark: ownMark, onDestroyed };
    const sandbox = new ProcessSandbox(spec, parts);
    sandboxes.set(spec.id, sandbox);
    return sandbox;
  }

  async function sweep(): Promise<SweepReport> {
    const processes = await killMarked(clock, mark.includes);
    const leftovers = await readdir(folder).catch(() => []);
    for (const name of leftovers) await rm(join(folder, name), { recursive: true, force: true });
    return { processes, mounts: 0, cgroups: 0, networkDevices: 0, folders: leftovers.length };
  }

  async function close(): Promise<void> {
    await Promise.all([...sandboxes.values()].map((sandbox) => sandbox.destroy()));
    rmSync(folder, { recursive: true, force: true });
  }

  const notices = isLinux ? NOTICES : [...NOTICES, NOTICE_NO_MARKS];
  const forks = isLinux ? 'any' : 'none';
  return { name: 'process', notices, standbyMemoryMb: 0, forks, create, sweep, close };
}
