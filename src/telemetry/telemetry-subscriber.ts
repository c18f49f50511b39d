/**
 * One subscriber to an environment's telemetry: its buffer and the delivery of its batches. A slow
 * or missing listener costs records, never memory or anybody's time (guide page 056):
 *
 *     add -> waiting records -> batch under way -> delivered
 *               |  full              |  failed
 *               v                    v
 *            dropped, counted     again, later and later
 */
import type { Clock, Timer } from '../base/clock.ts';
import { deferred, type Deferred } from '../base/deferred.ts';
import type { Log } from '../base/log.ts';
import { renderEntry, type RecordForm, type TelemetryEntry } from './telemetry-record.ts';
import type { TelemetrySender } from './telemetry-sender.ts';
import type { TelemetrySubscription } from './telemetry-subscription.ts';

/** From a failed attempt to the next; doubles with each that fails. */
export const retryDelayMsMin = 50;
export const retryDelayMsMax = 2000;
/** A subscriber that does not take a batch within this time is tried again. */
export const attemptMsMax = 5000;

const dropReason =
  'Some logs were dropped because the downstream consumer is slower than the logs production rate';

/** A batch that the subscriber does not have yet. */
interface Batch {
  readonly records: readonly string[];
  /** Null while it waits for its next attempt. */
  attempt: { readonly controller: AbortController; timer: Timer; ended: Promise<void> } | null;
}

export class TelemetrySubscriber {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #sender: TelemetrySender;
  readonly #subscription: TelemetrySubscription;
  readonly #form: RecordForm;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = { records: 0, bytes: 0 };
  #batch: Batch | null = null;
  /** Until the waiting records are due. */
  #batchTimer: Timer | null = null;
  /** The waiting records are due as soon as the batch before them is delivered. */
  #isDue = false;
  #retryTimer: Timer | null = null;
  #retryDelayMs = retryDelayMsMin;
  #flushes: Deferred<void>[] = [];
  #isPaused = false;
  #isClosed = false;

  /** @param options `jsonLines`: the function's LogFormat is JSON */
  constructor(
    clock: Clock,
    log: Log,
    sender: TelemetrySender,
    options: { readonly subscription: TelemetrySubscription; readonly jsonLines: boolean },
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#sender = sender;
    this.#subscription = options.subscription;
    const { api, schemaVersion } = options.subscription;
    this.#form = { api, schemaVersion, jsonLines: options.jsonLines };
  }

  /** Whether there are records that the subscriber wants and does not have. */
  get hasPending(): boolean {
    return this.#batch !== null || this.#waiting.length > 0;
  }

  /** Never waits; what there is no room for is dropped, counted and told later. */
  add(entry: TelemetryEntry): void {
    if (this.#isClosed || !this.#subscription.types.includes(entry.stream)) return;
    // Counted as it was printed: to render it costs far more than to print it.
    if (entry.stream !== 'platform' && this.#isFull()) {
      this.#drop(entry.line.length);
      return;
    }
    for (const record of renderEntry(entry, this.#form)) this.#enqueue(record);
  }

  #enqueue(record: string): void {
    const bytes = Buffer.byteLength(record);
    if (this.#isFull()) {
      this.#drop(bytes);
      return;
    }
    this.#waiting.push(record);
    this.#waitingBytes += bytes;
    if (this.#isFull()) this.#isDue = true;
    this.#deliver();
  }

  #drop(bytes: number): void {
    this.#dropped.records += 1;
    this.#dropped.bytes += bytes;
  }

  /** The last record may reach over the bound of bytes, or none longer than it could ever be sent. */
  #isFull(): boolean {
    const { maxItems, maxBytes } = this.#subscription;
    return this.#waiting.length >= maxItems || this.#waitingBytes >= maxBytes;
  }

  /** Sends what is due, if nothing is under way, or sees to it that it becomes due. */
  #deliver(): void {
    if (this.#isPaused || this.#isClosed || this.#waiting.length === 0) return;
    if (!this.#isDue) {
      this.#batchTimer ??= this.#clock.schedule(this.#subscription.timeoutMs, () => {
        this.#batchTimer = null;
        this.#isDue = true;
        this.#deliver();
      });
      return;
    }
    if (this.#batch !== null) return;
    this.#cancelBatchTimer();
    this.#isDue = false;
    this.#batch = { records: this.#waiting, attempt: null };
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#attempt(this.#batch);
    this.#tellDropped();
  }

