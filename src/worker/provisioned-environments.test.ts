/** The allocation rate, which no host is fast enough to reach with environments that are real. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../model/limits.ts';
import { runnable } from '../testing/runnable.ts';
import { turns } from '../testing/scripted-sandbox.ts';
import { SimClock } from '../testing/sim-clock.ts';
import { ProvisionedEnvironments } from './provisioned-environments.ts';
import type { Resident } from './resident.ts';
import { tenancyOf } from './tenancy.ts';

const version = runnable({ version: '1' });

function instantResident(): Resident {
  const resident = {
    environment: { version, tenancy: tenancyOf(version), freeze: () => undefined },
    expiresAtMs: Infinity,
    isRetired: false,
    onRuntimeEnded: () => undefined,
    stop: () => Promise.resolve(),
  };
  return resident as unknown as Resident;
}

test('a function is given 6,000 environments in a minute, and none is ready before all are', async () => {
  const clock = new SimClock(0);
  let starts = 0;
  const environments = new ProvisionedEnvironments(clock, {
    freezeAfterMs: 10,
    start: async () => {
      starts += 1;
      return { type: 'started', resident: instantResident() };
    },
    canHold: () => true,
  });
  let status = '';
  const requested = limits.provisionedStartsPerMinute + 2;
  environments.provide('one:1', {
    version,
    requested,
    onState: (state) => void (status = state.status),
  });
  await turns(20);
  assert.equal(starts, limits.provisionedStartsPerMinute);
  clock.advance(10);
  await turns();
  assert.equal(starts, limits.provisionedStartsPerMinute + 1);
  assert.equal(status, 'IN_PROGRESS');
  clock.advance(10);
  await turns();
  assert.equal(status, 'READY');
  environments.close();
});
