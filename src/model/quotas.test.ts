import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyLimitOf } from './api-limits.ts';
import { codeRequestBytesMax, defaultQuotas, quotaBounds, type Quotas } from './quotas.ts';

test('every documented quota is within what it can be set to', () => {
  for (const quota of Object.keys(defaultQuotas) as (keyof Quotas)[]) {
    const { min, max } = quotaBounds[quota];
    assert.ok(min <= defaultQuotas[quota] && defaultQuotas[quota] <= max, quota);
  }
});

test('bodies that carry archives follow the quota of archives', () => {
  // The number in the refusals of the real service.
  assert.equal(codeRequestBytesMax(defaultQuotas), 70_167_211);
  assert.equal(bodyLimitOf('CreateFunction').bytesMax, 70_167_211);
  assert.equal(bodyLimitOf('PublishLayerVersion', { codeZippedBytesMax: 3 }).bytesMax, 262_148);
  assert.equal(bodyLimitOf('GetFunction', { codeZippedBytesMax: 3 }).bytesMax, 1024 * 1024);
});
