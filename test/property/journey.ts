/** How an operation is used rightly: what the service model does not say of its input, and what shows its effect. */
import type { ApiOperationName } from '../../src/model/generated/api-types.ts';
import { operationNamed } from '../../src/model/service-model.ts';
import type { SeededRandom } from '../simulation/seeded-random.ts';
import type { ModelValues } from './model-values.ts';
import type { WireInput } from './wire-request.ts';

export type Step = readonly [operation: ApiOperationName, input: WireInput];

export type Body = Readonly<Record<string, unknown>>;

export interface Read {
  readonly step: Step;
  /** Contained in what is read (contains.ts), or the name of the error that reading has to get. */
  readonly shows: { readonly body: unknown } | { readonly errorName: string };
}

export interface Journey {
  /** Done first; all succeed. */
  readonly prepare?: readonly Step[];
  /** Is accepted. */
  readonly input: WireInput;
  /** The answer itself contains this, too. */
  readonly answers?: unknown;
  reads?(answer: Body): readonly Read[];
  /** Takes away what was made. */
  undo?(answer: Body): readonly Step[];
}

export class Draw {
  readonly random: SeededRandom;
  readonly values: ModelValues;

  constructor(random: SeededRandom, values: ModelValues) {
    this.random = random;
    this.values = values;
  }

  /** A random input of the model, with `given` put over it; members given as undefined are left out. */
  input(operation: ApiOperationName, given: WireInput): WireInput {
    const shape = operationNamed(operation).input;
    if (shape === undefined) return given;
    const drawn = this.values.structure(shape, this.random);
    const byName = shape.members.map(({ name, wireName }) => [name, drawn[wireName]]);
    const all = { ...Object.fromEntries(byName), ...given };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }

  /** The value, or undefined: a member that may be left out. */
  maybe<Value>(value: Value, probability = 0.5): Value | undefined {
    return this.random.chance(probability) ? value : undefined;
  }

  /** A name that nothing has. */
  newName(): string {
    return `p-${this.random.hex(6)}`;
  }
}

/** Makes one right use of an operation. */
export type Knowledge = (draw: Draw) => Journey;

export type KnowledgeTable = { readonly [Name in ApiOperationName]?: Knowledge };

export function read(operation: ApiOperationName, input: WireInput, body: unknown): Read {
  return { step: [operation, input], shows: { body } };
}

export function isGone(
  operation: ApiOperationName,
  input: WireInput,
  errorName = 'ResourceNotFoundException',
): Read {
  return { step: [operation, input], shows: { errorName } };
}
