/**
 * SnapStart through the whole program: what publishing a version does, what restored environments have in
 * common and what not, and how it fails. Where processes are not copied each runs Init (ADR 0015).
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import {
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { deploy, invoke, type Invoked } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';
import { hostTraces } from './host-traces.ts';
import {
  deployPublished,
  publish,
  snapStartRuntime,
  snapStartSetup as setup,
} from './restored-functions.ts';

const module = `
import os, random, time, uuid
from snapshot_restore_py import register_before_snapshot, register_after_restore
imported = str(uuid.uuid4())
log = []
@register_before_snapshot
def first():
    log.append("before first")
register_before_snapshot(lambda *args, **kwargs: log.append(["before", *args, kwargs]), 1, b=2)
@register_after_restore
def after():
    global restored
    restored = str(uuid.uuid4())
    log.append("after first")
register_after_restore(log.append, "after second")
print("initialised")
def handler(event, context):
    if event.get("exit"):
        os._exit(3)
    time.sleep(event.get("sleep", 0))
    return {
        "imported": imported, "restored": globals().get("restored"), "random": random.random(), "log": log,
        "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "stream": context.log_stream_name,
        "group": context.log_group_name, "pid": os.getpid(), "api": os.environ["AWS_LAMBDA_RUNTIME_API"],
    }
`;
const slowHook = `
import time
from snapshot_restore_py import register_after_restore
register_after_restore(time.sleep, 11)
def handler(event, context):
    return 1
`;
const badHook = `
from snapshot_restore_py import register_after_restore
@register_after_restore
def hook():
    raise ValueError("no such luck")
def handler(event, context):
    return 1
`;
const badInit = 'raise RuntimeError("never")\n';
const endlessInit = 'import time\ntime.sleep(100)\n';
const stoppedInit = 'import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n';
/** Its process ends when it is to be copied, and only then; Init fails where it has left its folder. */
const dyingTemplate = `
import os, time
os.register_at_fork(before=lambda: os._exit(3))
if os.environ["ONCE"]:
    os.mkdir(os.environ["ONCE"])
def handler(event, context):
    time.sleep(0.3)
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
`;
/** It takes a while to copy itself. */
const slowCopy = `
import os, time
os.register_at_fork(before=lambda: time.sleep(0.4))
def handler(event, context):
    return 1
`;
const plain = 'def handler(event, context):\n    return 1\n';

interface Told {
  readonly imported: string;
  readonly restored: string | null;
  readonly random: number;
  readonly log: readonly unknown[];
  readonly type: string;
  readonly stream: string | null;
  readonly pid: number;
  readonly api: string;
}

const told = ({ result }: Invoked): Told => result as Told;

/** The watchdog sweeps when the server was killed. */
async function untilNoTraces(dataFolder: string): Promise<void> {
  for (const endsAtMs = Date.now() + 20_000; hostTraces(dataFolder).length > 0;) {
    assert(Date.now() < endsAtMs, hostTraces(dataFolder).join('\n'));
    await sleep(20);
  }
}

