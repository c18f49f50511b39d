/**
 * Checks an operation's input against the constraints of the service model and words what it finds
 * as the service does: `1 validation error detected: Value 'x' at 'memorySize' failed to satisfy
 * constraint: Member must have value less than or equal to 10240`.
 *
 * Wordings and paths as in public reports of real answers: members in lowerCamelCase, structures in
 * lists as `filters.1.member.pattern`, an invalid element or map entry reported on its whole
 * collection with every constraint of the element, values of sensitive shapes left out.
 */
import { ApiError } from '../model/errors.ts';
import { apiLimits } from '../model/api-limits.ts';
import { limits } from '../model/limits.ts';
import type { Member, Operation, Shape } from '../model/service-model.ts';
import {
  elementConstraint,
  entryConstraint,
  keyConstraint,
  notNull,
  printedNumber,
  quotedPattern,
} from './constraint-words.ts';

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Documented bounds that are narrower than the model's, which has room for other kinds of function. */
export const documentedRanges: Readonly<Record<string, Range>> = {
  // Guide page 012, "Lambda quotas": function timeout 900 seconds.
  Timeout: { min: limits.timeoutSecondsMin, max: limits.timeoutSecondsMax },
  // Guide page 012: memory allocation 128 MB to 10,240 MB.
  MemorySize: { min: limits.memorySizeMbMin, max: limits.memorySizeMbMax },
  // Guide page 012: /tmp directory storage between 512 MB and 10,240 MB.
  EphemeralStorageSize: { min: limits.ephemeralStorageMbMin, max: limits.ephemeralStorageMbMax },
};

/** Collects violations; past the limit it only keeps the validators from going on. */
class Violations {
  readonly messages: string[] = [];

  get isFull(): boolean {
    return this.messages.length >= apiLimits.violationsMax;
  }

  /** `quoted` is undefined for a sensitive value. */
  add(quoted: string | undefined, path: string, constraint: string): void {
    if (this.isFull) return;
    const value = quoted === undefined ? 'Value' : `Value ${quoted}`;
    this.messages.push(`${value} at '${path}' failed to satisfy constraint: ${constraint}`);
  }
}

type Validator = (value: unknown, path: string, violations: Violations) => void;

/** One constraint of a scalar: its wording and whether a value satisfies it. */
interface Constraint {
  readonly text: string;
  readonly holds: (value: unknown) => boolean;
}

/** Text or blob length, or the size of a list or map. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array) {
    return value.length;
  }
  return Object.keys(value as object).length;
}

function boundConstraints(shape: Shape): Constraint[] {
  const { min, max } = { ...shape, ...documentedRanges[shape.name] };
  const isNumber = ['integer', 'long', 'double'].includes(shape.type);
  const what = isNumber ? 'value' : 'length';
  const measure = isNumber ? (value: unknown) => value as number : lengthOf;
  const constraints: Constraint[] = [];
  if (max !== undefined) {
    constraints.push({
      text: `Member must have ${what} less than or equal to ${printedNumber(shape, max)}`,
      holds: (value) => measure(value) <= max,
    });
  }
  if (min !== undefined) {
    constraints.push({
      text: `Member must have ${what} greater than or equal to ${printedNumber(shape, min)}`,
      holds: (value) => measure(value) >= min,
    });
  }
  return constraints;
}

/**
 * The pattern must match the whole value. A value far over its maximum length is not tried: its length
 * is a violation already (or, without a maximum, it counts as not matching), and no pattern gets
 * input long enough to make it slow.
 */
function patternConstraint(shape: Shape, pattern: string): Constraint {
  const expression = new RegExp(`^(?:${pattern})$`, 'u');
  const { max } = shape;
  const lengthMax =
    max === undefined
      ? apiLimits.patternInputLengthMax
      : Math.max(max, apiLimits.patternInputLengthTried);
  return {
    text: `Member must satisfy regular expression pattern: ${quotedPattern(shape, pattern)}`,
    holds: (value) => {
      const text = value as string;
      return text.length > lengthMax ? max !== undefined : expression.test(text);
    },
  };
}

function enumConstraint(values: readonly string[]): Constraint {
  const allowed = new Set(values);
  return {
    text: `Member must satisfy enum value set: [${values.join(', ')}]`,
    holds: (value) => allowed.has(value as string),
  };
}

