/**
 * Every constraint of an operation's input in the service model, each with a way to make inputs that
 * break it and nothing else, and with the refusal that it has to get.
 */
import type { Member, Operation, Shape } from '../../src/model/service-model.ts';
import type { SeededRandom } from '../simulation/seeded-random.ts';
import type { ModelValues } from './model-values.ts';
import { ownConstraintsOf } from './own-constraints.ts';
import type { WireInput } from './wire-request.ts';

export interface Refusal {
  readonly status: number;
  readonly errorName: string;
  /** Part of the message; anything when empty. */
  readonly text: string;
}

export interface BrokenInput {
  readonly input: WireInput;
  readonly refusal: Refusal;
}

export interface Constraint {
  /** For example `CreateFunction MemorySize: max`. */
  readonly name: string;
  /** Undefined when this draw found no value that breaks it. */
  break(random: SeededRandom): BrokenInput | undefined;
}

/** Stands for a member that is left out. */
const absent = Symbol('absent');

/** Somewhere in the input: puts a value there, into an input that is valid otherwise. */
interface Place {
  /** As the constraint's name shows it. */
  readonly name: string;
  readonly location: Member['location'];
  put(random: SeededRandom, value: unknown): { readonly input: WireInput; readonly path: string };
}

/** Shapes may hold themselves. */
const DEPTH_MAX = 7;

const notNull = 'Member must not be null';

/** A member whose enum the service checks later than all else, in words of its own (validate.ts). */
const checkedLate: ReadonlySet<string> = new Set([
  'CreateFunction Runtime',
  'UpdateFunctionConfiguration Runtime',
]);

/** How a refusal begins to tell of a list's elements (constraint-words.ts). */
function elementWords({ name }: Shape): string {
  return name === 'CompatibleRuntimes'
    ? 'Member must satisfy enum value set: ['
    : 'Member must satisfy constraint: [';
}

export function constraintsOf(operation: Operation, values: ModelValues): Constraint[] {
  const { input } = operation;
  if (input === undefined) return [];
  const finder = new ConstraintFinder(values);
  finder.visitMembers(input, {
    name: operation.name,
    location: 'body',
    put: (_, value) => ({ input: value as WireInput, path: '' }),
  });
  return finder.found;
}

class ConstraintFinder {
  readonly found: Constraint[] = [];
  readonly #values: ModelValues;

  constructor(values: ModelValues) {
    this.#values = values;
  }

  visitMembers(shape: Shape, place: Place, depth = 0): void {
    for (const member of shape.members) {
      const isTop = depth === 0;
      const key = isTop ? member.name : member.wireName;
      const at: Place = {
        name: isTop ? `${place.name} ${key}` : `${place.name}.${key}`,
        location: isTop ? member.location : place.location,
        put: (random, value) => {
          const around = this.#values.structure(shape, random, depth);
          const base = isTop ? renamed(shape, around) : around;
          if (value === absent) delete base[key];
          else base[key] = value;
          const { input, path } = place.put(random, base);
          const name = member.name.charAt(0).toLowerCase() + member.name.slice(1);
          return { input, path: path === '' ? name : `${path}.${name}` };
        },
      };
      // A path without a label is another path.
      if (member.required && at.location !== 'uri') {
        const nothing = at.location === 'body' ? [absent, null] : [absent];
        this.#add(at, 'required', (random) => random.pick(nothing), notNull);
      }
      this.#visit(member.shape, at, depth + 1);
    }
  }

