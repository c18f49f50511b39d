/**
 * Metrics of functions: invocations as the service counts them (guide page 058), counted when they happen.
 * A series is one function, by the qualifier that the caller named and the version that ran: the
 * service's dimensions FunctionName, Resource and ExecutedVersion. Series are bounded, and go with
 * their function.
 */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { FunctionVersion } from './environment-listener.ts';
import type { InitializationType, PlatformEvent, ReportRecord } from './platform-event.ts';

/** Series at most: a scrape of so many takes about 50 ms and 2 MB, 4 MB if all have extensions. */
export const functionSeriesMax = 1000;
/** In place of the names of what is beyond that; no function has this name. */
export const otherSeries = '(other)';

/** From a warm invocation to the longest timeout. */
const durationBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900,
];
/** Up to the longest Init on demand and beyond, as provisioned environments may take. */
const initBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 130, 900];

const seriesLabels = ['function', 'qualifier', 'executed_version'] as const;
const initLabels = ['function', 'executed_version', 'initialization_type'] as const;
const restoreLabels = ['function', 'executed_version'] as const;
type SeriesLabel = (typeof seriesLabels)[number];
type InitLabel = (typeof initLabels)[number];
type RestoreLabel = (typeof restoreLabels)[number];

/** One series as an invocation uses it. */
export interface FunctionSeries {
  /** The environment gets the event: its report counts here. */
  begin(requestId: string): void;
  /** The caller has an answer of the function. */
  noteInvocation(hasFailed: boolean): void;
  /** The invocation was refused by a limit of concurrency or rate. */
  noteThrottle(): void;
  /** The function was not run, or the host failed it: no invocation, and no duration. */
  abandon(requestId: string): void;
}

export class FunctionMetrics {
  readonly #isFunction: (functionName: string) => boolean;
  readonly #invocations: Counter<SeriesLabel>;
  readonly #errors: Counter<SeriesLabel>;
  readonly #throttles: Counter<SeriesLabel>;
  readonly #durations: Histogram<SeriesLabel>;
  readonly #extensionDurations: Histogram<SeriesLabel>;
  readonly #initDurations: Histogram<InitLabel>;
  readonly #restoreDurations: Histogram<RestoreLabel>;
  /** By function, then by qualifier and version. */
  readonly #functions = new Map<string, Map<string, Series>>();
  #seriesCount = 0;
  /** For what is beyond the bound. */
  #other: Series | null = null;
  /** Functions in whose environments extensions have registered. */
  readonly #extended = new Set<string>();
  /** By request id, until the report. */
  readonly #underWay = new Map<string, Series>();

