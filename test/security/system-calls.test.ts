/** Barrier: the kernel. Dangerous system calls are refused, whatever the C library thinks of them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  attack,
  attackWithNode,
  createAttacker,
  koffiCode,
  LIMITS,
  skip,
  type Attacker,
} from './attacker.ts';

/** Number on x86-64 and arm64, and arguments that would be harmless if it worked. */
const REFUSED: Record<string, readonly [x64: number, arm64: number, ...args: number[]]> = {
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare_user: [272, 97, 0x10000000],
  unshare_mount: [272, 97, 0x20000],
  setns: [308, 268, 0, 0],
  ptrace_traceme: [101, 117, 0],
  process_vm_readv: [310, 270],
  keyctl: [250, 219, 0, -3],
  add_key: [248, 217],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425, 1],
  open_by_handle_at: [304, 265],
  init_module: [175, 105],
  kexec_load: [246, 104],
  reboot: [169, 142],
  syslog: [103, 116, 3],
  settimeofday: [164, 170],
  swapon: [167, 224],
  open_tree: [428, 428],
  fsopen: [430, 430],
  pidfd_getfd: [438, 438],
  clone_user: [56, 220, 0x10000000],
  clone_pid: [56, 220, 0x20000000],
  clone3: [435, 435],
};

describe('system calls', { skip }, () => {
  let attacker: Attacker;
  before(async () => {
    attacker = await createAttacker();
  });
  after(() => attacker?.close());

  test('calls that administer, look into others or widen rights are refused', async () => {
    const sandbox = await attacker.sandbox('calls', LIMITS, koffiCode);
    const column = process.arch === 'arm64' ? 1 : 0;
    const calls = Object.entries(REFUSED).map(([name, row]) => [name, row[column], row.slice(2)]);
    const script = `
      const koffi = require('/var/task/koffi');
      const syscall = koffi.load(null).func('long syscall(long n, long a, long b, long c, long d, long e, long f)');
      for (const [name, number, args] of ${JSON.stringify(calls)}) {
        const result = Number(syscall(number, ...args, ...Array(6 - args.length).fill(0)));
        if (result === 0 && name.startsWith('clone')) process.exit(0); // the child
        console.log(name, result, koffi.errno());
      }`;
    const { output, exit } = await attackWithNode(sandbox, script);
    assert.equal(exit.code, 0, output);
    const lines = output.trim().split('\n');
    assert.equal(lines.length, calls.length, output);
    for (const line of lines) assert.match(line, /^\w+ -1 (1|38)$/); // EPERM, ENOSYS
  });

  test('raw, packet, netlink-audit and hypervisor sockets are refused', async () => {
    const sandbox = await attacker.sandbox('sockets', LIMITS, koffiCode);
    const script = `
      const koffi = require('/var/task/koffi');
      const socket = koffi.load(null).func('int socket(int domain, int type, int protocol)');
      const kinds = { raw: [2, 3, 1], packet: [17, 3, 3], alg: [38, 5, 0], vsock: [40, 1, 0], tcp: [2, 1, 0], unix: [1, 1, 0] };
      for (const [name, kind] of Object.entries(kinds)) console.log(name, socket(...kind) >= 0);`;
    const { output } = await attackWithNode(sandbox, script);
    assert.equal(output, 'raw false\npacket false\nalg false\nvsock false\ntcp true\nunix true\n');
  });

  test('the tools for namespaces and mounts do not work', async () => {
    const sandbox = await attacker.sandbox('tools');
    const tricks = [
      'unshare -U true',
      'unshare -Ur true',
      'unshare -m true',
      'unshare -n true',
      'mount -t tmpfs none /tmp',
      'mount --bind /etc /tmp',
      'umount /tmp',
      'nsenter -t 1 -m true',
      'hostname evil',
      'ip link set lo down',
      'ip addr add 10.9.9.9/32 dev lo',
      'dmesg',
      'date -s 2000-01-01',
    ];
    const { output } = await attack(
      sandbox,
      tricks.map((trick) => `(${trick}) >/dev/null 2>&1 && echo "WORKED ${trick}"`).join('; '),
    );
    assert.equal(output, '');
  });

  test('ordinary programs run: shell tools, threads, child processes, Python where the host has it', async () => {
    const sandbox = await attacker.sandbox('ordinary');
    const script = `
      const { Worker } = require('node:worker_threads');
      const { execFileSync } = require('node:child_process');
      console.log(execFileSync('/bin/sh', ['-c', 'seq 3 | sort -r | tr "\\\\n" " "; awk "BEGIN { print 6 * 7 }"']).toString().trim());
      new Worker('require("node:worker_threads").parentPort.postMessage("thread")', { eval: true }).on('message', console.log);
      require('node:dns').lookup('localhost', (error, address) => console.log(error ? error.code : address));
      require('node:fs').watch('/tmp').close();`;
    const { output, exit } = await attackWithNode(sandbox, script);
    assert.equal(exit.code, 0, output);
    assert.match(output, /^3 2 1 42\n/);
    assert.match(output, /thread/);
    assert.match(output, /127\.0\.0\.1|::1/);
    const python =
      "test -x /usr/bin/python3 || { echo 499500 thread; exit; }; python3 -c \"import ssl,threading,subprocess,tempfile; t=threading.Thread(target=lambda: None); t.start(); t.join(); tempfile.NamedTemporaryFile().close(); print(sum(range(1000)), subprocess.check_output(['echo','thread'],text=True).strip())\"";
    assert.equal((await attack(sandbox, python)).output, '499500 thread\n');
  });
});
