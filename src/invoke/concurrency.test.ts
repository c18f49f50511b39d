import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { SimClock } from '../testing/sim-clock.ts';
import { Concurrency, type Permit } from './concurrency.ts';

let clock: SimClock;

beforeEach(() => {
  clock = new SimClock(0);
});

function create(accountMax: number, newEnvironmentsMax = 1000): Concurrency {
  return new Concurrency(clock, { accountMax, newEnvironmentsMax });
}

function permit(concurrency: Concurrency, name: string): Permit {
  const acquired = concurrency.acquire(name, '$LATEST');
  assert(typeof acquired !== 'string', `a permit, not ${String(acquired)}`);
  return acquired;
}

/** As many permits as there are, and why there are no more. */
function exhaust(concurrency: Concurrency, name: string): { permits: Permit[]; reason: string } {
  const permits: Permit[] = [];
  for (;;) {
    const acquired = concurrency.acquire(name, '$LATEST');
    if (typeof acquired === 'string') return { permits, reason: acquired };
    permits.push(acquired);
  }
}

function releaseAll(permits: readonly Permit[]): void {
  for (const held of permits) held.release();
}

test('permits are given up to the limit and come back once each', () => {
  const concurrency = create(2);
  const first = permit(concurrency, 'one');
  permit(concurrency, 'two');
  assert.equal(concurrency.acquire('one', '$LATEST'), 'ConcurrentInvocationLimitExceeded');
  assert.equal(concurrency.inFlight, 2);
  first.release();
  first.release();
  assert.equal(concurrency.inFlight, 1);
  permit(concurrency, 'two');
  assert.equal(concurrency.acquire('two', '$LATEST'), 'ConcurrentInvocationLimitExceeded');
});

test('a reserve is guarantee and ceiling, and the others share the rest (guide page 008)', () => {
  const concurrency = create(1000);
  concurrency.setReserved('blue', 400);
  concurrency.setReserved('orange', 400);
  const orange = exhaust(concurrency, 'orange');
  assert.equal(orange.permits.length, 400);
  assert.equal(orange.reason, 'ReservedFunctionConcurrentInvocationLimitExceeded');
  const green = exhaust(concurrency, 'green');
  assert.equal(green.permits.length, 200);
  assert.equal(green.reason, 'ConcurrentInvocationLimitExceeded');
  assert.equal(concurrency.acquire('red', '$LATEST'), 'ConcurrentInvocationLimitExceeded');
  assert.equal(exhaust(concurrency, 'blue').permits.length, 400);
  assert.equal(concurrency.inFlight, 1000);
  green.permits[0]?.release();
  permit(concurrency, 'red');
});

test('a reserve of 0 throttles all, and without it the function runs again', () => {
  const concurrency = create(10);
  concurrency.setReserved('one', 0);
  const refusal = 'ReservedFunctionConcurrentInvocationLimitExceeded';
  assert.equal(concurrency.acquire('one', '$LATEST'), refusal);
  permit(concurrency, 'two');
  concurrency.setReserved('one', undefined);
  assert.equal(exhaust(concurrency, 'one').permits.length, 9);
});

test('permits that are out when a reserve changes count on its new side, and come back there', () => {
  const concurrency = create(10);
  const before = exhaust(concurrency, 'one').permits;
  concurrency.setReserved('two', 6);
  assert.equal(
    concurrency.acquire('two', '$LATEST'),
    'ConcurrentInvocationLimitExceeded',
    'all is taken',
  );
  releaseAll(before.splice(0, 5));
  assert.equal(
    concurrency.acquire('one', '$LATEST'),
    'ConcurrentInvocationLimitExceeded',
    '5 of 4',
  );
  const guaranteed = exhaust(concurrency, 'two');
  assert.equal(guaranteed.permits.length, 5);
  assert.equal(guaranteed.reason, 'ConcurrentInvocationLimitExceeded');
  concurrency.setReserved('one', 2);
  releaseAll(before.splice(0, 3));
  assert.equal(exhaust(concurrency, 'two').permits.length, 1);
  assert.equal(
    concurrency.acquire('one', '$LATEST'),
    'ReservedFunctionConcurrentInvocationLimitExceeded',
  );
  concurrency.setReserved('one', undefined);
  concurrency.setReserved('two', undefined);
  releaseAll([...before, ...guaranteed.permits]);
  assert.equal(concurrency.inFlight, 1);
  assert.equal(exhaust(concurrency, 'three').permits.length, 9);
});

test('a deleted function gives back its reserve at once and its permits as they end', () => {
  const concurrency = create(10);
  concurrency.setReserved('one', 8);
  const held = exhaust(concurrency, 'one').permits;
  concurrency.forget('one');
  concurrency.forget('never known');
  assert.equal(exhaust(concurrency, 'two').permits.length, 2);
  concurrency.setReserved('one', undefined);
  releaseAll(held);
  assert.equal(exhaust(concurrency, 'one').permits.length, 8, 'made again while they were out');
});

