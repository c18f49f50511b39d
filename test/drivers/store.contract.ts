/**
 * What every implementation of `Store` must do. Goal: code above the seam behaves the same on all
 * of them. Method: the whole interface, from outside, against a real instance; nothing is replaced.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { storeBounds } from '../../src/store/store-input.ts';
import type {
  Change,
  CommitResult,
  DocumentKey,
  Expectation,
  Revision,
  Store,
  WriteOperation,
} from '../../src/store/store.ts';

/** One place that state is kept in. */
export interface StorePlace {
  /** Opens what is there; nothing is there at first. Never while it is open already. */
  open(): Promise<Store>;
  remove(): Promise<void>;
}

export function describeStore(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`Store: ${name}`, () => {
    describe('documents', () => documentTests(makePlace));
    describe('commit', () => commitTests(makePlace));
    describe('list', () => listTests(makePlace));
    describe('watch', () => watchTests(makePlace));
    describe('bounds and input', () => inputTests(makePlace));
    describe('close and reopen', () => closeTests(makePlace));
  });
}

type MakePlace = () => Promise<StorePlace>;

/** A store for all tests of one group; each test uses collections of its own. */
function sharedStore(makePlace: MakePlace): () => Store {
  let place: StorePlace | undefined;
  let store: Store | undefined;
  before(async () => {
    place = await makePlace();
    store = await place.open();
  });
  after(async () => {
    await store?.close();
    await place?.remove();
  });
  return () => {
    assert.ok(store);
    return store;
  };
}

export function key(collection: string, partition: string, id = ''): DocumentKey {
  return { collection, partition, id };
}

export function put(at: DocumentKey, value: unknown, expect: Expectation = 'any'): WriteOperation {
  return { type: 'put', key: at, value, expect };
}

export function remove(at: DocumentKey, expect: Expectation = 'any'): WriteOperation {
  return { type: 'delete', key: at, expect };
}

export async function committed(result: Promise<CommitResult>): Promise<readonly Revision[]> {
  const { ok, ...rest } = await result;
  assert.ok(ok && 'revisions' in rest, `conflict: ${JSON.stringify(rest)}`);
  return rest.revisions;
}

function documentTests(makePlace: MakePlace): void {
  const store = sharedStore(makePlace);

  test('get of a key never written is undefined', async () => {
    assert.equal(await store().get(key('none', 'p', 'i')), undefined);
  });

  test('get returns the key, the revision and an equal value of its own', async () => {
    const at = key('equal', 'p', 'i');
    const value = {
      a: [1, 'two', null, true, { b: -0.5e-7 }],
      '': '',
      π: '𝄞\u0000\ud800',
      n: 2 ** 53,
    };
    const [revision] = await committed(store().commit([put(at, value)]));
    const first = await store().get(at);
    assert.deepEqual(first, { ...at, revision, value });
    value.a.push('changed by the writer');
    (first?.value as typeof value).a.push('changed by the reader');
    assert.equal(((await store().get(at))?.value as typeof value).a.length, 5);
  });

  for (const value of [null, false, 0, '', [], {}, 'text', JSON.parse('{"__proto__":1}')]) {
    test(`a value may be ${JSON.stringify(value)}`, async () => {
      const at = key('kinds', JSON.stringify(value));
      await committed(store().commit([put(at, value)]));
      assert.deepEqual((await store().get(at))?.value, value);
    });
  }

  test('a property that is undefined is left out', async () => {
    const at = key('left-out', 'p');
    await committed(store().commit([put(at, { a: undefined, b: 1 })]));
    assert.deepEqual((await store().get(at))?.value, { b: 1 });
  });

  test('keys that differ anywhere are different documents', async () => {
    const parts = ['a', 'b', 'a\u0001', 'a\u0001b', 'A', 'ä', 'a\u0308', ' a', '%', '_'];
    const keys = parts.flatMap((part) => [
      key(`c${part}`, 'p', 'i'),
      key('c', part, 'i'),
      key('c', 'p', part),
    ]);
    for (const at of keys) await committed(store().commit([put(at, at, 'absent')]));
    for (const at of keys) assert.deepEqual((await store().get(at))?.value, at);
  });
}

