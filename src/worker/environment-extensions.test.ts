/**
 * An environment with extensions, against a sandbox, a runtime and extensions that do what the test says:
 * what Init waits for, when an invocation is over, and how everything ends.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { limits } from '../model/limits.ts';
import { flushMsMax } from '../telemetry/environment-telemetry.ts';
import type { TelemetrySubscription } from '../telemetry/telemetry-subscription.ts';
import { runnable } from '../testing/runnable.ts';
import { createEnvironment as environmentIn, createInvocation } from '../testing/worker-rig.ts';
import {
  obedient,
  patient,
  ScriptedHost,
  scriptedRuntime,
  turns,
  type ScriptedExtension,
  type ScriptedRuntime,
} from '../testing/scripted-sandbox.ts';
import { SimClock } from '../testing/sim-clock.ts';
import type { ExecutionEnvironment } from './environment.ts';
import { type Attempt } from './environment.ts';
import type { ExtensionEvent, ExtensionEventType } from './extension-port.ts';
import type { InvocationOutcome } from './invocation-record.ts';
import { RuntimeSandbox } from './runtime-sandbox.ts';

const timeoutMs = 3000;
const version = runnable({ timeoutMs });

const subscription: TelemetrySubscription = {
  ...{ api: 'telemetry', schemaVersion: '2022-12-13', types: ['platform'] },
  ...{ maxItems: 1000, maxBytes: 262_144, timeoutMs: 1000 },
  destination: { protocol: 'HTTP', method: 'POST', port: 8080, path: '/' },
};

/** An extension that registers and asks for events; what it does with one, the test says. */
class Member {
  readonly extension: ScriptedExtension;
  readonly id: string;
  readonly events: ExtensionEvent[] = [];

  constructor(extension: ScriptedExtension, events: readonly ExtensionEventType[]) {
    this.extension = extension;
    const answer = extension.port.register(extension.name, events);
    assert(answer.status === 'registered', JSON.stringify(answer));
    this.id = answer.extensionId;
  }

  next(): void {
    const answer = this.extension.port.nextEvent(this.id, (_id, event) => this.events.push(event));
    assert.equal(answer.status, 'accepted');
  }
}

let clock: SimClock;
let host: ScriptedHost;
let log: string;
let members: Member[];
/** How often the environment said that it is free. */
let released: number;

beforeEach(() => {
  clock = new SimClock(1_000_000);
  host = new ScriptedHost();
  host.script = obedient;
  log = '';
  members = [];
  released = 0;
  host.extensionScript = (extension) => queueMicrotask(() => join(extension));
});
afterEach(async () => {
  // Whoever did not end when it was told to is killed.
  await pass(limits.shutdownMsExternal);
  assert.deepEqual(host.living(), []);
});

/** The extension takes part as most do. */
function join(extension: ScriptedExtension, onRegistered?: (member: Member) => void): void {
  const member = new Member(extension, ['INVOKE', 'SHUTDOWN']);
  members.push(member);
  onRegistered?.(member);
  member.next();
}

/** Time goes by in small steps, with all that happens in each. */
async function pass(durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs <= durationMs; passedMs += 100) {
    await turns();
    clock.advance(100);
  }
  await turns();
}

async function createEnvironment(extensions: readonly string[]): Promise<ExecutionEnvironment> {
  const runtimeSandbox = await RuntimeSandbox.create(host.driver, host.transports, {
    id: 'one',
    runtime: scriptedRuntime('nodejs24.x'),
    limits: { memoryMb: 128, cpus: null, temporaryStorageMb: 512 },
  });
  return environmentIn(clock, runtimeSandbox, (text) => void (log += text), {
    ...{ version, extensions },
    variables: () => ({ COLOUR: 'green', _HANDLER: 'index.handler' }),
  });
}

