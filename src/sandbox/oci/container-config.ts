/** config.json of a container, as the OCI runtime specification 1.0 defines it. */
import type { SandboxCommand, SandboxLimits } from '../sandbox.ts';
import { MIB } from '../../model/limits.ts';
import type { BoxPlace } from './box.ts';
import { CPU_PERIOD_US, cpuQuotaUs, cpuShares } from './cgroups.ts';
import { envCommand } from './env-command.ts';
import { SANDBOX_HOSTNAME } from './root-filesystem.ts';
import type { SeccompProfile } from './seccomp.ts';
import { SANDBOX_GID, SANDBOX_UID } from './user.ts';

/** Documented: file descriptors, and processes plus threads, of an execution environment. */
export const FILE_DESCRIPTORS_MAX = 1024;
export const PROCESSES_MAX = 1024;

/** Sandboxes are the first to go when the host itself runs out of memory. */
const OOM_SCORE_ADJUSTMENT = 500;

export interface ContainerSettings {
  readonly rootFolder: string;
  /** Host folders by their path inside: what is mounted on one appears there, also later. */
  readonly places: Readonly<Record<BoxPlace, string>>;
  readonly networkPath: string;
  readonly pidPath: string;
  readonly cgroupPath: string;
  readonly limits: SandboxLimits;
  readonly seccomp: SeccompProfile;
  readonly command: SandboxCommand;
}

/** Parts of /proc that tell about the host or reach into the kernel; on top of what the user may not do. */
const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/config.gz',
  '/proc/interrupts',
  '/proc/kallsyms',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
];
const READ_ONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const NOTHING_ALLOWED = {
  bounding: [],
  effective: [],
  inheritable: [],
  permitted: [],
  ambient: [],
};

/** Mounts made later on the host appear inside, never the other way round. */
const LATE_BIND = ['rbind', 'rslave', 'nosuid', 'nodev'];

function mounts(settings: ContainerSettings): object[] {
  const bind = (destination: string, source: string, options: readonly string[]): object => ({
    destination,
    type: 'bind',
    source,
    options,
  });
  return [
    {
      destination: '/proc',
      type: 'proc',
      source: 'proc',
      // hidepid: process 1 and whatever else is not the user's own does not show.
      options: ['nosuid', 'noexec', 'nodev', 'hidepid=2'],
    },
    bind('/dev', `${settings.rootFolder}/dev`, ['bind', 'ro', 'nosuid', 'noexec']),
    ...Object.entries(settings.places).map(([inside, folder]) =>
      bind(inside, folder, [...LATE_BIND, inside === '/tmp' ? 'rw' : 'ro']),
    ),
  ];
}

function resources(limits: SandboxLimits): object {
  const memoryBytes = limits.memoryMb * MIB;
  const quota = cpuQuotaUs(limits.cpus);
  return {
    devices: [{ allow: false, access: 'rwm' }, ...ALLOWED_DEVICES],
    memory: { limit: memoryBytes, swap: memoryBytes },
    pids: { limit: PROCESSES_MAX },
    cpu: {
      shares: cpuShares(limits.memoryMb),
      ...(quota === null ? {} : { quota, period: CPU_PERIOD_US }),
    },
  };
}

const ALLOWED_DEVICES = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
].map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rw' }));

/**
 * OCI runtimes set HOME from the password file when the environment has none or an empty one; `env` undoes
 * that, for a command gets the environment it was given and nothing else.
 */
function argumentsOf(command: SandboxCommand): readonly string[] {
  if (command.env['HOME'] === undefined) return envCommand(['-u', 'HOME'], command.argv);
  return command.env['HOME'] === '' ? envCommand(['HOME='], command.argv) : command.argv;
}

/** The container's first process, or with the same walls a later one (`exec --process`). */
export function processConfig(command: SandboxCommand): object {
  return {
    terminal: false,
    user: { uid: SANDBOX_UID, gid: SANDBOX_GID, umask: 0o022, additionalGids: [] },
    args: argumentsOf(command),
    env: Object.entries(command.env).map(([name, value]) => `${name}=${value}`),
    cwd: command.cwd,
    capabilities: NOTHING_ALLOWED,
    noNewPrivileges: true,
    oomScoreAdj: OOM_SCORE_ADJUSTMENT,
    rlimits: [
      { type: 'RLIMIT_NOFILE', soft: FILE_DESCRIPTORS_MAX, hard: FILE_DESCRIPTORS_MAX },
      { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
    ],
  };
}

export function containerConfig(settings: ContainerSettings): object {
  return {
    ociVersion: '1.0.2',
    hostname: SANDBOX_HOSTNAME,
    root: { path: settings.rootFolder, readonly: true },
    process: processConfig(settings.command),
    mounts: mounts(settings),
    linux: {
      namespaces: [
        { type: 'pid', path: settings.pidPath },
        { type: 'network', path: settings.networkPath },
        { type: 'mount' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'cgroup' },
      ],
      cgroupsPath: settings.cgroupPath,
      resources: resources(settings.limits),
      seccomp: settings.seccomp,
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READ_ONLY_PATHS,
    },
  };
}
