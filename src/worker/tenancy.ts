/**
 * What an environment is made for and serves for life: a version of a function, and with tenant isolation
 * one tenant of it. Environments of one tenancy are interchangeable, and no others.
 */
import type { RunnableVersion } from '../model/runnable-version.ts';

export interface Tenancy {
  /** A tenant's id may have any form, so it comes last: different tenancies have different keys. */
  readonly key: string;
  readonly version: RunnableVersion;
  /** Undefined without tenant isolation. */
  readonly tenantId: string | undefined;
}

export function tenancyOf(version: RunnableVersion, tenantId?: string): Tenancy {
  const key = tenantId === undefined ? version.key : `${version.key}:${tenantId}`;
  return { key, version, tenantId };
}
