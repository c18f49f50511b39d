/**
 * SnapStart environments under the oci driver are copies of one process, moved behind walls
 * of their own after Init (ADR 0015): that they have them, and that nothing of the way there is left in their hands.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { invoke } from '../e2e/functions.ts';
import { HearthProcess } from '../e2e/hearth-process.ts';
import { deployPublished, hasWalledCopies } from '../e2e/restored-functions.ts';

/** Looks around, tries what it must not, and says what came of it. */
const module = `
import ctypes, fcntl, os, socket, struct, threading, time, uuid
imported = str(uuid.uuid4())
libc = ctypes.CDLL(None, use_errno=True)
with open("/tmp/of-init", "w") as file:
    file.write("kept")

# What waits for its host's word waits in another way where there are threads.
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

def errno_of(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *args)
    return ctypes.get_errno() if result < 0 else 0

def link_down():
    request = struct.pack("16sH14x", b"eth0", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            fcntl.ioctl(sock, 0x8914, request)
        except OSError as error:
            return error.errno
    return 0

def attempt(action):
    try:
        return action()
    except OSError as error:
        return error.errno

def owner_of_init():
    with open("/tmp/of-init", "a") as file:
        file.write(" and changed")
    found = os.stat("/tmp/of-init")
    return [found.st_uid, found.st_gid, open("/tmp/of-init").read()]

def status():
    with open("/proc/self/status") as file:
        return dict(line.split(":\\t") for line in file.read().splitlines() if ":\\t" in line)

def open_files():
    names = [(fd, attempt(lambda: os.readlink("/proc/self/fd/" + fd))) for fd in os.listdir("/proc/self/fd")]
    return [str(name) for fd, name in names]

def handler(event, context):
    if event.get("fill"):
        return len(bytearray(event["fill"] << 20))
    with open("/tmp/" + event.get("name", "x"), "w") as file:
        file.write("mine")
    time.sleep(event.get("sleep", 0))
    fields = status()
    return {
        "imported": imported,
        "capabilities": [fields[name] for name in fields if name.startswith("Cap")],
        "noNewPrivs": fields["NoNewPrivs"], "seccomp": fields["Seccomp"], "tracer": fields["TracerPid"],
        "ids": fields["Uid"].split() + fields["Gid"].split(),
        "uidMap": open("/proc/self/uid_map").read().split(),
        "processes": sorted(pid for pid in os.listdir("/proc") if pid.isdigit()) == [str(os.getpid())],
        "files": open_files(),
        "tmp": sorted(os.listdir("/tmp")),
        "address": attempt(lambda: fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8915,
            struct.pack("256s", b"eth0"))[20:24].hex()),
        "unshare": errno_of(272, 0x10000000), "setns": errno_of(308, 0, 0),
        "mount": errno_of(165, b"none", b"/tmp", b"tmpfs", 0, None), "umount": errno_of(166, b"/tmp", 0),
        "moveMount": errno_of(429, -100, b"/tmp", -100, b"/opt", 0), "ptrace": errno_of(101, 16, 1, 0, 0),
        "bpf": errno_of(321, 0, 0, 0), "linkDown": link_down(),
        "rawSocket": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1) and 0),
        "root": attempt(lambda: os.setuid(0) or 0), "writeTask": attempt(lambda: open("/var/task/x", "w") and 0),
        "ofInit": owner_of_init(), "oomScore": int(open("/proc/self/oom_score_adj").read()),
        "cgroup": all(line.endswith(":/") for line in open("/proc/self/cgroup").read().split()),
    }
`;

type Seen = Record<string, unknown> & { readonly files: string[] };

const EPERM = 1;
describe('copies of a process behind walls of their own', { skip: !hasWalledCopies }, () => {
  let hearth: HearthProcess;
  let client: LambdaClient;
  const Qualifier = '1';

  before(async () => {
    hearth = await HearthProcess.start({ driver: 'oci' });
    ({ client } = hearth);
    await deployPublished(client, 'copied', {
      MemorySize: 256,
      files: { 'app.py': module },
    });
  });
  after(() => hearth.stopAndRemove());

  const look = async (event: object): Promise<Seen> =>
    (await invoke(client, 'copied', event, { Qualifier })).result as Seen;

  test('no capability, no other process, nothing refused before is allowed', async () => {
    const seen = await look({});
    assert.deepEqual(seen['capabilities'], Array(5).fill('0000000000000000'));
    assert.equal(seen['noNewPrivs'], '1');
    assert.equal(seen['seccomp'], '2');
    assert.equal(seen['tracer'], '0');
    assert.deepEqual(seen['ids'], [...Array(4).fill('993'), ...Array(4).fill('990')]);
    assert.deepEqual(seen['uidMap'], ['993', '993', '1']);
    assert.equal(seen['processes'], true);
    assert.equal(seen['cgroup'], true);
    const refused = ['unshare', 'setns', 'mount', 'umount', 'moveMount', 'ptrace', 'bpf'];
    for (const name of [...refused, 'linkDown', 'rawSocket']) assert.equal(seen[name], EPERM, name);
    assert.notEqual(seen['root'], 0);
    assert.notEqual(seen['writeTask'], 0);
  });

  test('what Init left in /tmp is its own, and it is the first to go when memory is short', async () => {
    const { ofInit, oomScore } = await look({ name: 'other' });
    assert.match(String(ofInit), /^993,990,kept( and changed)+$/);
    assert.equal(oomScore, 500);
  });

  test('no file of the host, the template or the way here is open', async () => {
    const { files } = await look({});
    const strange = files.filter(
      (name) => !/^(pipe:|socket:|\/dev\/null$|2$|\/proc\/\d+\/fd$)/.test(name),
    );
    assert.deepEqual(strange, []);
  });

  test('environments of one version share neither /tmp nor network', async () => {
    const names = ['one', 'two'];
    const [one, two] = await Promise.all(names.map((name) => look({ name, sleep: 1 })));
    assert.equal(one?.['imported'], two?.['imported'], 'copies of one process');
    assert(
      !(one?.['tmp'] as string[]).includes('two') && !(two?.['tmp'] as string[]).includes('one'),
    );
    assert((one?.['tmp'] as string[]).includes('of-init'), 'what Init left there is there');
    assert.notEqual(one?.['address'], two?.['address']);
  });

  test('each has its own memory limit', async () => {
    const other = look({ sleep: 2 });
    const failed = await invoke(client, 'copied', { fill: 400 }, { Qualifier });
    assert.match(failed.text, /Runtime\.OutOfMemory/);
    assert.equal((await other)['seccomp'], '2', 'the other goes on');
    assert.equal((await look({}))['seccomp'], '2', 'and so does their template');
  });
});