test('nothing is kept of a deleted function once its permits are back', () => {
  const concurrency = create(10);
  const held = permit(concurrency, 'one');
  concurrency.setReserved('two', 5);
  assert.equal(concurrency.functionCount, 2);
  concurrency.forget('one');
  concurrency.forget('two');
  assert.equal(concurrency.functionCount, 1);
  held.release();
  assert.equal(concurrency.functionCount, 0);
  concurrency.setReserved('three', undefined);
  assert.equal(concurrency.functionCount, 0);
});

test('requests per second are at most 10 for each unit, together and not per environment', () => {
  const concurrency = create(100);
  concurrency.setReserved('reserved', 1);
  const burst = (name: string): { taken: number; reason: string } => {
    for (let taken = 0; ; taken += 1) {
      const acquired = concurrency.acquire(name, '$LATEST');
      if (typeof acquired === 'string') return { taken, reason: acquired };
      acquired.release();
    }
  };
  assert.deepEqual(burst('reserved'), {
    taken: 10,
    reason: 'ReservedFunctionInvocationRateLimitExceeded',
  });
  assert.deepEqual(burst('one'), { taken: 990, reason: 'FunctionInvocationRateLimitExceeded' });
  assert.equal(burst('two').taken, 0, 'functions without a reserve share');
  clock.advance(100);
  assert.equal(burst('reserved').taken, 1);
  assert.equal(burst('two').taken, 99);
  clock.advance(10_000);
  assert.equal(burst('reserved').taken, 10);
  concurrency.setReserved('reserved', undefined);
  assert.equal(burst('one').taken, 990, 'what the account has left of its 1,000');
  assert.equal(burst('one').reason, 'CallerRateLimitExceeded');
});

test('a refused request uses up no rate', () => {
  const concurrency = create(10);
  concurrency.setReserved('one', 1);
  const held = permit(concurrency, 'one');
  for (let count = 0; count < 50; count += 1) concurrency.acquire('one', '$LATEST');
  held.release();
  for (let count = 0; count < 9; count += 1) permit(concurrency, 'one').release();
  assert.equal(
    concurrency.acquire('one', '$LATEST'),
    'ReservedFunctionInvocationRateLimitExceeded',
  );
});

test('a function may begin so many environments in ten seconds, each function for itself', () => {
  const concurrency = create(100, 5);
  const one = permit(concurrency, 'one');
  const starts = (held: Permit): number => {
    let count = 0;
    while (held.takeStart()) count += 1;
    return count;
  };
  assert.equal(starts(one), 5);
  assert.equal(starts(permit(concurrency, 'two')), 5);
  clock.advance(1999);
  assert.equal(starts(one), 0);
  clock.advance(1);
  assert.equal(starts(one), 1);
  one.returnStart();
  assert.equal(starts(one), 1);
  clock.advance(60_000);
  assert.equal(starts(permit(concurrency, 'one')), 5);
});

/** As many permits of a version as there are: on provisioned units and on demand. */
function exhaustVersion(
  concurrency: Concurrency,
  version: string,
): { provisioned: Permit[]; onDemand: Permit[]; reason: string } {
  const provisioned: Permit[] = [];
  const onDemand: Permit[] = [];
  for (;;) {
    const acquired = concurrency.acquire('one', version);
    if (typeof acquired === 'string') return { provisioned, onDemand, reason: acquired };
    (acquired.provisionedFor === undefined ? onDemand : provisioned).push(acquired);
  }
}

test('provisioned units leave the shared pool, and what goes beyond them runs in the rest', () => {
  const concurrency = create(10);
  concurrency.setProvisioned('one', 'live', { version: '1', count: 4 });
  const others = exhaust(concurrency, 'two');
  assert.equal(others.permits.length, 6);
  const { provisioned, reason } = exhaustVersion(concurrency, '1');
  assert.equal(provisioned.length, 4, 'whatever the others use');
  assert.equal(provisioned[0]?.provisionedFor, 'live');
  assert.equal(reason, 'ConcurrentInvocationLimitExceeded');
  assert.equal(concurrency.acquire('one', '2'), 'ConcurrentInvocationLimitExceeded');
  releaseAll(others.permits.splice(0, 2));
  assert.equal(exhaustVersion(concurrency, '1').onDemand.length, 2);
  releaseAll(provisioned.splice(0, 1));
  assert.equal(exhaustVersion(concurrency, '1').provisioned.length, 1, 'a unit comes back as one');
});

