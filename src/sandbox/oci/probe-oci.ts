/** Finds out whether the OCI driver works on this host, by really running a container. */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { SandboxDriver } from '../sandbox.ts';
import { createOciDriver, type OciDriverOptions } from './oci-driver.ts';

export type OciProbe = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Makes a driver in `options.folder`, runs a container in it, and removes everything again. */
export async function probeOci(
  clock: Clock,
  random: Random,
  log: Log,
  options: OciDriverOptions,
): Promise<OciProbe> {
  const made = await createTriedOciDriver(clock, random, log, options);
  if ('reason' in made) return { ok: false, reason: made.reason };
  await made.driver.close();
  return { ok: true };
}

/** A driver that has just run a container, or the reason why there is none. */
export async function createTriedOciDriver(
  clock: Clock,
  random: Random,
  log: Log,
  options: OciDriverOptions,
): Promise<{ driver: SandboxDriver } | { reason: string }> {
  let driver: SandboxDriver | null = null;
  try {
    driver = await createOciDriver(clock, random, log, options);
    await tryContainer(driver, options.folder);
    return { driver };
  } catch (error) {
    await driver?.close();
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

const TRIAL_LIMITS = { memoryMb: 128, cpus: null, temporaryStorageMb: 512 } as const;

/** The runtime folder may be any that exists: the trial does not look into it. */
async function tryContainer(driver: SandboxDriver, folder: string): Promise<void> {
  const spec = { id: 'trial', limits: TRIAL_LIMITS, languageDir: null, runtimeDir: folder };
  const sandbox = await driver.create(spec);
  try {
    const command = { argv: ['/bin/true'], env: {}, cwd: '/', channel: false };
    const started = await sandbox.start(command);
    started.output.resume();
    const { code, signal } = await started.exited;
    if (code !== 0) throw new Error(`a trial container ended with ${code ?? signal}`);
  } finally {
    await sandbox.destroy();
  }
}
