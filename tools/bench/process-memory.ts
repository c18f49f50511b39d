/**
 * Memory of processes as Linux counts it, and which processes belong to a server's environments.
 *
 * PSS (proportional set size) shares every page among those that map it. A figure for one process says
 * little, as it falls with each further process of the same binary: compare equal numbers of processes,
 * and only while nothing else comes or goes.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Sum of the PSS of the processes, in MiB. */
export function pssMb(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]);
  });
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}

/** Resident memory of one process, in MiB. */
export function rssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

export interface EnvironmentProcesses {
  /** One for each environment. */
  readonly runtimes: readonly number[];
  /** Those and what else runs in their sandboxes: process 1 of a pid namespace. */
  readonly all: readonly number[];
}

/** The processes of all environments of a managed runtime that a server holds now. */
export function environmentProcesses(serverPid: number): EnvironmentProcesses {
  const descendants = descendantsOf(serverPid);
  const runtimes = descendants.filter((pid) =>
    /\/bootstrap\.(cjs|py)\0/.test(readOr('', `/proc/${pid}/cmdline`)),
  );
  const own = pidNamespace(process.pid);
  const namespaces = new Set(runtimes.map(pidNamespace).filter((name) => name !== own));
  const inNamespaces = descendants.filter((pid) => namespaces.has(pidNamespace(pid)));
  return { runtimes, all: [...new Set([...runtimes, ...inNamespaces])] };
}

function descendantsOf(ancestor: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    // The command, in parentheses, may hold anything; the parent is the second field after it.
    const stat = readOr('', `/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (const next = [ancestor]; next.length > 0;) {
    const own = children.get(next.pop() ?? 0) ?? [];
    found.push(...own);
    next.push(...own);
  }
  return found;
}

function pidNamespace(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return ''; // it has ended
  }
}

function readOr(fallback: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}
