/** The constraints that the service model has for a value by itself, and values that break one of them. */
import { quotedPattern } from '../../src/api/constraint-words.ts';
import type { Member, Shape } from '../../src/model/service-model.ts';
import type { SeededRandom } from '../simulation/seeded-random.ts';
import { headerPattern, rangeOf, type ModelValues } from './model-values.ts';

export interface OwnConstraint {
  readonly kind: 'min' | 'max' | 'pattern' | 'enum';
  /** As the service words it. */
  readonly text: string;
  /** Undefined when this draw found none. */
  value(random: SeededRandom): unknown;
}

/** A larger body is refused for its size, whatever it holds. */
const VALUE_LENGTH_MAX = 500_000;

/** Of what is drawn in great numbers, so that it stays small. */
const NESTED_DEPTH = 4;

export function* ownConstraintsOf(
  shape: Shape,
  location: Member['location'],
  values: ModelValues,
): Generator<OwnConstraint> {
  const { strings } = values;
  const draw = { values, location };
  const { min, max } = rangeOf(shape);
  const isNumber = ['integer', 'long', 'double'].includes(shape.type);
  const what = isNumber ? 'value' : 'length';
  // Nothing is shorter than nothing; an empty label, header or list of a query is not there at all.
  const canBeEmpty =
    location === 'querystring'
      ? shape.type !== 'list'
      : location !== 'uri' && location !== 'header';
  const leastLength = canBeEmpty ? 0 : 1;
  if (min !== undefined && (isNumber || min > leastLength)) {
    yield {
      kind: 'min',
      text: `Member must have ${what} greater than or equal to ${min}`,
      value: (random) =>
        isNumber
          ? min - random.pick([1, 2, 1000])
          : ofSize(draw, shape, random.integer(leastLength, min - 1), random),
    };
  }
  if (max !== undefined && (isNumber || max < VALUE_LENGTH_MAX)) {
    yield {
      kind: 'max',
      text: `Member must have ${what} less than or equal to ${max}`,
      value: (random) =>
        isNumber
          ? max + random.pick([1, 2, 1000])
          : ofSize(draw, shape, max + random.pick([1, 1, 2, 50]), random),
    };
  }
  if (shape.pattern !== undefined) {
    yield {
      kind: 'pattern',
      text: `Member must satisfy regular expression pattern: ${quotedPattern(shape, shape.pattern)}`,
      value: (random) => sendable(strings.withoutPattern(shape, random), location),
    };
  }
  if (shape.enumValues !== undefined) {
    yield {
      kind: 'enum',
      text: `Member must satisfy enum value set: [${shape.enumValues.join(', ')}]`,
      value: (random) => strings.notInEnum(shape, random),
    };
  }
}

/** Undefined when a map has not as many different keys. */
function ofSize(
  { values, location }: { readonly values: ModelValues; readonly location: Member['location'] },
  shape: Shape,
  size: number,
  random: SeededRandom,
): unknown {
  if (shape.type === 'list') {
    return Array.from({ length: size }, () => values.valid(shape.element!, random, NESTED_DEPTH));
  }
  if (shape.type === 'map') {
    const map = values.map(shape, random, size, NESTED_DEPTH);
    return Object.keys(map).length === size ? map : undefined;
  }
  if (shape.type === 'blob') return Buffer.alloc(size).toString('base64');
  return sendable(values.strings.ofLength(size, shape, random), location);
}

/** What a header cannot carry as it is, or a label that would be no label, is no draw. */
function sendable(text: string | undefined, location: Member['location']): string | undefined {
  if (text === undefined) return undefined;
  if (location === 'header') return headerPattern.test(text) ? text : undefined;
  return location === 'uri' && text === '' ? undefined : text;
}
