import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { MetricSamples } from '../testing/metric-samples.ts';
import { functionSeriesMax, otherSeries } from './function-metrics.ts';
import type { ProvisionedMetrics } from './metric-sources.ts';
import { Metrics } from './metrics.ts';
import type { InitializationType, PlatformEvent } from './platform-event.ts';

let present: (functionName: string) => boolean;
let metrics: Metrics;

beforeEach(() => {
  present = () => true;
  metrics = new Metrics({ isFunction: (name) => present(name) });
});

async function scrape(): Promise<MetricSamples> {
  return new MetricSamples(await metrics.render());
}

function report(requestId: string, durationMs: number, extensionMs?: number): PlatformEvent {
  const span = { name: 'extensionOverhead', start: '', durationMs: extensionMs ?? 0 } as const;
  return {
    type: 'platform.report',
    record: {
      ...{ requestId, status: 'success', spans: extensionMs === undefined ? [] : [span] },
      metrics: { durationMs, billedDurationMs: 1, memorySizeMB: 128, maxMemoryUsedMB: 1 },
    },
  };
}

function initReport(initializationType: InitializationType, durationMs: number): PlatformEvent {
  const record = { initializationType, phase: 'init', status: 'success' } as const;
  return { type: 'platform.initReport', record: { ...record, metrics: { durationMs } } };
}

const restoreReport: PlatformEvent = {
  type: 'platform.restoreReport',
  record: { status: 'success', metrics: { durationMs: 50 } },
};

const extension: PlatformEvent = {
  type: 'platform.extension',
  record: { name: 'teller', state: 'Ready', events: ['INVOKE'] },
};

/** One invocation of a function, from event to report. */
function invoke(functionName: string, qualifier = '$LATEST', version = qualifier): void {
  const series = metrics.functions.seriesOf(functionName, qualifier, version);
  series.begin('request');
  series.noteInvocation(false);
  metrics.onPlatformEvent({ functionName, version }, report('request', 4));
}

test('invocations, errors and throttles count by function, qualifier and executed version', async () => {
  const series = metrics.functions.seriesOf('one', 'live', '2');
  series.noteInvocation(false);
  series.noteInvocation(true);
  series.noteThrottle();
  metrics.functions.seriesOf('one', 'live', '3').noteInvocation(false);
  const samples = await scrape();
  const labels = { function: 'one', qualifier: 'live', executed_version: '2' };
  assert.deepEqual(samples.find('hearth_invocations_total', { executed_version: '2' }), [
    { name: 'hearth_invocations_total', labels, value: 2 },
  ]);
  assert.equal(samples.sum('hearth_invocations_total', { qualifier: 'live' }), 3);
  assert.equal(samples.sum('hearth_errors_total', labels), 1);
  assert.equal(samples.sum('hearth_throttles_total', labels), 1);
});

test('a counter is there before it first counts', async () => {
  metrics.functions.seriesOf('one', '$LATEST', '$LATEST');
  const samples = await scrape();
  for (const name of [
    'hearth_invocations_total',
    'hearth_errors_total',
    'hearth_throttles_total',
  ]) {
    assert.deepEqual(
      samples.find(name).map(({ value }) => value),
      [0],
    );
  }
});

test('durations come from the report of an invocation under way, in seconds', async () => {
  const version = { functionName: 'one', version: '1' };
  const series = metrics.functions.seriesOf('one', 'live', '1');
  series.begin('a');
  series.begin('b');
  metrics.onPlatformEvent(version, report('a', 1500, 1));
  metrics.onPlatformEvent(version, report('b', 500));
  metrics.onPlatformEvent(version, report('b', 500));
  const samples = await scrape();
  const labels = { function: 'one', qualifier: 'live', executed_version: '1' };
  assert.equal(samples.sum('hearth_duration_seconds_count', labels), 2);
  assert.equal(samples.sum('hearth_duration_seconds_sum', labels), 2);
  assert.equal(samples.sum('hearth_duration_seconds_bucket', { le: '0.5' }), 1);
  assert.equal(samples.sum('hearth_duration_seconds_bucket', { le: '2.5' }), 2);
});

