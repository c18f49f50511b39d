/** Reads the text format of Prometheus, for tests of what GET /metrics says. */
import assert from 'node:assert/strict';

export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class MetricSamples {
  readonly all: readonly MetricSample[];
  /** By metric, as its TYPE line has it. */
  readonly types: ReadonlyMap<string, string>;

  /** Fails on a line that the format does not have, and on a sample without TYPE and HELP. */
  constructor(text: string) {
    assert(text.endsWith('\n'));
    const lines = text.split('\n').filter((line) => line !== '');
    this.types = new Map(
      lines.flatMap((line) => {
        const [, name = '', type = ''] =
          /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
        return name === '' ? [] : [[name, type] as const];
      }),
    );
    this.all = lines.filter((line) => !line.startsWith('#')).map(parseSample);
    for (const { name } of this.all) {
      const metric = this.types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
      assert(this.types.has(metric), `${name} has no type`);
      assert(text.includes(`# HELP ${metric} `), `${metric} has no help`);
    }
  }

  /** Samples of this name whose labels are, among others, these. */
  find(name: string, labels: Readonly<Record<string, string>> = {}): readonly MetricSample[] {
    const wanted = Object.entries(labels);
    return this.all.filter(
      (sample) =>
        sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
    );
  }

  /** Their sum; 0 when there is none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number {
    return this.find(name, labels).reduce((sum, { value }) => sum + value, 0);
  }
}

function parseSample(line: string): MetricSample {
  const parts = /^([a-z_]+)(?:\{((?:[a-z_]+="[^"\\]*",?)*)\})? (\S+)$/.exec(line);
  assert(parts !== null, `not a sample: ${line}`);
  const [, name = '', labels = '', value = ''] = parts;
  const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)];
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text])),
    value: Number(value),
  };
}
