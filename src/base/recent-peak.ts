/**
 * The highest of the values noted within a sliding window. Time is given, so that it needs no clock,
 * and never goes back. Keeps at most one entry per distinct value.
 */
export class RecentPeak {
  readonly #windowMs: number;
  /** Later ones are lower: what a later value reaches can never be the peak again. */
  #values: { readonly atMs: number; readonly value: number }[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  note(nowMs: number, value: number): void {
    while ((this.#values.at(-1)?.value ?? Infinity) <= value) this.#values.pop();
    this.#values.push({ atMs: nowMs, value });
  }

  /** 0 when nothing was noted within the window. */
  at(nowMs: number): number {
    const { length } = this.#values;
    let gone = 0;
    while (gone < length && (this.#values[gone]?.atMs ?? nowMs) <= nowMs - this.#windowMs)
      gone += 1;
    if (gone > 0) this.#values = this.#values.slice(gone);
    return this.#values[0]?.value ?? 0;
  }
}