function constraintsOf(shape: Shape): readonly Constraint[] {
  const constraints = boundConstraints(shape);
  if (shape.pattern !== undefined) constraints.push(patternConstraint(shape, shape.pattern));
  if (shape.enumValues !== undefined) constraints.push(enumConstraint(shape.enumValues));
  return constraints;
}

function isScalar(shape: Shape): boolean {
  return shape.type !== 'structure' && shape.type !== 'list' && shape.type !== 'map';
}

/** A value as the service prints it: lists as `[a, b]`, maps and structures as `{k=v}`. */
function printed(value: unknown, shape: Shape, budget: number): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return printedNumber(shape, value);
  if (Array.isArray(value)) {
    const element = shape.element!;
    return `[${printedItems(value, budget, (item) => printed(item, element, budget))}]`;
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `java.nio.HeapByteBuffer[lim=${value.length}]`;
  if (typeof value === 'object') {
    const entry = ([name, item]: [string, unknown]): string =>
      `${name}=${printed(item, partShape(shape, name), budget)}`;
    return `{${printedItems(Object.entries(value), budget, entry)}}`;
  }
  return String(value);
}

/** Of a map's entry or a structure's member. */
function partShape({ value, members }: Shape, name: string): Shape {
  return value ?? members.find((member) => member.name === name)!.shape;
}

/** Stops once the text is over budget: a list of a million items is not printed to be cut. */
function printedItems<T>(items: readonly T[], budget: number, print: (item: T) => string): string {
  let text = '';
  for (const item of items) {
    if (text.length > budget) break;
    if (text !== '') text += ', ';
    text += print(item);
  }
  return text;
}

function quote(value: unknown, shape: Shape): string | undefined {
  if (holdsSensitive(shape)) return undefined;
  const text = printed(value, shape, apiLimits.quotedValueLengthMax);
  return text.length <= apiLimits.quotedValueLengthMax
    ? `'${text}'`
    : `'${text.slice(0, apiLimits.quotedValueLengthMax)}...'`;
}

/** A collection is as secret as what it holds. */
function holdsSensitive(shape: Shape, seen: ReadonlySet<Shape> = new Set()): boolean {
  if (shape.isSensitive) return true;
  if (seen.has(shape)) return false;
  const seenNow = new Set([...seen, shape]);
  const parts = [shape.element, shape.key, shape.value, ...shape.members.map((m) => m.shape)];
  return parts.some((part) => part !== undefined && holdsSensitive(part, seenNow));
}

function checkAll(
  constraints: readonly Constraint[],
  shape: Shape,
  value: unknown,
  path: string,
  violations: Violations,
): void {
  for (const { holds, text } of constraints) {
    if (!holds(value)) violations.add(quote(value, shape), path, text);
  }
}

function scalarValidator(shape: Shape): Validator | undefined {
  const constraints = constraintsOf(shape);
  if (constraints.length === 0) return undefined;
  return (value, path, violations) => checkAll(constraints, shape, value, path, violations);
}

function satisfies(constraints: readonly Constraint[], item: unknown): boolean {
  return item !== null && constraints.every(({ holds }) => holds(item));
}

/** An element that breaks a constraint is reported once, on the list, with all element constraints. */
function scalarListValidator(shape: Shape, element: Shape): Validator {
  const own = constraintsOf(shape);
  const inner = constraintsOf(element);
  const refusal = elementConstraint(
    shape,
    inner.map(({ text }) => text),
  );
  return (value, path, violations) => {
    checkAll(own, shape, value, path, violations);
    if (!(value as unknown[]).every((item) => satisfies(inner, item))) {
      violations.add(quote(value, shape), path, refusal);
    }
  };
}

function structureListValidator(shape: Shape, element: Shape): Validator {
  const own = constraintsOf(shape);
  const validateElement = compile(element);
  return (value, path, violations) => {
    checkAll(own, shape, value, path, violations);
    for (const [index, item] of (value as unknown[]).entries()) {
      if (violations.isFull) return;
      const itemPath = `${path}.${index + 1}.member`;
      if (item === null) violations.add('null', itemPath, notNull);
      else validateElement?.(item, itemPath, violations);
    }
  };
}

