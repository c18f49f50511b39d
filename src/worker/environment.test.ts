/**
 * The environment's state machine against a runtime and a sandbox that do what the test says: every
 * order in which a runtime can speak, end, be late or be lost, and every step that a host can fail.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { limits } from '../model/limits.ts';
import { SandboxStartError } from '../sandbox/sandbox.ts';
import type { InitializationType } from '../telemetry/platform-event.ts';
import {
  obedient,
  patient,
  ScriptedHost,
  scriptedRuntime,
  turns,
  type ScriptedRuntime,
} from '../testing/scripted-sandbox.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { runnable } from '../testing/runnable.ts';
import { createEnvironment as environmentIn, createInvocation } from '../testing/worker-rig.ts';
import type { ExecutionEnvironment } from './environment.ts';
import { type Attempt } from './environment.ts';
import type { InvocationOutcome } from './invocation-record.ts';
import { RuntimeSandbox, type RunningRuntime } from './runtime-sandbox.ts';

const timeoutMs = 3000;
const version = runnable({ timeoutMs });

let clock: SimClock;
let host: ScriptedHost;
let log: string;
/** What nobody caught: a server would have ended of it. */
let uncaught: unknown[];
const onUncaught = (error: unknown): void => void uncaught.push(error);

beforeEach(() => {
  clock = new SimClock(1_000_000);
  host = new ScriptedHost();
  log = '';
  uncaught = [];
  process.on('unhandledRejection', onUncaught);
});
afterEach(async () => {
  await turns();
  process.off('unhandledRejection', onUncaught);
  assert.deepEqual(uncaught, []);
});

async function createEnvironment(
  runtimeId = 'nodejs24.x',
  codeDir = '/',
  initializationType: InitializationType = 'on-demand',
): Promise<ExecutionEnvironment> {
  const runtimeSandbox = await RuntimeSandbox.create(host.driver, host.transports, {
    id: 'one',
    runtime: scriptedRuntime(runtimeId),
    limits: { memoryMb: 128, cpus: null, temporaryStorageMb: 512 },
  });
  return environmentOf(runtimeSandbox, codeDir, initializationType);
}

function environmentOf(
  runtimeSandbox: RuntimeSandbox,
  codeDir = '/',
  initializationType: InitializationType = 'on-demand',
): ExecutionEnvironment {
  const onLog = (text: string): void => void (log += text);
  const binding = { codeDir, layerDirs: [], limits: runtimeSandbox.limits };
  return environmentIn(clock, runtimeSandbox, onLog, { version, binding, initializationType });
}

/** An environment that is Ready, and its runtime. */
async function readyEnvironment(
  script = patient,
): Promise<{ environment: ExecutionEnvironment; runtime: ScriptedRuntime }> {
  host.script = script;
  const environment = await createEnvironment();
  await environment.start(null);
  assert.equal(environment.state, 'Ready');
  return { environment, runtime: await host.started(1) };
}

let requests = 0;
/** How often the environment said that it is free. */
let ready = 0;

function invoke(environment: ExecutionEnvironment, payload = '{}'): Attempt & { id: string } {
  requests += 1;
  ready = 0;
  const id = `request-${requests}`;
  const attempt = environment.invoke(
    createInvocation({
      requestId: id,
      payload: Buffer.from(payload),
      deadlineMs: clock.nowMs() + timeoutMs,
    }),
    () => void (ready += 1),
  );
  return { ...attempt, id };
}

/** A runtime whose Init takes 80 ms. */
function slowInit(runtime: ScriptedRuntime): void {
  runtime.onInit = () => {
    clock.advance(80);
    runtime.next();
  };
}

function bodyOf(outcome: InvocationOutcome): string {
  assert.equal(outcome.type, 'response');
  assert(outcome.type === 'response' && Buffer.isBuffer(outcome.response.body));
  return outcome.response.body.toString();
}

function faultOf(outcome: InvocationOutcome): string {
  assert(outcome.type === 'fault', `a fault, not ${outcome.type}`);
  return outcome.fault.type;
}

