import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runnable } from '../testing/runnable.ts';
import { tenancyOf } from './tenancy.ts';

test('keys of different tenancies differ, whatever a tenant is called', () => {
  const versions = [runnable({ version: '1' }), runnable({ version: '12' }), runnable()];
  const tenants = [undefined, 'a', 'a:b', ':', '1:build-1', 'undefined', '__proto__'];
  const tenancies = versions.flatMap((version) =>
    tenants.map((tenant) => tenancyOf(version, tenant)),
  );
  assert.equal(new Set(tenancies.map(({ key }) => key)).size, tenancies.length);
});

test('without a tenant the key is the version’s', () => {
  const version = runnable();
  assert.deepEqual(tenancyOf(version), { key: version.key, version, tenantId: undefined });
});
