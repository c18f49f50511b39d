/**
 * Who makes a user namespace has power over what belongs to it, without a capability of his own: so copies of a
 * process must not be in namespaces of the uid that is left beside them (ADR 0015). What a version's Init leaves
 * running is handed sockets, namespaces and the number of a restored environment by the environment
 * itself, and tries. It runs in the keeper's place, which no freezing of the template stops, as it is and after an
 * `exec`, which makes all its uids the same.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { COPY_OWNER_UID } from '../../src/sandbox/oci/copy-owner.ts';
import { invoke } from '../e2e/functions.ts';
import { HearthProcess } from '../e2e/hearth-process.ts';
import { deployPublished, hasWalledCopies } from '../e2e/restored-functions.ts';

/** Takes over the keepers of all copies, and gives each copy a way to its own. */
const app = `
import array, json, os, socket, subprocess, sys, uuid
import attack
imported = str(uuid.uuid4())
ours = theirs = None
fork, waitpid = os.fork, os.waitpid

def forked():
    global ours, theirs
    ours, theirs = socket.socketpair()
    return fork()

def keep(pid, options):
    if options != 0:
        return waitpid(pid, options)
    # The keeper of a copy, which waits for its end.
    ours.close()
    while True:
        word, files, _, _ = socket.recv_fds(theirs, 64, 8)
        if not word:
            return waitpid(pid, options)
        mode, copy = word.split()
        if mode == b"exec":
            for file in (*files, theirs.fileno()):
                os.set_inheritable(file, True)
            args = [copy, str(theirs.fileno()), *map(str, files)]
            subprocess.run([sys.executable, attack.__file__, *args], close_fds=False)
        else:
            attack.answer(theirs, copy.decode(), files)
        for file in files:
            os.close(file)

os.fork, os.waitpid, os.closerange = forked, keep, lambda *_: None

def handler(event, context):
    mine = attack.of_uid()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, \\
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        names = [os.open("/proc/self/ns/" + name, os.O_RDONLY) for name in ("user", "net", "mnt")]
        word = event["mode"] + " " + str(os.getpid())
        socket.send_fds(ours, [word.encode()], [sock.fileno(), netlink.fileno(), *names])
        answer = ours.recv(65536)
        for name in names:
            os.close(name)
    return {"imported": imported, "mine": mine, "theirs": json.loads(answer)}
`;

const attack = `
import ctypes, fcntl, json, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
OWNER = ${COPY_OWNER_UID}
MINUS_ONE = 0xffffffff

def errno_of(action):
    try:
        action()
        return 0
    except OSError as error:
        return error.errno

def call(number, *args):
    result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_ulong, args))
    return ctypes.get_errno() if result < 0 else 0

def uids():
    with open("/proc/self/status") as file:
        fields = dict(line.split(":\\t") for line in file.read().splitlines() if ":\\t" in line)
    return [fields["Uid"], sorted({fields[name] for name in fields if name.startswith("Cap")})]

def of_uid():
    high = 1 << 32
    refused = {
        "setuid": call(105, OWNER), "setuid 0": call(105, 0), "setuid high": call(105, high | OWNER),
        "setfsuid": call(122, OWNER),
        "setreuid real": call(113, OWNER, MINUS_ONE), "setreuid effective": call(113, MINUS_ONE, OWNER),
        "setreuid both": call(113, OWNER, OWNER), "setreuid high": call(113, MINUS_ONE, high | OWNER),
    }
    for place in range(3):
        for other in (993, MINUS_ONE):
            args = [other] * 3
            args[place] = OWNER
            refused["setresuid " + str(args)] = call(117, *args)
    refused["setresuid high"] = call(117, MINUS_ONE, high | OWNER, MINUS_ONE)
    refused["setresuid all"] = call(117, OWNER, OWNER, OWNER)
    own = [errno_of(lambda: os.setuid(os.getuid())), errno_of(lambda: os.seteuid(os.geteuid())),
        errno_of(lambda: os.setreuid(993, 993)), errno_of(lambda: os.setreuid(-1, -1)),
        errno_of(lambda: os.setresuid(993, 993, 993)), errno_of(lambda: os.setresuid(-1, 993, -1)),
        libc.setfsuid(993) - 993, libc.setfsuid(-1) - 993, errno_of(lambda: os.setgid(os.getgid())),
        errno_of(lambda: os.setresgid(990, 990, 990))]
    return {"refused": refused, "own": own, "uids": uids()}

def of_network(sock, netlink):
    # RTM_NEWLINK: the loopback's flag IFF_UP to 0. With an address it is the sender's rights that count.
    message = struct.pack("=IHHIIBBHiII", 32, 16, 5, 1, 0, 0, 0, 0, 1, 0, 1)
    def by_message(*to):
        netlink.sendto(message, *to) if to else netlink.send(message)
        return -struct.unpack_from("i", netlink.recv(4096), 16)[0]
    return {
        "loopback down": errno_of(lambda: fcntl.ioctl(sock, 0x8914, struct.pack("16sH14x", b"lo", 0))),
        "mark": errno_of(lambda: sock.setsockopt(socket.SOL_SOCKET, 36, 1)),
        "namespace": errno_of(lambda: fcntl.ioctl(sock, 0x894c)),
        "message": by_message((0, 0)), "message without address": by_message(),
    }

def of_process(copy):
    files = ("ns/user", "ns/net", "uid_map", "mem", "environ", "fd", "root", "cwd", "maps", "status")
    opened = {name: errno_of(lambda: os.close(os.open("/proc/" + copy + "/" + name, os.O_RDONLY))) for name in files}
    pidfd = os.pidfd_open(int(copy))
    calls = {
        "attach": call(101, 16, int(copy), 0, 0), "seize": call(101, 0x4206, int(copy), 0, 0),
        "read": call(310, int(copy), 0, 0, 0, 0, 0), "write": call(311, int(copy), 0, 0, 0, 0, 0),
        "file": call(438, pidfd, 0, 0), "compare": call(312, os.getpid(), int(copy), 0, 0, 0),
        "enter": call(308, pidfd, 0x40000000),
        "locks": call(274, int(copy), id(bytearray(16)), id(bytearray(16))),
    }
    os.close(pidfd)
    return {"opened": opened, "listed": copy in os.listdir("/proc"), "calls": calls}

def answer(channel, copy, files):
    sock, netlink = (socket.socket(fileno=os.dup(file)) for file in files[:2])
    with sock, netlink:
        told = {
            "uid": of_uid(), "network": of_network(sock, netlink), "process": of_process(copy),
            "filter": errno_of(lambda: sock.setsockopt(socket.IPPROTO_IP, 64, bytes(96))),
            "setns": [call(308, file, 0) for file in files[2:]],
            "uidMap": open("/proc/self/uid_map").read().split(),
        }
    channel.send(json.dumps(told).encode())

if __name__ == "__main__":
    copy, channel, *files = sys.argv[1:]
    answer(socket.socket(fileno=int(channel)), copy, list(map(int, files)))
`;

