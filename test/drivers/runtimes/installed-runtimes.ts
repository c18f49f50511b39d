/** The runtimes found on this machine, for suites that run once on each of a language. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createRuntimeCatalog, type InstalledRuntime } from '../../../src/worker/runtimes.ts';
import type { RuntimeCommand } from './runtime-process.ts';

export const repositoryFolder = join(import.meta.dirname, '../../..');

const catalog = createRuntimeCatalog({
  searchPath: (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== ''),
  pyenvRoot: process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'),
  packageFolder: join(repositoryFolder, 'node_modules'),
  runtimesFolder: join(repositoryFolder, 'runtimes'),
});

export interface LanguageRuntimes {
  readonly found: readonly InstalledRuntime[];
  readonly missing: readonly { readonly id: string; readonly reason: string }[];
}

export function installedRuntimes(prefix: string): LanguageRuntimes {
  const found: InstalledRuntime[] = [];
  const missing: { id: string; reason: string }[] = [];
  for (const entry of catalog.list()) {
    if (!entry.id.startsWith(prefix)) continue;
    if (entry.available) found.push(entry.runtime);
    else missing.push({ id: entry.id, reason: entry.reason });
  }
  return { found, missing };
}

/** How a sandbox without mounts starts the runtime: every path is the host's own. */
export function hostCommand(runtime: InstalledRuntime): RuntimeCommand {
  const { languageDir, executable, runtimeDir, bootArguments, bootEnvironment } = runtime;
  return {
    executable: languageDir === null ? executable : join(languageDir, executable),
    args: bootArguments.map((argument) => argument.replace('{runtime}', runtimeDir)),
    env: Object.fromEntries(
      Object.entries(bootEnvironment).map(([name, value]) => [
        name,
        value.replace('{language}', languageDir ?? ''),
      ]),
    ),
  };
}
