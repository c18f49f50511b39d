/** What went wrong in a run of many inputs: one example for each subject, all of them at the end. */
import type { WireAnswer, WireInput } from './wire-request.ts';

const EXAMPLES_MAX = 20;
const SHOWN_LENGTH_MAX = 3_000;

export class Failures {
  readonly #seed: number;
  readonly #examples = new Map<string, string>();
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** `example` is the operation, the input and the answer. */
  add(subject: string, fault: string, example: string): void {
    this.#count += 1;
    if (this.#examples.has(subject) || this.#examples.size >= EXAMPLES_MAX) return;
    this.#examples.set(subject, `${subject}: ${fault}\n  ${example}`);
  }

  throwIfAny(): void {
    if (this.#count === 0) return;
    const examples = [...this.#examples.values()].join('\n');
    throw new Error(`HEARTH_SEED=${this.#seed}: ${this.#count} failures, such as\n${examples}`);
  }
}

export function shown(
  operation: string,
  { input }: { readonly input: WireInput },
  { status, errorName, message }: WireAnswer,
): string {
  return `${operation} ${cut(JSON.stringify(input))}\n  gave ${status} ${errorName} ${cut(message)}`;
}

function cut(text: string): string {
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}...` : text;
}
