/**
 * `make generate`: runs every generator. A generator is a script that writes one committed file and,
 * with --check, exits 1 when that file is out of date (`make check` runs them so).
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export const generators: readonly string[] = [
  'tools/generate-api-types.ts',
  'tools/generate-api-coverage.ts',
];

if (import.meta.main) {
  for (const generator of generators) {
    const { status } = spawnSync(process.execPath, [generator], { cwd: root, stdio: 'inherit' });
    process.stdout.write(`generate: ${generator}: ${status === 0 ? 'ok' : 'FAILED'}\n`);
    if (status !== 0) process.exitCode = 1;
  }
}
