/** What an extension asked to be told, and where: a subscription of the Telemetry or the Logs API. */

/** Where a subscriber listens, inside the environment. */
export interface TelemetryDestination {
  readonly protocol: 'HTTP' | 'TCP';
  readonly port: number;
  /** Path and query of the URI; '/' when it has none. HTTP only. */
  readonly path: string;
  /** Of HTTP requests; the Logs API lets a subscriber choose PUT. */
  readonly method: 'POST' | 'PUT';
}

export type TelemetryStreamType = 'platform' | 'function' | 'extension';

/** A subscription whose values were checked against the documented bounds, defaults filled in. */
export interface TelemetrySubscription {
  readonly api: 'telemetry' | 'logs';
  readonly schemaVersion: string;
  readonly types: readonly TelemetryStreamType[];
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly destination: TelemetryDestination;
}
