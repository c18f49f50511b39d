/**
 * `make check`: types, lint, formatting and generated files, all of them even when one fails, at
 * most two at a time. Prints the output of those that failed; exits 1 when any did.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { generators } from './generate.ts';

interface Check {
  readonly name: string;
  readonly argv: readonly string[];
}

const root = fileURLToPath(new URL('..', import.meta.url));

const checks: readonly Check[] = [
  { name: 'lint', argv: ['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'] },
  { name: 'types', argv: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  {
    name: 'format',
    argv: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  },
  ...generators.map((file) => ({ name: `generated: ${file}`, argv: [file, '--check'] })),
];

function run(check: Check): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, check.argv, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('close', (code) => {
      process.stdout.write(`check: ${check.name}: ${code === 0 ? 'ok' : 'FAILED'}\n`);
      if (code !== 0) process.stdout.write(Buffer.concat(output));
      resolve(code === 0);
    });
  });
}

const waiting = [...checks];
let failed = 0;
async function runWaiting(): Promise<void> {
  for (let check = waiting.shift(); check; check = waiting.shift()) {
    if (!(await run(check))) failed += 1;
  }
}
await Promise.all([runWaiting(), runWaiting()]);
process.exitCode = failed === 0 ? 0 : 1;
