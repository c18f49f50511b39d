/**
 * What a store accepts: bounds, and the checks every implementation makes before it changes
 * anything, so that all of them refuse the same input. Values become JSON text here.
 */
import { assert } from '../base/assert.ts';
import { MIB } from '../model/limits.ts';
import { StoreError } from './store-error.ts';
import type {
  DocumentKey,
  Expectation,
  ListOptions,
  Revision,
  StoredDocument,
  WriteOperation,
} from './store.ts';

export const storeBounds = {
  /** One document as JSON text in UTF-8. A function's configuration with all documented quotas used is under 100 KB. */
  valueBytesMax: MIB,
  /** Each of collection, partition and id, in UTF-8: twice a function's longest ARN; three fit PostgreSQL's index rows. */
  keyPartBytesMax: 512,
  /** Arrays and objects inside one another; keeps recursion far from the end of the stack. */
  valueDepthMax: 100,
  /** Deleting a function with all of its versions is one commit. */
  commitOperationsMax: 10_000,
  commitBytesMax: 16 * MIB,
  /** Documents in one answer. */
  listLimitMax: 1_000,
} as const;

/** Added to each operation's bytes for its key and book-keeping, so that many tiny ones count too. */
const operationOverheadBytes = 128;

export interface EncodedDocument extends DocumentKey {
  readonly revision: Revision;
  readonly json: string;
}

export type EncodedOperation =
  | {
      readonly type: 'put';
      readonly key: DocumentKey;
      readonly json: string;
      readonly expect: Expectation;
    }
  | { readonly type: 'delete'; readonly key: DocumentKey; readonly expect: Expectation };

export interface EncodedCommit {
  readonly operations: readonly EncodedOperation[];
  readonly sizeBytes: number;
}

export function decodeDocument<Value>(encoded: EncodedDocument): StoredDocument<Value> {
  const { collection, partition, id, revision, json } = encoded;
  return { collection, partition, id, revision, value: JSON.parse(json) as Value };
}

/**
 * Checks a commit and turns its values into JSON text. Throws a StoreError `ValueTooLarge` or
 * `CommitTooLarge`; asserts everything else.
 */
export function encodeCommit(operations: readonly WriteOperation[]): EncodedCommit {
  assert(operations.length > 0, 'a commit has at least one operation');
  if (operations.length > storeBounds.commitOperationsMax) {
    const most = storeBounds.commitOperationsMax;
    throw new StoreError(
      'CommitTooLarge',
      `a commit of ${operations.length} operations: at most ${most} are allowed`,
    );
  }
  checkKeysOfCommit(operations);
  const encoded = operations.map(encodeOperation);
  const sizeBytes = encoded.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (sizeBytes > storeBounds.commitBytesMax) {
    const most = storeBounds.commitBytesMax;
    throw new StoreError(
      'CommitTooLarge',
      `a commit of ${sizeBytes} bytes: at most ${most} are allowed`,
    );
  }
  return { operations: encoded.map(({ operation }) => operation), sizeBytes };
}

function checkKeysOfCommit(operations: readonly WriteOperation[]): void {
  const partition = operations[0]?.key.partition;
  const seen = new Set<string>();
  for (const { key } of operations) {
    checkKey(key);
    assert(key.partition === partition, 'all keys of a commit share one partition');
    const name = JSON.stringify([key.collection, key.id]);
    assert(!seen.has(name), `a commit names each document once: ${name}`);
    seen.add(name);
  }
}

function encodeOperation(write: WriteOperation): {
  operation: EncodedOperation;
  sizeBytes: number;
} {
  const { collection, partition, id } = write.key;
  const key = { collection, partition, id };
  const expect = checkExpectation(write.expect);
  if (write.type === 'delete') {
    return { operation: { type: 'delete', key, expect }, sizeBytes: operationOverheadBytes };
  }
  const json = encodeValue(key, write.value);
  return {
    operation: { type: 'put', key, json, expect },
    sizeBytes: operationOverheadBytes + Buffer.byteLength(json),
  };
}

function encodeValue(key: DocumentKey, value: unknown): string {
  checkJson(value, 0);
  const json = JSON.stringify(value);
  const sizeBytes = Buffer.byteLength(json);
  if (sizeBytes > storeBounds.valueBytesMax) {
    const name = `${key.collection}/${key.partition}/${key.id}`;
    const most = storeBounds.valueBytesMax;
    throw new StoreError(
      'ValueTooLarge',
      `document ${name} is ${sizeBytes} bytes as JSON: at most ${most} are allowed`,
    );
  }
  return json;
}

function checkExpectation(expect: Expectation): Expectation {
  if (expect === 'absent' || expect === 'any') return expect;
  const { revision } = expect;
  assert(Number.isSafeInteger(revision) && revision > 0, `not a revision: ${revision}`);
  return { revision };
}

export function checkKey({ collection, partition, id }: DocumentKey): void {
  assert(collection !== '', 'a collection has a name');
  checkKeyPart(collection);
  checkKeyPart(partition);
  checkKeyPart(id);
}

/**
 * Unpaired surrogates have no UTF-8 form: two different keys would become one. U+0000 is no text to
 * PostgreSQL.
 */
function checkKeyPart(part: string): void {
  assert(typeof part === 'string' && part.isWellFormed(), 'a key is well-formed Unicode text');
  assert(!part.includes('\0'), 'a key has no U+0000');
  assert(Buffer.byteLength(part) <= storeBounds.keyPartBytesMax, 'a key is within its bound');
}

export function checkList(collection: string, { partition, after, limit }: ListOptions): void {
  checkKey({ collection, partition: partition ?? '', id: '' });
  if (after) checkKey({ collection, ...after });
  const inBounds = Number.isInteger(limit) && limit >= 1 && limit <= storeBounds.listLimitMax;
  assert(inBounds, `a list limit is 1 to ${storeBounds.listLimitMax}: ${limit}`);
}

export function checkCollections(collections: readonly string[]): void {
  assert(collections.length > 0, 'a watch names at least one collection');
  assert(new Set(collections).size === collections.length, 'a watch names each collection once');
  for (const collection of collections) checkKey({ collection, partition: '', id: '' });
}

/**
 * Asserts that the value is what JSON can say. A property that is undefined is left out of what is
 * stored, as JSON does: to TypeScript the two are alike when read back.
 */
function checkJson(value: unknown, depth: number): void {
  assert(depth <= storeBounds.valueDepthMax, 'a value is not nested without end');
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') return assert(Number.isFinite(value), `not JSON: ${value}`);
  assert(typeof value === 'object', `not JSON: a ${typeof value}`);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) checkJson(value[index], depth + 1);
    return;
  }
  assert(isPlainObject(value), 'not JSON: an instance of a class');
  for (const member of Object.values(value)) {
    if (member !== undefined) checkJson(member, depth + 1);
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
