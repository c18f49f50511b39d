/** What the data plane knows, fed by a real change feed. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { aliasCollections, type AliasRecord } from '../model/alias.ts';
import {
  collections,
  versionDocumentId,
  type FunctionRecord,
  type VersionRecord,
} from '../model/function.ts';
import type { LastUpdateStatus, State } from '../model/generated/api-types.ts';
import type { Store } from '../store/store.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { FunctionDirectory } from './function-directory.ts';

let store: Store;
let directory: FunctionDirectory;
let known: string[];
let retired: string[];
let reserves: [string, number | undefined | 'deleted'][];

function createDirectory(): FunctionDirectory {
  known = [];
  retired = [];
  reserves = [];
  return new FunctionDirectory({
    onVersion: ({ key }) => void known.push(key),
    onRetired: (key) => void retired.push(key),
    onReserve: (name, reserved) => void reserves.push([name, reserved]),
    onDeleted: (name) => void reserves.push([name, 'deleted']),
  });
}

beforeEach(async () => {
  store = createMemoryStore();
  directory = createDirectory();
  await directory.open(store);
});
afterEach(async () => {
  directory.close();
  await store.close();
});

interface RecordOptions {
  readonly version?: string;
  readonly state?: State;
  readonly updateStatus?: LastUpdateStatus;
}

function record(buildId: string, options: RecordOptions = {}): VersionRecord {
  const { version = '$LATEST', state = 'Active', updateStatus = 'Successful' } = options;
  return {
    buildId,
    code: { hash: `code-${buildId}`, zippedBytes: 1, unzippedBytes: 1 },
    configuration: {
      FunctionName: 'one',
      FunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:one${version === '$LATEST' ? '' : `:${version}`}`,
      Version: version,
      State: state,
      LastUpdateStatus: updateStatus,
      RevisionId: 'r',
      LastModified: 'now',
      Timeout: 3,
      MemorySize: 128,
      EphemeralStorage: { Size: 512 },
      CodeSha256: '',
      CodeSize: 1,
      PackageType: 'Zip',
      Role: 'role',
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
    },
  };
}

async function putLatest(buildId: string, options: RecordOptions = {}): Promise<void> {
  const value: FunctionRecord = { latest: record(buildId, options), tags: {} };
  const key = { collection: collections.function, partition: 'one', id: '' };
  await store.commit([{ type: 'put', key, value, expect: 'any' }]);
}

function versionKey(version: string): { collection: string; partition: string; id: string } {
  return { collection: collections.version, partition: 'one', id: versionDocumentId(version) };
}

async function putVersion(version: string, buildId: string): Promise<void> {
  const value = record(buildId, { version });
  await store.commit([{ type: 'put', key: versionKey(version), value, expect: 'any' }]);
}

test('a version’s layers are known in their order, and none for documents without any', async () => {
  const code = (hash: string) => ({ hash, zippedBytes: 1, unzippedBytes: 1 });
  const layers = ['low', 'high'].map((hash) => ({ arn: `arn:${hash}`, code: code(hash) }));
  const value = { ...record('b1', { version: '1' }), layers };
  await store.commit([{ type: 'put', key: versionKey('1'), value, expect: 'any' }]);
  await putVersion('2', 'b2');
  assert.deepEqual(directory.find('one', '1')?.layerHashes, ['low', 'high']);
  assert.deepEqual(directory.find('one', '2')?.layerHashes, []);
});

test('a function is found by no qualifier, $LATEST or a published number, and nothing else', async () => {
  await putLatest('b1');
  await putVersion('1', 'b2');
  assert.equal(directory.find('one', undefined)?.codeHash, 'code-b1');
  assert.equal(directory.find('one', '$LATEST')?.version, '$LATEST');
  assert.equal(directory.find('one', '1')?.codeHash, 'code-b2');
  for (const qualifier of ['2', '01', '', 'PROD', '__proto__']) {
    assert.equal(directory.find('one', qualifier), undefined);
  }
  assert.equal(directory.find('two', undefined), undefined);
  assert.equal(directory.find('__proto__', undefined), undefined);
});

test('what was stored before is known once open has resolved', async () => {
  await putLatest('b1');
  await putVersion('1', 'b2');
  directory.close();
  directory = createDirectory();
  await directory.open(store);
  assert(directory.find('one', undefined));
  assert(directory.find('one', '1'));
  assert.deepEqual(known.toSorted(), ['one:$LATEST:b1', 'one:1:b2']);
});

test('a pending function is known as such, and becoming active retires nothing', async () => {
  await putLatest('b1', { state: 'Pending', updateStatus: 'InProgress' });
  assert.equal(directory.find('one', undefined)?.state, 'Pending');
  await putLatest('b1');
  assert.equal(directory.find('one', undefined)?.state, 'Active');
  assert.deepEqual(retired, []);
});

test('an update under way or failed leaves what was there serving; a successful one retires it', async () => {
  await putLatest('b1');
  for (const updateStatus of ['InProgress', 'Failed'] as const) {
    await putLatest('b2', { updateStatus });
    assert.equal(directory.find('one', undefined)?.codeHash, 'code-b1');
    assert.deepEqual(retired, []);
  }
  await putLatest('b3');
  assert.equal(directory.find('one', undefined)?.codeHash, 'code-b3');
  assert.deepEqual(retired, ['one:$LATEST:b1']);
});

test('a change that builds nothing new, such as of a tag, retires nothing', async () => {
  await putLatest('b1');
  await putLatest('b1');
  assert.deepEqual(retired, []);
});

test('deleting a version or a function retires what it had', async () => {
  await putLatest('b1');
  await putVersion('1', 'b2');
  await putVersion('2', 'b3');
  await store.commit([{ type: 'delete', key: versionKey('1'), expect: 'any' }]);
  assert.equal(directory.find('one', '1'), undefined);
  assert.deepEqual(retired, ['one:1:b2']);
  await store.commit([
    { type: 'delete', key: versionKey('2'), expect: 'any' },
    {
      type: 'delete',
      key: { collection: collections.function, partition: 'one', id: '' },
      expect: 'any',
    },
  ]);
  assert.equal(directory.find('one', undefined), undefined);
  assert.equal(directory.find('one', '2'), undefined);
  assert.deepEqual(retired.toSorted(), ['one:$LATEST:b1', 'one:1:b2', 'one:2:b3']);
});

test('a function made again under its name is a new one', async () => {
  await putLatest('b1');
  const key = { collection: collections.function, partition: 'one', id: '' };
  await store.commit([{ type: 'delete', key, expect: 'any' }]);
  await putLatest('b2', { state: 'Pending', updateStatus: 'InProgress' });
  assert.equal(directory.find('one', undefined)?.state, 'Pending');
});

test('reserves are told as they change, whatever the state of the function, and its deletion', async () => {
  const key = { collection: collections.function, partition: 'one', id: '' };
  const put = async (reservedConcurrency: number): Promise<void> => {
    const latest = record('b1', { updateStatus: 'InProgress' });
    const value: FunctionRecord = { latest, tags: {}, reservedConcurrency };
    await store.commit([{ type: 'put', key, value, expect: 'any' }]);
  };
  await putLatest('b1');
  await put(0);
  directory.close();
  const earlier = reserves;
  directory = createDirectory();
  await directory.open(store);
  await put(7);
  await putLatest('b1');
  await store.commit([{ type: 'delete', key, expect: 'any' }]);
  assert.deepEqual(earlier, [
    ['one', undefined],
    ['one', 0],
  ]);
  assert.deepEqual(reserves, [
    ['one', 0],
    ['one', 7],
    ['one', undefined],
    ['one', 'deleted'],
  ]);
  assert.deepEqual(retired, ['one:$LATEST:b1'], 'by the deletion alone');
});

test('aliases are known with where they lead, from the first moment and as they change', async () => {
  const key = { collection: aliasCollections.alias, partition: 'one', id: 'live' };
  const put = async (FunctionVersion: string, weights?: Record<string, number>): Promise<void> => {
    const RoutingConfig = weights && { AdditionalVersionWeights: weights };
    const alias = { Name: 'live', FunctionVersion, RoutingConfig, RevisionId: 'r' };
    const value: AliasRecord = { configuration: alias };
    await store.commit([{ type: 'put', key, value, expect: 'any' }]);
  };
  const main = { version: '1', additionalVersion: undefined, additionalShare: 0 };
  await putLatest('b1');
  await put('1');
  directory.close();
  directory = createDirectory();
  await directory.open(store);
  assert.deepEqual(directory.findAlias('one', 'live'), main);
  assert.equal(directory.findAlias('one', '1'), undefined);
  assert.equal(directory.findAlias('other', 'live'), undefined);
  await put('$LATEST');
  assert.deepEqual(directory.findAlias('one', 'live'), { ...main, version: '$LATEST' });
  await put('1', { '2': 0.3 });
  const weighted = { version: '1', additionalVersion: '2', additionalShare: 0.3 };
  assert.deepEqual(directory.findAlias('one', 'live'), weighted);
  assert.deepEqual(known, ['one:$LATEST:b1'], 'an alias is no version');
  await store.commit([{ type: 'delete', key, expect: 'any' }]);
  assert.equal(directory.findAlias('one', 'live'), undefined);
  assert(directory.find('one', undefined));
});

test('after close nothing more is learned', async () => {
  directory.close();
  await putLatest('b1');
  assert.equal(directory.find('one', undefined), undefined);
});
