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

/** A step, or one that names what the answers to the steps before it hold. */
export type Preparation = Step | ((prepared: Body) => Step);

export interface Journey {
  /** Done first; all succeed. */
  readonly prepare?: readonly Preparation[];
  /** Is accepted. `prepared` has the members of the answers to the steps before it, the last put over all. */
  readonly input: WireInput | ((prepared: Body) => WireInput);
  /** The answer itself contains this, too. */
  readonly answers?: unknown;
  reads?(answer: Body, prepared: Body): readonly Read[];
  /** Takes away what was made. */
  undo?(answer: Body, prepared: Body): readonly Step[];
}

/** Now and then for the revision that is there, which the last preparation has to tell. */
export function revised(draw: Draw, input: WireInput): Journey['input'] {
  const isRevised = draw.random.chance(0.5);
  return ({ RevisionId }) => (isRevised ? { ...input, RevisionId } : input);
}

export class Draw {
  readonly #left = new Map<string, unknown[]>();
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

  /** One of many values, each of them once before any comes again, by purpose. */
  next<Value>(purpose: string, values: readonly Value[]): Value {
    const left = (this.#left.get(purpose) ?? []) as Value[];
    if (left.length === 0) left.push(...values);
    this.#left.set(purpose, left);
    const [value] = left.splice(this.random.integer(0, left.length - 1), 1);
    return value!;
  }

  /** Some of the parts, each as a whole; all of them now and then. */
  some(parts: readonly Body[]): Body {
    const share = this.random.pick([0, 0.5, 0.8, 1]);
    return Object.assign({}, ...parts.filter(() => this.random.chance(share))) as Body;
  }

  /** As some, but never none of them. */
  several(parts: readonly Body[]): Body {
    return { ...this.random.pick(parts), ...this.some(parts) };
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
