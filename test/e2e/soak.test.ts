/**
 * Many callers, many functions, and no trace afterwards: 2,000 invokes over 20 functions and 16
 * callers, then SIGTERM; and the same server killed in the middle of its work, with and without a
 * restart, on every driver.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { deploy, invoke } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';
import { hostTraces } from './host-traces.ts';

const functionCount = 20;
const callerCount = 16;
const invokeCount = 2_000;

const nodeCode =
  'exports.handler = async (event, context) => ({ n: event.n, by: context.functionName });';
const pythonCode =
  'def handler(event, context):\n    return {"n": event["n"], "by": context.function_name}\n';

async function deployAll(client: LambdaClient): Promise<string[]> {
  const names = Array.from({ length: functionCount }, (_, index) => `soak-${index}`);
  for (const [index, name] of names.entries()) {
    const isPython = index % 4 === 3;
    await deploy(client, name, {
      MemorySize: 512,
      Timeout: 30,
      ...(isPython ? { Runtime: 'python3.11', Handler: 'app.handler' } : {}),
      files: isPython ? { 'app.py': pythonCode } : { 'index.js': nodeCode },
    });
  }
  return names;
}

/** All invokes, from as many callers at once; every answer is checked. */
async function invokeAll(client: LambdaClient, names: readonly string[]): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < invokeCount) {
      const n = next;
      next += 1;
      const name = names[n % names.length] ?? '';
      const answer = await invoke(client, name, { n }, n % 10 === 0 ? {} : { LogType: 'None' });
      assert.deepEqual(answer.result, { n, by: name });
      if (n % 10 === 0)
        assert.match(answer.log, new RegExp(`REPORT RequestId: ${answer.requestId}`));
    }
  };
  await Promise.all(Array.from({ length: callerCount }, caller));
}

/** Waits until nothing is left, as long as something still disappears. */
async function untilClean(dataFolder: string): Promise<string[]> {
  let traces = hostTraces(dataFolder);
  for (let attempt = 0; attempt < 100 && traces.length > 0; attempt += 1) {
    await sleep(100);
    traces = hostTraces(dataFolder);
  }
  return traces;
}

for (const driver of drivers) {
  describe(`many invokes on the ${driver} driver`, () => {
    test('every answer is right, and SIGTERM leaves nothing behind', async (t) => {
      const hearth = await HearthProcess.start({ driver });
      t.after(() => hearth.stopAndRemove());
      const names = await deployAll(hearth.client);
      await invokeAll(hearth.client, names);
      assert.equal(await hearth.stop(), 0, hearth.stderr);
      assert.deepEqual(hostTraces(hearth.dataFolder), []);
    });

    test('after SIGKILL the watchdog leaves nothing behind', async (t) => {
      const hearth = await HearthProcess.start({ driver });
      t.after(() => hearth.stopAndRemove());
      await killInTheMiddle(hearth);
      assert.deepEqual(await untilClean(hearth.dataFolder), []);
    });

    test('after SIGKILL a restart finds its functions and leaves nothing behind', async (t) => {
      const killed = await HearthProcess.start({ driver });
      const { dataFolder } = killed;
      t.after(() => killed.stopAndRemove());
      await killInTheMiddle(killed);
      await untilClean(dataFolder);
      const hearth = await HearthProcess.start({ driver, dataFolder });
      t.after(() => hearth.stop());
      const answer = await invoke(hearth.client, 'busy', { ms: 0 });
      assert.equal(answer.functionError, undefined);
      assert.equal(await hearth.stop(), 0, hearth.stderr);
      assert.deepEqual(hostTraces(dataFolder), []);
    });
  });
}

/** Kills the server while one environment is idle and frozen and others are at work. */
async function killInTheMiddle(hearth: HearthProcess): Promise<void> {
  await deploy(hearth.client, 'busy', {
    Timeout: 60,
    files: {
      'index.js':
        "exports.handler = ({ ms }) => new Promise((resolve) => { console.log('working'); setTimeout(resolve, ms); });",
    },
  });
  await deploy(hearth.client, 'idle', {
    files: { 'index.js': 'exports.handler = async () => 1;' },
  });
  await invoke(hearth.client, 'idle');
  await invoke(hearth.client, 'busy', { ms: 0 });
  const cut = Array.from({ length: 3 }, () =>
    invoke(hearth.client, 'busy', { ms: 50_000 }).catch(() => 'cut off'),
  );
  // Each call has its own environment once three of them are at work.
  while (hostTraces(hearth.dataFolder).length === 0) await once(hearth.child.stderr!, 'data');
  await hearth.kill();
  assert.deepEqual(await Promise.all(cut), ['cut off', 'cut off', 'cut off']);
}
