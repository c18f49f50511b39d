/**
 * Event patterns of filters, in the syntax that the service's guide on event filtering lists: fields
 * with lists of what they may be, `$or`, and the operators below. `[]` and `{}` match nothing and
 * are no patterns.
 */
import { isJsonObject } from './json-object.ts';

type Check = (value: unknown) => boolean;

/** The name of an operator, and what it takes. */
const operators: Readonly<Record<string, Check>> = {
  prefix: isText,
  suffix: isText,
  'equals-ignore-case': isText,
  'anything-but': isAnythingBut,
  exists: (value) => typeof value === 'boolean',
  numeric: isNumericRange,
};

const comparisons = ['=', '<', '<=', '>', '>='];

/** Whether the text is JSON and a pattern. */
export function isEventPattern(text: string): boolean {
  try {
    return isNode(JSON.parse(text));
  } catch {
    return false;
  }
}

/** Fields, each with a list of conditions or with fields of its own. */
function isNode(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([name, field]) => isField(name, field));
}

function isField(name: string, value: unknown): boolean {
  if (!Array.isArray(value)) return isNode(value);
  if (value.length === 0) return false;
  return value.every(name === '$or' ? isNode : isCondition);
}

function isCondition(value: unknown): boolean {
  if (!isJsonObject(value)) return value === null || isScalar(value);
  const [operator, ...others] = Object.entries(value);
  if (operator === undefined || others.length > 0) return false;
  const [name, operand] = operator;
  return Object.hasOwn(operators, name) && operators[name]!(operand);
}

/** A value, a list of values, or what a text must not begin or end with. */
function isAnythingBut(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isScalar);
  if (!isJsonObject(value)) return isScalar(value);
  const [[name, operand] = ['', undefined], ...others] = Object.entries(value);
  return others.length === 0 && ['prefix', 'suffix'].includes(name) && isText(operand);
}

/** `["=", 5]`, or a range: `[">", 0, "<=", 5]`. */
function isNumericRange(value: unknown): boolean {
  if (!Array.isArray(value) || ![2, 4].includes(value.length)) return false;
  return value.every((part, index) =>
    index % 2 === 0 ? comparisons.includes(part as string) : typeof part === 'number',
  );
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
