/**
 * Network namespaces of the sandboxes, and their way out to the world.
 *
 * Each sandbox has a namespace of its own with a loopback interface, where its Runtime API listens. Where
 * `ip` and `nft` work it also has one end of a veth pair; the host translates its address (NAT). A
 * sandbox reaches neither the host itself, on any address, nor another sandbox, nor link-local addresses
 * (cloud metadata), and nothing outside can open a connection to it.
 *
 * A namespace is held by a descriptor of this process, so the kernel removes it, and the veth pair with
 * it, when the server dies. A few are kept ready, because making one takes longer than a cold start may.
 */
import { closeSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import {
  bringInterfaceUp,
  configureInterface,
  createNetworkNamespace,
  inNetworkNamespace,
} from '../native.ts';
import { runCommand } from './command.ts';

export interface SandboxNetwork {
  /** Keeps the namespace alive; for `inNetworkNamespace`. */
  readonly fd: number;
  /** The namespace as a path that another process can open. */
  readonly path: string;
  /** Address inside on the way out; null without outbound network. */
  readonly address: string | null;
}

export interface Network {
  readonly notices: readonly string[];
  /** A fresh namespace, from those kept ready when there is one. */
  acquire(): Promise<SandboxNetwork>;
  /** Equips a namespace that a process has made for itself; `fd`, which it takes over, keeps it alive. */
  adopt(fd: number): Promise<SandboxNetwork>;
  /** Gives it up; the kernel removes it when the last process inside has ended. */
  release(network: SandboxNetwork): void;
  close(): Promise<void>;
}

/** Namespaces kept ready. Each costs some tens of kilobytes of kernel memory. */
const READY_TARGET = 4;
const READY_MIN = 2;
/** /30 networks of one instance: the default account concurrency, rounded up. */
const SUBNETS_MAX = 1024;
/** The pool is the lower half of the link-local range, in blocks of one per instance. */
const POOL_START = ipv4ToNumber('169.254.0.0');
const POOL_BLOCKS = 8;
const BLOCK_ADDRESSES = SUBNETS_MAX * 4;
const BLOCK_PREFIX = 32 - Math.log2(BLOCK_ADDRESSES);
const NETMASK = '255.255.255.252';
const INSIDE_INTERFACE = 'eth0';

interface Subnet {
  readonly index: number;
  readonly hostAddress: string;
  readonly insideAddress: string;
}

export function ipv4ToNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function numberToIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}

/** Interface names are at most 15 characters: 'h', eight of the instance, '-', up to four digits. */
export function hostInterfacePrefix(instanceId: string): string {
  return `h${instanceId}-`;
}

export function tableName(instanceId: string): string {
  return `hearth_${instanceId}`;
}

