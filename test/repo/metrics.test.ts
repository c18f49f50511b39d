/** docs/reference/metrics.md names every metric that the server has, with its type and labels, and no other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { functionSeriesMax, otherSeries } from '../../src/telemetry/function-metrics.ts';
import { MetricSamples } from '../../src/testing/metric-samples.ts';
import { readFiles } from './tracked-files.ts';

const path = 'docs/reference/metrics.md';
const page = readFiles((file) => file === path).get(path) ?? '';

interface Row {
  readonly name: string;
  readonly type: string;
  /** Sorted; 'the same' stands for the labels of the row before. */
  readonly labels: readonly string[];
}

function documented(): Map<string, Row> {
  const rows = new Map<string, Row>();
  let labels: readonly string[] = [];
  for (const line of page.split('\n')) {
    const [, name = '', type = '', cell = ''] = line.split('|').map((one) => one.trim());
    if (!name.startsWith('`hearth_')) continue;
    if (cell !== 'the same') labels = [...cell.matchAll(/`(\w+)`/g)].map(([, label = '']) => label);
    const plain = name.replaceAll('`', '');
    rows.set(plain, { name: plain, type, labels: [...labels].sort() });
  }
  return rows;
}

/** With one sample of everything that has labels. */
async function sampled(): Promise<MetricSamples> {
  const metrics = new Metrics({ isFunction: () => true });
  const version = { functionName: 'one', version: '1' };
  const states = { status: 'success', initializationType: 'on-demand', phase: 'init' } as const;
  const series = metrics.functions.seriesOf('one', 'live', '1');
  series.begin('a');
  metrics.onPlatformEvent(version, {
    type: 'platform.extension',
    record: { name: 'e', state: 'Ready', events: [] },
  });
  metrics.onPlatformEvent(version, {
    type: 'platform.initReport',
    record: { ...states, metrics: { durationMs: 1 } },
  });
  metrics.onPlatformEvent(version, {
    type: 'platform.restoreReport',
    record: { status: 'success', metrics: { durationMs: 1 } },
  });
  const measured = { durationMs: 1, billedDurationMs: 1, memorySizeMB: 128, maxMemoryUsedMB: 1 };
  metrics.onPlatformEvent(version, {
    type: 'platform.report',
    record: { requestId: 'a', status: 'success', metrics: measured },
  });
  const { initializationType } = states;
  metrics.onColdStart({ runtime: 'r', initializationType, kind: 'new_box', isPoolMiss: true });
  metrics.observe({
    concurrency: {
      executions: () => [['one', 1]],
      accountMetrics: () => ({ UnreservedConcurrentExecutions: 0, ClaimedAccountConcurrency: 0 }),
      provisionedMetrics: () => [
        {
          ...{ functionName: 'one', qualifier: 'live' },
          ...{ ProvisionedConcurrentExecutions: 0, ProvisionedConcurrencyUtilization: 0 },
          ...{
            ProvisionedConcurrencyInvocations: 0,
            ProvisionedConcurrencySpilloverInvocations: 0,
          },
        },
      ],
    },
    host: {
      metrics: () => ({
        ...{ environments: { Ready: 0 }, environmentsMax: 0, waiting: 0 },
        ...{ memoryBudgetMb: 0, memoryUsedMb: 0, memorySpareMb: 0, booted: new Map([['r', 0]]) },
      }),
    },
  });
  return new MetricSamples(await metrics.render());
}

test('the page and the server name the same metrics, with types and labels', async () => {
  const samples = await sampled();
  const rows = documented();
  assert.deepEqual([...rows.keys()].sort(), [...samples.types.keys()].sort());
  for (const { name, type, labels } of rows.values()) {
    assert.equal(samples.types.get(name), type, name);
    const [sample] = samples.find(type === 'histogram' ? `${name}_count` : name);
    assert.deepEqual(Object.keys(sample?.labels ?? {}).sort(), labels, name);
  }
});

test('the page names the bound', () => {
  assert(page.includes(`${functionSeriesMax.toLocaleString('en-US')} combinations`));
  assert(page.includes(`\`${otherSeries}\``));
});