  /** Now there is room for it. */
  #tellDropped(): void {
    const { records, bytes } = this.#dropped;
    if (records === 0) return;
    this.#dropped = { records: 0, bytes: 0 };
    this.#log.debug({ records, bytes }, 'a telemetry subscriber fell behind');
    const record = { droppedRecords: records, droppedBytes: bytes, reason: dropReason };
    const event = { type: 'platform.logsDropped', record } as const;
    this.add({ stream: 'platform', timeMs: this.#clock.nowMs(), event });
  }

  #attempt(batch: Batch): void {
    this.#retryTimer?.cancel();
    this.#retryTimer = null;
    const controller = new AbortController();
    const ended = this.#sender.send(batch.records, controller.signal).then(
      () => this.#onDelivered(batch),
      (error: unknown) => this.#onFailed(batch, error),
    );
    batch.attempt = { controller, timer: this.#limitAttempt(controller), ended };
  }

  #limitAttempt(controller: AbortController): Timer {
    return this.#clock.schedule(attemptMsMax, () => controller.abort());
  }

  #onDelivered(batch: Batch): void {
    batch.attempt?.timer.cancel();
    this.#batch = null;
    this.#retryDelayMs = retryDelayMsMin;
    if (this.#flushes.length > 0) this.#isDue = this.#waiting.length > 0;
    this.#deliver();
    if (!this.hasPending) this.#endFlushes();
  }

  #onFailed(batch: Batch, error: unknown): void {
    batch.attempt?.timer.cancel();
    batch.attempt = null;
    if (this.#isClosed) return;
    const { port } = this.#subscription.destination;
    this.#log.debug({ error, port }, 'telemetry was not delivered');
    this.#endFlushes();
    if (this.#isPaused) return;
    this.#retryTimer = this.#clock.schedule(this.#retryDelayMs, () => this.#attempt(batch));
    this.#retryDelayMs = Math.min(2 * this.#retryDelayMs, retryDelayMsMax);
  }

  /**
   * Sends everything now. Resolves once it is delivered, or when the subscriber did not take it: then
   * it stays in the buffer.
   */
  flush(): Promise<void> {
    if (!this.hasPending || this.#isPaused || this.#isClosed) return Promise.resolve();
    const flush = deferred<void>();
    this.#flushes.push(flush);
    this.#isDue = this.#waiting.length > 0;
    if (this.#batch === null) this.#deliver();
    else if (this.#batch.attempt === null) this.#attempt(this.#batch);
    return flush.promise;
  }

  #endFlushes(): void {
    for (const flush of this.#flushes.splice(0)) flush.resolve();
  }

  /** The environment freezes: nobody there can take anything, and no time passes for it. */
  pause(): void {
    this.#isPaused = true;
    this.#cancelBatchTimer();
    this.#retryTimer?.cancel();
    this.#retryTimer = null;
    this.#batch?.attempt?.timer.cancel();
    this.#endFlushes();
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    const { attempt } = this.#batch ?? { attempt: null };
    if (attempt !== null) attempt.timer = this.#limitAttempt(attempt.controller);
    else if (this.#batch !== null) this.#attempt(this.#batch);
    this.#deliver();
  }

  /** What is not delivered is given up. Resolves once nothing is under way any more. */
  async close(): Promise<void> {
    this.pause();
    this.#isClosed = true;
    const attempt = this.#batch?.attempt ?? null;
    this.#waiting = [];
    this.#batch = null;
    attempt?.controller.abort();
    this.#sender.close();
    await attempt?.ended;
  }

  #cancelBatchTimer(): void {
    this.#batchTimer?.cancel();
    this.#batchTimer = null;
  }
}
