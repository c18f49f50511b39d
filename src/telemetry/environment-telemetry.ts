/**
 * Everything that one environment has to say: what its function and extensions print and what the
 * platform tells about it go to the function's log, and to the extensions that subscribed. The log is
 * complete whatever subscribers do, and without them costs nothing more than itself.
 */
import { within, type Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { LogFormat, SystemLogLevel } from '../model/generated/api-types.ts';
import { KIB } from '../model/limits.ts';
import { InitReplay } from './init-replay.ts';
import { LineSplitter } from './line-splitter.ts';
import type { LogStream } from './log-stream.ts';
import type { PlatformEvent } from './platform-event.ts';
import { isLoggedAt, renderJsonLine, renderTextLine } from './system-log.ts';
import type { TelemetryEntry } from './telemetry-record.ts';
import { createTelemetrySender, type ConnectToPort } from './telemetry-sender.ts';
import { TelemetrySubscriber } from './telemetry-subscriber.ts';
import type { TelemetrySubscription } from './telemetry-subscription.ts';

/** A line that is longer is told in parts: the least that a subscriber's buffer holds. */
export const lineBytesMax = 256 * KIB;
/** How long flush waits for subscribers that are slow. */
export const flushMsMax = 1000;

export interface TelemetryOptions {
  readonly logFormat: LogFormat;
  /** Of the log, and only with LogFormat JSON: subscribers are told everything. */
  readonly systemLogLevel: SystemLogLevel;
  readonly connect: ConnectToPort;
  /** Hears every event before anyone else does. */
  readonly onEvent?: (event: PlatformEvent) => void;
}

interface Subscription {
  readonly api: TelemetrySubscription['api'];
  readonly subscriber: TelemetrySubscriber;
}

export class EnvironmentTelemetry {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #logStream: LogStream;
  readonly #options: TelemetryOptions;
  /** By the extension's name. */
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #functionLines = this.#createSplitter('function');
  /** By the extension's name. */
  readonly #extensionLines = new Map<string, LineSplitter>();
  /** From the start of an Init until subscriptions are closed: who subscribes gets what came before. */
  #replay: InitReplay | null = null;

  constructor(clock: Clock, log: Log, logStream: LogStream, options: TelemetryOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#logStream = logStream;
    this.#options = options;
  }

  /**
   * Writes the event to the log, as its format has it, and passes it on. The log's level leaves nothing
   * out of the tail (radkawar/stackd docs/lambda.md).
   */
  emit(event: PlatformEvent): void {
    if (event.type === 'platform.initStart') this.#replay = new InitReplay();
    const timeMs = this.#clock.nowMs();
    this.#options.onEvent?.(event);
    this.#writeLine(event, timeMs);
    if (this.#hasListeners) this.#tell({ stream: 'platform', timeMs, event });
  }

  #writeLine(event: PlatformEvent, timeMs: number): void {
    const { logFormat, systemLogLevel } = this.#options;
    const line = logFormat === 'JSON' ? renderJsonLine(event, timeMs) : renderTextLine(event);
    if (line === '') return;
    if (logFormat === 'Text' || isLoggedAt(systemLogLevel, event)) this.#logStream.write(line);
    else this.#logStream.writeToTail(line);
  }

  /** What the runtime's process printed, as it came. */
  functionOutput(bytes: Buffer): void {
    this.#logStream.write(bytes);
    if (this.#hasListeners) this.#functionLines.push(bytes);
  }

  /** What the process of this extension printed, as it came. */
  extensionOutput(name: string, bytes: Buffer): void {
    this.#logStream.write(bytes);
    if (!this.#hasListeners) return;
    let lines = this.#extensionLines.get(name);
    if (lines === undefined) {
      lines = this.#createSplitter('extension');
      this.#extensionLines.set(name, lines);
    }
    lines.push(bytes);
  }

  #createSplitter(stream: 'function' | 'extension'): LineSplitter {
    return new LineSplitter(lineBytesMax, (line) => {
      this.#tell({ stream, timeMs: this.#clock.nowMs(), line });
    });
  }

  get #hasListeners(): boolean {
    return this.#replay !== null || this.#subscriptions.size > 0;
  }

  #tell(entry: TelemetryEntry): void {
    this.#replay?.add(entry);
    for (const { subscriber } of this.#subscriptions.values()) subscriber.add(entry);
  }

  /** The last bytes of the log since the last call, for LogType=Tail. */
  takeTail(): Buffer {
    return this.#logStream.takeTail();
  }

  /** The API by which an extension has subscribed, if it has: it may not use the other one. */
  subscribedApi(name: string): TelemetrySubscription['api'] | undefined {
    return this.#subscriptions.get(name)?.api;
  }

  /**
   * From now on the extension is told what it asked for, beginning with what was told since the start
   * of this Init. A second subscription of the same extension changes nothing.
   */
  subscribe(name: string, subscription: TelemetrySubscription): void {
    if (this.#subscriptions.has(name)) return;
    const sender = createTelemetrySender(this.#options.connect, subscription.destination);
    const jsonLines = this.#options.logFormat === 'JSON';
    const subscriber = new TelemetrySubscriber(this.#clock, this.#log, sender, {
      subscription,
      jsonLines,
    });
    const { api, types } = subscription;
    this.#subscriptions.set(name, { api, subscriber });
    for (const entry of this.#replay?.entries() ?? []) subscriber.add(entry);
    this.emit({
      type: api === 'logs' ? 'platform.logsSubscription' : 'platform.telemetrySubscription',
      record: { name, state: 'Subscribed', types },
    });
  }

  /** Init is over: nobody subscribes any more, and what was told before is no longer kept. */
  closeSubscriptions(): void {
    this.#replay = null;
    if (this.#subscriptions.size === 0) this.#flushLines();
  }

  /** Whether there is something that flush would send. */
  get hasPending(): boolean {
    if (this.#subscriptions.size === 0) return false;
    const splitters = [this.#functionLines, ...this.#extensionLines.values()];
    if (splitters.some(({ isHolding }) => isHolding)) return true;
    return [...this.#subscriptions.values()].some(({ subscriber }) => subscriber.hasPending);
  }

  /**
   * Sends everything now, lines without an end too. Resolves once it is delivered, at most after
   * `flushMsMax`; what a subscriber did not take stays in its buffer.
   */
  async flush(): Promise<void> {
    this.#flushLines();
    if (!this.hasPending) return;
    const flushes = [...this.#subscriptions.values()].map(({ subscriber }) => subscriber.flush());
    await within(this.#clock, flushMsMax, Promise.all(flushes));
  }

  #flushLines(): void {
    this.#functionLines.flush();
    for (const lines of this.#extensionLines.values()) lines.flush();
  }

  /** The environment freezes: delivery stands still. */
  pause(): void {
    for (const { subscriber } of this.#subscriptions.values()) subscriber.pause();
  }

  resume(): void {
    for (const { subscriber } of this.#subscriptions.values()) subscriber.resume();
  }

  /**
   * The processes are gone, and the subscribers among them: what they do not have is given up. New ones
   * may come with the next Init. Resolves once no delivery is under way.
   */
  async reset(): Promise<void> {
    const ended = [...this.#subscriptions.values()];
    this.#subscriptions.clear();
    this.#replay = null;
    // What has begun belongs to the processes that are gone.
    this.#flushLines();
    this.#extensionLines.clear();
    await Promise.all(ended.map(({ subscriber }) => subscriber.close()));
  }

  /** As reset; nothing is told any more. */
  close(): Promise<void> {
    return this.reset();
  }
}