interface OfUid {
  readonly refused: Readonly<Record<string, number>>;
  readonly own: readonly number[];
  readonly uids: readonly [string, readonly string[]];
}

interface Answer {
  readonly imported: string;
  /** What the copy tried. */
  readonly mine: OfUid;
  readonly theirs: {
    readonly uid: OfUid;
    readonly network: Readonly<Record<string, number>>;
    readonly process: {
      readonly opened: Readonly<Record<string, number>>;
      readonly listed: boolean;
      readonly calls: Readonly<Record<string, number>>;
    };
    readonly filter: number;
    readonly setns: readonly number[];
    readonly uidMap: readonly string[];
  };
}

const EPERM = 1;
const ENOENT = 2;
const ENOPROTOOPT = 92;
const noCapability = '0000000000000000';

describe('what Init left behind, beside restored environments', { skip: !hasWalledCopies }, () => {
  let hearth: HearthProcess;
  let client: LambdaClient;

  before(async () => {
    hearth = await HearthProcess.start({ driver: 'oci' });
    ({ client } = hearth);
    await deployPublished(client, 'sockets', {
      files: { 'app.py': app, 'attack.py': attack },
    });
  });
  after(() => hearth.stopAndRemove());

  async function attempts(mode: string): Promise<Answer[]> {
    const invoked = await Promise.all(
      [1, 2].map(() => invoke(client, 'sockets', { mode }, { Qualifier: '1' })),
    );
    const answers = invoked.map(({ result, text }) => {
      assert.match(text, /"imported"/, text);
      return result as Answer;
    });
    assert.equal(answers[0]?.imported, answers[1]?.imported, 'they are copies of one process');
    return answers;
  }

  const refused = (tried: Readonly<Record<string, number>>): void => {
    for (const [name, errno] of Object.entries(tried)) assert.equal(errno, EPERM, name);
  };

  for (const mode of ['fork', 'exec']) {
    describe(`after ${mode}`, () => {
      let answers: readonly Answer[];
      before(async () => {
        answers = await attempts(mode);
      });

      test('it cannot configure their network', () => {
        for (const { theirs } of answers) {
          refused(theirs.network);
          const { filter } = theirs;
          assert([EPERM, ENOPROTOOPT].includes(filter), `setsockopt: errno ${filter}`);
        }
      });

      test('it can neither see them nor look into them', () => {
        for (const { theirs } of answers) {
          assert.equal(theirs.process.listed, false);
          for (const [name, errno] of Object.entries(theirs.process.opened)) {
            assert.equal(errno, ENOENT, name);
          }
          refused(theirs.process.calls);
        }
      });

      test('it cannot enter their namespaces', () => {
        for (const { theirs } of answers) assert.deepEqual(theirs.setns, [EPERM, EPERM, EPERM]);
      });

      test('it cannot become the uid that they belong to, though it may have it as its saved one', () => {
        const saved = mode === 'exec' ? 993 : COPY_OWNER_UID;
        for (const { theirs } of answers) {
          refused(theirs.uid.refused);
          assert.deepEqual(theirs.uid.uids, [`993\t993\t${saved}\t993`, [noCapability]]);
          const owner = String(COPY_OWNER_UID);
          assert.deepEqual(theirs.uidMap, ['993', '993', '1', owner, owner, '1']);
        }
      });

      test('nor can a copy, and what every program may do works', () => {
        for (const { mine, theirs } of answers) {
          refused(mine.refused);
          assert.deepEqual(mine.uids, ['993\t993\t993\t993', [noCapability]]);
          for (const { own } of [mine, theirs.uid]) {
            assert.deepEqual(own, Array(own.length).fill(0));
          }
        }
      });
    });
  }
});
