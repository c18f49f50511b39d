import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startWatchdog } from './watchdog.ts';

const modulePath = join(import.meta.dirname, 'watchdog.ts');

/** A server that starts a watchdog, which would write the file given, and then waits. */
const SERVER = `
const { startWatchdog } = await import(${JSON.stringify(modulePath)});
const watchdog = await startWatchdog({ command: ['/bin/sh', '-c', 'echo cleaned > "$0"', process.env.FILE] });
process.on('SIGTERM', async () => { await watchdog.stop(); process.exit(0); });
console.log('ready');
setInterval(() => {}, 1000);`;

function watchdogs(file: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return text.includes('hearth-watchdog') && text.includes(file);
    } catch {
      return false;
    }
  });
}

describe('watchdog', { skip: process.platform === 'linux' ? false : 'looks into /proc' }, () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hearth-watchdog-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function startServer(name: string) {
    const file = join(folder, name);
    const server = spawn(process.execPath, ['--input-type=module', '-e', SERVER], {
      env: { FILE: file },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    await once(server.stdout, 'data');
    return { server, file };
  }

  async function appears(file: string): Promise<void> {
    const watcher = watch(folder);
    try {
      while (!existsSync(file)) await once(watcher, 'change');
    } finally {
      watcher.close();
    }
  }

  test('runs the command when the server is killed, with its whole group', async () => {
    const { server, file } = await startServer('killed');
    assert.equal(watchdogs(file).length, 1);
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.kill(watchdogs(file)[0]!, signal);
    process.kill(-server.pid!, 'SIGKILL');
    await appears(file);
    while (watchdogs(file).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(readFileSync(file, 'utf8'), 'cleaned\n');
  });

  test('stop ends it without running the command', async () => {
    const { server, file } = await startServer('stopped');
    server.kill('SIGTERM');
    const [code] = (await once(server, 'exit')) as [number];
    assert.equal(code, 0);
    assert.deepEqual(watchdogs(file), []);
    assert.ok(!existsSync(file));
  });

  test('it does not keep its server alive and is small', async () => {
    const watchdog = await startWatchdog({ command: ['/bin/true'] });
    const [pid] = watchdogs('/bin/true');
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const pssKb = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]);
    assert.ok(pssKb < 1500, `${pssKb} kB`);
    await watchdog.stop();
  });

  test('rejects nothing it can start, and stop may come twice', async () => {
    const watchdog = await startWatchdog({ command: ['/no/such/command'] });
    await Promise.all([watchdog.stop(), watchdog.stop()]);
  });
});
