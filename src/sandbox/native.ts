/**
 * The few system calls that the sandbox drivers need and Node does not offer, by koffi.
 *
 * Thin on purpose: each export is one call (or a pair that must not come apart), synchronous, and throws
 * NativeError. What only Linux has is bound at its first use, so that the process driver loads anywhere.
 *
 * Namespaces belong to a thread. `inNetworkNamespace` and `inNewPidNamespace` switch the main thread, run
 * a synchronous function and switch back before anything else can run; a failed way back ends the process.
 */
import { closeSync, openSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import { assert } from '../base/assert.ts';

export const isLinux = process.platform === 'linux';

/** A failed system call: `code` is the errno's name, for example 'EBUSY'. */
export class NativeError extends Error {
  override readonly name = 'NativeError';
  readonly call: string;
  readonly code: string;

  constructor(call: string, errno: number, detail = '') {
    const code = errno === 0 ? 'UNKNOWN' : getSystemErrorName(-errno);
    super(`${call}${detail === '' ? '' : ` ${detail}`}: ${code}`);
    this.call = call;
    this.code = code;
  }
}

type NativeFunction = (...args: unknown[]) => number;

const libc = koffi.load(null);
const bound = new Map<string, NativeFunction>();

function native(prototype: string): NativeFunction {
  let found = bound.get(prototype);
  if (found === undefined) {
    found = libc.func(prototype) as unknown as NativeFunction;
    bound.set(prototype, found);
  }
  return found;
}

/** Calls and throws NativeError on a negative result. */
function call(prototype: string, detail: string, ...args: unknown[]): number {
  const result = native(prototype)(...args);
  if (result < 0) {
    const name = /(\w+)\(/.exec(prototype)?.[1] ?? prototype;
    throw new NativeError(name, koffi.errno(), detail);
  }
  return result;
}

// Descriptors.

const O_CLOEXEC = 0o2000000;
const SOCK_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;

export interface PipeDescriptors {
  readonly readFd: number;
  readonly writeFd: number;
}

/** A pipe whose two ends no child inherits unless it is given them. */
export function createPipe(): PipeDescriptors {
  const fds = new Int32Array(2);
  if (isLinux) call('int pipe2(int *fds, int flags)', '', fds, O_CLOEXEC);
  else {
    call('int pipe(int *fds)', '', fds);
    setCloseOnExec(fds);
  }
  return { readFd: fds[0]!, writeFd: fds[1]! };
}

/** A connected pair of Unix stream sockets that no child inherits unless it is given one. */
export function createSocketPair(): readonly [number, number] {
  const fds = new Int32Array(2);
  const prototype = 'int socketpair(int domain, int type, int protocol, int *fds)';
  if (isLinux) call(prototype, '', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
  else {
    call(prototype, '', AF_UNIX, SOCK_STREAM, 0, fds);
    setCloseOnExec(fds);
  }
  return [fds[0]!, fds[1]!];
}

function setCloseOnExec(fds: Int32Array): void {
  for (const fd of fds) {
    call('int fcntl(int fd, int command, ...)', '', fd, F_SETFD, 'int', FD_CLOEXEC);
  }
}

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
/** struct cmsghdr on 64-bit Linux: length, level, type; what follows is padded to 8 bytes. */
const CMSG_HEADER_BYTES = 16;
/** struct msghdr on 64-bit Linux; name and flags stay zero. */
const MESSAGE_BYTES = 56;

/**
 * Sends all of `bytes` on a Unix stream socket, and the open files with them (Linux). Throws, and has
 * sent nothing, when the socket does not take them at once.
 */
export function sendDescriptors(fd: number, bytes: Buffer, descriptors: readonly number[]): void {
  const control = Buffer.alloc(CMSG_HEADER_BYTES + Math.ceil(descriptors.length / 2) * 8);
  control.writeUInt32LE(CMSG_HEADER_BYTES + descriptors.length * 4, 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  descriptors.forEach((one, index) => control.writeInt32LE(one, CMSG_HEADER_BYTES + index * 4));
  const part = pointersTo(bytes, bytes.length);
  const message = Buffer.alloc(MESSAGE_BYTES);
  pointersTo(part, 1).copy(message, 16);
  pointersTo(control, control.length).copy(message, 32);
  const prototype = 'long sendmsg(int fd, const void *message, int flags)';
  const sent = call(prototype, '', fd, message, MSG_NOSIGNAL);
  // What fits the socket's buffer the kernel takes as a whole or not at all.
  assert(sent === bytes.length, 'a message with open files goes out in one piece');
}

/** A pointer and a count, as system calls take lists. */
function pointersTo(target: Buffer, count: number): Buffer {
  const pair = Buffer.alloc(16);
  pair.writeBigUInt64LE(koffi.address(target), 0);
  pair.writeBigUInt64LE(BigInt(count), 8);
  return pair;
}

/** `request` with a pointer to `argument`, which the call may change, or with a number. */
export function ioctl(fd: number, request: number, argument: Buffer | number): number {
  const prototype = 'int ioctl(int fd, unsigned long request, ...)';
  const type = typeof argument === 'number' ? 'int' : 'void *';
  return call(prototype, `0x${request.toString(16)}`, fd, request, type, argument);
}

/** Linux and macOS differ in how they number requests. */
const FIONREAD = isLinux ? 0x541b : 0x4004667f;
const readableLength = Buffer.alloc(4);

/** How many bytes can be read from a pipe or socket without waiting. */
export function readableBytes(fd: number): number {
  ioctl(fd, FIONREAD, readableLength);
  return readableLength.readInt32LE(0);
}

export interface DataExtent {
  readonly start: number;
  readonly end: number;
}

/** The parts of a sparse file that hold data, in order. */
export function dataExtents(fd: number, size: number): DataExtent[] {
  const SEEK_DATA = 3;
  const SEEK_HOLE = 4;
  const seek = native('long lseek(int fd, long offset, int whence)');
  const extents: DataExtent[] = [];
  for (let end = 0; end < size;) {
    const start = seek(fd, end, SEEK_DATA);
    if (start < 0) break; // ENXIO: only a hole is left
    end = seek(fd, start, SEEK_HOLE);
    if (end < 0) throw new NativeError('lseek', koffi.errno());
    extents.push({ start, end });
  }
  return extents;
}

// Mounts (Linux).

export const mountFlags = {
  readOnly: 0x1,
  noSuid: 0x2,
  noDevices: 0x4,
  noExecute: 0x8,
  remount: 0x20,
  bind: 0x1000,
  move: 0x2000,
  recursive: 0x4000,
  private: 0x40000,
  shared: 0x100000,
} as const;

export function mount(
  source: string,
  target: string,
  fileSystem: string | null,
  flags: number,
  options: string | null = null,
): void {
  const prototype =
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)';
  call(prototype, `${source} on ${target}`, source, target, fileSystem, flags, options);
}

const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

/** Detaches the topmost mount at `target`; false when nothing is mounted there. */
export function unmount(target: string): boolean {
  const umount = native('int umount2(const char *target, int flags)');
  if (umount(target, MNT_DETACH | UMOUNT_NOFOLLOW) === 0) return true;
  const errno = koffi.errno();
  const { EINVAL, ENOENT } = osConstants.errno;
  if (errno === EINVAL || errno === ENOENT) return false;
  throw new NativeError('umount2', errno, target);
}

/** A device node; `major` and `minor` below 256. */
export function makeCharacterDevice(path: string, major: number, minor: number): void {
  const S_IFCHR = 0o020000;
  const device = (major << 8) | minor;
  const prototype = 'int mknod(const char *path, unsigned int mode, unsigned long device)';
  call(prototype, path, path, S_IFCHR | 0o666, device);
}

// Namespaces (Linux).

const CLONE_NEWPID = 0x20000000;
const CLONE_NEWNET = 0x40000000;

function unshare(flags: number): void {
  call('int unshare(int flags)', '', flags);
}

function joinNamespace(fd: number, kind: number): void {
  call('int setns(int fd, int kind)', '', fd, kind);
}

/** Runs `work` (synchronous) with the main thread in the network namespace behind `fd`. */
export function inNetworkNamespace<T>(fd: number, work: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    joinNamespace(fd, CLONE_NEWNET);
    try {
      return work();
    } finally {
      goHome(home, CLONE_NEWNET);
    }
  } finally {
    closeSync(home);
  }
}

/** Makes a network namespace and returns a descriptor that keeps it alive. */
export function createNetworkNamespace(): number {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    unshare(CLONE_NEWNET);
    try {
      return openSync('/proc/thread-self/ns/net', 'r');
    } finally {
      goHome(home, CLONE_NEWNET);
    }
  } finally {
    closeSync(home);
  }
}

/** Runs `work` (synchronous); the first child it makes becomes process 1 of a new pid namespace. */
export function inNewPidNamespace<T>(work: () => T): T {
  const home = openSync('/proc/thread-self/ns/pid', 'r');
  try {
    unshare(CLONE_NEWPID);
    try {
      return work();
    } finally {
      goHome(home, CLONE_NEWPID);
    }
  } finally {
    closeSync(home);
  }
}

function goHome(fd: number, kind: number): void {
  try {
    joinNamespace(fd, kind);
  } catch (error) {
    // The server must not live on in a namespace that untrusted code shares.
    assert(false, `the main thread could not leave a sandbox's namespace: ${String(error)}`);
  }
}

const SYS_OPEN_TREE = 428; // on every architecture
const AT_FDCWD = -100;
const OPEN_TREE_CLONE = 1;

/** A copy of the mount at `path` that is mounted nowhere, as a descriptor that no child inherits. */
export function cloneMount(path: string): number {
  const prototype = 'long syscall(long number, int folder, const char *path, unsigned int flags)';
  return call(prototype, path, SYS_OPEN_TREE, AT_FDCWD, path, OPEN_TREE_CLONE | O_CLOEXEC);
}

// Network interfaces (Linux): the old ioctls are enough for one IPv4 address and one route.

const SIOCADDRT = 0x890b;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCSIFNETMASK = 0x891c;
const IFF_UP = 1;
const IFF_RUNNING = 0x40;
const INTERFACE_REQUEST_BYTES = 40;
const ROUTE_ENTRY_BYTES = 120;
const RTF_UP = 1;
const RTF_GATEWAY = 2;

function socketAddress(address: string, port = 0): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  address.split('.').forEach((part, index) => bytes.writeUInt8(Number(part), 4 + index));
  return bytes;
}

