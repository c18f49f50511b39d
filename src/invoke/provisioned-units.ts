/**
 * The provisioned concurrency of one version or alias, as admission counts it: how many units may be
 * used, how many are, and what the metrics say. Guide page 008 has the rules.
 */
import { RateBucket } from '../base/rate-bucket.ts';
import { limits } from '../model/limits.ts';
import type { ProvisionedMetrics } from '../telemetry/metric-sources.ts';

export class ProvisionedUnits {
  readonly qualifier: string;
  /** Whose invocations may use them. */
  version = '';
  /** That may be used. */
  count = 0;
  inFlight = 0;
  /** No longer wanted: kept only until its last permit is back. */
  isGone = false;
  spillovers = 0;
  #invocations = 0;
  readonly #requests = new RateBucket();

  constructor(qualifier: string) {
    this.qualifier = qualifier;
  }

  /** Permits beyond the units, from before there were fewer, count as on demand. */
  get inUse(): number {
    return Math.min(this.inFlight, this.count);
  }

  hasFree(version: string, nowMs: number): boolean {
    if (this.version !== version || this.inFlight >= this.count) return false;
    const capacity = limits.requestsPerSecondPerConcurrency * this.count;
    return this.#requests.hasToken(nowMs, capacity, 1000);
  }

  /** After `hasFree` said so. */
  take(): void {
    this.#requests.take();
    this.#invocations += 1;
    this.inFlight += 1;
  }

  metrics(functionName: string): ProvisionedMetrics {
    const { qualifier, count } = this;
    return {
      functionName,
      qualifier,
      ProvisionedConcurrentExecutions: this.inUse,
      ProvisionedConcurrencyUtilization: count === 0 ? undefined : this.inUse / count,
      ProvisionedConcurrencyInvocations: this.#invocations,
      ProvisionedConcurrencySpilloverInvocations: this.spillovers,
    };
  }
}
