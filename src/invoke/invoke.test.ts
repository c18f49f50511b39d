/**
 * The invoke path above the worker: what is refused before anything runs, and that the permit is held
 * exactly as long as the environment.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { systemRandom, type Random } from '../base/random.ts';
import { limits } from '../model/limits.ts';
import type { RunnableVersion } from '../model/runnable-version.ts';
import { runnable } from '../testing/runnable.ts';
import { workerOptions } from '../testing/worker-rig.ts';
import { obedient, patient, ScriptedHost, turns } from '../testing/scripted-sandbox.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { MetricSamples } from '../testing/metric-samples.ts';
import { Worker } from '../worker/worker.ts';
import type { AliasRoute } from './alias-route.ts';
import { Concurrency } from './concurrency.ts';
import type { FunctionDirectory } from './function-directory.ts';
import { Invoker, type InvokeRequest } from './invoke.ts';

const version = runnable();
let clock: SimClock;
let host: ScriptedHost;
let worker: Worker;
let concurrency: Concurrency;
let invoker: Invoker;
let metrics: Metrics;
let known: RunnableVersion | undefined;
let numbered: Map<string, RunnableVersion>;
let aliases: Map<string, AliasRoute>;

beforeEach(() => {
  clock = new SimClock(1_700_000_000_000);
  host = new ScriptedHost();
  host.script = obedient;
  known = version;
  metrics = new Metrics({ isFunction: () => true });
  numbered = new Map();
  aliases = new Map();
  const { driver, catalog, transports } = host;
  const dependencies = { driver, catalog, transports };
  const room = { environmentsMax: 2, waitersMax: 1, waitMsMax: 1000 };
  const options = workerOptions({ ...room, listener: metrics });
  worker = new Worker(clock, systemRandom, silentLog, dependencies, options);
  concurrency = new Concurrency(clock, { accountMax: 2, newEnvironmentsMax: 1000 });
  invoker = invokerWith(concurrency);
});
afterEach(() => worker.close());

function invokerWith(limited: Concurrency, random: Random = systemRandom): Invoker {
  const directory: Pick<FunctionDirectory, 'find' | 'findAlias'> = {
    find: (_name, qualifier = '$LATEST') => numbered.get(qualifier) ?? known,
    findAlias: (_name, name) => aliases.get(name),
  };
  return new Invoker(
    clock,
    random,
    {
      directory: directory as FunctionDirectory,
      concurrency: limited,
      worker,
      metrics: metrics.functions,
    },
    { accountId: '000000000000', region: 'us-east-1' },
  );
}

function request(members: Partial<InvokeRequest> = {}): InvokeRequest {
  return {
    requestId: 'request-1',
    functionName: 'one',
    qualifier: undefined,
    payload: Buffer.from('{"a":1}'),
    clientContext: undefined,
    tenantId: undefined,
    traceHeader: undefined,
    ...members,
  };
}

test('the runtime gets the event with its deadline, ARN, trace and client context', async () => {
  const clientContext = Buffer.from('{"custom":{"k":"ü"}}').toString('base64');
  const result = await invoker.invoke(request({ qualifier: '$LATEST', clientContext }));
  assert.equal(String(result.payload), '{"a":1}');
  assert.equal(result.executedVersion, '$LATEST');
  const invocation = host.runtimes[0]?.invocations[0];
  assert.equal(invocation?.deadlineMs, 1_700_000_003_000);
  assert.equal(invocation.invokedFunctionArn, `${version.functionArn}:$LATEST`);
  assert.match(invocation.traceId, /^Root=1-6553f100-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
  assert.equal(invocation.clientContext, '{"custom":{"k":"ü"}}');
  await invoker.invoke(request({ payload: Buffer.alloc(0), traceHeader: 'Root=mine' }));
  const second = host.runtimes[0]?.invocations[1];
  assert.equal(second?.payload.toString(), '{}');
  assert.equal(second.traceId, 'Root=mine');
  assert.equal(second.invokedFunctionArn, version.functionArn);
});

test('the runtime gets the tenant, and another tenant’s invocation another environment', async () => {
  known = runnable({ perTenant: true });
  for (const tenantId of ['red', 'blue', 'red']) {
    const { finished } = await invoker.invoke(request({ tenantId }));
    await finished;
  }
  const tenants = host.runtimes.map(({ invocations }) => invocations.map((one) => one.tenantId));
  assert.deepEqual(tenants, [['red', 'red'], ['blue']]);
});

test('an alias leads to its versions by weight, drawn for each invocation; the ARN is as called', async () => {
  for (const number of ['1', '2']) numbered.set(number, runnable({ version: number }));
  aliases.set('live', { version: '1', additionalVersion: '2', additionalShare: 0.25 });
  const fractions = [0.9, 0.1, 0.25, 0.2499, 0.5, 0];
  const random: Random = { ...systemRandom, fraction: () => fractions.shift() ?? assert.fail() };
  const drawing = invokerWith(concurrency, random);
  const executed: string[] = [];
  for (let call = 0; call < 6; call += 1) {
    const result = await drawing.invoke(request({ qualifier: 'live' }));
    executed.push(result.executedVersion);
    await result.finished;
  }
  assert.deepEqual(executed, ['1', '2', '1', '2', '1', '2']);
  const invocations = host.runtimes.flatMap((runtime) => runtime.invocations);
  assert.equal(invocations.length, 6);
  for (const { invokedFunctionArn } of invocations) {
    assert.equal(invokedFunctionArn, `${version.functionArn}:live`);
  }
  const numberedResult = await drawing.invoke(request({ qualifier: '2' }));
  assert.equal(numberedResult.executedVersion, '2', 'and nothing is drawn');
});

test('what cannot be invoked is refused before anything runs, by DryRun too', async () => {
  const context = (text: string): Partial<InvokeRequest> => ({
    clientContext: Buffer.from(text).toString('base64'),
  });
  const cases: [RunnableVersion | undefined, Partial<InvokeRequest>, string][] = [
    [undefined, {}, 'ResourceNotFoundException'],
    [runnable({ state: 'Pending' }), {}, 'ResourceConflictException'],
    [runnable({ state: 'Failed' }), {}, 'ResourceConflictException'],
    [version, { payload: Buffer.from('{') }, 'InvalidRequestContentException'],
    [version, { payload: Buffer.from(' ') }, 'InvalidRequestContentException'],
    [version, { clientContext: 'string' }, 'InvalidRequestContentException'],
    [version, context('[1]'), 'InvalidRequestContentException'],
    [version, context('null'), 'InvalidRequestContentException'],
    [version, { tenantId: 'red' }, 'InvalidParameterValueException'],
    [runnable({ perTenant: true }), {}, 'InvalidParameterValueException'],
    [runnable({ perTenant: true, state: 'Pending' }), {}, 'ResourceConflictException'],
  ];
  for (const [found, members, code] of cases) {
    known = found;
    assert.throws(() => invoker.dryRun(request(members)), { code });
    await assert.rejects(invoker.invoke(request(members)), { code });
  }
  assert.equal(host.sandboxes.length, 0);
  assert.equal(concurrency.inFlight, 0);
  known = version;
  invoker.dryRun(request());
  assert.equal(host.sandboxes.length, 0);
});

test('the permit is held until the environment is free, not until the caller is answered', async () => {
  host.script = patient;
  const answering = invoker.invoke(request());
  const runtime = await host.started(1);
  runtime.respond();
  const { finished } = await answering;
  assert.equal(concurrency.inFlight, 1);
  runtime.next();
  assert.equal(concurrency.inFlight, 0);
  await finished;
});

test('more at once than the account may have are throttled', async () => {
  host.script = patient;
  const running = [invoker.invoke(request()), invoker.invoke(request())];
  await assert.rejects(invoker.invoke(request()), {
    code: 'TooManyRequestsException',
    members: { Reason: 'ConcurrentInvocationLimitExceeded', Type: 'User' },
  });
  await host.started(2);
  for (const runtime of host.runtimes) {
    runtime.respond();
    runtime.next();
  }
  await Promise.all(running);
  assert.equal(concurrency.inFlight, 0);
});

test('new environments beyond the scaling rate are throttled; warm ones serve, and those who waited in vain count not', async () => {
  concurrency = new Concurrency(clock, { accountMax: 10, newEnvironmentsMax: 1 });
  const limited = invokerWith(concurrency);
  host.faults.create = () => {
    throw new Error('no memory');
  };
  await assert.rejects(limited.invoke(request()), { code: 'ServiceException' });
  host.faults.create = null;
  await assert.rejects(limited.invoke(request()), {
    code: 'TooManyRequestsException',
    message: 'Rate Exceeded.',
    members: { Reason: 'ConcurrentInvocationLimitExceeded', Type: 'User' },
  });
  clock.advance(10_000);
  const { finished } = await limited.invoke(request());
  await finished;
  await (
    await limited.invoke(request())
  ).finished;
  assert.equal(host.sandboxes.length, 1);

  clock.advance(10_000);
  Object.assign(host.catalog, { find: () => ({ available: false, reason: 'gone' }) });
  known = runnable({ key: 'one:$LATEST:build-2' });
  for (let count = 0; count < 3; count += 1) {
    await assert.rejects(limited.invoke(request()), { code: 'InvalidRuntimeException' });
  }
  assert.equal(concurrency.inFlight, 0);
});

test('a function with a reserve is throttled by it', async () => {
  concurrency.setReserved('one', 0);
  await assert.rejects(invoker.invoke(request()), {
    code: 'TooManyRequestsException',
    message: 'Rate Exceeded.',
    members: { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded', Type: 'User' },
    headers: { 'Retry-After': '1' },
  });
  invoker.dryRun(request());
  assert.equal(concurrency.inFlight, 0);
});

test('every failure gives the permit back, once', async () => {
  host.faults.create = () => {
    throw new Error('no memory');
  };
  await assert.rejects(invoker.invoke(request()), { code: 'ServiceException' });
  assert.equal(concurrency.inFlight, 0);
  host.faults.create = null;

  host.script = (runtime) => {
    patient(runtime);
    runtime.onInvoke = () => {
      throw new Error('EPIPE');
    };
  };
  await assert.rejects(invoker.invoke(request()), { code: 'ServiceException' });
  await turns();
  assert.equal(concurrency.inFlight, 0);

  host.script = patient;
  const stopped = invoker.invoke(request());
  await host.started(2);
  await worker.close();
  await assert.rejects(stopped, { code: 'ServiceException' });
  assert.equal(concurrency.inFlight, 0);
});

test('a missing runtime is named, and its permit comes back', async () => {
  const { catalog } = host;
  Object.assign(catalog, { find: () => ({ available: false, reason: 'no Java' }) });
  await assert.rejects(invoker.invoke(request()), {
    code: 'InvalidRuntimeException',
    message: 'no Java',
  });
  assert.equal(concurrency.inFlight, 0);
});

test('a function error and a timeout are results', async () => {
  host.script = patient;
  const failing = invoker.invoke(request());
  const runtime = await host.started(1);
  runtime.fail('{"errorType":"Mine"}', 'Mine');
  runtime.next();
  const failed = await failing;
  assert.equal(failed.functionError, 'Unhandled');
  const late = invoker.invoke(request());
  await turns();
  clock.advance(version.timeoutMs);
  assert.match(String((await late).payload), /Task timed out after 3\.00 seconds/);
  assert.equal((await (await late).finished).logTail.length <= limits.logTailBytesMax, true);
  assert.equal(concurrency.inFlight, 0);
});

test('metrics tell what callers were told: answers, failures, throttles, and nothing else', async () => {
  numbered.set('1', runnable({ version: '1' }));
  aliases.set('live', { version: '1', additionalVersion: undefined, additionalShare: 0 });
  const { finished } = await invoker.invoke(request({ qualifier: 'live' }));
  await finished;
  host.script = (runtime) => {
    patient(runtime);
    runtime.onInvoke = () => runtime.exit({ code: 1 });
  };
  const failed = await invoker.invoke(request());
  await failed.finished;
  host.faults.create = () => {
    throw new Error('no memory');
  };
  known = runnable({ key: 'one:$LATEST:build-2' });
  await assert.rejects(invoker.invoke(request()), { code: 'ServiceException' });
  concurrency.setReserved('one', 0);
  await assert.rejects(invoker.invoke(request()), { code: 'TooManyRequestsException' });
  known = undefined;
  await assert.rejects(invoker.invoke(request({ functionName: 'none' })), {
    code: 'ResourceNotFoundException',
  });
  const samples = new MetricSamples(await metrics.render());
  const live = { function: 'one', qualifier: 'live', executed_version: '1' };
  const latest = { function: 'one', qualifier: '$LATEST', executed_version: '$LATEST' };
  const counts = (labels: typeof live): number[] =>
    ['invocations_total', 'errors_total', 'throttles_total', 'duration_seconds_count'].map((name) =>
      samples.sum(`hearth_${name}`, labels),
    );
  assert.deepEqual(counts(live), [1, 0, 0, 1]);
  assert.deepEqual(counts(latest), [1, 1, 1, 1]);
  assert.deepEqual(samples.find('hearth_invocations_total', { function: 'none' }), []);
  assert.equal(metrics.functions.underWayCount, 0);
});