test('the time of extensions counts for functions that have some', async () => {
  for (const functionName of ['with', 'without']) {
    const version = { functionName, version: '1' };
    if (functionName === 'with') metrics.onPlatformEvent(version, extension);
    for (const extensionMs of [250, undefined]) {
      metrics.functions.seriesOf(functionName, 'live', '1').begin('a');
      metrics.onPlatformEvent(version, report('a', 1500, extensionMs));
    }
  }
  const samples = await scrape();
  const name = 'hearth_post_runtime_extensions_duration_seconds';
  assert.equal(samples.sum(`${name}_count`, { function: 'with' }), 2);
  assert.equal(samples.sum(`${name}_sum`, { function: 'with' }), 0.25);
  assert.equal(samples.find(`${name}_count`, { function: 'without' }).length, 0);
});

test('an invocation that the host failed has no duration', async () => {
  const series = metrics.functions.seriesOf('one', '1', '1');
  series.begin('a');
  series.abandon('a');
  metrics.onPlatformEvent({ functionName: 'one', version: '1' }, report('a', 1500));
  assert.equal(metrics.functions.underWayCount, 0);
  assert.equal((await scrape()).sum('hearth_duration_seconds_count'), 0);
});

test('Init durations count by version and initialization type', async () => {
  const version = { functionName: 'one', version: '1' };
  metrics.onPlatformEvent(version, initReport('on-demand', 100));
  metrics.onPlatformEvent(version, initReport('provisioned-concurrency', 300));
  const samples = await scrape();
  const labels = { function: 'one', executed_version: '1' };
  assert.equal(samples.sum('hearth_init_duration_seconds_count', labels), 2);
  const provisioned = { ...labels, initialization_type: 'provisioned-concurrency' };
  assert.equal(samples.sum('hearth_init_duration_seconds_sum', provisioned), 0.3);
});

test('restore durations count by version', async () => {
  metrics.onPlatformEvent({ functionName: 'one', version: '1' }, restoreReport);
  const labels = { function: 'one', executed_version: '1' };
  assert.equal((await scrape()).sum('hearth_restore_duration_seconds_sum', labels), 0.05);
});

test('nothing is left of a deleted function, whatever ends later', async () => {
  invoke('gone');
  invoke('stays');
  const version = { functionName: 'gone', version: '$LATEST' };
  metrics.onPlatformEvent(version, initReport('on-demand', 100));
  metrics.onPlatformEvent(version, restoreReport);
  const series = metrics.functions.seriesOf('gone', '$LATEST', '$LATEST');
  series.begin('late');
  present = (name) => name !== 'gone';
  metrics.functions.forget('gone');
  series.noteInvocation(true);
  series.noteThrottle();
  metrics.onPlatformEvent(version, report('late', 4));
  metrics.onPlatformEvent(version, initReport('on-demand', 100));
  assert(!(await metrics.render()).includes('gone'));
  assert.equal((await scrape()).sum('hearth_invocations_total', { function: 'stays' }), 1);
  assert.equal(metrics.functions.underWayCount, 0);
});

test('beyond the bound functions count together, and a deletion makes room', async () => {
  for (let number = 1; number <= functionSeriesMax; number += 1) invoke(`f${number}`);
  invoke('late');
  invoke('later');
  assert.equal(metrics.functions.labelOf('late'), otherSeries);
  const samples = await scrape();
  assert.equal(samples.find('hearth_invocations_total').length, functionSeriesMax + 1);
  assert.equal(samples.sum('hearth_invocations_total', { function: otherSeries }), 2);
  assert.equal(samples.sum('hearth_duration_seconds_count', { function: otherSeries }), 2);
  metrics.functions.forget('f1');
  invoke('late');
  assert.equal((await scrape()).sum('hearth_invocations_total', { function: 'late' }), 1);
});

