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
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { createCodeLocations, type CodeLocations } from '../control/code-location.ts';
import {
  createControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from '../control/control-plane.ts';
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
  /** As a crash and a start do: all in memory is lost, what was committed is there. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export type RigOptions = Partial<ControlPlaneOptions> & {
  readonly nowMs?: number;
  /** Wraps the store, for tests that fail or delay what it does. */
  readonly wrapStore?: (store: Store) => Store;
};

export async function createControlRig(options: RigOptions = {}): Promise<ControlRig> {
  const { nowMs = Date.parse('2026-11-23T12:00:00.123Z'), wrapStore, ...controlOptions } = options;
  const folder = await mkdtemp(join(tmpdir(), 'hearth-control-'));
  const clock = new SimClock(nowMs);
  const image = new MemoryStoreImage();
  const codeLocations = createCodeLocations(clock, 'rig secret');
  const open = async () => {
    const store = createMemoryStore(image);
    const blobs = await openFileBlobs({ folder: join(folder, 'blobs') });
    const codeTrees = await openCodeTrees({ folder: join(folder, 'code') });
    const seen = wrapStore?.(store) ?? store;
    const control = await createControlPlane(clock, systemRandom, silentLog, seen, blobs, codeTrees, {
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
      clock.advance(0);
      await rig.control.close();
      await rig.restart();
      const { LastUpdateStatus } = await rig.control.getFunctionConfiguration({
        FunctionName: functionName,
      });
      if (LastUpdateStatus === 'InProgress') throw new Error('the function did not settle');
    },
    async restart() {
      await rig.store.close();
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