describe('Init', () => {
  test('binds, gives the runtime its function, and takes the full CPU only until it is over', async () => {
    host.script = patient;
    const environment = await createEnvironment();
    await environment.start(null);
    const [sandbox] = host.sandboxes;
    assert.equal(sandbox?.binding?.codeDir, '/');
    assert.equal(sandbox.cpus, 128 / limits.memoryMbPerVcpu);
    const { inits, command } = await host.started(1);
    assert.deepEqual(command.env, { COLOUR: 'green' });
    assert.equal(command.cwd, '/var/task');
    assert.deepEqual(inits, [
      {
        handler: 'index.handler',
        taskRoot: '/var/task',
        optRoot: '/opt',
        env: null,
        initializationType: 'on-demand',
      },
    ]);
    assert.match(
      log,
      /^INIT_START Runtime Version: nodejs:24\.v24\.0\.0\tRuntime Version ARN: arn/,
    );
  });

  test('is reported with the first invocation, and only with it', async () => {
    host.script = slowInit;
    const environment = await createEnvironment();
    await environment.start(null);
    const runtime = await host.started(1);
    const first = invoke(environment);
    clock.advance(20.25);
    runtime.respond();
    runtime.next();
    const { report } = await first.finished;
    assert.equal(report.metrics.initDurationMs, 80);
    assert.equal(report.metrics.durationMs, 20.25);
    assert.equal(report.metrics.billedDurationMs, 101);
    const second = invoke(environment);
    runtime.respond();
    runtime.next();
    assert.equal((await second.finished).report.metrics.initDurationMs, undefined);
  });

  test('ahead of all invocations is in the first report, and not in its bill', async () => {
    host.script = slowInit;
    const environment = await createEnvironment('nodejs24.x', '/', 'provisioned-concurrency');
    await environment.start(null);
    const runtime = await host.started(1);
    const first = invoke(environment);
    clock.advance(20.25);
    runtime.respond();
    runtime.next();
    const { report } = await first.finished;
    assert.equal(report.metrics.initDurationMs, 80);
    assert.equal(report.metrics.billedDurationMs, 21);
    assert.match(log, /^INIT_REPORT Init Duration: 80\.00 ms$/m);
  });

  test('longer than its limit it is logged, its runtime ended, and run again in the invocation', async () => {
    const environment = await createEnvironment();
    const started = environment.start(null);
    const first = await host.started(1);
    clock.advance(limits.initDurationMsMax);
    await started;
    assert.equal(environment.state, 'Ready');
    assert(first.hasEnded);
    assert.match(log, /^INIT_REPORT Init Duration: 10000\.00 ms\tPhase: init\tStatus: timeout$/m);
    host.script = obedient;
    const attempt = invoke(environment, '"again"');
    assert.equal(bodyOf(await attempt.outcome), '"again"');
    assert.equal((await attempt.finished).report.metrics.initDurationMs, undefined);
    assert.doesNotMatch(log, /Phase: invoke/);
  });

  test('that overruns while the process is still being started ends that process, too', async () => {
    const starting = Promise.withResolvers<void>();
    host.faults.start = () => starting.promise;
    const environment = await createEnvironment();
    const started = environment.start(null);
    await turns();
    clock.advance(limits.initDurationMsMax);
    await turns();
    host.faults.start = null;
    starting.resolve();
    await started;
    const late = await host.started(1);
    await turns();
    assert(late.hasEnded, 'the late process was ended');
    host.script = obedient;
    const attempt = invoke(environment);
    const [, next] = [late, await host.started(2)];
    assert.equal(next.inits.length, 1);
    assert.equal(bodyOf(await attempt.outcome), '{}');
  });

  test('that the invocation’s timeout ends while the process is being started answers a timeout', async () => {
    const { environment, runtime } = await readyEnvironment();
    runtime.exit({ code: 1 });
    await turns();
    const starting = Promise.withResolvers<void>();
    host.faults.start = () => starting.promise;
    const attempt = invoke(environment);
    await turns();
    clock.advance(timeoutMs);
    await turns();
    starting.resolve();
    host.faults.start = null;
    assert.equal(faultOf(await attempt.outcome), 'timeout');
    await attempt.finished;
    host.script = obedient;
    assert.equal(bodyOf(await invoke(environment).outcome), '{}');
    assert.equal(host.runtimes.filter(({ hasEnded }) => !hasEnded).length, 1);
  });

  test('reported as failed gives the runtime’s own document, from Init inside the invocation', async () => {
    host.script = (runtime) => {
      runtime.onInit = () => {
        runtime.say('Cannot find module\n');
        runtime.initError('{"errorType":"Runtime.ImportModuleError"}');
        runtime.exit({ code: 1 });
      };
    };
    const environment = await createEnvironment();
    await environment.start(null);
    const attempt = invoke(environment);
    const outcome = await attempt.outcome;
    assert(outcome.type === 'fault' && outcome.fault.type === 'initError');
    assert.equal(
      outcome.fault.error.payload.toString(),
      '{"errorType":"Runtime.ImportModuleError"}',
    );
    await attempt.finished;
    const lines = log.split('\n').map((line) => line.replace(/[ \t].*/, ''));
    assert.deepEqual(lines, [
      ...['INIT_START', 'Cannot', 'INIT_REPORT'],
      ...['Cannot', 'INIT_REPORT', 'START', 'END', 'REPORT', ''],
    ]);
    assert.match(log, /Phase: invoke\tStatus: error\tError Type: Runtime\.ImportModuleError$/m);
  });

  test('that reports more than a caller can be given is reported in short', async () => {
    host.script = (runtime) => {
      runtime.onInit = () => {
        runtime.initError('x'.repeat(limits.invokeResponseBytesMax + 1), 'Mine');
      };
    };
    const environment = await createEnvironment();
    await environment.start(null);
    const outcome = await invoke(environment).outcome;
    assert(outcome.type === 'fault' && outcome.fault.type === 'initError');
    assert.equal(
      outcome.fault.error.payload.toString(),
      '{"errorType":"Mine","errorMessage":"The error document was longer than 6291556 bytes."}',
    );
  });

  test('in which the process exits is an exit, and the next invocation starts anew', async () => {
    host.script = (runtime) => {
      runtime.onInit = () => runtime.exit({ code: 3 });
    };
    const environment = await createEnvironment();
    await environment.start(null);
    assert.match(log, /Phase: init\tStatus: error\tError Type: Runtime\.ExitError$/m);
    assert.equal(faultOf(await invoke(environment).outcome), 'exit');
    await turns();
    host.script = obedient;
    assert.equal(bodyOf(await invoke(environment).outcome), '{}');
  });

  test('a host that fails to start the process fails the start, and stopping leaves nothing', async () => {
    for (const step of ['bind', 'start', 'setCpus'] as const) {
      host = new ScriptedHost();
      host.script = obedient;
      host.faults[step] = () => {
        throw new Error(`no ${step}`);
      };
      const environment = await createEnvironment();
      await assert.rejects(environment.start(null), { message: `no ${step}` });
      assert.equal(environment.state, 'Failed');
      await environment.stop();
      assert.equal(environment.state, 'Stopped');
      assert.deepEqual(host.living(), []);
    }
  });

  test('takes over a process that was booted in advance, also one that has just died', async () => {
    for (const dies of [false, true]) {
      host = new ScriptedHost();
      host.script = (runtime) => {
        runtime.booted.resolve();
        runtime.onInit = () => queueMicrotask(() => runtime.next());
      };
      const runtimeSandbox = await RuntimeSandbox.create(host.driver, host.transports, {
        id: 'one',
        runtime: scriptedRuntime('nodejs24.x'),
        limits: { memoryMb: 128, cpus: null, temporaryStorageMb: 512 },
      });
      const running: RunningRuntime = await runtimeSandbox.boot();
      const [booted] = host.runtimes;
      if (dies) booted?.exit({ signal: 'SIGKILL' });
      const environment = environmentOf(runtimeSandbox);
      await environment.start(running);
      assert.equal(environment.state, 'Ready');
      const attempt = invoke(environment);
      const runtime = await host.started(dies ? 2 : 1);
      await turns();
      runtime.respond('1');
      assert.equal(bodyOf(await attempt.outcome), '1');
      runtime.next();
      await attempt.finished;
    }
  });

  test('a custom runtime may ask and answer before the server has its process', async (t) => {
    const codeDir = mkdtempSync(join(tmpdir(), 'hearth-environment-'));
    t.after(() => rmSync(codeDir, { recursive: true }));
    writeFileSync(join(codeDir, 'bootstrap'), '', { mode: 0o755 });
    const environment = await createEnvironment('provided.al2023', codeDir);
    host.faults.start = async () => {
      const port = host.sandboxes[0]?.port;
      port?.next(({ requestId }) => {
        const body = Buffer.from('1');
        queueMicrotask(() => port.respond(requestId, { contentType: undefined, body }));
      });
      await turns(3);
    };
    await environment.start(null);
    const attempt = invoke(environment);
    assert.equal(bodyOf(await attempt.outcome), '1');
    (await host.started(1)).exit({ code: 4 });
    assert.equal((await attempt.finished).report.errorType, 'Runtime.ExitError');
  });

  test('without a bootstrap, or with one that cannot be started, is an invalid entrypoint', async (t) => {
    const codeDir = mkdtempSync(join(tmpdir(), 'hearth-environment-'));
    t.after(() => rmSync(codeDir, { recursive: true }));
    const environment = await createEnvironment('provided.al2023', codeDir);
    await environment.start(null);
    const attempt = invoke(environment);
    const first = await attempt.outcome;
    assert(first.type === 'fault' && first.fault.type === 'invalidEntrypoint');
    assert.equal(
      first.fault.message,
      "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
    );
    await attempt.finished;
    writeFileSync(join(codeDir, 'bootstrap'), '', { mode: 0o755 });
    host.faults.start = () => {
      throw new SandboxStartError('exec format error');
    };
    const second = await invoke(environment).outcome;
    assert(second.type === 'fault' && second.fault.type === 'invalidEntrypoint');
    assert.equal(second.fault.message, 'fork/exec /var/task/bootstrap: exec format error');
  });
});

