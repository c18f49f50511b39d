/**
 * A whole server on a port, with the real store, and what the inputs of operations can name there: a
 * function with versions and an alias, and a layer.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createOperationHandlers } from '../../src/api/operations/operations.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { findRuntimeSearch } from '../../src/config.ts';
import { isUnsettled } from '../../src/control/functions/function-catalog.ts';
import { Concurrency } from '../../src/invoke/concurrency.ts';
import { FunctionDirectory } from '../../src/invoke/function-directory.ts';
import { Invoker } from '../../src/invoke/invoke.ts';
import {
  eventSourceMappingCollections,
  isMappingUnsettled,
  type EventSourceMappingRecord,
} from '../../src/model/event-source-mapping.ts';
import { collections, type FunctionRecord } from '../../src/model/function.ts';
import type { ApiOperationName } from '../../src/model/generated/api-types.ts';
import { limits } from '../../src/model/limits.ts';
import { operationNamed } from '../../src/model/service-model.ts';
import { createRuntimeTransports } from '../../src/runtime-api/transports.ts';
import { selectDriver } from '../../src/sandbox/select-driver.ts';
import type { Change, Store, StoredDocument } from '../../src/store/store.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { workerOptions } from '../../src/testing/worker-rig.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';
import { Worker } from '../../src/worker/worker.ts';
import { accountId, region, startServer, type ServerParts } from '../conformance/server.ts';
import { archiveBucket } from './code-knowledge.ts';
import { fixtureSteps } from './fixture.ts';
import type { Step } from './journey.ts';
import { StoredState } from './stored-state.ts';
import { WireClient, type WireAnswer, type WireInput } from './wire-request.ts';

export interface PropertyRig {
  readonly stored: StoredState;
  send(operation: ApiOperationName, input: WireInput): Promise<WireAnswer>;
  /** Resolves once no function or event source mapping is being made or updated. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** `steps` make what is there when the tests begin. */
export async function startPropertyRig(
  steps: readonly Step[] = fixtureSteps,
): Promise<PropertyRig> {
  const cleanups: (() => Promise<void> | void)[] = [];
  const server = await startServer({ objects: archiveBucket }, (parts) =>
    allHandlers(parts, cleanups),
  );
  const client = new WireClient(server.url);
  const stored = new StoredState(server.folder);
  const settlement = await Settlement.watch(server.store);
  const send: PropertyRig['send'] = (name, input) => client.send(operationNamed(name), input);
  const rig: PropertyRig = {
    stored,
    send,
    settled: () => settlement.reached(),
    async stop() {
      client.close();
      stored.close();
      for (const cleanup of cleanups) await cleanup();
      await server.stop();
    },
  };
  for (const [name, input] of steps) {
    const { status, message } = await send(name, input);
    assert(status < 300, `${name} of the fixture: ${message}`);
    await settlement.reached();
  }
  return rig;
}

/** Those of the data plane, too. */
async function allHandlers(
  { control, store, folder }: ServerParts,
  cleanups: (() => Promise<void> | void)[],
) {
  const identity = { accountId, region };
  const driver = await selectDriver(systemClock, systemRandom, silentLog, {
    choice: 'process',
    folder: join(folder, 'run'),
  });
  const catalog = createRuntimeCatalog(findRuntimeSearch());
  const ports = { driver, catalog, transports: createRuntimeTransports(systemClock) };
  const worker = new Worker(systemClock, systemRandom, silentLog, ports, workerOptions());
  const concurrency = new Concurrency(systemClock, {
    accountMax: limits.concurrencyAccountDefault,
    newEnvironmentsMax: limits.scalingEnvironmentsDefault,
  });
  const ignore = (): void => {};
  const directory = new FunctionDirectory({
    ...{ onVersion: ignore, onRetired: ignore, onReserve: ignore, onDeleted: ignore },
  });
  await directory.open(store);
  cleanups.push(
    () => directory.close(),
    () => worker.close(),
    () => driver.close(),
  );
  const { functions: metrics } = new Metrics({ isFunction: () => true });
  const parts = { directory, concurrency, worker, metrics };
  const invoker = new Invoker(systemClock, systemRandom, parts, identity);
  return createOperationHandlers({ control, invoker, identity });
}

/**
 * Follows which functions and event source mappings are unsettled. Versions settle together with their
 * functions; those with SnapStart never here.
 */
class Settlement {
  readonly #unsettled = new Set<string>();
  #onSettled: (() => void)[] = [];

  static async watch(store: Store): Promise<Settlement> {
    const settlement = new Settlement();
    const watched = [collections.function, eventSourceMappingCollections.mapping];
    await store.watch(watched, (changes) => {
      for (const change of changes) settlement.#apply(change);
    });
    return settlement;
  }

  async reached(): Promise<void> {
    if (this.#unsettled.size === 0) return;
    await new Promise<void>((resolve) => this.#onSettled.push(resolve));
  }

  #apply(change: Change): void {
    const { collection, partition } = change.type === 'put' ? change.document : change.key;
    const name = `${collection} ${partition}`;
    if (change.type === 'put' && isDocumentUnsettled(change.document)) this.#unsettled.add(name);
    else this.#unsettled.delete(name);
    if (this.#unsettled.size > 0) return;
    for (const resolve of this.#onSettled.splice(0)) resolve();
  }
}

function isDocumentUnsettled({ collection, value }: StoredDocument): boolean {
  return collection === collections.function
    ? isUnsettled((value as FunctionRecord).latest.configuration)
    : isMappingUnsettled((value as EventSourceMappingRecord).configuration);
}
