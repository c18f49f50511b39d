/** Bare interpreters that loaded a function's handler and wait: what environments stand beside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { event } from './bench-server.ts';
import type { Language } from './languages.ts';

export interface BareInterpreters {
  readonly pids: readonly number[];
  /** From the start of the first until the last has answered its first event. */
  readonly reachedMs: number;
}

/** Starts `count` at once, lets each answer one event, and ends them when `look` is done. */
export async function withBareInterpreters(
  language: Language,
  count: number,
  look: (bare: BareInterpreters) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'));
  const { file, code } = language.pipeLoop;
  await writeFile(join(folder, language.file), language.code);
  await writeFile(join(folder, file), code);
  const startedMs = performance.now();
  const children = Array.from({ length: count }, () =>
    spawn(language.binary, [join(folder, file)], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  try {
    const answers = children.map((child) => once(child.stdout, 'data'));
    for (const child of children) child.stdin.write(`${event}\n`);
    await Promise.all(answers);
    const reachedMs = performance.now() - startedMs;
    await look({ pids: children.map((child) => child.pid ?? 0), reachedMs });
  } finally {
    const ended = children.map((child) => once(child, 'exit'));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ended);
    await rm(folder, { recursive: true, force: true });
  }
}