describe('an invocation', () => {
  test('is answered before it is over, and over when the runtime asks for the next', async () => {
    const { environment, runtime } = await readyEnvironment();
    const attempt = invoke(environment, '{"a":1}');
    assert.equal(environment.state, 'Invoking');
    assert.equal(runtime.invocations[0]?.payload.toString(), '{"a":1}');
    runtime.say('working\n');
    assert.deepEqual(runtime.respond('"r"'), { status: 'accepted' });
    assert.equal(bodyOf(await attempt.outcome), '"r"');
    assert.equal(environment.state, 'Invoking');
    assert.equal(ready, 0);
    clock.advance(12.5);
    runtime.next();
    assert.equal(ready, 1);
    const { report, logTail } = await attempt.finished;
    assert.equal(report.metrics.durationMs, 12.5);
    assert.equal(report.status, 'success');
    assert.equal(report.metrics.maxMemoryUsedMB, 40);
    assert.equal(environment.state, 'Ready');
    const tail = logTail.toString();
    assert.match(
      tail,
      new RegExp(`START RequestId: ${attempt.id} Version: \\$LATEST\nworking\nEND`),
    );
  });

  test('takes no second answer, no answer for another, and none without a question', async () => {
    const { environment, runtime } = await readyEnvironment();
    const invalidId = { status: 'invalidRequestId' };
    assert.deepEqual(runtime.respond('1', 'request-none'), invalidId);
    const first = invoke(environment);
    assert.deepEqual(runtime.respond('1', 'request-none'), invalidId);
    assert.equal(runtime.next().status, 'invalidTransition');
    assert.equal(runtime.initError().status, 'invalidTransition');
    runtime.respond('1');
    assert.equal(runtime.respond('2').status, 'invalidTransition');
    assert.equal(runtime.fail().status, 'invalidTransition');
    runtime.next();
    await first.finished;
    assert.deepEqual(runtime.respond('3'), invalidId);
    const second = invoke(environment);
    assert.deepEqual(runtime.respond('4', first.id), invalidId);
    runtime.respond('5');
    runtime.next();
    assert.equal(bodyOf(await first.outcome), '1');
    assert.equal(bodyOf(await second.outcome), '5');
    await second.finished;
  });

  test('asking twice for the next event gives it to the last asker', async () => {
    const { environment, runtime } = await readyEnvironment();
    assert.equal(runtime.next().status, 'accepted');
    const attempt = invoke(environment);
    assert.equal(runtime.invocations.length, 1);
    runtime.respond();
    runtime.next();
    await attempt.finished;
  });

  test('that failed is the runtime’s error document', async () => {
    const { environment, runtime } = await readyEnvironment();
    const attempt = invoke(environment);
    runtime.fail('{"errorType":"Mine"}', 'Mine');
    runtime.next();
    const outcome = await attempt.outcome;
    assert(outcome.type === 'functionError');
    assert.equal(outcome.error.payload.toString(), '{"errorType":"Mine"}');
    assert.equal((await attempt.finished).report.status, 'success');
  });

  test('an answer or an error document over the bound is a fault of its own, and the runtime goes on', async () => {
    const { environment, runtime } = await readyEnvironment();
    const tooLong = 'a'.repeat(limits.invokeResponseBytesMax + 1);
    for (const say of [() => runtime.respond(tooLong), () => runtime.fail(tooLong)]) {
      const attempt = invoke(environment);
      assert.equal(say().status, 'tooLarge');
      assert.equal(faultOf(await attempt.outcome), 'responseTooLarge');
      runtime.next();
      assert.equal((await attempt.finished).report.status, 'success');
    }
    assert.equal(host.runtimes.length, 1);
    const longest = invoke(environment);
    runtime.respond(tooLong.slice(1));
    assert.equal(bodyOf(await longest.outcome).length, limits.invokeResponseBytesMax);
    runtime.next();
    await longest.finished;
  });

  test('in which the process exits is a fault; the next one runs Init again and counts its time', async () => {
    const { environment, runtime } = await readyEnvironment();
    const attempt = invoke(environment);
    runtime.say('last words\n');
    runtime.exit({ code: 7 });
    const outcome = await attempt.outcome;
    assert(outcome.type === 'fault' && outcome.fault.type === 'exit');
    assert.equal(outcome.fault.exit.code, 7);
    const { report, logTail } = await attempt.finished;
    assert.equal(report.errorType, 'Runtime.ExitError');
    assert.match(logTail.toString(), /last words\nEND/);
    assert.equal(environment.state, 'Ready');

    host.script = (next) => {
      next.onInit = () => {
        clock.advance(250);
        next.next();
      };
      next.onInvoke = () => {
        clock.advance(50);
        next.respond();
        next.next();
      };
    };
    const { report: again } = await invoke(environment).finished;
    assert.equal(again.metrics.durationMs, 300);
    assert.equal(again.metrics.initDurationMs, undefined);
    assert.equal(host.sandboxes.length, 1);
    assert.doesNotMatch(log, /INIT_REPORT/);
  });

  test('out of memory is told from other exits', async () => {
    const { environment, runtime } = await readyEnvironment();
    const attempt = invoke(environment);
    runtime.exit({ signal: 'SIGKILL', outOfMemory: true });
    assert.equal(faultOf(await attempt.outcome), 'outOfMemory');
    const { report } = await attempt.finished;
    assert.equal(report.metrics.maxMemoryUsedMB, version.memoryMb);
    assert.equal(report.errorType, 'Runtime.OutOfMemory');
  });

  test('answered by a process that then exits keeps its answer and ends', async () => {
    const { environment, runtime } = await readyEnvironment();
    const attempt = invoke(environment);
    runtime.respond('"kept"');
    runtime.exit({ code: 0 });
    assert.equal(bodyOf(await attempt.outcome), '"kept"');
    assert.equal((await attempt.finished).report.errorType, 'Runtime.ExitError');
    assert.equal(ready, 1);
  });

  test('an idle runtime that exits, frozen or not, is started again for the next one', async () => {
    for (const isFrozen of [false, true]) {
      host = new ScriptedHost();
      const { environment, runtime } = await readyEnvironment(obedient);
      if (isFrozen) environment.freeze();
      runtime.exit({ signal: 'SIGKILL' });
      await turns();
      assert.equal(bodyOf(await invoke(environment, '2').outcome), '2');
      assert.equal(host.runtimes.length, 2);
    }
  });
});

