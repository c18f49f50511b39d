/** A copy of an object without some of its members. */
export function omitMembers<Value extends object, Member extends keyof Value>(
  value: Value,
  members: readonly Member[],
): Omit<Value, Member> {
  const copy = { ...value };
  for (const member of members) delete copy[member];
  return copy;
}