function commitTests(makePlace: MakePlace): void {
  const store = sharedStore(makePlace);

  test("expectation 'absent' holds only before the first put and after a delete", async () => {
    const at = key('absent', 'p');
    await committed(store().commit([put(at, 1, 'absent')]));
    assert.deepEqual(await store().commit([put(at, 2, 'absent')]), { ok: false, conflict: at });
    assert.equal((await store().get(at))?.value, 1);
    await committed(store().commit([remove(at)]));
    await committed(store().commit([put(at, 3, 'absent')]));
    assert.equal((await store().get(at))?.value, 3);
  });

  test('expectation of a revision holds for that revision only', async () => {
    const at = key('revision', 'p');
    const [first] = await committed(store().commit([put(at, 1)]));
    const [second] = await committed(store().commit([put(at, 2, { revision: first! })]));
    for (const revision of [first!, second! + 1]) {
      const expect = { revision };
      assert.deepEqual(await store().commit([put(at, 3, expect)]), { ok: false, conflict: at });
      assert.deepEqual(await store().commit([remove(at, expect)]), { ok: false, conflict: at });
    }
    await committed(store().commit([remove(at, { revision: second! })]));
    assert.deepEqual(await store().commit([put(at, 4, { revision: second! })]), {
      ok: false,
      conflict: at,
    });
    assert.equal(await store().get(at), undefined);
  });

  test('a delete of nothing is allowed when nothing is expected', async () => {
    const at = key('delete', 'p');
    assert.equal((await committed(store().commit([remove(at)]))).length, 1);
    assert.equal((await committed(store().commit([remove(at, 'absent')]))).length, 1);
    await committed(store().commit([put(at, 1)]));
    assert.deepEqual(await store().commit([remove(at, 'absent')]), { ok: false, conflict: at });
  });

  test('revisions increase from write to write, across keys, deletes and conflicts', async () => {
    const at = key('increase', 'p', 'a');
    const other = key('increase', 'p', 'b');
    const seen: Revision[] = [];
    for (let round = 0; round < 3; round++) {
      seen.push(...(await committed(store().commit([put(at, 1), put(other, 1)]))));
      await store().commit([put(at, 2, 'absent')]);
      seen.push(...(await committed(store().commit([remove(other), remove(at)]))));
    }
    const sorted = [...new Set(seen)].sort((left, right) => left - right);
    assert.deepEqual(seen, sorted);
    assert.ok(seen[0]! > 0);
  });

  test('a conflict names the first key that failed and writes nothing', async () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => key('first', 'p', id));
    await committed(store().commit([put(b!, 0), put(c!, 0)]));
    const operations = [
      put(a!, 1),
      put(b!, 1, 'any'),
      put(c!, 1, 'absent'),
      put(d!, 1, { revision: 1 }),
    ];
    assert.deepEqual(await store().commit(operations), { ok: false, conflict: c });
    const documents = await store().list('first', { limit: 10 });
    assert.deepEqual(
      documents.map(({ id, value }) => [id, value]),
      [
        ['b', 0],
        ['c', 0],
      ],
    );
  });

  test('one commit writes, replaces and deletes in several collections', async () => {
    const old = key('many-a', 'p', 'old');
    const kept = key('many-b', 'p');
    const fresh = key('many-c', 'p', 'fresh');
    await committed(store().commit([put(old, 1), put(kept, 1)]));
    const revisions = await committed(
      store().commit([remove(old), put(kept, 2), put(fresh, 2, 'absent')]),
    );
    assert.equal(revisions.length, 3);
    assert.equal(await store().get(old), undefined);
    assert.deepEqual(await store().get(kept), { ...kept, revision: revisions[1], value: 2 });
    assert.deepEqual(await store().get(fresh), { ...fresh, revision: revisions[2], value: 2 });
  });

  test('of concurrent writers that expect the same revision, one wins', async () => {
    const at = key('race', 'p');
    let [revision] = await committed(store().commit([put(at, 'start')]));
    for (let round = 0; round < 20; round++) {
      const expect = { revision: revision! };
      const writers = Array.from({ length: 16 }, (_, writer) =>
        store().commit([put(at, { round, writer }, expect)]),
      );
      const results = await Promise.all(writers);
      const winners = results.filter((result) => result.ok);
      assert.equal(winners.length, 1);
      const winner = results.findIndex((result) => result.ok);
      const stored = await store().get(at);
      assert.deepEqual(stored?.value, { round, writer: winner });
      revision = stored.revision;
    }
  });

  test('concurrent read-modify-write loops lose no increment', async () => {
    const at = key('counter', 'p');
    await committed(store().commit([put(at, 0)]));
    const increment = async (): Promise<void> => {
      for (;;) {
        const { revision, value } = (await store().get<number>(at))!;
        if ((await store().commit([put(at, value + 1, { revision })])).ok) return;
      }
    };
    const writer = async (): Promise<void> => {
      for (let count = 0; count < 20; count++) await increment();
    };
    await Promise.all(Array.from({ length: 8 }, writer));
    assert.equal((await store().get(at))?.value, 160);
  });

  test('4,000 commits at once all succeed, with revisions of their own', async () => {
    const commits = Array.from({ length: 4_000 }, (_, index) =>
      committed(store().commit([put(key('storm', `p${index % 50}`, `${index}`), index, 'absent')])),
    );
    const revisions = (await Promise.all(commits)).flat();
    assert.equal(new Set(revisions).size, 4_000);
    let count = 0;
    for (let partition = 0; partition < 50; partition++) {
      const documents = await store().list('storm', { partition: `p${partition}`, limit: 1_000 });
      for (const { id, revision } of documents) assert.equal(revision, revisions[Number(id)]);
      count += documents.length;
    }
    assert.equal(count, 4_000);
  });
}