describe('a timeout', () => {
  test('answers at once, ends the runtime, and the next invocation runs Init', async () => {
    const { environment, runtime } = await readyEnvironment();
    const killing = Promise.withResolvers<void>();
    host.faults.kill = () => killing.promise;
    const attempt = invoke(environment);
    clock.advance(timeoutMs);
    assert.equal(faultOf(await attempt.outcome), 'timeout');
    assert.equal(ready, 0, 'not free while its runtime still runs');
    killing.resolve();
    const { report } = await attempt.finished;
    assert.equal(report.status, 'timeout');
    assert.equal(report.metrics.durationMs, timeoutMs);
    assert.equal(ready, 1);
    assert(runtime.hasEnded);
    host.script = obedient;
    assert.equal(bodyOf(await invoke(environment).outcome), '{}');
  });

  test('what the runtime says while it is being ended is not heard', async () => {
    for (const hadAnswered of [false, true]) {
      host = new ScriptedHost();
      const { environment, runtime } = await readyEnvironment();
      const killing = Promise.withResolvers<void>();
      host.faults.kill = () => killing.promise;
      const attempt = invoke(environment);
      if (hadAnswered) runtime.respond('"early"');
      clock.advance(timeoutMs);
      if (!hadAnswered) assert.notEqual(runtime.respond('"late"').status, 'accepted');
      assert.notEqual(runtime.next().status, 'accepted');
      await turns();
      assert.equal(ready, 0, 'not free while its runtime still runs');
      assert.equal(environment.state, 'Invoking');
      killing.resolve();
      host.faults.kill = null;
      if (hadAnswered) assert.equal(bodyOf(await attempt.outcome), '"early"');
      else assert.equal(faultOf(await attempt.outcome), 'timeout');
      assert.equal((await attempt.finished).report.status, 'timeout');
      host.script = obedient;
      assert.equal(bodyOf(await invoke(environment).outcome), '{}');
    }
  });

  test('in Init inside the invocation is reported as such', async () => {
    const { environment, runtime } = await readyEnvironment();
    runtime.exit({ code: 1 });
    await turns();
    host.script = () => undefined;
    const attempt = invoke(environment);
    await host.started(2);
    clock.advance(timeoutMs);
    assert.equal(faultOf(await attempt.outcome), 'timeout');
    assert.equal((await attempt.finished).report.status, 'timeout');
    assert.match(log, /^INIT_REPORT Init Duration: 3000\.00 ms\tPhase: invoke\tStatus: timeout$/m);
    assert.equal((log.match(/^REPORT/gm) ?? []).length, 1);
  });

  test('of an invocation that is over does nothing', async () => {
    const { environment, runtime } = await readyEnvironment(obedient);
    await invoke(environment).finished;
    clock.advance(10 * timeoutMs);
    await turns();
    assert.equal(runtime.hasEnded, false);
    assert.equal(environment.state, 'Ready');
  });
});

