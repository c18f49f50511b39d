/**
 * The wall between tenants of one function (TenancyConfig PER_TENANT). One tenant's invocation leaves all
 * that code can leave: state in the process, a file, a process, listening sockets. Its own next
 * invocation finds everything, another tenant's nothing, also when the room of one must do for both.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { deploy, invoke } from '../e2e/functions.ts';
import { HearthProcess } from '../e2e/hearth-process.ts';
import { skip } from './attacker.ts';

const source = `
const fs = require('node:fs');
const net = require('node:net');
const { spawn } = require('node:child_process');

const connects = (target) => new Promise((resolve) => {
  const socket = net.connect(target, () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});
const listen = (target) => new Promise((resolve) => net.createServer().listen(target, resolve));
const commands = () => fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map((pid) => {
  try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8'); } catch { return ''; }
});

const leave = async () => {
  globalThis.secret = 'mine';
  process.env.SECRET = 'mine';
  JSON.secret = 'mine';
  fs.writeFileSync('/tmp/secret', 'mine');
  spawn('/bin/sleep', ['54321'], { detached: true, stdio: 'ignore' }).unref();
  await listen({ port: 54321, host: '127.0.0.1' });
  await listen({ path: '\\0secret' });
};
const found = async () => ({
  global: globalThis.secret === 'mine',
  environment: process.env.SECRET === 'mine',
  builtin: JSON.secret === 'mine',
  file: fs.existsSync('/tmp/secret'),
  process: commands().some((command) => command.includes('54321')),
  port: await connects({ port: 54321, host: '127.0.0.1' }),
  name: await connects({ path: '\\0secret' }),
});
exports.handler = async (event, context) => {
  const seen = await found();
  if (event.leave) await leave();
  return seen;
};`;

const traces = [...['global', 'environment', 'builtin', 'file', 'process', 'port', 'name']];
const all = Object.fromEntries(traces.map((trace) => [trace, true]));
const none = Object.fromEntries(traces.map((trace) => [trace, false]));

describe('what one tenant leaves', { skip }, () => {
  let hearth: HearthProcess;
  let client: LambdaClient;

  async function begin(flags: readonly string[]): Promise<void> {
    hearth = await HearthProcess.start({ driver: 'oci', flags });
    ({ client } = hearth);
    await deploy(client, 'shared', {
      TenancyConfig: { TenantIsolationMode: 'PER_TENANT' },
      files: { 'index.js': source },
    });
  }

  const look = async (TenantId: string, event: unknown = {}): Promise<unknown> =>
    (await invoke(client, 'shared', event, { TenantId })).result;

  describe('while its environment is there', () => {
    before(() => begin([]));
    after(() => hearth.stopAndRemove());

    test('is its own: another finds nothing of it', async () => {
      assert.deepEqual(await look('red', { leave: true }), none);
      assert.deepEqual(await look('blue'), none);
      assert.deepEqual(await look('red'), all, 'all of it was there');
      assert.deepEqual(await look('blue'), none);
      // What is almost the same name is another tenant.
      for (const tenant of ['Red', 're', 'red:', 'red 1']) {
        assert.deepEqual(await look(tenant), none, tenant);
      }
    });
  });

  describe('where there is room for one environment', () => {
    before(() => begin(['--environments-max', '1']));
    after(() => hearth.stopAndRemove());

    test('is gone when another comes', async () => {
      await look('red', { leave: true });
      assert.deepEqual(await look('red'), all);
      assert.deepEqual(await look('blue'), none);
      assert.deepEqual(await look('red'), none);
    });
  });
});