  /** `isFunction` says whether a function of this name is there now. */
  constructor(registry: Registry, isFunction: (functionName: string) => boolean) {
    this.#isFunction = isFunction;
    const common = { labelNames: seriesLabels, registers: [registry] };
    this.#invocations = new Counter({
      ...{ ...common, name: 'hearth_invocations_total' },
      help: 'Invocations that ran, whether or not the function failed.',
    });
    this.#errors = new Counter({
      ...{ ...common, name: 'hearth_errors_total' },
      help: 'Invocations whose function failed: by an error, a timeout or a crash.',
    });
    this.#throttles = new Counter({
      ...{ ...common, name: 'hearth_throttles_total' },
      help: 'Invocations refused by a limit of concurrency or rate.',
    });
    this.#durations = new Histogram({
      ...{ ...common, name: 'hearth_duration_seconds', buckets: durationBuckets },
      help: 'Duration of invocations as their REPORT line has it.',
    });
    this.#extensionDurations = new Histogram({
      ...{ ...common, name: 'hearth_post_runtime_extensions_duration_seconds' },
      ...{ buckets: durationBuckets, help: 'From the end of the runtime to that of extensions.' },
    });
    this.#initDurations = new Histogram({
      ...{ name: 'hearth_init_duration_seconds', labelNames: initLabels, buckets: initBuckets },
      ...{ help: 'Duration of Init phases that came to an end.', registers: [registry] },
    });
    this.#restoreDurations = new Histogram({
      ...{ name: 'hearth_restore_duration_seconds', labelNames: restoreLabels },
      ...{ buckets: initBuckets, registers: [registry] },
      help: 'Duration of SnapStart restores that came to an end.',
    });
  }

  /** The series of an invocation of an existing function; takes no time once it is there. */
  seriesOf(functionName: string, qualifier: string, executedVersion: string): FunctionSeries {
    return this.#seriesOf(functionName, qualifier, executedVersion);
  }

  /** Invocations whose report is still to come. */
  get underWayCount(): number {
    return this.#underWay.size;
  }

  /** The name under which a function is counted by itself, or that of all others. */
  labelOf(functionName: string): string {
    return this.#functions.has(functionName) ? functionName : otherSeries;
  }

  onPlatformEvent({ functionName, version }: FunctionVersion, event: PlatformEvent): void {
    if (event.type === 'platform.report') {
      this.#noteReport(functionName, event.record);
    } else if (event.type === 'platform.extension') {
      if (this.#isFunction(functionName)) this.#extended.add(functionName);
    } else if (event.type === 'platform.initReport') {
      const { initializationType, metrics } = event.record;
      const series = this.#seriesOf(functionName, version, version);
      series.noteInit(initializationType, metrics.durationMs / 1000);
    } else if (event.type === 'platform.restoreReport') {
      const series = this.#seriesOf(functionName, version, version);
      series.noteRestore(event.record.metrics.durationMs / 1000);
    }
  }

  /** The function is deleted; what is under way is not counted any more. */
  forget(functionName: string): void {
    this.#extended.delete(functionName);
    const byVersion = this.#functions.get(functionName);
    if (byVersion === undefined) return;
    this.#functions.delete(functionName);
    for (const series of byVersion.values()) series.remove();
    this.#seriesCount -= byVersion.size;
  }

  #noteReport(functionName: string, { requestId, metrics, spans = [] }: ReportRecord): void {
    const series = this.#underWay.get(requestId);
    if (series === undefined) return;
    this.#underWay.delete(requestId);
    series.noteDuration(metrics.durationMs / 1000);
    if (!this.#extended.has(functionName)) return;
    const overhead = spans.find(({ name }) => name === 'extensionOverhead');
    series.noteExtensions((overhead?.durationMs ?? 0) / 1000);
  }

  #seriesOf(functionName: string, qualifier: string, executedVersion: string): Series {
    const key = qualifier === executedVersion ? qualifier : `${qualifier} ${executedVersion}`;
    const known = this.#functions.get(functionName)?.get(key);
    return known ?? this.#addSeries(key, { functionName, qualifier, executedVersion });
  }

  #addSeries(
    key: string,
    named: { functionName: string; qualifier: string; executedVersion: string },
  ): Series {
    const { functionName, qualifier, executedVersion } = named;
    if (this.#seriesCount >= functionSeriesMax || !this.#isFunction(functionName)) {
      this.#other ??= this.#createSeries(otherSeries, otherSeries, otherSeries);
      return this.#other;
    }
    const series = this.#createSeries(functionName, qualifier, executedVersion);
    const byVersion = this.#functions.get(functionName) ?? new Map<string, Series>();
    this.#functions.set(functionName, byVersion.set(key, series));
    this.#seriesCount += 1;
    return series;
  }

  #createSeries(functionName: string, qualifier: string, executedVersion: string): Series {
    return new Series({
      labels: { function: functionName, qualifier, executed_version: executedVersion },
      ...{ invocations: this.#invocations, errors: this.#errors, throttles: this.#throttles },
      ...{ durations: this.#durations, extensionDurations: this.#extensionDurations },
      ...{ initDurations: this.#initDurations, restoreDurations: this.#restoreDurations },
      underWay: this.#underWay,
    });
  }
}

interface SeriesParts {
  readonly labels: Record<SeriesLabel, string>;
  readonly invocations: Counter<SeriesLabel>;
  readonly errors: Counter<SeriesLabel>;
  readonly throttles: Counter<SeriesLabel>;
  readonly durations: Histogram<SeriesLabel>;
  readonly extensionDurations: Histogram<SeriesLabel>;
  readonly initDurations: Histogram<InitLabel>;
  readonly restoreDurations: Histogram<RestoreLabel>;
  readonly underWay: Map<string, Series>;
}

class Series implements FunctionSeries {
  readonly #parts: SeriesParts;
  readonly #initializationTypes = new Set<InitializationType>();
  #isRemoved = false;

  constructor(parts: SeriesParts) {
    this.#parts = parts;
    const { labels, invocations, errors, throttles } = parts;
    // A counter is there before it first counts, so that its first step can be seen.
    for (const counter of [invocations, errors, throttles]) counter.inc(labels, 0);
  }

  begin(requestId: string): void {
    this.#parts.underWay.set(requestId, this);
  }

  abandon(requestId: string): void {
    this.#parts.underWay.delete(requestId);
  }

  noteInvocation(hasFailed: boolean): void {
    if (this.#isRemoved) return;
    const { labels, invocations, errors } = this.#parts;
    invocations.inc(labels);
    if (hasFailed) errors.inc(labels);
  }

  noteThrottle(): void {
    const { labels, throttles } = this.#parts;
    if (!this.#isRemoved) throttles.inc(labels);
  }

  noteDuration(seconds: number): void {
    const { labels, durations } = this.#parts;
    if (!this.#isRemoved) durations.observe(labels, seconds);
  }

  /** From the end of the runtime to that of the last extension. */
  noteExtensions(seconds: number): void {
    const { labels, extensionDurations } = this.#parts;
    if (!this.#isRemoved) extensionDurations.observe(labels, seconds);
  }

  noteInit(type: InitializationType, seconds: number): void {
    if (this.#isRemoved) return;
    this.#initializationTypes.add(type);
    this.#parts.initDurations.observe(this.#initLabels(type), seconds);
  }

  noteRestore(seconds: number): void {
    if (!this.#isRemoved) this.#parts.restoreDurations.observe(this.#versionLabels, seconds);
  }

  remove(): void {
    this.#isRemoved = true;
    const { labels, initDurations, ...parts } = this.#parts;
    parts.restoreDurations.remove(this.#versionLabels);
    for (const counter of [parts.invocations, parts.errors, parts.throttles])
      counter.remove(labels);
    for (const histogram of [parts.durations, parts.extensionDurations]) histogram.remove(labels);
    for (const type of this.#initializationTypes) initDurations.remove(this.#initLabels(type));
  }

  #initLabels(type: InitializationType): Record<InitLabel, string> {
    return { ...this.#versionLabels, initialization_type: type };
  }

  get #versionLabels(): Record<RestoreLabel, string> {
    const { function: functionName, executed_version } = this.#parts.labels;
    return { function: functionName, executed_version };
  }
}
