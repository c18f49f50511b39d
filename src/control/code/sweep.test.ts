import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Blobs } from '../../artifact/blobs.ts';
import type { CodeTrees } from '../../artifact/code-trees.ts';
import { deferred } from '../../base/deferred.ts';
import { silentLog } from '../../base/log.ts';
import { createControlRig, createRequest } from '../../testing/control-rig.ts';
import { zipOf } from '../../testing/zip-builder.ts';
import { CodeSweeper } from './sweep.ts';

const hash = 'a'.repeat(64);

function sweeperOf(referenced: Set<string>, remove: () => Promise<void>) {
  const removed: string[] = [];
  const codeTrees = { list: async () => [hash], remove } as unknown as CodeTrees;
  const blobs = {
    async *list() {
      yield { hash, sizeBytes: 1 };
    },
    async delete(which: string) {
      removed.push(which);
    },
  } as unknown as Blobs;
  const use = { isReferenced: (which: string) => referenced.has(which) };
  return { removed, sweeper: new CodeSweeper(silentLog, blobs, codeTrees, use) };
}

test('sweep passes over what is referred to or held', async () => {
  const referenced = new Set([hash]);
  const { removed, sweeper } = sweeperOf(referenced, async () => {});
  assert.equal(await sweeper.sweepAll(), 0);
  referenced.clear();
  const releases = [await sweeper.hold(hash), await sweeper.hold(hash)];
  assert.equal(await sweeper.sweepAll(), 0);
  releases[0]?.();
  assert.equal(await sweeper.sweep(hash), false);
  assert.deepEqual(removed, []);
  releases[1]?.();
  await sweeper.idle();
  assert.deepEqual(removed, [hash], 'the last release sweeps');
});

test('release leaves what is referred to by then', async () => {
  const referenced = new Set<string>();
  const { removed, sweeper } = sweeperOf(referenced, async () => {});
  const release = await sweeper.hold(hash);
  referenced.add(hash);
  release();
  await sweeper.idle();
  assert.deepEqual(removed, []);
});

test('hold waits for a removal under way', async () => {
  const removing = deferred<void>();
  const { removed, sweeper } = sweeperOf(new Set(), () => removing.promise);
  const sweep = sweeper.sweep(hash);
  let isHeld = false;
  const hold = sweeper.hold(hash).then((release) => {
    isHeld = true;
    return release;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isHeld, false);
  removing.resolve();
  await sweep;
  (await hold)();
  assert.deepEqual(removed, [hash]);
  await sweeper.idle();
});

test('a removal that fails is no end: the next one works', async () => {
  let fails = true;
  const { removed, sweeper } = sweeperOf(new Set(), async () => {
    if (fails) throw new Error('busy');
  });
  await assert.rejects(sweeper.sweep(hash), /busy/);
  sweeper.sweepSoon(hash);
  await sweeper.idle();
  assert.deepEqual(removed, []);
  fails = false;
  assert.equal(await sweeper.sweep(hash), true);
  assert.deepEqual(removed, [hash]);
});

test('the same code created and deleted over and over is there whenever a function has it', async (t) => {
  const rig = await createControlRig();
  t.after(() => rig.close());
  const ZipFile = zipOf({ 'index.js': 'shared' });
  const work = async (name: string): Promise<void> => {
    for (let round = 0; round < 15; round += 1) {
      const created = await rig.control.operations.CreateFunction(
        createRequest({ FunctionName: name, Code: { ZipFile } }),
      );
      const code = Buffer.from(created.CodeSha256 ?? '', 'base64').toString('hex');
      assert.ok(await rig.blobs.has(code), `${name} ${round}`);
      assert.ok((await rig.codeTrees.list()).includes(code), `${name} ${round}`);
      await rig.control.operations.DeleteFunction({ FunctionName: name });
    }
  };
  await Promise.all(['a', 'b', 'c'].map(work));
  assert.deepEqual(await rig.codeAfterClose(), { trees: [], blobs: [] });
});
