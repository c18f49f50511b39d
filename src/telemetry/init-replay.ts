/**
 * What was told since an Init began, for extensions that subscribe later in it. Bounded: lines over
 * the bound are counted, and a subscriber is told how many it missed.
 */
import { KIB } from '../model/limits.ts';
import type { TelemetryEntry } from './telemetry-record.ts';

export const replayItemsMax = 1000;
export const replayBytesMax = 256 * KIB;

export class InitReplay {
  readonly #entries: TelemetryEntry[] = [];
  #bytes = 0;
  #dropped = { records: 0, bytes: 0, timeMs: 0 };

  add(entry: TelemetryEntry): void {
    const bytes = entry.stream === 'platform' ? 0 : entry.line.length;
    if (this.#entries.length < replayItemsMax && this.#bytes + bytes <= replayBytesMax) {
      this.#entries.push(entry);
      this.#bytes += bytes;
    } else {
      this.#dropped.records += 1;
      this.#dropped.bytes += bytes;
      this.#dropped.timeMs = entry.timeMs;
    }
  }

  entries(): readonly TelemetryEntry[] {
    const { records, bytes, timeMs } = this.#dropped;
    if (records === 0) return this.#entries;
    const reason = 'Some logs were dropped because nobody had subscribed yet';
    const record = { droppedRecords: records, droppedBytes: bytes, reason };
    const event = { type: 'platform.logsDropped', record } as const;
    return [...this.#entries, { stream: 'platform', timeMs, event }];
  }
}