function withInetSocket<T>(work: (fd: number) => T): T {
  const prototype = 'int socket(int domain, int type, int protocol)';
  const fd = call(prototype, '', AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

function interfaceRequest(name: string, fill: (request: Buffer) => void): Buffer {
  assert(name.length > 0 && name.length < 16, `interface name ${name}`);
  const request = Buffer.alloc(INTERFACE_REQUEST_BYTES);
  request.write(name, 0, 'latin1');
  fill(request);
  return request;
}

export function bringInterfaceUp(name: string): void {
  const request = interfaceRequest(name, (bytes) => bytes.writeUInt16LE(IFF_UP | IFF_RUNNING, 16));
  withInetSocket((fd) => ioctl(fd, SIOCSIFFLAGS, request));
}

export interface InterfaceAddress {
  readonly address: string;
  readonly netmask: string;
  readonly gateway: string;
}

/** Gives the interface of the current network namespace its address, brings it up, adds the default route. */
export function configureInterface(name: string, settings: InterfaceAddress): void {
  const put = (address: string) => (request: Buffer) =>
    void socketAddress(address).copy(request, 16);
  withInetSocket((fd) => {
    ioctl(fd, SIOCSIFADDR, interfaceRequest(name, put(settings.address)));
    ioctl(fd, SIOCSIFNETMASK, interfaceRequest(name, put(settings.netmask)));
  });
  bringInterfaceUp(name);
  const route = Buffer.alloc(ROUTE_ENTRY_BYTES); // struct rtentry, 64-bit layout
  socketAddress('0.0.0.0').copy(route, 8);
  socketAddress(settings.gateway).copy(route, 24);
  socketAddress('0.0.0.0').copy(route, 40);
  route.writeUInt16LE(RTF_UP | RTF_GATEWAY, 56);
  withInetSocket((fd) => ioctl(fd, SIOCADDRT, route));
}

/** A TCP socket of the current network namespace, not connected; the caller owns the descriptor. */
export function createTcpSocket(): number {
  const prototype = 'int socket(int domain, int type, int protocol)';
  return call(prototype, '', AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/** A listening TCP socket in the current network namespace; the caller owns the descriptor. */
export function listenTcp(address: string, port: number): number {
  const fd = createTcpSocket();
  try {
    const target = `${address}:${port}`;
    const bind = 'int bind(int fd, const void *address, unsigned int length)';
    call(bind, target, fd, socketAddress(address, port), 16);
    call('int listen(int fd, int backlog)', target, fd, 511);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

// Processes.

const PR_SET_CHILD_SUBREAPER = 36;

/** From now on orphaned descendants become children of this process (Linux). */
export function adoptOrphans(): void {
  const prototype =
    'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)';
  call(prototype, '', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

export interface ChildStatus {
  readonly code: number | null;
  readonly signal: string | null;
  /** Highest resident size of the process and the children it waited for. */
  readonly residentPeakBytes: number;
}

const WNOHANG = 1;
const RUSAGE_BYTES = 144;
const RUSAGE_MAXRSS_OFFSET = 32;

/** Reaps the child if it has ended: its status, null while it runs, 'gone' when it is no child of ours. */
export function reapChild(pid: number): ChildStatus | null | 'gone' {
  const status = new Int32Array(1);
  const usage = Buffer.alloc(RUSAGE_BYTES);
  const wait4 = native('int wait4(int pid, int *status, int options, void *usage)');
  const result = wait4(pid, status, WNOHANG, usage);
  if (result === 0) return null;
  if (result < 0) return 'gone';
  const word = status[0]!;
  const signalNumber = word & 0x7f;
  return {
    code: signalNumber === 0 ? (word >> 8) & 0xff : null,
    signal: signalNumber === 0 ? null : signalName(signalNumber),
    residentPeakBytes: Number(usage.readBigInt64LE(RUSAGE_MAXRSS_OFFSET)) * 1024,
  };
}

/** 'SIGKILL' for 9; 'SIG34' for a real-time signal. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(osConstants.signals)) {
    if (value === number) return name;
  }
  return `SIG${number}`;
}

/** A request whose result is only that it worked; `data` is a number, or a buffer that it reads or fills. */
export function ptrace(request: number, pid: number, address: bigint, data: bigint | Buffer): void {
  const type = typeof data === 'bigint' ? 'uint64_t' : 'void *';
  const prototype = `long ptrace(long request, long pid, uint64_t address, ${type} data)`;
  call(prototype, `0x${request.toString(16)}`, request, pid, address, data);
}

const WAIT_ALL = 0x40000000;

const SIGCHLD = osConstants.signals.SIGCHLD;
const SA_NOCLDSTOP = 1;
/** struct sigaction of the C libraries of 64-bit Linux: the handler, 1024 bits of mask, the flags, the way back. */
const SIGACTION_BYTES = 152;
const SIGACTION_FLAGS_OFFSET = 136;

/**
 * From now on SIGCHLD, which has a handler, says only that a child has ended (Linux): not each stop of a process
 * that is traced, of which there are hundreds, and at each of which all children would be looked at.
 */
export function ignoreChildStops(): void {
  const prototype = 'int sigaction(int number, const void *next, void *previous)';
  const action = Buffer.alloc(SIGACTION_BYTES);
  call(prototype, 'SIGCHLD', SIGCHLD, null, action);
  const flags = action.readInt32LE(SIGACTION_FLAGS_OFFSET);
  action.writeInt32LE(flags | SA_NOCLDSTOP, SIGACTION_FLAGS_OFFSET);
  call(prototype, 'SIGCHLD', SIGCHLD, action, null);
}

/** Status word of a traced process that has stopped or ended since the last time; null when it runs. */
export function pollTracee(pid: number): number | null {
  const status = new Int32Array(1);
  const prototype = 'int wait4(int pid, int *status, int options, void *usage)';
  const found = call(prototype, `${pid}`, pid, status, WAIT_ALL | WNOHANG, null);
  return found === 0 ? null : status[0]!;
}

const RLIMIT_LOCKS = 10;
const RLIM_INFINITY = 0xffffffffffffffffn;

/**
 * Runs `work` (synchronous) with a mark that every child it makes, and theirs, inherit for life (Linux):
 * the soft limit on file locks, which the kernel has not used since 2.4 and which shows in
 * /proc/PID/limits. Unlike an environment variable no program sees it, nor loses it by cleaning up.
 */
export function withInheritedMark<T>(mark: bigint, work: () => T): T {
  const previous = setMark(0, mark);
  try {
    return work();
  } finally {
    setMark(0, previous);
  }
}

/** Gives a running process another mark (see `withInheritedMark`) and returns the one it had (Linux). */
export function setMark(pid: number, mark: bigint): bigint {
  const prototype = 'int prlimit(int pid, int resource, const void *next, void *previous)';
  const limits = Buffer.alloc(16);
  call(prototype, `${pid}`, pid, RLIMIT_LOCKS, null, limits);
  const previous = limits.readBigUInt64LE(0);
  assert(limits.readBigUInt64LE(8) === RLIM_INFINITY, 'the hard limit on file locks is unlimited');
  limits.writeBigUInt64LE(mark, 0);
  call(prototype, `${pid}`, pid, RLIMIT_LOCKS, limits, null);
  return previous;
}
