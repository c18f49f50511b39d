/** Whether what was read back shows what was sent. */
import { isDeepStrictEqual } from 'node:util';

/** Stands for a member that must not be there. */
export const absent = Symbol('absent');

/** A check of one value, for what is not shown as it was sent. */
export type Check = (actual: unknown) => boolean;

/** This and nothing more. */
export function exactly(expected: unknown): Check {
  return (actual) => isDeepStrictEqual(actual, expected);
}

/** A list with an element that has this. */
export function including(expected: unknown): Check {
  return (actual) =>
    Array.isArray(actual) &&
    actual.some((item: unknown) => missingFrom(item, expected) === undefined);
}

/**
 * Where `actual` lacks what `expected` has, as a path; undefined when it has all. Objects may have more
 * members than expected, lists not more elements.
 */
export function missingFrom(actual: unknown, expected: unknown, path = ''): string | undefined {
  if (typeof expected === 'function') return (expected as Check)(actual) ? undefined : path;
  if (expected === absent) return actual === undefined ? undefined : path;
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return path;
    return firstMissing(
      expected.map((item, index) => [String(index), item]),
      actual,
      path,
    );
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null) return path;
    return firstMissing(Object.entries(expected), actual, path);
  }
  return isDeepStrictEqual(actual, expected) ? undefined : path;
}

function firstMissing(
  expected: readonly (readonly [string, unknown])[],
  actual: object,
  path: string,
): string | undefined {
  for (const [name, value] of expected) {
    const item = Object.hasOwn(actual, name)
      ? (actual as Record<string, unknown>)[name]
      : undefined;
    const missing = missingFrom(item, value, `${path}/${name}`);
    if (missing !== undefined) return missing;
  }
  return undefined;
}
