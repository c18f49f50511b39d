/**
 * Barrier: the network around the host. Functions get out, by the host's address; cloud metadata is out of
 * reach, and nobody gets in. A network namespace of the test plays the internet.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import {
  attack,
  attackWithNode,
  connectScript,
  createAttacker,
  skip,
  startNode,
  type Attacker,
} from './attacker.ts';

const NAMESPACE = `hearth-test-${process.pid}`;
const LINK = `ht${process.pid}`;
const HOST_ADDRESS = '198.51.100.1';
const INTERNET_ADDRESS = '198.51.100.2';
const METADATA_ADDRESS = '169.254.169.254';
const SERVER = `
require('node:http').createServer((q, r) => r.end(q.socket.remoteAddress)).listen(80, '0.0.0.0', () => console.log('up'));`;

const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });

describe('outbound network', { skip }, () => {
  let attacker: Attacker;
  let internet: ChildProcess | null = null;

  before(async () => {
    attacker = await createAttacker();
    ip('netns', 'add', NAMESPACE);
    ip('link', 'add', LINK, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', NAMESPACE);
    ip('addr', 'add', `${HOST_ADDRESS}/24`, 'dev', LINK);
    ip('link', 'set', LINK, 'up');
    ip('-n', NAMESPACE, 'addr', 'add', `${INTERNET_ADDRESS}/24`, 'dev', 'eth0');
    ip('-n', NAMESPACE, 'addr', 'add', `${METADATA_ADDRESS}/32`, 'dev', 'eth0');
    ip('-n', NAMESPACE, 'link', 'set', 'eth0', 'up');
    ip('-n', NAMESPACE, 'route', 'add', 'default', 'via', HOST_ADDRESS);
    ip('route', 'add', `${METADATA_ADDRESS}/32`, 'via', INTERNET_ADDRESS);
    internet = spawn('ip', ['netns', 'exec', NAMESPACE, process.execPath, '-e', SERVER]);
    await once(internet.stdout!, 'data');
  });

  after(async () => {
    internet?.kill('SIGKILL');
    for (const args of [
      ['link', 'delete', LINK],
      ['netns', 'delete', NAMESPACE],
    ]) {
      try {
        ip(...args);
      } catch {
        // `before` failed earlier
      }
    }
    await attacker?.close();
  });

  test('a function reaches the internet, which sees the address of the host', async () => {
    assert.deepEqual(attacker.driver.notices, []);
    const sandbox = await attacker.sandbox('out');
    const script = `fetch('http://${INTERNET_ADDRESS}/').then((r) => r.text()).then(console.log)`;
    const { output } = await attackWithNode(sandbox, script);
    assert.equal(output, `${HOST_ADDRESS}\n`);
  });

  test('the metadata address is out of reach, though the host reaches it', async () => {
    const answer = await fetch(`http://${METADATA_ADDRESS}/`);
    assert.equal(answer.status, 200);
    const sandbox = await attacker.sandbox('metadata');
    const { output } = await attackWithNode(sandbox, connectScript([[METADATA_ADDRESS, 80]]));
    assert.equal(output, 'timeout\n');
  });

  test('nobody gets in from outside', async () => {
    const sandbox = await attacker.sandbox('listener');
    const shown = await attack(sandbox, 'ip -4 -o addr show eth0');
    const address = /inet ([\d.]+)\//.exec(shown.output)?.[1];
    const script = `require('node:http').createServer((q, r) => r.end('in')).listen(8080, '0.0.0.0', () => console.log('up'))`;
    const running = await startNode(sandbox, script);
    await once(running.output, 'data');
    const client = spawn('ip', [
      'netns',
      'exec',
      NAMESPACE,
      process.execPath,
      '-e',
      connectScript([[address!, 8080]]),
    ]);
    const [output] = (await once(client.stdout, 'data')) as [Buffer];
    assert.equal(String(output), 'timeout\n');
    await running.kill();
  });
});
