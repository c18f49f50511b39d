/**
 * A control plane on real files with a store in memory, and a clock that the test moves: what a
 * change leaves unsettled stays so until `settle` is called.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Blobs } from '../artifact/blobs.ts';
import { openCodeTrees, type CodeTrees } from '../artifact/code-trees.ts';
import { openFileBlobs } from '../artifact/file-blobs.ts';
import { deferred } from '../base/deferred.ts';
import { silentLog, type Log } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { createCodeLocations, type CodeLocations } from '../control/code/code-location.ts';
import {
  createControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from '../control/control-plane.ts';
import { isUnsettled } from '../control/functions/function-catalog.ts';
import { collections, type FunctionRecord } from '../model/function.ts';
import type { CreateFunctionRequest } from '../model/generated/api-types.ts';
import type { Store } from '../store/store.ts';
import { createMemoryStore, MemoryStoreImage } from './memory-store.ts';
import { SimClock } from './sim-clock.ts';
import { zipOf } from './zip-builder.ts';

export const rigRole = 'arn:aws:iam::000000000000:role/rig';
export const rigZip = zipOf({ 'index.js': 'exports.handler = async () => 1;' });

export interface ControlRig {
  readonly clock: SimClock;
  readonly folder: string;
  readonly codeLocations: CodeLocations;
  control: ControlPlane;
  store: Store;
  blobs: Blobs;
  codeTrees: CodeTrees;
  /** Lets what is unsettled settle, and waits until it has. */
  settle(functionName: string): Promise<void>;
  /** Stops the control plane, waits for what it removes, and gives the hashes of what is stored. */
  codeAfterClose(): Promise<{ readonly trees: string[]; readonly blobs: string[] }>;
  /** As a crash and a start do: all in memory is lost, what was committed is there. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export type RigOptions = Partial<ControlPlaneOptions> & {
  readonly nowMs?: number;
  /** Default silentLog. */
  readonly log?: Log;
  /** Wraps the store, for tests that fail or delay what it does. */
  readonly wrapStore?: (store: Store) => Store;
};

export async function createControlRig(options: RigOptions = {}): Promise<ControlRig> {
  const { nowMs = Date.parse('2026-11-23T12:00:00.123Z'), log = silentLog, ...rest } = options;
  const { wrapStore, ...controlOptions } = rest;
  const folder = await mkdtemp(join(tmpdir(), 'hearth-control-'));
  const clock = new SimClock(nowMs);
  const image = new MemoryStoreImage();
  const codeLocations = createCodeLocations(clock, 'rig secret');
  const open = async () => {
    const store = createMemoryStore(image);
    const blobs = await openFileBlobs({ folder: join(folder, 'blobs') });
    const codeTrees = await openCodeTrees({ folder: join(folder, 'code') });
    const seen = wrapStore?.(store) ?? store;
    const control = await createControlPlane(clock, systemRandom, log, seen, blobs, codeTrees, {
      accountId: '000000000000',
      region: 'us-east-1',
      codeLocations,
      ...controlOptions,
    });
    return { store, blobs, codeTrees, control };
  };
  const rig: ControlRig = {
    clock,
    folder,
    codeLocations,
    ...(await open()),
    async settle(functionName) {
      const settled = deferred<void>();
      const subscription = await rig.store.watch([collections.function], (changes) => {
        for (const change of changes) {
          if (change.type !== 'put' || change.document.partition !== functionName) continue;
          const { latest } = change.document.value as FunctionRecord;
          if (!isUnsettled(latest.configuration)) settled.resolve();
        }
      });
      clock.advance(0);
      await settled.promise;
      subscription.close();
    },
    async codeAfterClose() {
      await rig.control.close();
      const blobs: string[] = [];
      for await (const { hash } of rig.blobs.list()) blobs.push(hash);
      return { trees: await rig.codeTrees.list(), blobs };
    },
    async restart() {
      await rig.store.close();
      await rig.control.close();
      Object.assign(rig, await open());
    },
    async close() {
      await rig.control.close();
      await rig.store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

/** A rig with the function 'rig' on it, active; closed after the test. */
export async function activeRig(t: {
  after(close: () => Promise<void>): void;
}): Promise<ControlRig> {
  const rig = await createControlRig();
  t.after(() => rig.close());
  await rig.control.operations.CreateFunction(createRequest());
  await rig.settle('rig');
  return rig;
}

/** A valid request for a function, with what the test cares about put over it. */
export function createRequest(
  overrides: Partial<CreateFunctionRequest> = {},
): CreateFunctionRequest {
  return {
    FunctionName: 'rig',
    Role: rigRole,
    Runtime: 'nodejs22.x',
    Handler: 'index.handler',
    Code: { ZipFile: rigZip },
    ...overrides,
  };
}
