/**
 * Everything on this host that belongs to one data folder's server: what must be gone after SIGTERM,
 * and after a SIGKILL once the watchdog or the next start has swept.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { instanceIdOf } from '../../src/sandbox/instance.ts';
import { ociFolder } from '../../src/sandbox/oci/oci-driver.ts';

const cgroupRoot = '/sys/fs/cgroup';
const cgroupDepthMax = 4;

/** One line for each trace found; empty when the host is clean. */
export function hostTraces(dataFolder: string): string[] {
  if (process.platform !== 'linux') return [];
  const folder = join(dataFolder, 'run');
  const names = [dataFolder, instanceIdOf(folder), instanceIdOf(ociFolder(folder))];
  const ours = (text: string): boolean => names.some((name) => text.includes(name));
  return [
    ...processes().filter(ours),
    ...linesOf(readText('/proc/self/mountinfo'))
      .filter(ours)
      .map((line) => `mount ${line}`),
    ...cgroups(cgroupRoot, 0)
      .filter(ours)
      .map((path) => `cgroup ${path}`),
    ...readdirSync('/sys/class/net')
      .filter(ours)
      .map((name) => `network device ${name}`),
    ...linesOf(runTool('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE']))
      .filter(ours)
      .map((line) => `loop device ${line}`),
    ...linesOf(runTool('nft', ['list', 'tables']))
      .filter(ours)
      .map((line) => `nftables ${line}`),
    ...readdirSync(join(dataFolder, 'run')).map((name) => `left in the run folder: ${name}`),
  ];
}

function processes(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      const command = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
      return `process ${pid} ${command} ${readText(`/proc/${pid}/cgroup`)} ${readLink(`/proc/${pid}/cwd`)}`;
    });
}

function cgroups(folder: string, depth: number): string[] {
  if (depth > cgroupDepthMax) return [];
  let names: string[];
  try {
    names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
  return names.flatMap((name) => [join(folder, name), ...cgroups(join(folder, name), depth + 1)]);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function runTool(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