describe('a broken runtime', () => {
  test('whose channel is closed while it lives on is ended after a moment', async () => {
    const { environment, runtime } = await readyEnvironment();
    const attempt = invoke(environment);
    runtime.closeChannel();
    await turns();
    assert.equal(runtime.hasEnded, false, 'an exit of its own says more');
    clock.advance(1000);
    assert.equal(faultOf(await attempt.outcome), 'exit');
    assert.equal(clock.nowMs(), 1_001_000);
  });

  test('that closed its channel while idle is replaced before the next event', async () => {
    const { environment, runtime } = await readyEnvironment();
    runtime.closeChannel();
    await turns();
    clock.advance(1000);
    await turns();
    assert(runtime.hasEnded);
    host.script = obedient;
    assert.equal(bodyOf(await invoke(environment).outcome), '{}');
  });

  test('that closes its channel and exits gives its own status', async () => {
    const { environment, runtime } = await readyEnvironment();
    const attempt = invoke(environment);
    runtime.closeChannel();
    await turns();
    runtime.exit({ code: 9 });
    const outcome = await attempt.outcome;
    assert(outcome.type === 'fault' && outcome.fault.type === 'exit');
    assert.equal(outcome.fault.exit.code, 9);
    clock.advance(60_000);
    await turns();
  });
});