  #visit(shape: Shape, place: Place, depth: number): void {
    this.#visitType(shape, place);
    this.#visitOwn(shape, place);
    if (depth > DEPTH_MAX) return;
    if (shape.type === 'structure') this.visitMembers(shape, place, depth);
    if (shape.type === 'list') this.#visitElement(shape, place, depth);
    if (shape.type === 'map') this.#visitEntries(shape, place, depth);
  }

  /** A value of another JSON type, or text that is none of the type. */
  #visitType(shape: Shape, place: Place): void {
    if (place.location === 'body' || (place.location === 'payload' && shape.type !== 'blob')) {
      this.#addRefused(place, 'type', (random) => random.pick(otherTypes(shape)));
      if (shape.type === 'blob') {
        this.#addRefused(place, 'base64', (random) => `${random.hex(2)}*${random.hex(3)}`);
      }
    } else if (['integer', 'long', 'boolean', 'double', 'timestamp'].includes(shape.type)) {
      this.#addRefused(place, 'type', (random) => random.pick(['x', '1x', 'yes', '[]', '--1']));
    }
  }

  /** Constraints of a value by itself. */
  #visitOwn(shape: Shape, place: Place): void {
    for (const { kind, text, value } of ownConstraintsOf(shape, place.location, this.#values)) {
      this.#add(place, kind, value, text);
    }
  }

  #visitElement(list: Shape, place: Place, depth: number): void {
    const element = list.element!;
    if (isScalar(element)) {
      // Reported on the list, with all that its elements have to satisfy.
      const inList: Place = {
        name: `${place.name}[]`,
        location: place.location,
        put: (random, value) => place.put(random, this.#listWith(list, value, random, 'anywhere')),
      };
      for (const { kind, value } of ownConstraintsOf(element, place.location, this.#values)) {
        this.#add(inList, kind, value, elementWords(list));
      }
      this.#visitElementType(list, inList);
      return;
    }
    const first: Place = {
      name: `${place.name}[]`,
      location: place.location,
      put: (random, value) => {
        const put = place.put(random, this.#listWith(list, value, random, 'first'));
        return { ...put, path: `${put.path}.1.member` };
      },
    };
    this.#add(first, 'null', () => null, notNull);
    this.#visit(element, first, depth + 1);
  }

  #visitElementType(list: Shape, inList: Place): void {
    if (inList.location !== 'body') return;
    this.#add(inList, 'null', () => null, elementWords(list));
    this.#visitType(list.element!, inList);
  }

  #listWith(
    list: Shape,
    value: unknown,
    random: SeededRandom,
    where: 'first' | 'anywhere',
  ): unknown[] {
    const items = this.#values.valid(list, random, 4) as unknown[];
    const at = where === 'first' ? 0 : random.integer(0, Math.max(0, items.length - 1));
    items.splice(at, 1, value);
    return items;
  }

  #visitEntries(map: Shape, place: Place, depth: number): void {
    const { key, value: entry } = map;
    const withEntry = (random: SeededRandom, name: string, value: unknown) => {
      const entries = Object.entries(
        this.#values.map(map, random, Math.max(0, (map.min ?? 1) - 1), 4),
      );
      return Object.fromEntries([...entries.filter(([known]) => known !== name), [name, value]]);
    };
    const keys: Place = {
      name: `${place.name}{key}`,
      location: place.location,
      put: (random, name) =>
        place.put(random, withEntry(random, name as string, this.#values.valid(entry!, random, 4))),
    };
    for (const { kind, value } of ownConstraintsOf(key!, place.location, this.#values)) {
      this.#add(keys, kind, value, 'Map keys must satisfy constraint: [');
    }
    const scalar = isScalar(entry!);
    const put: Place['put'] = (random, value) => {
      const name = this.#values.strings.valid(key!, random);
      const { input, path } = place.put(random, withEntry(random, name, value));
      return { input, path: scalar || value === null ? path : `${path}.${name}.member` };
    };
    const inMap: Place = { name: `${place.name}{}`, location: place.location, put };
    this.#add(inMap, 'null', () => null, 'Map value must satisfy constraint: [');
    if (!scalar) {
      this.#visit(entry!, inMap, depth + 1);
      return;
    }
    this.#visitType(entry!, inMap);
    for (const { kind, value } of ownConstraintsOf(entry!, place.location, this.#values)) {
      this.#add(inMap, kind, value, 'Map value must satisfy constraint: [');
    }
  }

  #add(place: Place, kind: string, draw: (random: SeededRandom) => unknown, text: string): void {
    const isLate = kind === 'enum' && checkedLate.has(place.name);
    this.found.push({
      name: `${place.name}: ${kind}`,
      break(random) {
        const value = draw(random);
        if (value === undefined) return undefined;
        const { input, path } = place.put(random, value);
        const refusal = isLate
          ? {
              status: 400,
              errorName: 'InvalidParameterValueException',
              text: `at '${path}' failed to satisfy constraint: ${text.slice(0, -1)}`,
            }
          : {
              status: 400,
              errorName: 'ValidationException',
              text: `at '${path}' failed to satisfy constraint: ${text}`,
            };
        return { input, refusal };
      },
    });
  }

  #addRefused(place: Place, kind: string, draw: (random: SeededRandom) => unknown): void {
    this.found.push({
      name: `${place.name}: ${kind}`,
      break(random) {
        const { input } = place.put(random, draw(random));
        return { input, refusal: { status: 400, errorName: 'SerializationException', text: '' } };
      },
    });
  }
}

function isScalar({ type }: Shape): boolean {
  return type !== 'structure' && type !== 'list' && type !== 'map';
}

/** Top-level members go by their names in the model, wherever they travel. */
function renamed(shape: Shape, byWireName: Record<string, unknown>): Record<string, unknown> {
  const entries = shape.members
    .filter(({ wireName }) => wireName in byWireName)
    .map(({ name, wireName }) => [name, byWireName[wireName]]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** JSON values that are nothing of this type. */
function otherTypes({ type }: Shape): unknown[] {
  const all: Readonly<Record<string, readonly unknown[]>> = {
    string: ['', 'text', '5'],
    number: [0, 1, -2.5],
    boolean: [true, false],
    list: [[], ['text'], [[]]],
    object: [{}, { Key: 'value' }],
  };
  const own =
    { structure: 'object', map: 'object', list: 'list', boolean: 'boolean' }[type as string] ??
    (type === 'string' || type === 'blob' ? 'string' : 'number');
  return Object.entries(all)
    .filter(([name]) => name !== own)
    .flatMap(([, values]) => values);
}
