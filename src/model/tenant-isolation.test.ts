import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPerTenant, refuseForTenants } from './tenant-isolation.ts';

const isolated = { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } } as const;

test('isPerTenant knows functions that were created so', () => {
  assert.equal(isPerTenant(isolated), true);
  assert.equal(isPerTenant({}), false);
});

test('refuseForTenants refuses them and no others', () => {
  refuseForTenants('Function URL', {});
  assert.throws(() => refuseForTenants('Function URL', isolated), {
    code: 'InvalidParameterValueException',
    message: 'Function URL is not supported for functions with tenant isolation mode.',
  });
});
