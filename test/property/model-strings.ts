/**
 * Strings as the service model's shapes have them: some that satisfy a shape, and some that break one
 * of its constraints and, where that can be, no other.
 */
import fc from 'fast-check';
import type { Shape } from '../../src/model/service-model.ts';
import type { SeededRandom } from '../simulation/seeded-random.ts';

/** Drawn once for each shape; inputs pick from them. */
const POOL_SIZE = 60;
/** Beyond that the longest strings that a shape allows are seldom worth their bytes. */
const LONG_LENGTH_MAX = 12_000;
const DEFAULT_LENGTH_MAX = 40;

const odd = ['', ' ', '/', '?', '\n', 'ü', '€', '😀', '"', '%', ':', '.', '$', '!', 'A', '0', '-'];

export class ModelStrings {
  readonly #pools = new Map<Shape, readonly string[]>();
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A string that satisfies the shape, now and then as short or as long as it may be. */
  valid(shape: Shape, random: SeededRandom): string {
    if (shape.enumValues !== undefined) return random.pick(shape.enumValues);
    const text = random.pick(this.#poolOf(shape));
    const { max } = shape;
    if (max === undefined || max > LONG_LENGTH_MAX || !random.chance(0.04)) return text;
    return stretched(text, max, shape, random) ?? text;
  }

  satisfies(text: string, shape: Shape): boolean {
    const { enumValues } = shape;
    if (enumValues !== undefined) return enumValues.includes(text);
    return isWithinLength(text, shape) && matches(text, shape);
  }

  /** Too long or too short by one, if there is such a bound; the pattern still holds where it can. */
  ofLength(length: number, shape: Shape, random: SeededRandom): string {
    if (length === 0) return '';
    const text = random.pick(this.#poolOf(shape));
    const shorter = text.length < length ? text : text.slice(0, length);
    return stretched(shorter, length, shape, random) ?? shorter.padEnd(length, 'a');
  }

  /** Of an allowed length, but not matching; undefined for a pattern that everything matches. */
  withoutPattern(shape: Shape, random: SeededRandom): string | undefined {
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const text = random.pick(this.#poolOf(shape));
      const at = random.integer(0, text.length);
      const end = random.chance(0.5) ? at : random.integer(at, text.length);
      const candidate = text.slice(0, at) + random.pick(odd) + text.slice(end);
      if (isWithinLength(candidate, shape) && !matches(candidate, shape)) return candidate;
    }
    return undefined;
  }

  notInEnum(shape: Shape, random: SeededRandom): string {
    const values = shape.enumValues ?? [];
    for (;;) {
      const value = random.pick(values);
      const candidate = random.pick([
        value.toLowerCase(),
        value.toUpperCase(),
        `${value}x`,
        value.slice(1),
        'other',
      ]);
      // A header has no spaces at its ends and is not there when it is empty.
      if (candidate.trim() !== '' && !values.includes(candidate)) return candidate;
    }
  }

  #poolOf(shape: Shape): readonly string[] {
    const known = this.#pools.get(shape);
    if (known !== undefined) return known;
    const drawn = fc.sample(arbitraryOf(shape), { seed: this.#seed, numRuns: POOL_SIZE * 2 });
    const fitting = drawn.filter((text) => matches(text, shape) && isWithinLength(text, shape));
    const pool = [...new Set(fitting)].slice(0, POOL_SIZE);
    if (pool.length === 0) throw new Error(`no string found for the shape ${shape.name}`);
    this.#pools.set(shape, pool);
    return pool;
  }
}

/** As long as wanted and still matching, by one of its characters many times over. */
function stretched(
  text: string,
  length: number,
  shape: Shape,
  random: SeededRandom,
): string | undefined {
  const start = random.integer(0, text.length);
  for (let step = 0; step < text.length; step += 1) {
    const at = (start + step) % text.length;
    const filler = text.charAt(at).repeat(length - text.length);
    const candidate = text.slice(0, at) + filler + text.slice(at);
    if (candidate.isWellFormed() && matches(candidate, shape)) return candidate;
  }
  return undefined;
}

function arbitraryOf({ pattern, min = 0, max }: Shape): fc.Arbitrary<string> {
  if (pattern === undefined) {
    const maxLength = Math.min(max ?? DEFAULT_LENGTH_MAX, Math.max(min, DEFAULT_LENGTH_MAX));
    return fc.string({ minLength: min, maxLength });
  }
  // What looks around, and what is empty, fast-check cannot draw: the filter sees to the one, and the
  // other is rare enough.
  const drawable = pattern.replace(/\(\?<?[!=](?:[^()]|\([^()]*\))*\)/gu, '').replaceAll('|()', '');
  return fc.stringMatching(new RegExp(`^(?:${drawable})$`, 'u'));
}

const expressions = new Map<string, RegExp>();

function matches(text: string, { pattern }: Shape): boolean {
  if (pattern === undefined) return true;
  let expression = expressions.get(pattern);
  if (expression === undefined) {
    expression = new RegExp(`^(?:${pattern})$`, 'u');
    expressions.set(pattern, expression);
  }
  return expression.test(text);
}

function isWithinLength(text: string, { min = 0, max = Infinity }: Shape): boolean {
  return text.length >= min && text.length <= max;
}
