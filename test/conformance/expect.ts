/** What conformance tests say of many operations: refusals as a whole, races, listings to their end. */
import assert from 'node:assert/strict';
import { arnOf, refused as refusal, type ErrorName } from './server.ts';

/** Errors of the protocol: their bodies have no `Type` (docs/reference/errors.md). */
const untyped: ReadonlySet<ErrorName> = new Set(['AccessDeniedException', 'ValidationException']);

interface SdkError extends Error {
  readonly Type?: string;
  readonly $metadata: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** The call is refused with this error: its name, status, message and the members of its body. */
export async function refused(
  call: Promise<unknown>,
  name: ErrorName,
  message: string | RegExp,
): Promise<void> {
  const isRefusal = refusal(name, message);
  await assert.rejects(call, (error: SdkError) => {
    assert.equal(error.Type, untyped.has(name) ? undefined : 'User');
    assert.match(error.$metadata.requestId ?? '', /^[0-9a-f-]{36}$/);
    return isRefusal(error);
  });
}

/** Refused by the service model: one violation at one member. */
export async function invalid(call: Promise<unknown>, member: string, rest = /./): Promise<void> {
  await refused(
    call,
    'ValidationException',
    new RegExp(
      `^1 validation error detected: Value .*at '${member}' failed to satisfy constraint: .*${rest.source}`,
      's',
    ),
  );
}

/** In the words of floci #2821. */
export function notFound(call: Promise<unknown>, name: string, qualifier?: string): Promise<void> {
  const arn = qualifier === undefined ? arnOf(name) : `${arnOf(name)}:${qualifier}`;
  return refused(call, 'ResourceNotFoundException', `Function not found: ${arn}`);
}

/** A RevisionId that is not the present one. */
export function stale(call: Promise<unknown>): Promise<void> {
  return refused(
    call,
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias ' +
      'API to retrieve the latest Revision Id',
  );
}

/** Of changes that name one RevisionId exactly one is done; gives its answer. */
export async function oneWins<Answer>(calls: readonly Promise<Answer>[]): Promise<Answer> {
  const outcomes = await Promise.allSettled(calls);
  const winners: Answer[] = [];
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') winners.push(outcome.value);
    else assert.equal((outcome.reason as Error).name, 'PreconditionFailedException');
  }
  const [winner] = winners;
  assert.equal(winners.length, 1);
  assert.ok(winner);
  return winner;
}

interface Page {
  readonly NextMarker?: string | undefined;
}

/** All pages of a listing, whose last one has no marker. */
export async function allPages<Answer extends Page>(
  list: (Marker: string | undefined) => Promise<Answer>,
): Promise<Answer[]> {
  const pages: Answer[] = [];
  let marker: string | undefined;
  do {
    const page = await list(marker);
    pages.push(page);
    marker = page.NextMarker;
  } while (marker !== undefined);
  return pages;
}

/**
 * A listing gives `expected` at every page size from 1 to 50, in full pages but for the last, and ends
 * without a marker.
 */
export async function pagesThrough<Answer extends Page, Item>(
  expected: readonly Item[],
  list: (options: { Marker: string | undefined; MaxItems: number }) => Promise<Answer>,
  itemsOf: (page: Answer) => readonly Item[],
): Promise<void> {
  const whole = Math.min(Math.max(expected.length, 1), 50);
  for (const MaxItems of [1, 2, 3, 7, whole, 50]) {
    const pages = await allPages((Marker) => list({ Marker, MaxItems }));
    assert.deepEqual(
      pages.map((page) => itemsOf(page).length),
      sizesOf(expected.length, MaxItems),
    );
    assert.deepEqual(pages.flatMap(itemsOf), expected);
  }
}

/** The paginator of the SDK gives `expected`, too, at page sizes from 1 to 50. */
export async function paginatesThrough<Answer, Item>(
  expected: readonly Item[],
  paginate: (pageSize: number) => AsyncIterable<Answer>,
  itemsOf: (page: Answer) => readonly Item[],
): Promise<void> {
  for (const pageSize of [1, 2, 3, 50]) {
    const found: Item[] = [];
    for await (const page of paginate(pageSize)) found.push(...itemsOf(page));
    assert.deepEqual(found, expected);
  }
}

function sizesOf(total: number, pageSize: number): number[] {
  const sizes: number[] = [];
  for (let left = total; left > 0; left -= pageSize) sizes.push(Math.min(left, pageSize));
  return sizes.length === 0 ? [0] : sizes;
}

/** The names that a function can be given by; all operations take each of them. */
export function nameForms(name: string): string[] {
  return [
    name,
    `function:${name}`,
    `000000000000:function:${name}`,
    `us-east-1:000000000000:function:${name}`,
    arnOf(name),
  ];
}

/** A listing of what one function has takes pages of 1 to 50, and only markers that it gave itself. */
export async function refusesOtherPages(
  list: (page: { Marker?: string; MaxItems?: number }) => Promise<unknown>,
): Promise<void> {
  for (const MaxItems of [0, 51]) await invalid(list({ MaxItems }), 'maxItems');
  for (const Marker of ['x', Buffer.from('other:live').toString('base64url')]) {
    await refused(
      list({ Marker }),
      'InvalidParameterValueException',
      'The marker is not one that a listing gave.',
    );
  }
}

/** What is done to $LATEST alone refuses to be done to a version or an alias. */
export async function onlyForLatest(
  name: string,
  call: (form: string) => Promise<unknown>,
): Promise<void> {
  for (const form of [`${name}:1`, `${arnOf(name)}:live`]) {
    await refused(
      call(form),
      'InvalidParameterValueException',
      'Current operation does not support versions other than $LATEST',
    );
  }
}
