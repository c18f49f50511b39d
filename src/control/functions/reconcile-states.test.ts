import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { deferred } from '../../base/deferred.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import type { Store } from '../../store/store.ts';
import { createControlRig, createRequest, type ControlRig } from '../../testing/control-rig.ts';
import { zipOf } from '../../testing/zip-builder.ts';
import { createControlPlane } from '../control-plane.ts';
import { SETTLED_AT_ONCE_MAX } from '../settle-queue.ts';

const FunctionName = 'rig';
const otherZip = zipOf({ 'index.js': 'other' });

/** All code on disk is lost: trees and, if wanted, archives. */
async function loseCode(rig: ControlRig, { blobs }: { blobs: boolean }): Promise<void> {
  for (const hash of await rig.codeTrees.list()) await rig.codeTrees.remove(hash);
  if (!blobs) return;
  const hashes: string[] = [];
  for await (const { hash } of rig.blobs.list()) hashes.push(hash);
  for (const hash of hashes) await rig.blobs.delete(hash);
}

test('a function left Pending by a crash becomes Active after the start', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest({ Publish: true }));
  await rig.restart();
  const left = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(left.State, 'Pending');
  await rig.settle(FunctionName);
  for (const Qualifier of ['$LATEST', '1']) {
    const settled = await rig.control.operations.GetFunctionConfiguration({
      FunctionName,
      Qualifier,
    });
    assert.equal(settled.State, 'Active');
    assert.equal(settled.LastUpdateStatus, 'Successful');
  }
});

test('code is unpacked again from its archive when its tree is gone', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  await loseCode(rig, { blobs: false });
  await rig.settle(FunctionName);
  assert.equal(
    (await rig.control.operations.GetFunctionConfiguration({ FunctionName })).State,
    'Active',
  );
  assert.equal((await rig.codeTrees.list()).length, 1);
});

test('a new function whose archive is gone becomes Failed, and an update makes it usable', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  await loseCode(rig, { blobs: true });
  await rig.settle(FunctionName);
  const failed = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(failed.State, 'Failed');
  assert.equal(failed.StateReasonCode, 'InvalidZipFileException');
  assert.equal(failed.LastUpdateStatus, 'Failed');
  await rig.control.operations.UpdateFunctionCode({ FunctionName, ZipFile: otherZip });
  await rig.settle(FunctionName);
  const usable = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(usable.State, 'Active');
  assert.equal(usable.LastUpdateStatus, 'Successful');
});

test('an update whose archive is damaged becomes Failed, the function stays Active', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  await rig.settle(FunctionName);
  await rig.control.operations.UpdateFunctionCode({ FunctionName, ZipFile: otherZip });
  await loseCode(rig, { blobs: false });
  for await (const { hash } of rig.blobs.list()) {
    await writeFile(join(rig.folder, 'blobs', hash.slice(0, 2), hash), 'damaged');
  }
  await rig.settle(FunctionName);
  const failed = await rig.control.operations.GetFunctionConfiguration({ FunctionName });
  assert.equal(failed.State, 'Active');
  assert.equal(failed.LastUpdateStatus, 'Failed');
  assert.equal(failed.LastUpdateStatusReasonCode, 'InvalidZipFileException');
});

test('a failure that may pass is tried again', async (t) => {
  const failing = { left: 0 };
  const rig = await createControlRig({
    wrapStore: (store): Store => ({
      get: (key) => store.get(key),
      list: (collection, options) => store.list(collection, options),
      watch: (collections, listener) => store.watch(collections, listener),
      close: () => store.close(),
      commit: (operations) => {
        if (failing.left === 0) return store.commit(operations);
        failing.left -= 1;
        failed.resolve();
        return Promise.reject(new Error('the disk is full'));
      },
    }),
  });
  const failed = deferred<void>();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  failing.left = 1;
  rig.clock.advance(0);
  await failed.promise;
  // The retry is scheduled a few turns after the failure.
  await new Promise((resolve) => setImmediate(resolve));
  rig.clock.advance(1_000);
  await rig.settle(FunctionName);
});

test('many functions left unsettled are settled, a few at a time', async (t) => {
  let commitsUnderWay = 0;
  let commitsAtOnceMax = 0;
  const rig = await createControlRig({
    wrapStore: (store): Store => ({
      get: (key) => store.get(key),
      list: (collection, options) => store.list(collection, options),
      watch: (collections, listener) => store.watch(collections, listener),
      close: () => store.close(),
      async commit(operations) {
        commitsUnderWay += 1;
        commitsAtOnceMax = Math.max(commitsAtOnceMax, commitsUnderWay);
        await new Promise((resolve) => setImmediate(resolve));
        commitsUnderWay -= 1;
        return store.commit(operations);
      },
    }),
  });
  t.after(() => rig.close());
  const names = Array.from({ length: 3 * SETTLED_AT_ONCE_MAX }, (_, index) => `f${index}`);
  for (const name of names)
    await rig.control.operations.CreateFunction(createRequest({ FunctionName: name }));
  commitsAtOnceMax = 0;
  await rig.restart();
  for (const name of names) await rig.settle(name);
  assert.equal(commitsAtOnceMax, SETTLED_AT_ONCE_MAX);
});

test('with the real clock a function becomes Active by itself, at once', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.close();
  const { store, blobs, codeTrees, codeLocations } = rig;
  const control = await createControlPlane(
    systemClock,
    systemRandom,
    silentLog,
    store,
    blobs,
    codeTrees,
    { accountId: '000000000000', region: 'us-east-1', codeLocations },
  );
  t.after(() => control.close());
  // The clock's timers keep no process alive.
  const alive = setTimeout(() => {}, 60_000);
  t.after(() => clearTimeout(alive));
  const created = await control.operations.CreateFunction(createRequest());
  assert.equal(created.State, 'Pending');
  await rig.settle(FunctionName);
  assert.equal(
    (await control.operations.GetFunctionConfiguration({ FunctionName })).State,
    'Active',
  );
});

test('what a crash left half-made is removed at the start', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  const archive = zipOf({ 'index.js': 'never referred to' });
  const { hash } = await rig.blobs.put(archive);
  await rig.codeTrees.put(hash, archive);
  const onlyBlob = await rig.blobs.put(zipOf({ 'index.js': 'only an archive' }));
  await rig.restart();
  assert.equal(await rig.blobs.has(hash), false);
  assert.equal(await rig.blobs.has(onlyBlob.hash), false);
  const code = await rig.codeAfterClose();
  assert.equal(code.trees.length, 1);
  assert.deepEqual(code.blobs, code.trees);
});

test('a data folder without trees is filled when it is needed', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  await rig.settle(FunctionName);
  await rm(join(rig.folder, 'code'), { recursive: true });
  await rig.restart();
  await rig.control.operations.UpdateFunctionConfiguration({ FunctionName, Timeout: 9 });
  await rig.settle(FunctionName);
  const trees = (await readdir(join(rig.folder, 'code'))).filter((name) => name.length === 64);
  assert.equal(trees.length, 1);
});
