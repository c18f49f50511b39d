/**
 * The few boxes that are kept started in advance (blank-box.ts). They are made in the background, one at a
 * time, and only when no sandbox is being started: the OCI runtime would take the CPU from it.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import { BlankBox } from './blank-box.ts';
import type { OciParts } from './oci-parts.ts';

export const BLANK_BOXES_DEFAULT = 2;
export const BLANK_BOXES_MAX = 64;
/** What one that waits takes of the host's memory, rounded up (docs/internals/sandbox.md: 0.5 MB). */
export const BLANK_BOX_MEMORY_MB = 1;

/** How long no sandbox must have been made or started before a box is made: a cold start, generously. */
export const QUIET_MS = 100;
/** Under a steady load that quiet never comes; then a box is made after this time. */
export const POSTPONED_MS_MAX = 1_000;
/** After one could not be made, or ended while it waited. */
export const RETRY_MS = 10_000;

export class BlankBoxes {
  readonly #clock: Clock;
  readonly #parts: OciParts;
  readonly #target: number;
  readonly #waiting: BlankBox[] = [];
  readonly #leaving = new Set<Promise<void>>();
  #sequence = 0;
  #timer: Timer | null = null;
  /** When a box was first found missing; null while none is, or one is being made. */
  #missingSinceMs: number | null = null;
  #making: Promise<void> | null = null;
  #isClosed = false;

  constructor(clock: Clock, parts: OciParts, target: number) {
    this.#clock = clock;
    this.#parts = parts;
    this.#target = target;
  }

  /** How many wait now. */
  get size(): number {
    return this.#waiting.length;
  }

  /** One that nobody else will get; null when there is none. */
  take(): BlankBox | null {
    return this.#waiting.shift() ?? null;
  }

  /** A sandbox is being made or started: missing boxes are made some time after the last such call. */
  postpone(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#waiting.length < this.#target) this.#missingSinceMs ??= nowMs;
    const latestMs = (this.#missingSinceMs ?? nowMs) + POSTPONED_MS_MAX - nowMs;
    this.#makeIn(Math.max(0, Math.min(QUIET_MS, latestMs)));
  }

  #makeIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#isClosed || this.#making !== null || this.#waiting.length >= this.#target) return;
    this.#timer = this.#clock.schedule(delayMs, () => {
      this.#timer = null;
      this.#missingSinceMs = null;
      this.#making = this.#make();
    });
  }

  /** Never rejects. */
  async #make(): Promise<void> {
    this.#sequence += 1;
    try {
      // Not a name that a sandbox can have.
      const blank = await BlankBox.create(this.#parts, `blank_${this.#sequence}`);
      this.#waiting.push(blank);
      const drop = (): void => this.#drop(blank);
      blank.shell.container.ended.then(drop, drop);
      this.#making = null;
      this.postpone();
    } catch (error) {
      this.#parts.log.warn({ error: String(error) }, 'no sandbox could be started in advance');
      this.#making = null;
      this.#makeIn(RETRY_MS);
    }
  }

  /** One that ended while it waited, killed by the host for memory perhaps. */
  #drop(blank: BlankBox): void {
    const index = this.#waiting.indexOf(blank);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    const leaving = this.#destroy(blank).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    this.#makeIn(RETRY_MS);
  }

  #destroy(blank: BlankBox): Promise<void> {
    return blank.destroy().catch((error: unknown) => {
      this.#parts.log.error({ box: blank.box.name, error: String(error) }, 'box left behind');
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#making;
    const waiting = this.#waiting.splice(0).map((blank) => this.#destroy(blank));
    await Promise.all([...waiting, ...this.#leaving]);
  }
}
