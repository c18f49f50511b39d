/**
 * Values as the service model's shapes have them, in the form in which they travel: JSON, with blobs as
 * base64 and times as epoch seconds.
 */
import { documentedRanges } from '../../src/api/validate.ts';
import type { Member, Shape } from '../../src/model/service-model.ts';
import type { SeededRandom } from '../simulation/seeded-random.ts';
import type { ModelStrings } from './model-strings.ts';

export interface Range {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

const NESTED_MAX = 5;
/** Elements of a list or entries of a map, unless its shape asks for more. */
const ITEMS_MAX = 3;

/** What a header carries as it is. */
export const headerPattern = /^[!-~]([ -~]*[!-~])?$/u;

export function rangeOf(shape: Shape): Range {
  return { min: shape.min, max: shape.max, ...documentedRanges[shape.name] };
}

export class ModelValues {
  readonly strings: ModelStrings;

  constructor(strings: ModelStrings) {
    this.strings = strings;
  }

  valid(shape: Shape, random: SeededRandom, depth = 0): unknown {
    switch (shape.type) {
      case 'structure':
        return this.structure(shape, random, depth);
      case 'list': {
        const count = itemCount(shape, random);
        return Array.from({ length: count }, () => this.valid(shape.element!, random, depth + 1));
      }
      case 'map':
        return this.map(shape, random, itemCount(shape, random), depth);
      case 'string':
        return this.strings.valid(shape, random);
      case 'blob':
        return Buffer.from(random.hex(random.integer(1, 20)), 'hex').toString('base64');
      case 'boolean':
        return random.chance(0.5);
      case 'timestamp':
        return random.integer(1, 2_000_000_000);
      case 'integer':
      case 'long':
        return this.#integer(shape, random);
      case 'double': {
        const { min = 0, max = min + 1 } = rangeOf(shape);
        return random.pick([min, max, min + random.fraction() * (max - min)]);
      }
    }
  }

  /** With all required members and some of the others. */
  structure(shape: Shape, random: SeededRandom, depth = 0): Record<string, unknown> {
    const share = depth === 0 ? random.pick([0, 0.2, 0.5]) : 0.5;
    const isWanted = ({ required }: Member): boolean =>
      required || (depth < NESTED_MAX && random.chance(share));
    return Object.fromEntries(
      shape.members
        .filter(isWanted)
        .map((member) => [member.wireName, this.#member(member, random, depth + 1)]),
    );
  }

  /** A query has no empty list; a header has no spaces at its ends, and no letters beyond ASCII. */
  #member({ shape, location }: Member, random: SeededRandom, depth: number): unknown {
    const isSendable = (value: unknown): boolean => {
      if (location === 'querystring') return !Array.isArray(value) || value.length > 0;
      return location !== 'header' || typeof value !== 'string' || headerPattern.test(value);
    };
    for (;;) {
      const value = this.valid(shape, random, depth);
      if (isSendable(value)) return value;
    }
  }

  /** With so many entries, or as many as there can be different keys. */
  map(shape: Shape, random: SeededRandom, count: number, depth = 0): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    for (let attempt = 0; entries.size < count && attempt < count * 10; attempt += 1) {
      const key = this.strings.valid(shape.key!, random);
      entries.set(key, this.valid(shape.value!, random, depth + 1));
    }
    return Object.fromEntries(entries);
  }

  #integer(shape: Shape, random: SeededRandom): number {
    const { min = 0, max = min + 1000 } = rangeOf(shape);
    return random.chance(0.2) ? random.pick([min, max]) : random.integer(min, max);
  }
}

function itemCount({ min = 0, max = Infinity }: Shape, random: SeededRandom): number {
  return random.integer(min, Math.max(min, Math.min(max, ITEMS_MAX)));
}
