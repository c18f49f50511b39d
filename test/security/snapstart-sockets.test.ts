/**
 * A user namespace gives whoever made it power over the networks in it, without a capability of his own. A
 * version's Init leaves a process behind that is handed a socket of the restored environment, and tries (ADR 0015).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { findRuntimeSearch } from '../../src/config.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';
import { deploy, invoke } from '../e2e/functions.ts';
import { drivers, HearthProcess } from '../e2e/hearth-process.ts';

const runtime = createRuntimeCatalog(findRuntimeSearch())
  .list()
  .find(({ id, available }) => /^python3\.1[2-9]$/.test(id) && available);

const module = `
import fcntl, os, socket, struct
ours, theirs = socket.socketpair()

def errno_of(action):
    try:
        action()
        return 0
    except OSError as error:
        return error.errno

if os.fork() == 0:
    while True:
        _, files, _, _ = socket.recv_fds(theirs, 1, 2)
        sock = socket.socket(fileno=files[0])
        loopback_down = lambda: fcntl.ioctl(sock, 0x8914, struct.pack("16sH14x", b"lo", 0))
        packet_filter = lambda: sock.setsockopt(socket.IPPROTO_IP, 64, bytes(96))
        netlink = socket.socket(fileno=files[1])
        # RTM_NEWLINK: the loopback's flag IFF_UP to 0. With an address it is the sender's rights that count.
        netlink.sendto(struct.pack("=IHHIIBBHiII", 32, 16, 5, 1, 0, 0, 0, 0, 1, 0, 1), (0, 0))
        by_message = -struct.unpack_from("i", netlink.recv(4096), 16)[0]
        theirs.send(bytes([errno_of(loopback_down), errno_of(packet_filter), by_message]))

def handler(event, context):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, \\
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        socket.send_fds(ours, [b"x"], [sock.fileno(), netlink.fileno()])
    return list(ours.recv(3))
`;

const EPERM = 1;
const ENOPROTOOPT = 92;

describe(
  'sockets of restored environments',
  { skip: !drivers.includes('oci') || runtime === undefined },
  () => {
    let hearth: HearthProcess;
    let client: LambdaClient;

    before(async () => {
      hearth = await HearthProcess.start({ driver: 'oci' });
      ({ client } = hearth);
      await deploy(client, 'sockets', {
        Runtime: runtime?.id as 'python3.12',
        Handler: 'app.handler',
        SnapStart: { ApplyOn: 'PublishedVersions' },
        Timeout: 10,
        files: { 'app.py': module },
      });
      await client.send(new PublishVersionCommand({ FunctionName: 'sockets' }));
      const command = new GetFunctionConfigurationCommand({
        FunctionName: 'sockets',
        Qualifier: '1',
      });
      while ((await client.send(command)).State === 'Pending') await sleep(5);
    });
    after(() => hearth.stopAndRemove());

    test('nothing that Init left behind can configure their network', async () => {
      // At once, because a process that copies are made of runs only while one is made.
      const invoked = await Promise.all(
        Array.from({ length: 4 }, () => invoke(client, 'sockets', {}, { Qualifier: '1' })),
      );
      for (const { result, text } of invoked) {
        assert(Array.isArray(result), text);
        const [loopbackDown, packetFilter, byMessage] = result as number[];
        assert.equal(loopbackDown, EPERM);
        assert.equal(byMessage, EPERM);
        assert(
          [EPERM, ENOPROTOOPT].includes(packetFilter ?? 0),
          `setsockopt: errno ${packetFilter}`,
        );
      }
    });
  },
);