test('cold starts count by what they were made from', async () => {
  const start = { runtime: 'nodejs24.x', initializationType: 'on-demand' } as const;
  metrics.onColdStart({ ...start, kind: 'pool_hit', isPoolMiss: false });
  metrics.onColdStart({ ...start, kind: 'blank_box', isPoolMiss: true });
  const samples = await scrape();
  const labels = { runtime: 'nodejs24.x', initialization_type: 'on-demand' };
  assert.equal(samples.sum('hearth_cold_starts_total', { ...labels, kind: 'pool_hit' }), 1);
  assert.equal(samples.sum('hearth_cold_starts_total', { ...labels, kind: 'blank_box' }), 1);
  assert.equal(samples.sum('hearth_pool_misses_total', { runtime: 'nodejs24.x' }), 1);
});

test('what others count is read anew each time', async () => {
  let provisioned: readonly ProvisionedMetrics[] = [
    {
      ...{ functionName: 'one', qualifier: 'live' },
      ...{ ProvisionedConcurrentExecutions: 1, ProvisionedConcurrencyUtilization: 0.5 },
      ...{ ProvisionedConcurrencyInvocations: 7, ProvisionedConcurrencySpilloverInvocations: 3 },
    },
  ];
  let executions: [string, number][] = [
    ['one', 4],
    ['two', 0],
  ];
  for (const [name] of executions) invoke(name);
  executions.push(['never invoked', 0]);
  metrics.observe({
    concurrency: {
      executions: () => executions,
      accountMetrics: () => ({ UnreservedConcurrentExecutions: 3, ClaimedAccountConcurrency: 15 }),
      provisionedMetrics: () => provisioned,
    },
    host: {
      metrics: () => ({
        environments: { Ready: 2, Invoking: 1 },
        ...{ environmentsMax: 5, memoryBudgetMb: 1024, memoryUsedMb: 512, memorySpareMb: 128 },
        ...{ waiting: 6, booted: new Map([['nodejs24.x', 2]]) },
      }),
    },
  });
  const samples = await scrape();
  const labels = { function: 'one', qualifier: 'live' };
  assert.equal(samples.sum('hearth_concurrent_executions', { function: 'one' }), 4);
  assert.equal(samples.find('hearth_concurrent_executions', { function: 'two' })[0]?.value, 0);
  assert.equal(samples.find('hearth_concurrent_executions').length, 2);
  assert.equal(samples.sum('hearth_unreserved_concurrent_executions'), 3);
  assert.equal(samples.sum('hearth_claimed_account_concurrency'), 15);
  assert.equal(samples.sum('hearth_provisioned_concurrent_executions', labels), 1);
  assert.equal(samples.sum('hearth_provisioned_concurrency_utilization', labels), 0.5);
  assert.equal(samples.sum('hearth_provisioned_concurrency_invocations_total', labels), 7);
  assert.equal(
    samples.sum('hearth_provisioned_concurrency_spillover_invocations_total', labels),
    3,
  );
  assert.equal(samples.sum('hearth_environments', { state: 'Ready' }), 2);
  assert.equal(samples.sum('hearth_environments_max'), 5);
  assert.equal(samples.sum('hearth_memory_budget_bytes'), 1024 * 1024 * 1024);
  assert.equal(samples.sum('hearth_memory_environments_bytes'), 512 * 1024 * 1024);
  assert.equal(samples.sum('hearth_memory_booted_bytes'), 128 * 1024 * 1024);
  assert.equal(samples.sum('hearth_room_waiters'), 6);
  assert.equal(samples.sum('hearth_booted_sandboxes', { runtime: 'nodejs24.x' }), 2);
  provisioned = [];
  executions = [];
  const later = await scrape();
  assert.equal(later.find('hearth_concurrent_executions').length, 0);
  assert.equal(later.find('hearth_provisioned_concurrency_invocations_total').length, 0);
});

test('those who ask at the same time share one answer', async () => {
  const first = metrics.render();
  assert.equal(metrics.render(), first);
  await first;
  assert.notEqual(metrics.render(), first);
});
