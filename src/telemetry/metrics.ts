/**
 * All metrics of a server, for GET /metrics in the text format of Prometheus
 * (docs/reference/metrics.md). Counters and histograms are counted when something happens; gauges, and
 * what others count already, are read when somebody asks.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import { MIB } from '../model/limits.ts';
import type { ColdStart, EnvironmentListener, FunctionVersion } from './environment-listener.ts';
import { FunctionMetrics, otherSeries } from './function-metrics.ts';
import type { ConcurrencySource, HostMetrics, HostSource } from './metric-sources.ts';
import type { PlatformEvent } from './platform-event.ts';

export interface MetricsOptions {
  /** Whether a function of this name is there now. */
  readonly isFunction: (functionName: string) => boolean;
}

export class Metrics implements EnvironmentListener {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly functions: FunctionMetrics;
  readonly #registry = new Registry();
  readonly #coldStarts: Counter<'runtime' | 'initialization_type' | 'kind'>;
  readonly #poolMisses: Counter<'runtime'>;
  #rendering: Promise<string> | null = null;

  constructor({ isFunction }: MetricsOptions) {
    const registers = [this.#registry];
    this.functions = new FunctionMetrics(this.#registry, isFunction);
    this.#coldStarts = new Counter({
      ...{ name: 'hearth_cold_starts_total', registers },
      labelNames: ['runtime', 'initialization_type', 'kind'],
      help: 'Environments made, by what their sandbox was made from.',
    });
    this.#poolMisses = new Counter({
      ...{ name: 'hearth_pool_misses_total', labelNames: ['runtime'], registers },
      help: 'Cold starts that found no sandbox booted in advance.',
    });
  }

  onColdStart({ runtime, initializationType, kind, isPoolMiss }: ColdStart): void {
    this.#coldStarts.inc({ runtime, initialization_type: initializationType, kind });
    if (isPoolMiss) this.#poolMisses.inc({ runtime });
  }

  onPlatformEvent(version: FunctionVersion, event: PlatformEvent): void {
    this.functions.onPlatformEvent(version, event);
  }

  /** From now on these are read whenever somebody asks. Once. */
  observe({ concurrency, host }: { concurrency: ConcurrencySource; host: HostSource }): void {
    this.#observeConcurrency(concurrency);
    this.#observeProvisioned(concurrency);
    this.#observeHost(host);
  }

  /** The text; those who ask at the same time get the same. */
  render(): Promise<string> {
    this.#rendering ??= this.#registry.metrics().finally(() => (this.#rendering = null));
    return this.#rendering;
  }

  #observeConcurrency(source: ConcurrencySource): void {
    const { functions } = this;
    this.#gauge('concurrent_executions', 'Invocations now.', {
      labelNames: ['function'],
      read: (gauge) => {
        for (const [functionName, count] of source.executions()) {
          const label = functions.labelOf(functionName);
          if (count > 0 || label !== otherSeries) gauge.inc({ function: label }, count);
        }
      },
    });
    this.#gauge(
      'unreserved_concurrent_executions',
      'Invocations now that use neither a reserve nor a provisioned unit.',
      { read: (gauge) => gauge.set(source.accountMetrics().UnreservedConcurrentExecutions) },
    );
    this.#gauge(
      'claimed_account_concurrency',
      'Concurrency that is not there for further invocations on demand.',
      { read: (gauge) => gauge.set(source.accountMetrics().ClaimedAccountConcurrency) },
    );
  }

  #observeProvisioned(source: ConcurrencySource): void {
    const labelNames = ['function', 'qualifier'] as const;
    const gauges = {
      ProvisionedConcurrentExecutions: 'Invocations on provisioned units now.',
      ProvisionedConcurrencyUtilization: 'Share of the provisioned units in use now, from 0 to 1.',
    } as const;
    const counters = {
      ProvisionedConcurrencyInvocations: 'Invocations on provisioned units.',
      ProvisionedConcurrencySpilloverInvocations:
        'Invocations on demand while all provisioned units were in use.',
    } as const;
    type Name = keyof typeof gauges | keyof typeof counters;
    const read = (name: Name, metric: Gauge | Counter): void => {
      for (const { functionName, qualifier, ...values } of source.provisionedMetrics()) {
        const value = values[name];
        if (value !== undefined) metric.inc({ function: functionName, qualifier }, value);
      }
    };
    for (const [name, help] of entriesOf(gauges)) {
      this.#gauge(snakeCase(name), help, { labelNames, read: (gauge) => read(name, gauge) });
    }
    for (const [name, help] of entriesOf(counters)) {
      const collect = (): void => {
        counter.reset();
        read(name, counter);
      };
      const counter: Counter = new Counter({
        ...{ name: `hearth_${snakeCase(name)}_total`, help, labelNames, collect },
        registers: [this.#registry],
      });
    }
  }

  #observeHost(host: HostSource): void {
    this.#gauge('environments', 'Environments by state.', {
      labelNames: ['state'],
      read: (gauge) => {
        const { environments } = host.metrics();
        for (const [state, count] of Object.entries(environments)) gauge.set({ state }, count);
      },
    });
    this.#gauge('booted_sandboxes', 'Sandboxes booted in advance.', {
      labelNames: ['runtime'],
      read: (gauge) => {
        for (const [runtime, count] of host.metrics().booted) gauge.set({ runtime }, count);
      },
    });
    const figures: readonly (readonly [string, string, (metrics: HostMetrics) => number])[] = [
      [
        'environments_max',
        'Environments and templates that the host may hold.',
        (one) => one.environmentsMax,
      ],
      ['room_waiters', 'Callers that wait for room on the host.', (one) => one.waiting],
      [
        'memory_budget_bytes',
        'Memory for environments and what is booted in advance.',
        (one) => one.memoryBudgetMb * MIB,
      ],
      [
        'memory_environments_bytes',
        'Of the budget: memory sizes of environments and templates.',
        (one) => one.memoryUsedMb * MIB,
      ],
      [
        'memory_booted_bytes',
        'Of the budget: sandboxes booted in advance.',
        (one) => one.memorySpareMb * MIB,
      ],
    ];
    for (const [name, help, figure] of figures) {
      this.#gauge(name, help, { read: (gauge) => gauge.set(figure(host.metrics())) });
    }
  }

  /** Holds nothing but what `read` gives it each time. */
  #gauge(
    name: string,
    help: string,
    options: { readonly labelNames?: readonly string[]; readonly read: (gauge: Gauge) => void },
  ): void {
    const { labelNames = [], read } = options;
    const collect = (): void => {
      gauge.reset();
      read(gauge);
    };
    const registers = [this.#registry];
    const gauge: Gauge = new Gauge({
      ...{ name: `hearth_${name}`, help, labelNames, registers, collect },
    });
  }
}

function entriesOf<Key extends string>(record: Readonly<Record<Key, string>>): [Key, string][] {
  return Object.entries(record) as [Key, string][];
}

/** 'ProvisionedConcurrentExecutions' becomes 'provisioned_concurrent_executions'. */
function snakeCase(name: string): string {
  return name.replaceAll(/(?<!^)[A-Z]/g, '_$&').toLowerCase();
}
