/**
 * Sandbox: the isolation box that one execution environment runs in, and the driver that makes it.
 *
 * The seam between the platform and the operating system (ADR 0003). A driver makes sandboxes; a
 * sandbox holds one main process at a time, which may be replaced (reset after a crash keeps /tmp),
 * and processes beside it, as external extensions are. A sandbox may be started unbound, its runtime process already booted, and be given its code late:
 * `bind` works before or after `start`, exactly once. Once bound it never serves anything else.
 *
 *   create -> [start -> [prepareFork]] -> bind -> [startBeside]* -> [start] -> ... freeze/thaw ... -> destroy
 *                                                        ^----- kill (reset) -----'
 */
import type { Server, Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';

export type SandboxDriverName = 'process' | 'oci';

/** Processes that may run beside the main one: three times what can register (10, guide page 052). */
export const PROCESSES_BESIDE_MAX = 30;

/** How long `connect` waits for a listener that neither accepts nor refuses. */
export const CONNECT_TIMEOUT_MS = 1_000;

export interface SandboxLimits {
  readonly memoryMb: number;
  /** CPU time per second of wall time, in CPUs; null is no limit (Init gets the full CPU). */
  readonly cpus: number | null;
  /** Size of /tmp. */
  readonly temporaryStorageMb: number;
}

export interface SandboxSpec {
  /** Unique on this host among the sandboxes of one data folder: [a-z0-9-], at most 40 characters. */
  readonly id: string;
  readonly limits: SandboxLimits;
  /** Host folder that appears read-only as the language installation (/var/lang), if any. */
  readonly languageDir: string | null;
  /** Host folder of our bootstraps that appears read-only as /var/runtime. */
  readonly runtimeDir: string;
  /** Its main process will come by `startFork`: nothing need be prepared for another. */
  readonly startsAsCopy?: boolean;
}

export interface SandboxBinding {
  /** Host folder of the unpacked code that appears read-only as /var/task. */
  readonly codeDir: string;
  /** Host folders of unpacked layers, lowest first, merged read-only as /opt. */
  readonly layerDirs: readonly string[];
  readonly limits: SandboxLimits;
}

/** Absolute paths as a process inside the sandbox sees them. */
export interface SandboxPaths {
  /** /var/task where the driver can mount; valid once bound. */
  readonly taskRoot: string;
  /** /opt; valid once bound. */
  readonly optRoot: string;
  /** /var/runtime. */
  readonly runtimeDir: string;
  /** /var/lang, or null without a language folder. */
  readonly languageDir: string | null;
  /** /tmp. */
  readonly temporaryDir: string;
}

export interface SandboxCommand {
  /** argv[0] is an absolute path inside the sandbox. */
  readonly argv: readonly string[];
  /** The complete environment. Drivers add nothing that a function could see. */
  readonly env: Readonly<Record<string, string>>;
  /** Working folder, a path inside the sandbox. */
  readonly cwd: string;
  /** Give the process a private duplex channel as file descriptor 3 (ADR 0011). */
  readonly channel: boolean;
}

export interface ProcessExit {
  /** Exit status, or null when a signal ended the process or the status could not be known. */
  readonly code: number | null;
  /** For example 'SIGKILL'; null when the process exited by itself. */
  readonly signal: string | null;
  /** While it ran the memory limit killed it, or another process of the sandbox. */
  readonly outOfMemory: boolean;
}

/** A process that the driver started: the main one, or one beside it. */
export interface SandboxProcess {
  /** The parent's end of file descriptor 3; null when the command asked for none. */
  readonly channel: Duplex | null;
  /** Standard output and standard error in one pipe, in the order they were written. */
  readonly output: Readable;
  /** Emits at once, as 'data' of `output`, what the pipe holds already; takes a few microseconds. */
  drainOutput(): void;
  /**
   * Resolves once, when the process has ended and its process group was killed. The end of a main process
   * that nothing was started beside is the end of everything in the sandbox, and resolves when nothing
   * runs there. Otherwise the others go on, until `Sandbox.kill` or `destroy`.
   */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal to just this process; a no-op once it ended. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
  /**
   * Kills the process and its group and resolves when `exited` has; in a frozen sandbox perhaps only after
   * the thaw. For a main process that nothing was started beside, as `Sandbox.kill`: also while frozen.
   */
  kill(): Promise<ProcessExit>;
  /**
   * Sends `bytes` on the channel in one piece, and open files with them; throws when the process does
   * not take them at once. Only drivers that can fork have it.
   */
  sendDescriptors?(bytes: Buffer, descriptors: readonly number[]): void;
}

/** A process that makes a copy of itself when it is asked to (docs/internals/runtime-channel.md). */
export interface ForkSource {
  /** Of the same driver; stays on the host for as long as the copy does. */
  readonly sandbox: Sandbox;
  /** Its main process. */
  readonly process: SandboxProcess;
  /** What asks it, to be sent with the copy's channel, its output and its status pipe. */
  readonly request: Buffer;
}

export interface Sandbox {
  readonly id: string;
  /** Made from what the driver keeps started in advance. */
  readonly isFromStandby: boolean;
  readonly paths: SandboxPaths;
  /** Gives code, layers and final limits; exactly once. */
  bind(binding: SandboxBinding): Promise<void>;
  /**
   * Starts the main process. Rejects with SandboxStartError when it cannot. Only one at a time; where
   * something was started beside the last one, only after `kill`.
   */
  start(command: SandboxCommand): Promise<SandboxProcess>;
  /**
   * Makes the main process one that can be copied. It has started and waits on its channel, the sandbox is
   * not bound, and nothing of a function has run in it, not even its variables are known. There if the
   * driver's `forks` are 'prepared'. Rejects with SandboxStartError; the process has ended then.
   */
  prepareFork?(): Promise<void>;
  /**
   * Like `start`, once bound: the main process is a copy of one that runs in another sandbox of the
   * same driver. There if the driver `forks`. Rejects with SandboxStartError (ForkSourceGoneError if the other
   * sandbox was not touched either); this sandbox is as it was then, and `start` may be called.
   */
  startFork?(source: ForkSource): Promise<SandboxProcess>;
  /**
   * Starts a process beside the main one, before or after it: same walls, limits, control group, network and
   * files, its own output, no channel (external extensions, guide page 052). Rejects with SandboxStartError
   * when it cannot, also over PROCESSES_BESIDE_MAX and after a main process that has ended. Its end ends
   * no other process. Several may be started at once; not while frozen.
   */
  startBeside(command: SandboxCommand): Promise<SandboxProcess>;
  /**
   * Kills every process in the sandbox, also while frozen and also those that are being started, and
   * resolves when nothing runs there. Then the sandbox can start anew, with /tmp as it is.
   */
  kill(): Promise<void>;
  /**
   * Makes `server` (not yet listening) reachable from inside this sandbox only, as far as the driver
   * has walls, and resolves with its 'host:port' as seen from inside. At most once.
   */
  serve(server: Server): Promise<string>;
  /**
   * A TCP connection to a port on the loopback as processes inside see it. Rejects as net.connect does,
   * with ECONNREFUSED when nobody listens there; with ETIMEDOUT after CONNECT_TIMEOUT_MS. `destroy` ends
   * the connection; the caller may, earlier.
   */
  connect(port: number): Promise<Socket>;
  /** Changes the CPU limit (after Init). */
  setCpus(cpus: number | null): Promise<void>;
  /** Stops all processes where they are; what is being started stops once it is. Idempotent. */
  freeze(): void;
  /** Lets them go on. Idempotent. */
  thaw(): void;
  /** Highest memory use so far of the sandbox's processes, in bytes. Cheap enough for every invoke. */
  memoryPeakBytes(): number;
  /** Ends all processes and removes everything the sandbox made on the host. Idempotent. */
  destroy(): Promise<void>;
}

export interface SweepReport {
  readonly processes: number;
  readonly mounts: number;
  readonly cgroups: number;
  readonly networkDevices: number;
  readonly folders: number;
}

/**
 * Which running processes of a driver's sandboxes can be copied into another (ADR 0015): those that
 * `Sandbox.prepareFork` was called for, or any.
 */
export type ForkKind = 'none' | 'prepared' | 'any';

export interface SandboxDriver {
  readonly name: SandboxDriverName;
  /** Lines that `hearth serve` prints at start: what this driver cannot do here, and why. */
  readonly notices: readonly string[];
  readonly forks: ForkKind;
  /** Memory of what it keeps started in advance, beside the sandboxes. */
  readonly standbyMemoryMb: number;
  create(spec: SandboxSpec): Promise<Sandbox>;
  /**
   * Removes all that sandboxes of an earlier process with the same data folder left on the host:
   * processes, mounts, cgroups, network devices, folders. Call before the first `create`.
   */
  sweep(): Promise<SweepReport>;
  /** Destroys every sandbox and everything the driver shares among them. */
  close(): Promise<void>;
}

/** The process could not be started: bad executable, missing file, driver failure. */
export class SandboxStartError extends Error {
  override readonly name = 'SandboxStartError';
}

/** What was to be copied has ended, or is about to; nothing was done. */
export class ForkSourceGoneError extends SandboxStartError {}
