/**
 * The read-only root that all sandboxes share: a skeleton of folders, its own /etc, a minimal /dev, and
 * the host's /usr without /usr/local.
 *
 * It is put together once, by mounts on the host, and every container binds it as a whole: twelve mounts
 * per start less. Of the host's /etc only what programs need and everybody may know is there.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeCharacterDevice, mount, mountFlags } from '../native.ts';
import { SANDBOX_GID, SANDBOX_UID, SANDBOX_USER } from './user.ts';

const FOLDERS = [
  'proc',
  'sys',
  'tmp',
  'opt',
  'dev',
  'etc',
  'usr',
  'var/task',
  'var/runtime',
  'var/lang',
];
/** Parts of the host's /usr; /usr/local is the administrator's own and stays out. */
const USR_FOLDERS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'libexec', 'share'];
const TOP_FOLDERS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
/** Folders of the host's /etc: certificates, and targets of links in /usr. */
const ETC_FOLDERS = ['alternatives', 'ssl/certs', 'pki/ca-trust', 'pki/tls/certs'];
const ETC_FOLDER_PATTERN = /^java-[\w.-]+$/;
const ETC_FILES = ['ld.so.cache', 'mime.types', 'protocols', 'services', 'ssl/openssl.cnf'];
/** Name, major and minor number of the devices inside. */
const DEVICES = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
] as const;
const DEVICE_LINKS = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
] as const;
/** Telemetry subscribers listen at `sandbox.localdomain` (guide page 056). */
export const SANDBOX_HOSTNAME = 'sandbox';

const READ_ONLY = mountFlags.readOnly | mountFlags.noSuid | mountFlags.noDevices;

/** Binds `source` at `target`, read-only, without set-user-id and devices. The mount must not be shared. */
export function bindReadOnly(source: string, target: string): void {
  mount(source, target, null, mountFlags.bind);
  mount('none', target, null, mountFlags.bind | mountFlags.remount | READ_ONLY);
}

/**
 * Builds the root in the folder `root` (removed first; nothing may be mounted below). The mounts stay
 * until someone unmounts them. `resolvConf` is the text of /etc/resolv.conf.
 */
export function buildRootFilesystem(root: string, resolvConf: string): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  // A mount of its own, private, so that what follows appears nowhere else.
  mount(root, root, null, mountFlags.bind);
  mount('none', root, null, mountFlags.private);
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true, mode: 0o755 });
  chmodSync(root, 0o755);
  addUsr(root);
  addEtc(root, resolvConf);
  addDevices(join(root, 'dev'));
  addSys(root);
}

function bindFolder(source: string, target: string): void {
  mkdirSync(target, { recursive: true, mode: 0o755 });
  bindReadOnly(source, target);
}

function addUsr(root: string): void {
  for (const name of USR_FOLDERS) {
    const source = join('/usr', name);
    if (isFolder(source)) bindFolder(source, join(root, 'usr', name));
  }
  for (const name of TOP_FOLDERS) {
    const source = join('/', name);
    const stat = lstatSync(source, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) symlinkSync(readlinkSync(source), join(root, name));
    else if (stat?.isDirectory()) bindFolder(source, join(root, name));
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function addEtc(root: string, resolvConf: string): void {
  const etc = join(root, 'etc');
  const texts = {
    passwd: `root:x:0:0:root:/root:/sbin/nologin\n${SANDBOX_USER}:x:${SANDBOX_UID}:${SANDBOX_GID}::/home/${SANDBOX_USER}:/sbin/nologin\n`,
    group: `root:x:0:\n${SANDBOX_USER}:x:${SANDBOX_GID}:\n`,
    hosts: `127.0.0.1 localhost ${SANDBOX_HOSTNAME}.localdomain ${SANDBOX_HOSTNAME}\n::1 localhost\n`,
    hostname: `${SANDBOX_HOSTNAME}\n`,
    'nsswitch.conf':
      'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
    'resolv.conf': resolvConf,
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(etc, name), text);
  for (const name of ETC_FILES) {
    const source = join('/etc', name);
    if (!existsSync(source)) continue;
    mkdirSync(join(etc, name, '..'), { recursive: true, mode: 0o755 });
    cpSync(source, join(etc, name), { dereference: true });
  }
  const matching = readdirSync('/etc').filter((name) => ETC_FOLDER_PATTERN.test(name));
  for (const name of [...ETC_FOLDERS, ...matching]) {
    if (isFolder(join('/etc', name))) bindFolder(join('/etc', name), join(etc, name));
  }
}

/** The devices live on a small file system of their own: the data folder's may forbid device nodes. */
function addDevices(dev: string): void {
  mount('tmpfs', dev, 'tmpfs', mountFlags.noSuid | mountFlags.noExecute, 'mode=755,size=64k');
  for (const [name, major, minor] of DEVICES) {
    makeCharacterDevice(join(dev, name), major, minor);
    chmodSync(join(dev, name), 0o666); // whatever the umask
  }
  for (const [name, target] of DEVICE_LINKS) symlinkSync(target, join(dev, name));
  const flags = mountFlags.remount | mountFlags.bind | mountFlags.readOnly;
  mount('none', dev, null, flags | mountFlags.noSuid | mountFlags.noExecute);
}

/** Of /sys only the list of CPUs, which allocators and language runtimes look at. */
function addSys(root: string): void {
  const source = '/sys/devices/system/cpu';
  if (isFolder(source)) bindFolder(source, join(root, source));
}

export interface Resolver {
  /** Text for /etc/resolv.conf inside. */
  readonly resolvConf: string;
  /** Why names will not resolve inside; null when they should. */
  readonly problem: string | null;
}

/** Files that may list the host's name servers; the second is systemd-resolved's list of the real ones. */
const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/** The host's name servers, as far as a sandbox can reach them: not those on the host's own loopback. */
export function findResolver(files: readonly string[] = RESOLVER_FILES): Resolver {
  for (const file of files) {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    const kept = lines.filter(
      (line) => /^(nameserver|search|options)\s/.test(line) && !isLoopback(line),
    );
    if (kept.some((line) => line.startsWith('nameserver'))) {
      return { resolvConf: `${kept.join('\n')}\n`, problem: null };
    }
  }
  const problem = "the host's name server is on its loopback, which sandboxes cannot reach";
  return { resolvConf: '', problem };
}

function isLoopback(line: string): boolean {
  return /^nameserver\s+(127\.|::1\b)/.test(line);
}