/** The packet filter and address translation of one instance, for `nft -f -`. */
export function networkRules(instanceId: string, block: number): string {
  const table = tableName(instanceId);
  const ours = `"${hostInterfacePrefix(instanceId)}*"`;
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  chain input {
    type filter hook input priority filter - 10; policy accept;
    iifname ${ours} drop
  }
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    iifname ${ours} oifname ${ours} drop
    iifname ${ours} ip daddr 169.254.0.0/16 drop
    iifname ${ours} meta nfproto ipv6 drop
    oifname ${ours} ct state established,related accept
    oifname ${ours} drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${numberToIpv4(block)}/${BLOCK_PREFIX} oifname != ${ours} masquerade
  }
}
`;
}

/** Makes the instance's network. Without the tools or the rights for outbound traffic it says so. */
export async function createNetwork(
  clock: Clock,
  log: Log,
  instanceId: string,
  subnetsMax = SUBNETS_MAX,
): Promise<Network> {
  const block = chooseBlock(instanceId, hostAddresses());
  const problem = await setUpOutbound(clock, log, networkRules(instanceId, block));
  const warning = problem === null ? await findForwardingBlock(clock) : null;
  const settings = { instanceId, block, problem, warning, subnetsMax };
  const network = new HostNetwork(clock, log, settings);
  await network.fill();
  return network;
}

/** Installs the rules and turns forwarding on; resolves with the reason when that does not work. */
async function setUpOutbound(clock: Clock, log: Log, rules: string): Promise<string | null> {
  try {
    const version = await runCommand(clock, ['ip', '-V']);
    if (version.code !== 0) return `ip: ${version.output.trim()}`;
    const { code, output } = await runCommand(clock, ['nft', '-f', '-'], rules);
    if (code !== 0) return `nft: ${output.trim().split('\n')[0]}`;
    turnOnForwarding(log);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Stays on when the server ends: someone else may have come to need it. */
function turnOnForwarding(log: Log): void {
  const setting = '/proc/sys/net/ipv4/ip_forward';
  if (readFileSync(setting, 'latin1').trim() === '1') return;
  writeFileSync(setting, '1');
  log.info({ setting }, 'turned on IPv4 forwarding');
}

/** Another table may drop what ours accepts, as container engines set it up; resolves with a warning. */
async function findForwardingBlock(clock: Clock): Promise<string | null> {
  const { code, output } = await runCommand(clock, ['nft', 'list', 'chains']);
  const blocks = code === 0 && /hook forward priority [^;]*; policy drop;/.test(output);
  return blocks ? 'the packet filter of this host drops forwarded packets by default' : null;
}

/** The block of the pool that no other interface of the host uses, starting from the instance's own. */
export function chooseBlock(instanceId: string, usedAddresses: readonly string[]): number {
  const first = Number.parseInt(instanceId, 16) % POOL_BLOCKS;
  const used = usedAddresses.map((address) => ipv4ToNumber(address));
  for (let offset = 0; offset < POOL_BLOCKS; offset += 1) {
    const start = POOL_START + ((first + offset) % POOL_BLOCKS) * BLOCK_ADDRESSES;
    if (!used.some((address) => address >= start && address < start + BLOCK_ADDRESSES))
      return start;
  }
  return POOL_START + first * BLOCK_ADDRESSES;
}

function hostAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
}

interface NetworkSettings {
  readonly instanceId: string;
  /** First address of the instance's part of the pool. */
  readonly block: number;
  readonly subnetsMax: number;
  /** Why there is no outbound traffic; null when there is. */
  readonly problem: string | null;
  /** Why there may be none although everything was set up. */
  readonly warning: string | null;
}

class HostNetwork implements Network {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #prefix: string;
  readonly #instanceId: string;
  readonly #outboundWarning: string | null;
  #outboundProblem: string | null;
  /** First in, first out: a removed veth pair lingers for a moment. */
  readonly #freeSubnets: Subnet[];
  readonly #subnets = new Map<SandboxNetwork, Subnet>();
  readonly #ready: SandboxNetwork[] = [];
  #filling: Promise<void> | null = null;
  #closed = false;

  constructor(clock: Clock, log: Log, settings: NetworkSettings) {
    this.#clock = clock;
    this.#log = log;
    this.#instanceId = settings.instanceId;
    this.#prefix = hostInterfacePrefix(settings.instanceId);
    this.#outboundProblem = settings.problem;
    this.#outboundWarning = settings.warning;
    const start = settings.block;
    this.#freeSubnets = Array.from({ length: settings.subnetsMax }, (_, index) => ({
      index,
      hostAddress: numberToIpv4(start + index * 4 + 1),
      insideAddress: numberToIpv4(start + index * 4 + 2),
    }));
  }

  get notices(): readonly string[] {
    const [problem, warning] = [this.#outboundProblem, this.#outboundWarning];
    if (problem !== null) return [`sandbox oci: functions have no outbound network: ${problem}`];
    if (warning === null) return [];
    return [`sandbox oci: functions may have no outbound network: ${warning}`];
  }

  async acquire(): Promise<SandboxNetwork> {
    assert(!this.#closed, 'the network is open');
    while (this.#ready.length === 0) await this.fill();
    const network = this.#ready.shift()!;
    if (this.#ready.length < READY_MIN) {
      this.fill().catch((error: unknown) => this.#log.error({ error }, 'network namespaces'));
    }
    return network;
  }

  async adopt(fd: number): Promise<SandboxNetwork> {
    try {
      prepareNamespace(fd);
      const [subnet = null] = await this.#connect([fd]);
      return this.#describe(fd, subnet);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  #describe(fd: number, subnet: Subnet | null): SandboxNetwork {
    const path = `/proc/${process.pid}/fd/${fd}`;
    const network = { fd, path, address: subnet?.insideAddress ?? null };
    if (subnet !== null) this.#subnets.set(network, subnet);
    return network;
  }

  release(network: SandboxNetwork): void {
    closeSync(network.fd);
    const subnet = this.#subnets.get(network);
    this.#subnets.delete(network);
    if (subnet !== undefined) this.#freeSubnets.push(subnet);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#filling;
    for (const network of this.#ready.splice(0)) this.release(network);
    if (this.#outboundProblem === null) {
      const argv = ['nft', 'delete', 'table', 'inet', tableName(this.#instanceId)] as const;
      await runCommand(this.#clock, argv);
    }
  }

  /** Brings the number of ready namespaces up to the target; one at a time. */
  fill(): Promise<void> {
    this.#filling ??= this.#fill().finally(() => (this.#filling = null));
    return this.#filling;
  }

  async #fill(): Promise<void> {
    const fds: number[] = [];
    for (let count = this.#ready.length; count < READY_TARGET; count += 1)
      fds.push(openNamespace());
    const subnets = await this.#connect(fds);
    for (const [index, fd] of fds.entries()) {
      this.#ready.push(this.#describe(fd, subnets[index] ?? null));
    }
  }

  /** Gives each namespace its veth pair; null in the place of one that got none. */
  async #connect(fds: readonly number[]): Promise<(Subnet | null)[]> {
    if (this.#outboundProblem !== null) return fds.map(() => null);
    const subnets = fds.map(() => this.#freeSubnets.shift() ?? null);
    const commands = fds.flatMap((fd, index) => this.#linkCommands(fd, subnets[index] ?? null));
    const argv = ['ip', '-force', '-batch', '-'] as const;
    const { output } = await runCommand(this.#clock, argv, commands.join('\n'));
    const connected = fds.map((fd, index) => this.#configure(fd, subnets[index] ?? null));
    const failures = connected.filter((subnet) => subnet === null).length;
    if (failures > 0) this.#log.warn({ failures, output }, 'sandboxes without outbound network');
    // Nothing has ever worked: say so at start and do not try again.
    if (failures === fds.length && this.#subnets.size === 0) {
      this.#outboundProblem = `ip: ${output.trim().split('\n')[0]}`;
    }
    return connected;
  }

  #linkCommands(fd: number, subnet: Subnet | null): string[] {
    if (subnet === null) return [];
    const name = `${this.#prefix}${subnet.index}`;
    const peer = `peer name ${INSIDE_INTERFACE} netns /proc/${process.pid}/fd/${fd}`;
    // Of a namespace that was released, but which a socket somewhere still holds.
    const isLeft = existsSync(`/sys/class/net/${name}`);
    return [
      ...(isLeft ? [`link delete ${name}`] : []),
      `link add ${name} type veth ${peer}`,
      `link set ${name} addrgenmode none`, // no IPv6 address on the host's end
      `addr add ${subnet.hostAddress}/30 dev ${name}`,
      `link set ${name} up`,
    ];
  }

  #configure(fd: number, subnet: Subnet | null): Subnet | null {
    if (subnet === null) return null;
    const settings = {
      address: subnet.insideAddress,
      netmask: NETMASK,
      gateway: subnet.hostAddress,
    };
    try {
      if (!existsSync(`/sys/class/net/${this.#prefix}${subnet.index}`)) throw new Error('no link');
      inNetworkNamespace(fd, () => configureInterface(INSIDE_INTERFACE, settings));
      return subnet;
    } catch {
      this.#freeSubnets.push(subnet);
      return null;
    }
  }
}

function prepareNamespace(fd: number): void {
  inNetworkNamespace(fd, () => {
    bringInterfaceUp('lo');
    const setting = '/proc/sys/net/ipv6/conf/default/disable_ipv6';
    if (existsSync(setting)) writeFileSync(setting, '1');
  });
}

/** A namespace with its loopback up and no IPv6 but on the loopback. */
function openNamespace(): number {
  const fd = createNetworkNamespace();
  try {
    prepareNamespace(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