function mapValidator(shape: Shape, key: Shape, entryValue: Shape): Validator {
  const own = constraintsOf(shape);
  const keyConstraints = constraintsOf(key);
  const keyRefusal = keyConstraint(
    shape,
    keyConstraints.map(({ text }) => text),
  );
  const valueConstraints = isScalar(entryValue) ? constraintsOf(entryValue) : [];
  const valueRefusal = entryConstraint(valueConstraints.map(({ text }) => text));
  const validateValue = isScalar(entryValue) ? undefined : compile(entryValue);
  return (value, path, violations) => {
    checkAll(own, shape, value, path, violations);
    const entries = Object.entries(value as object);
    if (!entries.every(([name]) => satisfies(keyConstraints, name))) {
      violations.add(quote(value, shape), path, keyRefusal);
    }
    if (!entries.every(([, item]) => satisfies(valueConstraints, item))) {
      violations.add(quote(value, shape), path, valueRefusal);
    }
    if (validateValue === undefined) return;
    for (const [name, item] of entries) {
      if (violations.isFull) return;
      if (item !== null) validateValue(item, `${path}.${name}.member`, violations);
    }
  };
}

interface CompiledMember {
  readonly name: string;
  /** First letter in lower case, as the service's paths have it: `kMSKeyArn`. */
  readonly pathName: string;
  readonly required: boolean;
  readonly validate: Validator | undefined;
}

const structureValidators = new Map<Shape, Validator>();

/** Filed before its members are compiled: shapes may refer to themselves. */
function structureValidator(shape: Shape): Validator {
  const known = structureValidators.get(shape);
  if (known !== undefined) return known;
  const members: CompiledMember[] = [];
  const validator: Validator = (value, path, violations) => {
    const prefix = path === '' ? '' : `${path}.`;
    for (const { name, pathName, required, validate } of members) {
      const item = (value as Readonly<Record<string, unknown>>)[name];
      if (item === undefined) {
        if (required) violations.add('null', prefix + pathName, notNull);
      } else if (validate !== undefined) {
        validate(item, prefix + pathName, violations);
      }
    }
  };
  structureValidators.set(shape, validator);
  const compiled = shape.members.map((member) => compileMember(member, shape));
  members.push(...compiled.filter((member) => member.required || member.validate !== undefined));
  return validator;
}

function compileMember(member: Member, parent: Shape): CompiledMember {
  return {
    name: member.name,
    pathName: member.name.charAt(0).toLowerCase() + member.name.slice(1),
    required: member.required,
    validate: isCheckedLate(member, parent) ? undefined : compile(member.shape),
  };
}

function compile(shape: Shape): Validator | undefined {
  switch (shape.type) {
    case 'structure':
      return structureValidator(shape);
    case 'list': {
      const element = shape.element!;
      return isScalar(element)
        ? scalarListValidator(shape, element)
        : structureListValidator(shape, element);
    }
    case 'map':
      return mapValidator(shape, shape.key!, shape.value!);
    default:
      return scalarValidator(shape);
  }
}

/**
 * A function's runtime is not a matter of validation in the service: it answers
 * InvalidParameterValueException in words of its own (serverless #7183).
 */
function isCheckedLate(member: Member, parent: Shape): boolean {
  return (
    member.shape.name === 'Runtime' &&
    (parent.name === 'CreateFunctionRequest' ||
      parent.name === 'UpdateFunctionConfigurationRequest')
  );
}

function createRuntimeCheck(input: Shape): (value: Readonly<Record<string, unknown>>) => void {
  const member = input.members.find((candidate) => isCheckedLate(candidate, input));
  if (member === undefined) return () => {};
  const values = member.shape.enumValues ?? [];
  const allowed = new Set(values);
  return (value) => {
    const runtime = value[member.name] as string | undefined;
    if (runtime === undefined || allowed.has(runtime)) return;
    const shown = runtime.slice(0, apiLimits.quotedValueLengthMax);
    throw new ApiError(
      'InvalidParameterValueException',
      `Value ${shown} at 'runtime' failed to satisfy constraint: Member must satisfy enum value ` +
        `set: [${values.join(', ')}] or be a valid ARN`,
    );
  };
}

/** Throws ApiError ValidationException that names every violation. */
export type InputValidator = (input: Readonly<Record<string, unknown>>) => void;

export function createInputValidator(operation: Operation): InputValidator {
  if (operation.input === undefined) return () => {};
  const validate = structureValidator(operation.input);
  const checkRuntime = createRuntimeCheck(operation.input);
  return (input) => {
    const violations = new Violations();
    validate(input, '', violations);
    const { messages } = violations;
    if (messages.length > 0) {
      const errors = messages.length === 1 ? 'error' : 'errors';
      throw new ApiError(
        'ValidationException',
        `${messages.length} validation ${errors} detected: ${messages.join('; ')}`,
      );
    }
    checkRuntime(input);
  };
}