async function readyEnvironment(
  script = patient,
  onRegistered: (member: Member) => void = () => undefined,
): Promise<{ environment: ExecutionEnvironment; runtime: ScriptedRuntime; member: Member }> {
  host.script = script;
  host.extensionScript = (extension) => queueMicrotask(() => join(extension, onRegistered));
  const environment = await createEnvironment(['a']);
  await environment.start(null);
  const [member] = members;
  assert(member !== undefined);
  return { environment, member, runtime: await host.started(1) };
}

/** Its Init failed for want of its extension, and will be repeated; then its runtime never asks. */
async function environmentWithoutInit(): Promise<ExecutionEnvironment> {
  host.script = (runtime) => runtime.booted.resolve();
  host.faults.startBeside = () => Promise.reject(new Error('not today'));
  const environment = await createEnvironment(['a']);
  const started = environment.start(null);
  await pass(limits.shutdownMsExternal);
  await started;
  host.faults.startBeside = null;
  return environment;
}

function invoke(environment: ExecutionEnvironment): Attempt {
  const invocation = createInvocation({ deadlineMs: clock.nowMs() + timeoutMs });
  return environment.invoke(invocation, () => void (released += 1));
}

function faultOf(outcome: InvocationOutcome): string {
  return outcome.type === 'fault' ? outcome.fault.type : outcome.type;
}

function reasonOf({ events }: Member): string | undefined {
  const last = events.at(-1);
  return last?.eventType === 'SHUTDOWN' ? last.shutdownReason : undefined;
}

describe('Init', () => {
  test('starts the runtime once all have registered, and ends once all are ready', async () => {
    host.extensionScript = () => undefined;
    const environment = await createEnvironment(['a', 'b']);
    const started = environment.start(null);
    await turns();
    const [sandbox] = host.sandboxes;
    assert(sandbox !== undefined);
    assert.deepEqual(
      sandbox.beside.map(({ command }) => command.argv[0]),
      ['/opt/extensions/a', '/opt/extensions/b'],
    );
    assert.deepEqual(sandbox.beside[0]?.command.env, { COLOUR: 'green' });
    const [a, b] = sandbox.beside.map((extension) => new Member(extension, ['INVOKE']));
    assert(a !== undefined && b !== undefined);
    await host.started(1);
    a.next();
    assert.equal(environment.state, 'Starting');
    b.next();
    await started;
    assert.equal(environment.state, 'Ready');
    assert.match(log, /EXTENSION\tName: a\tState: Ready\tEvents: \[INVOKE\]/);
    void environment.stop();
  });

  test('repeated within an invocation and overrun is not billed for the end of extensions', async () => {
    const environment = await environmentWithoutInit();
    const attempt = invoke(environment);
    await turns();
    clock.advance(timeoutMs);
    assert.equal(faultOf(await attempt.outcome), 'timeout');
    await turns();
    assert.match(
      log,
      /^REPORT .*Status: timeout/m,
      'extensions hear of the end while they are there',
    );
    assert.equal(released, 0, 'until they have ended');
    await pass(limits.shutdownMsExternal);
    const [member] = members;
    assert.equal(member && reasonOf(member), 'TIMEOUT');
    const { report } = await attempt.finished;
    assert.equal(report.metrics.durationMs, timeoutMs);
    assert.equal(report.status, 'timeout');
    assert.equal(released, 1);
    void environment.stop();
  });

  test('repeated and overrun, of extensions that cannot be ended, releases once', async () => {
    const environment = await environmentWithoutInit();
    const attempt = invoke(environment);
    await turns();
    host.faults.kill = () => Promise.reject(new Error('it stays'));
    clock.advance(timeoutMs);
    assert.equal(faultOf(await attempt.outcome), 'timeout');
    await pass(limits.shutdownMsExternal);
    await attempt.finished;
    assert.equal(released, 1);
    assert.equal(environment.state, 'Failed');
    host.faults.kill = null;
    void environment.stop();
  });

  test('overrun because of an extension is told and repeated within the invocation', async () => {
    const own = host.extensionScript;
    host.extensionScript = () => undefined;
    const environment = await createEnvironment(['a']);
    const started = environment.start(null);
    await turns();
    clock.advance(limits.initDurationMsMax);
    await pass(limits.shutdownMsExternal);
    await started;
    assert.match(log, /INIT_REPORT .*Status: timeout/);
    assert.match(log, /EXTENSION\tName: a\tState: Started\tEvents: \[\]/);
    assert.equal(host.runtimes.length, 0);
    host.extensionScript = own;
    const attempt = invoke(environment);
    await turns();
    const [member] = members;
    assert(member !== undefined);
    assert.deepEqual(await attempt.outcome.then(faultOf), 'response');
    member.next();
    await attempt.finished;
    void environment.stop();
  });

  test('registration is closed afterwards', async () => {
    const { environment, member } = await readyEnvironment();
    const answer = member.extension.port.register('late', []);
    assert(answer.status === 'refused' && answer.errorType === 'Extension.RegistrationClosed');
    const subscription = member.extension.port.expectsSubscription(member.id, 'logs');
    assert(subscription.status === 'refused');
    assert.equal(subscription.errorType, 'Logs.SubscriptionClosed');
    void environment.stop();
  });
});

