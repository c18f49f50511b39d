/** Barrier: the control API. No function reaches a port of the host, on whichever of its addresses. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import {
  attack,
  attackWithNode,
  connectScript,
  createAttacker,
  skip,
  type Attacker,
} from './attacker.ts';

describe('control API', { skip }, () => {
  let attacker: Attacker;
  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  before(async () => {
    attacker = await createAttacker();
    listener.listen(0, '::');
    await once(listener, 'listening');
  });
  after(async () => {
    listener.close();
    await attacker?.close();
  });

  test('a port that listens on every address of the host is out of reach on all of them', async () => {
    const { port } = listener.address() as AddressInfo;
    const sandbox = await attacker.sandbox('caller');
    const route = await attack(sandbox, 'ip -4 route show default; ip -4 addr show eth0');
    const gateway = /via ([\d.]+)/.exec(route.output)?.[1];
    assert.ok(gateway !== undefined, `the sandbox has outbound network: ${route.output}`);
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const hosts = new Set([gateway, '127.0.0.1', '127.0.0.53', '::1', '0.0.0.0', 'localhost']);
    for (const { address } of addresses) hosts.add(address);
    const targets = [...hosts].slice(0, 40).map((host) => [host, port] as const);
    const { output } = await attackWithNode(sandbox, connectScript(targets));
    assert.doesNotMatch(output, /CONNECTED/);
    assert.equal(output.trim().split('\n').length, targets.length);
    assert.equal(connections, 0);
  });

  test('datagrams to the host do not arrive either', async () => {
    const { createSocket } = await import('node:dgram');
    const receiver = createSocket('udp4');
    let messages = 0;
    receiver.on('message', () => (messages += 1));
    receiver.bind(0, '0.0.0.0');
    await once(receiver, 'listening');
    const sandbox = await attacker.sandbox('shouter');
    const script = `
      const gateway = require('node:child_process').execSync('ip -4 route show default').toString().split(' ')[2];
      const socket = require('node:dgram').createSocket('udp4');
      socket.send('hello', ${receiver.address().port}, gateway, (e) => { console.log(e ? e.code : 'sent'); socket.close(); });`;
    const { output } = await attackWithNode(sandbox, script);
    assert.equal(output, 'sent\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
    receiver.close();
    assert.equal(messages, 0);
  });

  test('abstract Unix sockets of the host are out of reach', async () => {
    const local = createServer((socket) => socket.end('reached'));
    local.listen('\0hearth-security-test');
    await once(local, 'listening');
    const sandbox = await attacker.sandbox('abstract');
    const script = `require('node:net').connect('\\0hearth-security-test').on('connect', () => console.log('CONNECTED')).on('error', (e) => console.log(e.code))`;
    const { output } = await attackWithNode(sandbox, script);
    local.close();
    assert.equal(output, 'ECONNREFUSED\n');
  });
});
