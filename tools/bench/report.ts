/** What the benchmark prints: one JSON line for each measure as it is taken, a table of all at the end. */

/** 'x' is a plain number, for example a ratio of two latencies of the same function. */
export type Unit = 'ms' | 'requests/s' | 'MB' | 'x';

export interface Measure {
  readonly measure: string;
  readonly driver: string;
  readonly runtime: string;
  readonly unit: Unit;
  readonly hearth: number;
  /** The bare thing, in the same run. */
  readonly baseline: number;
  readonly detail: Readonly<Record<string, number>>;
}

/** Bounds of hearth / baseline, or of what Hearth takes by itself; with none, the measure is only reported. */
export interface Goal {
  readonly most?: number;
  readonly least?: number;
  /** In the measure's unit. */
  readonly hearthMost?: number;
}

interface Row extends Measure {
  readonly ratio: number;
  readonly goal: string;
  readonly met: boolean;
}

export class Report {
  readonly #rows: Row[] = [];

  add(measure: Measure, goal: Goal = {}): void {
    const ratio = measure.hearth / measure.baseline;
    const { most = Infinity, least = -Infinity, hearthMost = Infinity } = goal;
    const row: Row = {
      ...measure,
      ratio,
      goal: goalText(goal, measure.unit),
      met: ratio <= most && ratio >= least && measure.hearth <= hearthMost,
    };
    this.#rows.push(row);
    printLine(row);
  }

  printTable(): void {
    const header = ['measure', 'driver', 'runtime', 'hearth', 'baseline', 'ratio', 'goal', ''];
    const lines = this.#rows.map((row) => [
      row.measure,
      row.driver,
      row.runtime,
      valueText(row.hearth, row.unit),
      valueText(row.baseline, row.unit),
      row.ratio.toFixed(row.ratio < 1 ? 3 : 2),
      row.goal,
      row.goal === '' ? '' : row.met ? 'ok' : '[short]',
    ]);
    const widths = header.map((_, column) =>
      Math.max(...[header, ...lines].map((line) => line[column]?.length ?? 0)),
    );
    process.stdout.write('\n');
    for (const line of [header, widths.map((width) => '-'.repeat(width)), ...lines]) {
      const cells = line.map((cell, column) => cell.padEnd(widths[column] ?? 0));
      process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
    }
  }
}

/** One JSON line on standard output, numbers with four digits. */
export function printLine(value: object): void {
  const rounded = (_: string, item: unknown): unknown =>
    typeof item === 'number' ? Number(item.toPrecision(4)) : item;
  process.stdout.write(`${JSON.stringify(value, rounded)}\n`);
}

/** What is being measured, on standard error: the figures on standard output stay apart. */
export function progress(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function goalText({ most, least, hearthMost }: Goal, unit: Unit): string {
  if (hearthMost !== undefined) return `< ${valueText(hearthMost, unit)}`;
  if (most !== undefined) return `<= ${most}`;
  return least === undefined ? '' : `>= ${least}`;
}

function valueText(value: number, unit: Unit): string {
  if (unit === 'requests/s') return `${value.toFixed(0)}/s`;
  return unit === 'x' ? value.toFixed(2) : `${value.toFixed(2)} ${unit}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  return (low + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

/** The value that this share of all does not exceed; with few values the highest. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
