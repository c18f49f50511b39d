/**
 * Which members of operations' inputs, and which values of enums, right inputs have used: what the
 * model has and no right input ever holds would go untested without anybody noticing.
 */
import type { ApiOperationName } from '../../src/model/generated/api-types.ts';
import { operationNamed, type Shape } from '../../src/model/service-model.ts';
import type { WireInput } from './wire-request.ts';

export class UsedMembers {
  /** For example `CreateFunction`, `CreateFunction Code.ZipFile`, `CreateFunction Architectures[]=arm64`. */
  readonly #unused = new Map<ApiOperationName, Set<string>>();

  constructor(operations: readonly ApiOperationName[]) {
    for (const operation of operations) {
      const { input } = operationNamed(operation);
      const names = input === undefined ? [] : membersIn(input, operation, ' ');
      this.#unused.set(operation, new Set([operation, ...names]));
    }
  }

  record(operation: ApiOperationName, input: WireInput): void {
    const { input: shape } = operationNamed(operation);
    const unused = this.#unused.get(operation);
    if (unused === undefined || unused.size === 0) return;
    unused.delete(operation);
    for (const { name, wireName, shape: member } of shape?.members ?? []) {
      const value = input[name] ?? input[wireName];
      if (value === undefined) continue;
      for (const used of valuesIn(member, value, `${operation} ${name}`)) unused.delete(used);
    }
  }

  unusedOf(operation: ApiOperationName): string[] {
    return [...(this.#unused.get(operation) ?? [])];
  }
}

function* membersIn(shape: Shape, place: string, separator = '.'): Generator<string> {
  for (const member of shape.members) {
    const at = `${place}${separator}${member.name}`;
    yield at;
    yield* membersIn(member.shape, at);
  }
  if (shape.element !== undefined) yield* membersIn(shape.element, `${place}[]`);
  if (shape.value !== undefined) yield* membersIn(shape.value, `${place}{}`);
  for (const value of shape.enumValues ?? []) yield `${place}=${value}`;
}

/** As membersIn, of what a value holds. */
function* valuesIn(shape: Shape, value: unknown, place: string): Generator<string> {
  yield place;
  if (shape.enumValues !== undefined) yield `${place}=${String(value)}`;
  if (Array.isArray(value)) {
    for (const item of value) yield* valuesIn(shape.element!, item, `${place}[]`);
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (shape.value !== undefined) {
      for (const [, item] of entries) yield* valuesIn(shape.value, item, `${place}{}`);
    }
    for (const { name, wireName, shape: member } of shape.members) {
      const item = (value as WireInput)[wireName];
      if (item !== undefined) yield* valuesIn(member, item, `${place}.${name}`);
    }
  }
}