for (const driver of drivers) {
  /** Only Linux can copy processes, under `oci` only where they can be traced. */
  const copies = process.platform === 'linux' && (driver === 'process' || process.arch === 'x64');
  describe(`SnapStart on the ${driver} driver`, { skip: snapStartRuntime === undefined }, () => {
    let hearth: HearthProcess;
    let client: LambdaClient;

    before(async () => {
      hearth = await HearthProcess.start({ driver });
      ({ client } = hearth);
      await deploy(client, 'unique', { ...setup, files: { 'app.py': module } });
      const published = await publish(client, 'unique');
      assert.equal(published.State, 'Active', published.StateReason);
      assert.equal(published.SnapStart?.OptimizationStatus, 'On');
    });
    after(() => hearth.stopAndRemove());

    test('restored environments share what Init drew, not what hooks drew', async () => {
      const atOnce = await Promise.all(
        [1, 2].map(() => invoke(client, 'unique', { sleep: 0.5 }, { Qualifier: '1' })),
      );
      const [one, two] = atOnce.map(told);
      assert(one !== undefined && two !== undefined);
      assert.notEqual(one.restored, two.restored);
      assert.notEqual(one.random, two.random);
      assert.equal(one.imported === two.imported, copies);
      for (const { type, log, stream } of [one, two]) {
        assert.equal(type, 'snap-start');
        assert.equal(stream, null);
        const before = [['before', 1, { b: 2 }], 'before first'];
        assert.deepEqual(log, [...before, 'after first', 'after second']);
      }
      const lines = atOnce[0]?.log ?? '';
      assert.match(
        lines,
        /^RESTORE_START Runtime Version: python:3\.\d+\.v\S+\tRuntime Version ARN: arn:/m,
      );
      assert.match(lines, /^RESTORE_REPORT Restore Duration: [\d.]+ ms$/m);
      assert.match(lines, /\tRestore Duration: [\d.]+ ms\tBilled Restore Duration: \d+ ms\t/);
      assert.doesNotMatch(lines, /REPORT RequestId.* Init Duration/);
      if (copies) assert.doesNotMatch(lines, /initialised|INIT/);
    });

    test('$LATEST is initialised on demand, and its hooks are not run', async () => {
      const latest = told(await invoke(client, 'unique'));
      const version = told(await invoke(client, 'unique', {}, { Qualifier: '1' }));
      assert.notEqual(latest.imported, version.imported);
      assert.equal(latest.type, 'on-demand');
      assert.equal(latest.restored, null);
      assert.deepEqual(latest.log, []);
      assert.notEqual(latest.stream, null);
    });

    test('an environment that dies is restored anew', async () => {
      const first = told(await invoke(client, 'unique', {}, { Qualifier: '1' }));
      const dead = await invoke(client, 'unique', { exit: true }, { Qualifier: '1' });
      assert.match(dead.text, /Runtime exited with error: exit status 3/);
      const next = told(await invoke(client, 'unique', {}, { Qualifier: '1' }));
      assert.notEqual(next.restored, first.restored);
      assert.equal(next.imported === first.imported, copies);
    });

    test('a version whose Init fails is Failed and says why', async () => {
      await deploy(client, 'unlucky', { ...setup, files: { 'app.py': badInit } });
      const published = await publish(client, 'unlucky');
      assert.equal(published.State, 'Failed');
      assert.equal(published.StateReasonCode, 'FunctionError.RuntimeInitError');
      assert.match(published.StateReason ?? '', /RuntimeError: never/);
      assert.equal(published.SnapStart?.OptimizationStatus, 'Off');
      await assert.rejects(invoke(client, 'unlucky', {}, { Qualifier: '1' }), {
        name: 'ResourceConflictException',
      });
    });

    test('a hook that fails or is too slow fails the invocation, not the version', async () => {
      await deployPublished(client, 'hooked', { files: { 'app.py': badHook } });
      await assert.rejects(invoke(client, 'hooked', {}, { Qualifier: '1' }), {
        name: 'SnapStartException',
      });
      await deployPublished(client, 'slow', { files: { 'app.py': slowHook } });
      await assert.rejects(invoke(client, 'slow', {}, { Qualifier: '1' }), {
        name: 'SnapStartTimeoutException',
      });
    });

    test('a version that waits for its snapshot cannot be invoked', async () => {
      const files = { 'app.py': `import time\ntime.sleep(1)\n${badHook}` };
      await deploy(client, 'waiting', { ...setup, files });
      await client.send(new PublishVersionCommand({ FunctionName: 'waiting' }));
      await assert.rejects(invoke(client, 'waiting', {}, { Qualifier: '1' }), {
        name: 'SnapStartNotReadyException',
      });
      await client.send(new DeleteFunctionCommand({ FunctionName: 'waiting' }));
    });

    test('an Init that is slow or stopped holds up no other publishing', async () => {
      const stuck = { endless: endlessInit, stopped: stoppedInit };
      for (const [FunctionName, text] of Object.entries(stuck)) {
        await deploy(client, FunctionName, { ...setup, files: { 'app.py': text } });
        await client.send(new PublishVersionCommand({ FunctionName }));
      }
      const others = Array.from({ length: 4 }, (_, index) => `plain-${index}`);
      for (const name of others) {
        await deploy(client, name, { ...setup, files: { 'app.py': plain } });
      }
      const published = await Promise.all(others.map((name) => publish(client, name)));
      assert(published.every(({ State }) => State === 'Active'));
      for (const FunctionName of Object.keys(stuck)) {
        const { State } = await client.send(
          new GetFunctionConfigurationCommand({ FunctionName, Qualifier: '1' }),
        );
        assert.equal(State, 'Pending');
        await client.send(new DeleteFunctionCommand({ FunctionName }));
      }
    });

    test('a process that dies when it is to be copied costs its caller only an Init', async () => {
      // Only walls make /tmp the environment's own.
      const Environment = { Variables: { ONCE: driver === 'oci' ? '/tmp/once' : '' } };
      const files = { 'app.py': dyingTemplate };
      await deployPublished(client, 'dying', { Environment, files });
      const atOnce = [1, 2].map(() => invoke(client, 'dying', {}, { Qualifier: '1' }));
      for (const { result, log } of await Promise.all(atOnce)) {
        assert.equal(result, 'snap-start');
        assert.match(log, /^INIT_REPORT /m);
        assert.match(log, /^RESTORE_REPORT /m);
      }
    });

    test('who invoked a version before it was deleted is served', async () => {
      await deployPublished(client, 'deleted', { files: { 'app.py': slowCopy } });
      const invoking = invoke(client, 'deleted', {}, { Qualifier: '1' });
      const isAdmitted = /hearth_concurrent_executions\{function="deleted"\} 1\n/;
      while (!isAdmitted.test(await (await fetch(`${hearth.url}/metrics`)).text())) await sleep(5);
      await client.send(new DeleteFunctionCommand({ FunctionName: 'deleted' }));
      assert.equal((await invoking).result, 1);
      await assert.rejects(invoke(client, 'deleted', {}, { Qualifier: '1' }), {
        name: 'ResourceNotFoundException',
      });
    });

    test('what snapshots are made of keeps to the memory budget, and makes way', async () => {
      const small = await HearthProcess.start({ driver, flags: ['--memory-budget-mb', '300'] });
      try {
        const usedMb = async (): Promise<number> => {
          const text = await (await fetch(`${small.url}/metrics`)).text();
          return Number(/^hearth_memory_environments_bytes (\S+)$/m.exec(text)?.[1]) / 2 ** 20;
        };
        for (const name of ['one', 'two']) {
          await deployPublished(small.client, name, { files: { 'app.py': module } });
        }
        assert.equal(await usedMb(), copies ? 256 : 0);
        const seen: string[] = [];
        for (const name of ['one', 'two', 'one', 'two']) {
          seen.push(told(await invoke(small.client, name, {}, { Qualifier: '1' })).imported);
          assert((await usedMb()) <= 256);
        }
        // That of the second made way for the first copy of the first.
        assert.equal(seen[0] === seen[2], copies);
        assert.notEqual(seen[1], seen[3]);
      } finally {
        await small.stopAndRemove();
      }
    });

    test('nothing is left on the host after the server has stopped or was killed', async () => {
      await invoke(client, 'unique', {}, { Qualifier: '1' });
      await hearth.kill();
      await untilNoTraces(hearth.dataFolder);
      hearth = await HearthProcess.start({ driver, dataFolder: hearth.dataFolder });
      await invoke(hearth.client, 'unique', {}, { Qualifier: '1' });
      await hearth.stop();
      assert.deepEqual(hostTraces(hearth.dataFolder), []);
      hearth = await HearthProcess.start({ driver, dataFolder: hearth.dataFolder });
      ({ client } = hearth);
      const { restored, type } = told(await invoke(client, 'unique', {}, { Qualifier: '1' }));
      assert.equal(type, 'snap-start');
      assert.notEqual(restored, null);
    });
  });
}