describe('a host that fails in the middle', () => {
  test('loses the process: the caller is answered and the environment is not used again', async () => {
    const { environment, runtime } = await readyEnvironment();
    const attempt = invoke(environment);
    runtime.lose(new Error('lost'));
    assert.equal(faultOf(await attempt.outcome), 'host');
    await attempt.finished;
    assert.equal(ready, 1);
    assert.equal(environment.state, 'Failed');
    await environment.stop();
  });

  test('loses the idle process: the environment is not used again', async () => {
    const { environment, runtime } = await readyEnvironment();
    runtime.lose(new Error('lost'));
    await turns();
    const attempt = invoke(environment);
    assert.equal(faultOf(await attempt.outcome), 'host');
    await attempt.finished;
    assert.equal(environment.state, 'Failed');
  });

  test('cannot kill the process after a timeout: the caller has the timeout, nothing hangs', async () => {
    const { environment } = await readyEnvironment();
    host.faults.kill = () => {
      throw new Error('cannot kill');
    };
    const attempt = invoke(environment);
    clock.advance(timeoutMs);
    assert.equal(faultOf(await attempt.outcome), 'timeout');
    await attempt.finished;
    assert.equal(ready, 1);
    assert.equal(environment.state, 'Failed');
    await environment.stop();
    assert.deepEqual(host.living(), []);
  });

  test('cannot start the process again: a host fault, and not used again', async () => {
    const { environment, runtime } = await readyEnvironment();
    runtime.exit();
    await turns();
    host.faults.start = () => {
      throw new Error('no process');
    };
    const attempt = invoke(environment);
    assert.equal(faultOf(await attempt.outcome), 'host');
    await attempt.finished;
    assert.equal(environment.state, 'Failed');
  });

  test('cannot write an event to a runtime: a host fault, not an exception', async () => {
    const { environment, runtime } = await readyEnvironment();
    runtime.onInvoke = () => {
      throw new TypeError('Invalid character in header content');
    };
    const attempt = invoke(environment);
    assert.equal(faultOf(await attempt.outcome), 'host');
    await attempt.finished;
    assert.equal(ready, 1);
    clock.advance(10 * timeoutMs);
    await turns();
    assert.equal((log.match(/^REPORT/gm) ?? []).length, 1);
  });

  test('cannot freeze: the environment stays usable', async () => {
    const { environment } = await readyEnvironment(obedient);
    host.faults.freeze = () => {
      throw new Error('EBUSY');
    };
    environment.freeze();
    assert.equal(environment.state, 'Ready');
    assert.equal(bodyOf(await invoke(environment).outcome), '{}');
  });

  test('cannot thaw: stopping still takes everything apart', async () => {
    const { environment } = await readyEnvironment(obedient);
    environment.freeze();
    host.faults.thaw = () => {
      throw new Error('EBUSY');
    };
    await environment.stop();
    assert.deepEqual(host.living(), []);
  });
});