/** Sorted as UTF-8 bytes; sorting as UTF-16 would put U+FB00 and U+FF5E last. */
const sortedNames = [
  '',
  '\u0001',
  ' ',
  '$LATEST',
  '1',
  '10',
  '2',
  'A',
  'a',
  'a\u0001',
  'a-',
  'aa',
  'z',
  'ä',
  'π',
  '\ud7ff',
  'ﬀ',
  '～',
  '\uffff',
  '𝄞',
  '😀',
  '\u{10ffff}',
];

function listTests(makePlace: MakePlace): void {
  const store = sharedStore(makePlace);
  const pairs = sortedNames.flatMap((partition) => sortedNames.map((id) => ({ partition, id })));
  before(async () => {
    const keys = pairs.map(({ partition, id }) => key('names', partition, id));
    for (const at of [...keys].reverse()) await committed(store().commit([put(at, at.id)]));
    await committed(store().commit([put(key('names2', 'a', 'a'), 1)]));
    await committed(store().commit([put(key('name', 'a', 'a'), 1)]));
  });

  async function listed(
    options: { partition?: string; after?: { partition: string; id: string } },
    limit: number = storeBounds.listLimitMax,
  ): Promise<{ partition: string; id: string }[]> {
    const documents = await store().list('names', { ...options, limit });
    for (const { id, value } of documents) assert.equal(value, id);
    return documents.map(({ partition, id }) => ({ partition, id }));
  }

  test('documents come in UTF-8 byte order of (partition, id)', async () => {
    assert.deepEqual(await listed({}), pairs);
  });

  test('a partition lists only its own', async () => {
    for (const partition of sortedNames) {
      const expected = sortedNames.map((id) => ({ partition, id }));
      assert.deepEqual(await listed({ partition }), expected);
    }
    assert.deepEqual(await listed({ partition: 'b' }), []);
  });

  for (const limit of [1, 7, 22, 483, 484, 485]) {
    test(`pages of ${limit} together are the whole, once each`, async () => {
      const seen: { partition: string; id: string }[] = [];
      for (;;) {
        const last = seen.at(-1);
        const page = await listed(last ? { after: last } : {}, limit);
        seen.push(...page);
        if (page.length < limit) break;
      }
      assert.deepEqual(seen, pairs);
    });
  }

  test('after starts strictly behind a key, there or not', async () => {
    assert.deepEqual((await listed({ after: { partition: 'a', id: 'b' } }, 1))[0], {
      partition: 'a',
      id: 'z',
    });
    assert.deepEqual(await listed({ after: { partition: '\u{10ffff}', id: '\u{10ffff}' } }), []);
    assert.deepEqual((await listed({ after: { partition: 'b', id: '' } }, 1))[0], {
      partition: 'z',
      id: '',
    });
  });

  test('after within a partition', async () => {
    const rest = await listed({ partition: 'a', after: { partition: 'a', id: '～' } });
    assert.deepEqual(
      rest.map(({ id }) => id),
      sortedNames.slice(sortedNames.indexOf('～') + 1),
    );
    const earlier = { partition: 'A', id: 'z' };
    assert.equal((await listed({ partition: 'a', after: earlier })).length, sortedNames.length);
    assert.deepEqual(await listed({ partition: 'a', after: { partition: 'aa', id: '' } }), []);
  });

  test('a collection that was never written lists nothing', async () => {
    assert.deepEqual(await store().list('nothing', { limit: 1 }), []);
  });
}