test('provisioned units are a part of the reserve; if they are all of it, nothing else runs', () => {
  const concurrency = create(10);
  concurrency.setReserved('one', 4);
  concurrency.setProvisioned('one', '1', { version: '1', count: 3 });
  const first = exhaustVersion(concurrency, '1');
  assert.deepEqual([first.provisioned.length, first.onDemand.length], [3, 1]);
  assert.equal(first.reason, 'ReservedFunctionConcurrentInvocationLimitExceeded');
  assert.equal(exhaust(concurrency, 'two').permits.length, 6);
  releaseAll([...first.provisioned, ...first.onDemand]);
  concurrency.setProvisioned('one', '1', { version: '1', count: 4 });
  const refusal = 'ReservedFunctionConcurrentInvocationLimitExceeded';
  assert.equal(concurrency.acquire('one', '$LATEST'), refusal);
  assert.equal(exhaustVersion(concurrency, '1').provisioned.length, 4);
});

test('units of several versions and aliases are each for their own', () => {
  const concurrency = create(20);
  concurrency.setProvisioned('one', 'live', { version: '2', count: 2 });
  concurrency.setProvisioned('one', 'next', { version: '3', count: 3 });
  assert.equal(exhaustVersion(concurrency, '3').provisioned.length, 3);
  assert.equal(exhaustVersion(concurrency, '2').provisioned.length, 2);
  assert.equal(exhaustVersion(concurrency, '1').provisioned.length, 0);
});

test('permits for units that are taken away count as on demand until they are back', () => {
  const concurrency = create(10);
  concurrency.setProvisioned('one', '1', { version: '1', count: 4 });
  const { provisioned, onDemand } = exhaustVersion(concurrency, '1');
  assert.equal(provisioned.length, 4);
  concurrency.setProvisioned('one', '1', { version: '1', count: 1 });
  assert.equal(exhaust(concurrency, 'two').permits.length, 0, 'the account is full');
  releaseAll(onDemand);
  assert.equal(exhaust(concurrency, 'two').permits.length, 6);
  releaseAll(provisioned.splice(0, 3));
  assert.equal(exhaust(concurrency, 'two').permits.length, 3);
  concurrency.removeProvisioned('one', '1');
  concurrency.forget('one');
  assert.equal(concurrency.functionCount, 2);
  releaseAll(provisioned);
  assert.equal(concurrency.functionCount, 1);
});

test('a unit serves ten requests per second; what is faster runs on demand (guide page 008)', () => {
  const concurrency = create(100);
  concurrency.setProvisioned('one', '1', { version: '1', count: 2 });
  let provisioned = 0;
  for (let count = 0; count < 30; count += 1) {
    const held = concurrency.acquire('one', '1');
    assert(typeof held !== 'string');
    if (held.provisionedFor !== undefined) provisioned += 1;
    held.release();
  }
  assert.equal(provisioned, 20);
  assert.deepEqual(concurrency.provisionedMetrics(), [
    {
      ...{ functionName: 'one', qualifier: '1' },
      ProvisionedConcurrentExecutions: 0,
      ProvisionedConcurrencyUtilization: 0,
      ProvisionedConcurrencyInvocations: 20,
      ProvisionedConcurrencySpilloverInvocations: 10,
    },
  ]);
});

test('metrics tell of what runs on units now, and of no units at all', () => {
  const concurrency = create(100);
  concurrency.setProvisioned('one', 'live', { version: '1', count: 4 });
  assert(typeof concurrency.acquire('one', '1') !== 'string');
  const [metrics] = concurrency.provisionedMetrics();
  assert.equal(metrics?.ProvisionedConcurrentExecutions, 1);
  assert.equal(metrics.ProvisionedConcurrencyUtilization, 0.25);
  concurrency.setProvisioned('one', 'live', { version: '1', count: 0 });
  const [none] = concurrency.provisionedMetrics();
  assert.equal(none?.ProvisionedConcurrencyUtilization, undefined);
  concurrency.acquire('one', '1');
  assert.equal(concurrency.provisionedMetrics()[0]?.ProvisionedConcurrencySpilloverInvocations, 0);
});

test('claimed is what is unreserved and in use, reserved, or provisioned outside a reserve', () => {
  const concurrency = create(1000);
  concurrency.setReserved('blue', 400);
  concurrency.setProvisioned('blue', '1', { version: '1', count: 200 });
  concurrency.setProvisioned('orange', '1', { version: '1', count: 10 });
  const claims = (): number[] => {
    const account = concurrency.accountMetrics();
    return [account.UnreservedConcurrentExecutions, account.ClaimedAccountConcurrency];
  };
  assert.deepEqual(claims(), [0, 410]);
  permit(concurrency, 'blue');
  assert(typeof concurrency.acquire('orange', '1') !== 'string');
  assert.deepEqual(claims(), [0, 410], 'what is allocated counts whether or not it is used');
  const held = permit(concurrency, 'orange');
  permit(concurrency, 'green');
  assert.deepEqual(claims(), [2, 412]);
  assert.deepEqual(
    new Map(concurrency.executions()),
    new Map([
      ['blue', 1],
      ['orange', 2],
      ['green', 1],
    ]),
  );
  held.release();
  assert.deepEqual(claims(), [1, 411]);
});