describe('freeze and stop', () => {
  test('only an idle environment freezes, and an event thaws it', async () => {
    const { environment, runtime } = await readyEnvironment();
    const [sandbox] = host.sandboxes;
    environment.freeze();
    assert.equal(environment.state, 'Frozen');
    assert(sandbox?.isFrozen);
    environment.freeze();
    const attempt = invoke(environment);
    assert.equal(sandbox.isFrozen, false);
    environment.freeze();
    assert.equal(environment.state, 'Invoking');
    assert.equal(sandbox.isFrozen, false);
    runtime.respond();
    runtime.next();
    await attempt.finished;
  });

  test('stop is one stop however often it is asked for, and takes no event afterwards', async () => {
    const { environment } = await readyEnvironment();
    environment.freeze();
    const [first, second] = [environment.stop(), environment.stop()];
    assert.equal(first, second);
    await first;
    assert.equal(environment.state, 'Stopped');
    assert.equal(host.destroyed.length, 1);
    assert.throws(() => invoke(environment), /cannot go from Stopped to Invoking/);
  });

  test('stop in the middle of an invocation answers it with a host fault', async () => {
    const { environment } = await readyEnvironment();
    const attempt = invoke(environment);
    await environment.stop();
    assert.equal(faultOf(await attempt.outcome), 'host');
    await attempt.finished;
    assert.equal(ready, 1);
    assert.equal((log.match(/^REPORT/gm) ?? []).length, 1);
  });

  test('stop at every step of a start ends it and leaves nothing', async () => {
    for (const step of ['bind', 'start', 'setCpus'] as const) {
      host = new ScriptedHost();
      host.script = patient;
      const entered = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      host.faults[step] = () => {
        entered.resolve();
        return held.promise;
      };
      const environment = await createEnvironment();
      const started = environment.start(null);
      started.catch(() => undefined);
      await entered.promise;
      const stopped = environment.stop();
      await turns();
      held.resolve();
      await assert.rejects(started, `start ends when it was stopped in ${step}`);
      await stopped;
      assert.equal(environment.state, 'Stopped');
      assert.deepEqual(host.living(), []);
      assert.equal(host.runtimes.filter(({ hasEnded }) => !hasEnded).length, 0);
    }
  });

  test('stop during Init, and during Init inside an invocation, ends both', async () => {
    const environment = await createEnvironment();
    const started = environment.start(null);
    await host.started(1);
    const stopped = environment.stop();
    await assert.rejects(started);
    await stopped;

    host = new ScriptedHost();
    const { environment: other, runtime } = await readyEnvironment();
    runtime.exit();
    await turns();
    host.script = () => undefined;
    const attempt = invoke(other);
    await host.started(2);
    await other.stop();
    assert.equal(faultOf(await attempt.outcome), 'host');
    await attempt.finished;
    await turns();
    assert.equal(ready, 1);
    assert.deepEqual(host.living(), []);
  });
});