function watchTests(makePlace: MakePlace): void {
  const store = sharedStore(makePlace);

  test('watch delivers what is there before it resolves, then every change', async () => {
    const [a, b] = [key('feed', 'p', 'a'), key('feed', 'q', 'b')];
    const [first] = await committed(store().commit([put(a, 1)]));
    const calls: (readonly Change[])[] = [];
    const subscription = await store().watch(['feed'], (changes) => calls.push(changes));
    const initial: Change = { type: 'put', document: { ...a, revision: first!, value: 1 } };
    assert.deepEqual(calls, [[initial]]);
    const [second] = await committed(store().commit([put(b, 2)]));
    const [third] = await committed(store().commit([remove(a)]));
    subscription.close();
    await committed(store().commit([put(a, 3)]));
    assert.deepEqual(calls, [
      [initial],
      [{ type: 'put', document: { ...b, revision: second, value: 2 } }],
      [{ type: 'delete', key: a, revision: third }],
    ]);
  });

  test('watch delivers thousands of documents in order, however many calls they take', async () => {
    const keys = Array.from({ length: 2_300 }, (_, index) =>
      key(index % 2 === 0 ? 'feed-many-a' : 'feed-many-b', 'p', String(index).padStart(5, '0')),
    );
    await committed(store().commit(keys.map((at) => put(at, at.id))));
    const delivered: (readonly [string, unknown])[] = [];
    let change: Promise<unknown> | undefined;
    const subscription = await store().watch(['feed-many-b', 'feed-many-a'], (changes) => {
      // Begun between two parts of what is there: delivered behind all of it.
      change ??= store().commit([put(key('feed-many-b', 'p', '00000'), 'new')]);
      for (const one of changes) {
        if (one.type === 'put') delivered.push([one.document.collection, one.document.value]);
      }
    });
    const idsOf = (collection: string): (readonly [string, unknown])[] =>
      keys.filter((at) => at.collection === collection).map(({ id }) => [collection, id]);
    const present = [...idsOf('feed-many-b'), ...idsOf('feed-many-a')];
    assert.deepEqual(delivered.slice(0, present.length), present);
    await change;
    subscription.close();
    assert.deepEqual(delivered, [...present, ['feed-many-b', 'new']]);
  });

  test('only changes of the watched collections are delivered, a commit in one call', async () => {
    const calls: (readonly Change[])[] = [];
    const collections = ['feed-a', 'feed-c'];
    const subscription = await store().watch(collections, (changes) => calls.push(changes));
    const keys = ['feed-c', 'feed-b', 'feed-a'].map((collection) => key(collection, 'p'));
    await committed(store().commit(keys.map((at) => put(at, at))));
    await committed(store().commit([put(key('feed-b', 'p'), 'unseen')]));
    subscription.close();
    assert.deepEqual(
      calls.map((changes) =>
        changes.map((change) => change.type === 'put' && change.document.collection),
      ),
      [['feed-c', 'feed-a']],
    );
  });

  test('conflicts and deletes of nothing are not delivered', async () => {
    const at = key('feed-none', 'p');
    const calls: (readonly Change[])[] = [];
    const subscription = await store().watch(['feed-none'], (changes) => calls.push(changes));
    await committed(store().commit([remove(at)]));
    await store().commit([put(at, 1, { revision: 1 })]);
    await committed(store().commit([remove(at), put(key('feed-none', 'p', 'x'), 1)]));
    subscription.close();
    assert.equal(calls.length, 1);
    assert.equal(calls[0]?.length, 1);
  });

  test('a change is delivered before its commit resolves', async () => {
    let latest = 0;
    const subscription = await store().watch(['feed-early'], (changes) => {
      for (const change of changes) if (change.type === 'put') latest = change.document.revision;
    });
    for (let count = 0; count < 20; count++) {
      const [revision] = await committed(store().commit([put(key('feed-early', 'p'), count)]));
      assert.equal(latest, revision);
    }
    subscription.close();
  });

  test('listeners cannot alter what other listeners and readers get', async () => {
    const at = key('feed-own', 'p');
    const seen: unknown[] = [];
    const listener = (changes: readonly Change[]): void => {
      for (const change of changes) {
        if (change.type !== 'put') continue;
        const value = change.document.value as { list: string[] };
        seen.push([...value.list]);
        value.list.push('altered');
      }
    };
    const subscriptions = [
      await store().watch(['feed-own'], listener),
      await store().watch(['feed-own'], listener),
    ];
    await committed(store().commit([put(at, { list: [] })]));
    for (const subscription of subscriptions) subscription.close();
    assert.deepEqual(seen, [[], []]);
    assert.deepEqual((await store().get(at))?.value, { list: [] });
  });

  test('a listener may commit and close', async () => {
    const at = key('feed-again', 'p');
    const answer = Promise.withResolvers<CommitResult>();
    let calls = 0;
    const subscription = await store().watch(['feed-again'], () => {
      calls++;
      subscription.close();
      store()
        .commit([put(at, 'answer')])
        .then(answer.resolve, answer.reject);
    });
    await committed(store().commit([put(at, 'question')]));
    await committed(answer.promise);
    assert.equal(calls, 1);
    assert.equal((await store().get(at))?.value, 'answer');
  });

  /**
   * Subscribers join at random points of a storm of commits. Each must end with exactly what the
   * store holds, have seen every revision after its snapshot once and in order, and whole commits.
   */
  test('a watch begun among concurrent writers misses nothing and repeats nothing', async () => {
    const watchers: Promise<Mirror>[] = [];
    const writer = async (index: number): Promise<void> => {
      for (let round = 0; round < 60; round++) {
        const partition = `p${index % 4}`;
        const ids = [`${(index + round) % 5}`, `${(index + round + 1) % 5}`];
        const stamp = `${index}.${round}`;
        const commit = ids.map((id, place) =>
          (round + place) % 4 === 3
            ? remove(key('feed-storm', partition, id))
            : put(key('feed-storm', partition, id), stamp),
        );
        if (round % 10 === index % 10) watchers.push(watchMirror(store(), 'feed-storm'));
        await committed(store().commit(commit));
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, index) => writer(index)));
    const mirrors = await Promise.all(watchers);
    const stored = await store().list('feed-storm', { limit: 1_000 });
    const expected = new Map(stored.map((document) => [nameOf(document), document]));
    assert.ok(mirrors.length >= 12);
    for (const mirror of mirrors) {
      mirror.close();
      assert.deepEqual(mirror.problems, []);
      assert.deepEqual(mirror.documents, expected);
    }
  });
}

