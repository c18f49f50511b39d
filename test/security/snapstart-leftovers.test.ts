/**
 * What a restored environment hands to processes beside it outlives it: memory, files of its /tmp, its network.
 * Environments that end one after the other could so take the host's memory, disk and addresses, without
 * any of them being over a limit. Here each passes what it has into a socket that Init opened, and dies.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { invoke } from '../e2e/functions.ts';
import { HearthProcess } from '../e2e/hearth-process.ts';
import { deployPublished, hasWalledCopies } from '../e2e/restored-functions.ts';

const app = `
import fcntl, os, socket, struct, uuid
imported = str(uuid.uuid4())
ours, theirs = socket.socketpair()
with open("/tmp/of-init", "w"): pass

def address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            return socket.inet_ntoa(fcntl.ioctl(sock, 0x8915, struct.pack("256s", b"eth0"))[20:24])
        except OSError:
            return None

def handler(event, context):
    leave = event.get("leave")
    if leave is None:
        return {"imported": imported, "address": address()}
    if leave == "memory":
        file = os.memfd_create("left")
        os.write(file, bytes(48 << 20))
    elif leave == "disk":
        file = os.open("/tmp", os.O_RDONLY)
    else:
        file = socket.socket().detach()
    socket.send_fds(ours, [b"x"], [file])
    os._exit(0)
`;

interface Seen {
  readonly imported: string;
  readonly address: string | null;
}

describe('what ended environments leave to those beside them', { skip: !hasWalledCopies }, () => {
  let hearth: HearthProcess;
  let client: LambdaClient;
  const Qualifier = '1';

  before(async () => {
    hearth = await HearthProcess.start({ driver: 'oci' });
    ({ client } = hearth);
  });
  after(() => hearth.stopAndRemove());

  async function publish(name: string): Promise<void> {
    await deployPublished(client, name, {
      MemorySize: 128,
      files: { 'app.py': app },
    });
  }

  const look = async (name: string): Promise<Seen> =>
    (await invoke(client, name, {}, { Qualifier })).result as Seen;

  async function leave(name: string, what: string): Promise<void> {
    const { text } = await invoke(client, name, { leave: what }, { Qualifier });
    assert.match(text, /Runtime\.ExitError/);
  }

  test('memory: as much as one may have is bearable, more ends all of them', async () => {
    await publish('memory');
    const { imported } = await look('memory');
    await leave('memory', 'memory');
    await leave('memory', 'memory');
    assert.equal((await look('memory')).imported, imported, 'two times 48 MB');
    await leave('memory', 'memory');
    await hearth.logged(/leave too much behind/);
    assert.notEqual((await look('memory')).imported, imported, 'a new Init');
  });

  test('disk: a /tmp that is still held after its time ends who holds it', async () => {
    await publish('disk');
    const { imported } = await look('disk');
    await leave('disk', 'disk');
    assert.equal((await look('disk')).imported, imported);
    for (let round = 0; !/"what":"disk"/.test(hearth.stderr); round += 1) {
      assert(round < 1500, hearth.stderr);
      await sleep(10);
    }
    assert.notEqual((await look('disk')).imported, imported, 'a new Init');
  });

  test('network: an address that is free again is given to the next one, whoever holds its socket', async () => {
    await publish('network');
    const { imported } = await look('network');
    for (let count = 0; count < 3; count += 1) await leave('network', 'network');
    const seen = await look('network');
    assert.equal(seen.imported, imported);
    assert(seen.address !== null);
  });
});
