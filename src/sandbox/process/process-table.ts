/**
 * What /proc says about processes: which carry our inherited mark, and which descend from which.
 *
 * Linux only; elsewhere every answer is "nothing known". All calls are synchronous and tolerate
 * processes that end meanwhile.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isLinux } from '../native.ts';

const LOCKS_LINE = /^Max file locks\s+(\d+)/m;
/** Threads of a process whose children are looked at; runtimes start children from few threads. */
const THREADS_MAX = 64;

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function listOrEmpty(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** The mark that `withInheritedMark` gave this process or an ancestor; null when there is none. */
export function markOf(pid: number): bigint | null {
  const match = LOCKS_LINE.exec(readOrEmpty(`/proc/${pid}/limits`));
  return match === null ? null : BigInt(match[1]!);
}

/** The processes whose mark satisfies `accept`, this process excepted. Zombies have no limits to read. */
export function markedProcesses(accept: (mark: bigint) => boolean): number[] {
  if (!isLinux) return [];
  const found: number[] = [];
  for (const entry of listOrEmpty('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const mark = markOf(pid);
    if (mark !== null && accept(mark) && !isZombie(pid)) found.push(pid);
  }
  return found;
}

function isZombie(pid: number): boolean {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state === 'Z' || state === 'X' || state === '';
}

/** `pid` and its descendants, as far as their parents live. */
export function processTree(pid: number): number[] {
  const tree = [pid];
  for (let index = 0; index < tree.length; index += 1) tree.push(...childrenOf(tree[index]!));
  return tree;
}

function childrenOf(pid: number): number[] {
  const threads = listOrEmpty(`/proc/${pid}/task`).slice(0, THREADS_MAX);
  const lists = threads.map((thread) => readOrEmpty(`/proc/${pid}/task/${thread}/children`));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}
