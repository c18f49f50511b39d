/**
 * The names of all constraints that the service model has for an operation's input, read from it a second
 * time and as simply as can be, to tell whether one has been forgotten (broken-inputs.ts).
 */
import type { Member, Operation, Shape } from '../../src/model/service-model.ts';

/** For example `CreateFunction Code.S3Bucket: min`, without those that nothing can break. */
export function* modelConstraintsOf({ name, input }: Operation): Generator<string> {
  for (const member of input?.members ?? []) yield* ofMember(member, `${name} ${member.name}`);
}

function* ofMember(
  { required, shape, location }: Member,
  place: string,
  from = location,
): Generator<string> {
  // Without its label a path is another path.
  if (required && from !== 'uri') yield `${place}: required`;
  yield* ofShape(shape, place, from);
}

function* ofShape(shape: Shape, place: string, from: Member['location']): Generator<string> {
  for (const kind of ['min', 'max', 'pattern', 'enumValues'] as const) {
    const value = shape[kind];
    if (value === undefined) continue;
    if (kind === 'min' && Number(value) <= leastOf(shape, from)) continue;
    yield `${place}: ${kind === 'enumValues' ? 'enum' : kind}`;
  }
  if (from === 'body' || isText(shape)) yield `${place}: type`;
  if (shape.element !== undefined) yield* ofShape(shape.element, `${place}[]`, from);
  if (shape.key !== undefined) yield* ofShape(shape.key, `${place}{key}`, 'uri');
  if (shape.value !== undefined) yield* ofShape(shape.value, `${place}{}`, from);
  for (const member of shape.members) yield* ofMember(member, `${place}.${member.name}`, from);
}

/** What nothing is below: no text is shorter than none, and outside of a body the empty one is no value. */
function leastOf({ type }: Shape, from: Member['location']): number {
  if (['integer', 'long', 'double'].includes(type)) return -Infinity;
  const isEmptyValue = from === 'body' || (from === 'querystring' && type === 'string');
  return isEmptyValue ? 0 : 1;
}

/** Of a type that is written as text outside of a body, where some text is none. */
function isText({ type }: Shape): boolean {
  return ['integer', 'long', 'boolean', 'double', 'timestamp'].includes(type);
}
