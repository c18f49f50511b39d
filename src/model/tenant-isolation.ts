/**
 * Tenant isolation: a function may be created so that each invocation names a tenant, and none of its
 * environments serves two of them. This is set when the function is created and never changed.
 */
import { invalidParameterValue, type ApiError } from './errors.ts';
import type { FunctionConfiguration } from './generated/api-types.ts';

type TenantConfiguration = Pick<FunctionConfiguration, 'TenancyConfig'>;

/** Whether each invocation has to name its tenant. */
export function isPerTenant({ TenancyConfig }: TenantConfiguration): boolean {
  return TenancyConfig?.TenantIsolationMode === 'PER_TENANT';
}

/** What such functions cannot have: their environments are not for any tenant, or callers cannot name one. */
export type RefusedForTenants =
  'Event source mapping' | 'Function URL' | 'Provisioned Concurrency' | 'SnapStart';

/** Throws InvalidParameterValue for a function with tenant isolation; in the words of aws-cdk. */
export function refuseForTenants(
  what: RefusedForTenants,
  configuration: TenantConfiguration,
): void {
  if (!isPerTenant(configuration)) return;
  throw invalidParameterValue(`${what} is not supported for functions with tenant isolation mode.`);
}

/** An invocation without a tenant; AWS's compute blog quotes it. */
export function tenantMissing(): ApiError {
  return invalidParameterValue(
    'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
  );
}

/** A tenant for a function that knows none. */
export function tenantUnexpected(): ApiError {
  return invalidParameterValue(
    'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
  );
}
