/** GET /metrics through the whole program: what a scraper reads is what callers of the SDK were told. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  TooManyRequestsException,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { MetricSamples } from '../../src/testing/metric-samples.ts';
import { deploy, invoke } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const files = {
  'index.js': `exports.handler = async ({ ms = 0, fail = false }) => {
    if (fail) throw new Error('as asked');
    await new Promise((done) => setTimeout(done, ms));
  };`,
};
const latest = { qualifier: '$LATEST', executed_version: '$LATEST' };

for (const driver of drivers) {
  describe(`metrics on the ${driver} driver`, () => {
    let hearth: HearthProcess;
    let client: LambdaClient;

    before(async () => {
      hearth = await HearthProcess.start({ driver, flags: ['--account-concurrency', '200'] });
      ({ client } = hearth);
    });
    after(() => hearth.stopAndRemove());

    async function scrape(): Promise<MetricSamples> {
      const response = await fetch(`${hearth.url}/metrics`);
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
      return new MetricSamples(await response.text());
    }

    /** Scrapes until the samples are as wanted, which something under way makes them. */
    async function scrapeUntil(
      isReached: (samples: MetricSamples) => boolean,
    ): Promise<MetricSamples> {
      for (let attempt = 0; attempt < 3000; attempt += 1) {
        const samples = await scrape();
        if (isReached(samples)) return samples;
        await sleep(10);
      }
      throw new Error('the metrics never got there');
    }

    test('count answers, function errors and durations of a function', async () => {
      await deploy(client, 'plain', { files });
      await invoke(client, 'plain', { ms: 100 });
      await invoke(client, 'plain');
      assert.equal((await invoke(client, 'plain', { fail: true })).functionError, 'Unhandled');
      const samples = await scrape();
      const labels = { function: 'plain', ...latest };
      assert.equal(samples.sum('hearth_invocations_total', labels), 3);
      assert.equal(samples.sum('hearth_errors_total', labels), 1);
      assert.equal(samples.sum('hearth_throttles_total', labels), 0);
      assert.equal(samples.sum('hearth_duration_seconds_count', labels), 3);
      const seconds = samples.sum('hearth_duration_seconds_sum', labels);
      assert(seconds >= 0.09 && seconds < 10, `${seconds} s`);
      const init = { function: 'plain', initialization_type: 'on-demand' };
      assert.equal(samples.sum('hearth_init_duration_seconds_count', init), 1);
      assert.equal(samples.sum('hearth_cold_starts_total', { runtime: 'nodejs24.x' }), 1);
      assert.equal(samples.sum('hearth_environments'), 1);
      assert.equal(samples.sum('hearth_memory_environments_bytes'), 128 * 1024 * 1024);
    });

    test('count throttles, and no invocation for them', async () => {
      await deploy(client, 'closed', { files });
      const reserve = { FunctionName: 'closed', ReservedConcurrentExecutions: 0 };
      await client.send(new PutFunctionConcurrencyCommand(reserve));
      await assert.rejects(invoke(client, 'closed'), TooManyRequestsException);
      const samples = await scrape();
      const labels = { function: 'closed', ...latest };
      assert.equal(samples.sum('hearth_throttles_total', labels), 1);
      assert.equal(samples.sum('hearth_invocations_total', labels), 0);
    });

    test('tell concurrency as it is now, provisioned and on demand', async () => {
      await deploy(client, 'ready', { files, Publish: true });
      const named = { FunctionName: 'ready', FunctionVersion: '1' };
      await client.send(new CreateAliasCommand({ ...named, Name: 'live' }));
      await client.send(
        new PutProvisionedConcurrencyConfigCommand({
          ...{ FunctionName: 'ready', Qualifier: 'live', ProvisionedConcurrentExecutions: 1 },
        }),
      );
      const idle = await scrapeUntil(
        (samples) => samples.sum('hearth_claimed_account_concurrency') === 1,
      );
      const labels = { function: 'ready', qualifier: 'live' };
      assert.equal(idle.find('hearth_provisioned_concurrency_utilization', labels)[0]?.value, 0);
      const calls = [1, 2].map(() => invoke(client, 'ready', { ms: 2000 }, { Qualifier: 'live' }));
      const busy = await scrapeUntil(
        (samples) => samples.sum('hearth_concurrent_executions', { function: 'ready' }) === 2,
      );
      assert.equal(busy.sum('hearth_provisioned_concurrent_executions', labels), 1);
      assert.equal(busy.sum('hearth_provisioned_concurrency_utilization', labels), 1);
      assert.equal(busy.sum('hearth_unreserved_concurrent_executions'), 1);
      assert.equal(busy.sum('hearth_claimed_account_concurrency'), 2);
      await Promise.all(calls);
      const done = await scrape();
      const executed = { ...labels, executed_version: '1' };
      assert.equal(done.sum('hearth_invocations_total', executed), 2);
      assert.equal(done.sum('hearth_concurrent_executions'), 0);
      assert.equal(done.sum('hearth_provisioned_concurrency_invocations_total', labels), 1);
      assert.equal(
        done.sum('hearth_provisioned_concurrency_spillover_invocations_total', labels),
        1,
      );
      const provisioned = { function: 'ready', initialization_type: 'provisioned-concurrency' };
      assert.equal(done.sum('hearth_init_duration_seconds_count', provisioned), 1);
    });

    test('forget a function that is deleted', async () => {
      assert.notEqual(
        (await scrape()).all.filter((one) => one.labels['function'] === 'plain').length,
        0,
      );
      await client.send(new DeleteFunctionCommand({ FunctionName: 'plain' }));
      await scrapeUntil(({ all }) => all.every((one) => one.labels['function'] !== 'plain'));
    });

    test('are refused to a web page of another origin', async () => {
      const headers = { Origin: 'https://pages.example' };
      assert.equal((await fetch(`${hearth.url}/metrics`, { headers })).status, 403);
    });
  });
}
