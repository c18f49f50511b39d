import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Runtime } from './generated/api-types.ts';
import {
  hasSnapStart,
  isOffered,
  isRuntimeBlocked,
  offeredRuntimes,
  runtimes,
} from './runtimes.ts';

const DAY_MS = 86_400_000;

test('isRuntimeBlocked changes on the day of the table, separately for create and update', () => {
  for (const [runtime, { blockCreate, blockUpdate }] of Object.entries(runtimes)) {
    const rules = [
      ['create', blockCreate],
      ['update', blockUpdate],
    ] as const;
    for (const [change, since] of rules) {
      if (since === undefined) continue;
      const at = Date.parse(since);
      assert.equal(isRuntimeBlocked(runtime as Runtime, change, at - DAY_MS), false, runtime);
      assert.equal(isRuntimeBlocked(runtime as Runtime, change, at), true, runtime);
    }
  }
});

test('isRuntimeBlocked never blocks what has no date', () => {
  assert.equal(isRuntimeBlocked('nodejs24.x', 'create', Date.parse('2100-01-01')), false);
});

test('hasSnapStart knows the languages and their first version with it', () => {
  const names = Object.keys(runtimes) as Runtime[];
  const expected = ['dotnet10', 'dotnet8', 'java11', 'java11.al2023', 'java17', 'java17.al2023'];
  expected.push('java21', 'java25', 'python3.12', 'python3.13', 'python3.14', 'python3.15');
  assert.deepEqual(names.filter(hasSnapStart).sort(), expected);
});

test('runtimes recommends only runtimes that are not blocked themselves', () => {
  for (const { replacement } of Object.values(runtimes)) {
    if (replacement === undefined) continue;
    assert.equal(isRuntimeBlocked(replacement, 'create', Date.parse('2026-12-31')), false);
  }
});

test('what is offered is what the documented list of this server has', () => {
  const offered = Object.keys(runtimes).filter((name) => isOffered(name as Runtime));
  assert.deepEqual(offered.toSorted(), [...offeredRuntimes].toSorted());
  assert.equal(isOffered('nodejs16.x'), false);
  assert.equal(isOffered('python3.15'), false);
});