interface Mirror {
  readonly documents: Map<string, unknown>;
  readonly problems: string[];
  close(): void;
}

function nameOf({ partition, id }: { partition: string; id: string }): string {
  return `${partition}/${id}`;
}

/** Keeps a copy of a collection from its change feed and notes what the feed must not do. */
async function watchMirror(store: Store, collection: string): Promise<Mirror> {
  const documents = new Map<string, unknown>();
  const problems: string[] = [];
  let isInitial = true;
  let latest = 0;
  const subscription = await store.watch([collection], (changes) => {
    for (const change of changes) {
      const { revision } = change.type === 'put' ? change.document : change;
      if (!isInitial && revision <= latest) problems.push(`${revision} came after ${latest}`);
      latest = Math.max(latest, revision);
      if (change.type === 'put') documents.set(nameOf(change.document), change.document);
      else if (!documents.delete(nameOf(change.key))) problems.push(`${revision} deletes nothing`);
    }
    if (!isInitial && changes.length > 2)
      problems.push(`${changes.length} changes of a commit of two`);
    isInitial = false;
  });
  return { documents, problems, close: () => subscription.close() };
}

function inputTests(makePlace: MakePlace): void {
  const store = sharedStore(makePlace);
  const at = key('input', 'p');

  /** A string whose JSON text, with its quotes, has the given length. */
  const valueOf = (sizeBytes: number): string => 'x'.repeat(sizeBytes - 2);

  test('a value of the largest size is stored; one byte more is refused', async () => {
    const value = valueOf(storeBounds.valueBytesMax);
    await committed(store().commit([put(at, value)]));
    assert.equal((await store().get(at))?.value, value);
    await assert.rejects(store().commit([put(at, `${value}x`)]), { code: 'ValueTooLarge' });
    assert.equal((await store().get(at))?.value, value);
  });

  test('the size of a value is counted in UTF-8 bytes', async () => {
    const value = 'ä'.repeat(storeBounds.valueBytesMax / 2);
    await assert.rejects(store().commit([put(at, value)]), { code: 'ValueTooLarge' });
  });

  test('a commit of too many bytes is refused whole', async () => {
    const count = Math.ceil(storeBounds.commitBytesMax / storeBounds.valueBytesMax);
    const operations = Array.from({ length: count }, (_, index) =>
      put(key('input-bytes', 'p', `${index}`), valueOf(storeBounds.valueBytesMax)),
    );
    await assert.rejects(store().commit(operations), { code: 'CommitTooLarge' });
    assert.equal((await committed(store().commit(operations.slice(1)))).length, count - 1);
    assert.equal(await store().get(key('input-bytes', 'p', '0')), undefined);
  });

  test('a commit of the most operations is applied; one more is refused', async () => {
    const operations = Array.from({ length: storeBounds.commitOperationsMax + 1 }, (_, index) =>
      put(key('input-count', 'p', `${index}`), index),
    );
    await assert.rejects(store().commit(operations), { code: 'CommitTooLarge' });
    const revisions = await committed(store().commit(operations.slice(1)));
    assert.equal(revisions.length, storeBounds.commitOperationsMax);
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  const notJson: [string, unknown][] = [
    ['undefined', undefined],
    ['NaN', { a: [Number.NaN] }],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a bigint', [1n]],
    ['a function', { a: () => 1 }],
    ['a symbol', Symbol('s')],
    ['a date', { at: new Date(0) }],
    ['a map', new Map()],
    ['bytes', Buffer.from('x')],
    ['an array with a hole', [1, , 2]],
    ['an array with undefined', [undefined]],
    ['an object with toJSON', { toJSON: () => 'x' }],
    ['a cycle', cycle],
  ];
  for (const [name, value] of notJson) {
    test(`${name} is a programmer error`, async () => {
      await assert.rejects(store().commit([put(key('not-json', 'p'), value)]), {
        name: 'AssertionError',
      });
      assert.equal(await store().get(key('not-json', 'p')), undefined);
    });
  }

  const longest = 'k'.repeat(storeBounds.keyPartBytesMax);
  test('a key of the longest parts is stored; longer is a programmer error', async () => {
    await committed(store().commit([put(key(longest, longest, longest), 1)]));
    assert.equal((await store().get(key(longest, longest, longest)))?.value, 1);
    await assert.rejects(store().get(key('input', `${longest}k`)), { name: 'AssertionError' });
  });

  const misuses: [string, () => Promise<unknown>][] = [
    ['a commit of nothing', () => store().commit([])],
    ['two partitions', () => store().commit([put(key('c', 'p'), 1), put(key('c', 'q'), 1)])],
    ['a document twice', () => store().commit([put(at, 1), remove(at)])],
    ['revision 0', () => store().commit([put(at, 1, { revision: 0 })])],
    ['an unpaired surrogate in a key', () => store().get(key('c', '\ud800'))],
    ['U+0000 in a key', () => store().get(key('c', 'p', 'a\u0000'))],
    ['an empty collection', () => store().get(key('', 'p'))],
    ['a list limit of 0', () => store().list('c', { limit: 0 })],
    [
      'a list limit over the bound',
      () => store().list('c', { limit: storeBounds.listLimitMax + 1 }),
    ],
    ['a watch of nothing', () => store().watch([], () => {})],
    ['a watch of a collection twice', () => store().watch(['c', 'c'], () => {})],
  ];
  for (const [name, misuse] of misuses) {
    test(`${name} is a programmer error`, async () => {
      await assert.rejects(misuse(), { name: 'AssertionError' });
    });
  }
}

function closeTests(makePlace: MakePlace): void {
  let place: StorePlace | undefined;
  before(async () => {
    place = await makePlace();
  });
  after(() => place?.remove());
  const open = (): Promise<Store> => place!.open();

  test('what was committed is there after closing and opening again', async () => {
    const keys = Array.from({ length: 100 }, (_, index) =>
      key('kept', `p${index % 3}`, `${index}`),
    );
    const first = await open();
    for (const at of keys) await committed(first.commit([put(at, at)]));
    await committed(first.commit([remove(keys[0]!)]));
    const before = await first.list('kept', { limit: 1_000 });
    await first.close();
    const second = await open();
    assert.equal(before.length, 99);
    assert.deepEqual(await second.list('kept', { limit: 1_000 }), before);
    await second.close();
  });

  test('revisions go on increasing after everything was deleted and the store was closed', async () => {
    const at = key('sequence', 'p');
    let latest = 0;
    for (let round = 0; round < 3; round++) {
      const store = await open();
      const [written] = await committed(store.commit([put(at, round)]));
      const [deleted] = await committed(store.commit([remove(at)]));
      assert.ok(written! > latest && deleted! > written!);
      latest = deleted!;
      await store.close();
    }
  });

  test('calls made before close finish; calls after it are refused', async () => {
    const store = await open();
    const at = key('closing', 'p');
    const commits = Array.from({ length: 50 }, (_, index) =>
      committed(store.commit([put(key('closing', 'p', `${index}`), index)])),
    );
    const read = store.get(at);
    const closed = store.close();
    assert.equal((await Promise.all(commits)).length, 50);
    assert.equal(await read, undefined);
    await closed;
    const refused = { code: 'Closed' };
    await assert.rejects(store.get(at), refused);
    await assert.rejects(store.list('closing', { limit: 1 }), refused);
    await assert.rejects(store.commit([put(at, 1)]), refused);
    await assert.rejects(
      store.watch(['closing'], () => {}),
      refused,
    );
    const again = await open();
    assert.equal((await again.list('closing', { limit: 100 })).length, 50);
    await again.close();
  });

  test('closing twice, or at once after opening, is allowed', async () => {
    const store = await open();
    await Promise.all([store.close(), store.close()]);
    await store.close();
  });
}
