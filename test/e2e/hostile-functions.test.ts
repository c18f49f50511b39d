/**
 * Functions that say to the server what no runtime says, through the whole program on every driver: the
 * server goes on, and so does everybody else.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deploy, invoke } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const handlers = {
  /** A frame of the private channel whose header has values that cannot be made text. */
  'odd-frame': `
    const { writeSync } = require('node:fs');
    exports.handler = async () => {
      const header = Buffer.from('{"requestId":{"toString":null},"errorType":{"toString":null}}');
      for (const type of [0x83, 0x84, 0x85]) {
        const head = Buffer.alloc(9);
        head.writeUInt32BE(5 + header.length, 0);
        head.writeUInt8(type, 4);
        head.writeUInt32BE(header.length, 5);
        writeSync(3, Buffer.concat([head, header]));
      }
      return 'said';
    };`,
  /** Requests by the thousand on one connection, without waiting for an answer. */
  'waiting-requests': `
    const { connect } = require('node:net');
    exports.handler = async () => {
      const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
      const socket = connect(Number(port), host).on('error', () => undefined);
      const next = 'GET /2020-01-01/extension/event/next HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n';
      socket.write(next.repeat(10_000));
      await new Promise((resolve) => socket.once('close', resolve));
      return 'said';
    };`,
};

for (const driver of drivers) {
  describe(`hostile functions on the ${driver} driver`, () => {
    let hearth: HearthProcess;
    before(async () => {
      hearth = await HearthProcess.start({ driver });
      const files = { 'index.js': `exports.handler = async () => 'fine';` };
      await deploy(hearth.client, 'neighbour', { files });
    });
    after(() => hearth.stopAndRemove());

    for (const [name, handler] of Object.entries(handlers)) {
      test(`${name}: the server and its neighbours go on`, async () => {
        await deploy(hearth.client, name, { files: { 'index.js': handler }, Timeout: 10 });
        assert.equal((await invoke(hearth.client, name)).result, 'said');
        assert.equal((await invoke(hearth.client, 'neighbour')).result, 'fine');
        assert.equal(hearth.child.exitCode, null);
      });
    }
  });
}