describe('an invocation', () => {
  test('is over when the extensions are, long after its answer', async () => {
    const { environment, member } = await readyEnvironment(obedient);
    const attempt = invoke(environment);
    assert.equal(faultOf(await attempt.outcome), 'response');
    await turns();
    assert.equal(released, 0);
    assert.equal(environment.state, 'Invoking');
    clock.advance(1200);
    member.next();
    const { report } = await attempt.finished;
    assert.equal(released, 1);
    assert.equal(report.metrics.durationMs, 1200);
    assert.deepEqual(
      report.spans?.map(({ name, durationMs }) => [name, durationMs]),
      [['extensionOverhead', 1200]],
    );
    void environment.stop();
  });

  test('times out with its extensions, though the caller has its answer', async () => {
    const { environment, member } = await readyEnvironment(obedient);
    const attempt = invoke(environment);
    assert.equal(faultOf(await attempt.outcome), 'response');
    await turns();
    clock.advance(timeoutMs);
    const { report } = await attempt.finished;
    assert.equal(report.status, 'timeout');
    assert.equal(released, 0);
    member.next();
    await pass(limits.shutdownMsExternal);
    assert.equal(reasonOf(member), 'TIMEOUT');
    assert.equal(released, 1);
    assert.equal(environment.state, 'Ready');
    void environment.stop();
  });

  test('fails with an extension; runtime and extensions start anew with the next', async () => {
    const { environment, member, runtime } = await readyEnvironment();
    const attempt = invoke(environment);
    member.extension.exit({ code: 9 });
    const outcome = await attempt.outcome;
    assert(outcome.type === 'fault' && outcome.fault.type === 'extension');
    assert.equal(outcome.fault.errorType, 'Extension.Crash');
    await attempt.finished;
    assert.equal(released, 0);
    await pass(limits.shutdownMsExternal);
    assert.deepEqual(runtime.signals, ['SIGTERM', 'SIGKILL']);
    assert.equal(released, 1);
    host.script = obedient;
    const again = invoke(environment);
    await host.started(2);
    assert.equal(faultOf(await again.outcome), 'response');
    members[1]?.next();
    await again.finished;
    void environment.stop();
  });

  test('fails with an extension that ended just before, not with the host', async () => {
    const { environment, member } = await readyEnvironment();
    member.extension.exit({ code: 1 });
    await Promise.resolve(); // its end is known, what it said is not all here
    const attempt = invoke(environment);
    const outcome = await attempt.outcome;
    assert(outcome.type === 'fault' && outcome.fault.type === 'extension', faultOf(outcome));
    await attempt.finished;
    await pass(limits.shutdownMsExternal);
    assert.equal(environment.state, 'Ready');
    assert.equal(released, 1);
    void environment.stop();
  });

  test('fails with an extension that reported its error just before', async () => {
    const { environment, member } = await readyEnvironment();
    const error = { errorType: 'Extension.Tired', payload: Buffer.alloc(0) };
    assert.equal(member.extension.port.extensionExitError(member.id, error).status, 'accepted');
    const attempt = invoke(environment);
    const outcome = await attempt.outcome;
    assert(outcome.type === 'fault' && outcome.fault.type === 'extension', faultOf(outcome));
    assert.equal(outcome.fault.errorType, 'Extension.Tired');
    await attempt.finished;
    await pass(limits.shutdownMsExternal);
    assert.equal(environment.state, 'Ready');
    void environment.stop();
  });

  test('waits for what ends since the one before: an extension that failed while idle', async () => {
    const { environment, member } = await readyEnvironment(obedient);
    member.extension.exit({ code: 1 });
    await turns();
    const attempt = invoke(environment);
    await turns();
    assert.equal(host.runtimes.length, 1);
    await pass(limits.shutdownMsExternal);
    await host.started(2);
    assert.equal(faultOf(await attempt.outcome), 'response');
    members[1]?.next();
    await attempt.finished;
    void environment.stop();
  });
});

