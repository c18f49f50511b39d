/** Copies of objects with fewer members. */

/** A copy of an object without some of its members. */
export function omitMembers<Value extends object, Member extends keyof Value>(
  value: Value,
  members: readonly Member[],
): Omit<Value, Member> {
  const copy = { ...value };
  for (const member of members) delete copy[member];
  return copy;
}

/** The members that are not undefined. */
export function defined<T extends object>(
  value: T,
): { [Member in keyof T]: Exclude<T[Member], undefined> } {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as { [Member in keyof T]: Exclude<T[Member], undefined> };
}
