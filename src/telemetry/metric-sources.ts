/** What metrics are read from when somebody asks for them (metrics.ts), in the terms of who counts it. */

/** Of one version or alias with provisioned concurrency, under the names of the service's metrics. */
export interface ProvisionedMetrics {
  readonly functionName: string;
  readonly qualifier: string;
  /** Invocations on provisioned units now. */
  readonly ProvisionedConcurrentExecutions: number;
  /** Of all units, from 0 to 1; undefined while there are none. */
  readonly ProvisionedConcurrencyUtilization: number | undefined;
  /** So far. */
  readonly ProvisionedConcurrencyInvocations: number;
  /** So far, while all units were in use. */
  readonly ProvisionedConcurrencySpilloverInvocations: number;
}

/** Of the account, under the names of the service's metrics. */
export interface AccountMetrics {
  /** Invocations now that use neither a reserve nor a provisioned unit. */
  readonly UnreservedConcurrentExecutions: number;
  /** These, and all that is reserved or provisioned: on demand there is what is left of the limit. */
  readonly ClaimedAccountConcurrency: number;
}

export interface ConcurrencySource {
  /** Invocations now by function, of every function that anything is kept for. */
  executions(): Iterable<readonly [functionName: string, count: number]>;
  accountMetrics(): AccountMetrics;
  /** One for each version or alias that has units. */
  provisionedMetrics(): readonly ProvisionedMetrics[];
}

/** What a host holds, and how much it may. */
export interface HostMetrics {
  /** Environments by state; every state is there. */
  readonly environments: Readonly<Record<string, number>>;
  readonly environmentsMax: number;
  readonly memoryBudgetMb: number;
  /** Of environments and SnapStart templates: sum of their memory sizes. */
  readonly memoryUsedMb: number;
  /** Of sandboxes booted in advance. */
  readonly memorySpareMb: number;
  /** Callers that wait for room. */
  readonly waiting: number;
  /** Sandboxes booted in advance, by runtime. */
  readonly booted: ReadonlyMap<string, number>;
}

export interface HostSource {
  metrics(): HostMetrics;
}