describe('freezing', () => {
  test('is given up when an invocation came while telemetry was sent', async () => {
    host.connect = () => new Promise(() => undefined); // a listener that takes its time
    const { environment, member } = await readyEnvironment(obedient, (registered) => {
      registered.extension.port.subscribe(registered.id, subscription);
    });
    environment.freeze();
    const attempt = invoke(environment);
    await turns();
    member.next();
    await attempt.finished;
    clock.advance(flushMsMax);
    await turns();
    assert.equal(environment.state, 'Ready');
    environment.freeze();
    await turns();
    clock.advance(flushMsMax);
    await turns();
    assert.equal(environment.state, 'Frozen');
    void environment.stop();
  });

  test('does not reach extensions that are being told to end', async () => {
    const { environment, member, runtime } = await readyEnvironment();
    runtime.exit({ code: 1 });
    await turns();
    assert.equal(reasonOf(member), 'FAILURE');
    environment.freeze();
    assert.equal(environment.state, 'Ready');
    assert.equal(host.sandboxes[0]?.isFrozen, false);
    member.extension.exit();
    await turns();
    void environment.stop();
  });
});

describe('stopping', () => {
  test('tells the runtime, then the extensions, and kills who outstays', async () => {
    const { environment, member, runtime } = await readyEnvironment();
    const stopped = environment.stop();
    await turns();
    assert.deepEqual(runtime.signals, ['SIGTERM']);
    assert.equal(reasonOf(member), undefined);
    runtime.exit();
    await turns();
    assert.equal(reasonOf(member), 'SPINDOWN');
    await pass(limits.shutdownMsExternal);
    await stopped;
    assert(member.extension.hasEnded);
    assert.deepEqual(host.living(), []);
  });

  test('in the middle of a reset waits for it and releases once', async () => {
    const { environment } = await readyEnvironment();
    const attempt = invoke(environment);
    clock.advance(timeoutMs);
    assert.equal(faultOf(await attempt.outcome), 'timeout');
    await turns();
    const stopped = environment.stop();
    await turns();
    await pass(limits.shutdownMsExternal);
    await stopped;
    await turns();
    assert.equal(released, 1);
    assert.deepEqual(host.living(), []);
  });

  test('while extensions start ends them', async () => {
    host.extensionScript = () => undefined;
    const environment = await createEnvironment(['a']);
    const started = assert.rejects(environment.start(null));
    await turns();
    const stopped = environment.stop();
    await pass(limits.shutdownMsExternal);
    await Promise.all([started, stopped]);
    assert.deepEqual(host.living(), []);
  });
});
