/** What is remembered of tenancies: as much as is needed, however many tenants come and go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runnable } from '../testing/runnable.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { demandWindowMs, ProactiveStarts } from './proactive-starts.ts';
import { tenancyOf, type Tenancy } from './tenancy.ts';

const tenancy = (tenant: string): Tenancy => tenancyOf(runnable(), tenant);

/** With no environments; `started` are the tenants that one is started for. */
function rig() {
  const clock = new SimClock(0);
  const started: (string | undefined)[] = [];
  const starts = new ProactiveStarts(clock, {
    count: () => 0,
    start: async ({ tenantId }) => void started.push(tenantId),
  });
  return { clock, started, starts };
}

test('tenants that have not come for a while are forgotten, those that are busy are not', async () => {
  const { clock, starts } = rig();
  starts.noteTaken(tenancy('busy'));
  for (let count = 0; count < 1000; count += 1) {
    const tenant = tenancy(`tenant-${count}`);
    starts.noteTaken(tenant);
    starts.noteReturned(tenant);
    clock.advance(demandWindowMs / 10);
  }
  assert.equal(starts.demandCount, 11, 'ten of the window, and the busy one');
  clock.advance(demandWindowMs);
  starts.noteReturned(tenancy('busy'));
  starts.noteTaken(tenancy('new'));
  assert.equal(starts.demandCount, 1);
});

test('another environment is started for the tenant that needed one', async () => {
  const { clock, started, starts } = rig();
  starts.noteTaken(tenancy('red'));
  starts.noteReturned(tenancy('red'));
  await starts.replace(tenancy('blue'));
  await starts.replace(tenancy('red'));
  assert.deepEqual(started, ['red']);
  clock.advance(demandWindowMs);
  await starts.replace(tenancy('red'));
  assert.deepEqual(started, ['red'], 'long ago');
});
