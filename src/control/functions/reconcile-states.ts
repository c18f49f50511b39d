/**
 * Settles what control operations leave unfinished: Pending becomes Active, an update in progress
 * becomes Successful, once the code is unpacked on this host; or both become Failed when it cannot
 * be. Driven by the change feed alone, so what a crash left unsettled is settled after the start.
 *
 * An image has no code to unpack.
 *
 *   Pending + InProgress  --code is there-->  Active + Successful
 *                         --code is bad--->   Failed + Failed (InvalidZipFileException)
 *   Active  + InProgress  --code is there-->  Active + Successful
 *                         --code is bad--->   Active + Failed (InvalidZipFileException)
 */
import type { Blobs } from '../../artifact/blobs.ts';
import type { CodeTrees } from '../../artifact/code-trees.ts';
import { isZipError, ZipError } from '../../artifact/zip-error.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import {
  archivesOf,
  isSnapStartVersion,
  type CodeReference,
  type FunctionRecord,
  type PublishedVersionRecord,
  type StoredConfiguration,
  type VersionRecord,
} from '../../model/function.ts';
import type { Store, StoredDocument, WriteOperation } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { isUnsettled } from './function-catalog.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import { SettleQueue } from '../settle-queue.ts';
import { functionKey, readVersionCounter, versionKey } from './function-documents.ts';
import { withoutReasons } from './without-reasons.ts';

export interface ReconcilerOptions {
  /** From the change to its settling; 0 is as soon as the change's caller has had a turn. */
  readonly delayMs: number;
}

export class StateReconciler {
  readonly #random: Random;
  readonly #log: Log;
  readonly #store: Store;
  readonly #blobs: Blobs;
  readonly #codeTrees: CodeTrees;
  readonly #queue: SettleQueue;

  constructor(
    ports: Pick<ControlContext, 'clock' | 'random' | 'log' | 'store' | 'blobs' | 'codeTrees'>,
    { delayMs }: ReconcilerOptions,
  ) {
    this.#random = ports.random;
    this.#log = ports.log;
    this.#store = ports.store;
    this.#blobs = ports.blobs;
    this.#codeTrees = ports.codeTrees;
    this.#queue = new SettleQueue(ports.clock, ports.log, {
      what: 'a function',
      delayMs,
      settle: (functionName) => this.#settle(functionName),
    });
  }

  /** Something of this function is unsettled. */
  settleSoon(functionName: string): void {
    this.#queue.settleSoon(functionName);
  }

  /** Stops; resolves once nothing is under way. What is left is settled after the next start. */
  async close(): Promise<void> {
    await this.#queue.close();
  }

  async #settle(functionName: string): Promise<void> {
    await commitWithRetry(this.#store, async () => {
      const operations: WriteOperation[] = [];
      const document = await this.#store.get<FunctionRecord>(functionKey(functionName));
      if (document !== undefined) operations.push(...(await this.#planLatest(document)));
      const version = await this.#unsettledVersion(functionName);
      if (version !== undefined) operations.push(await this.#planVersion(version));
      return { operations, result: undefined };
    });
  }

  async #planLatest(document: StoredDocument<FunctionRecord>): Promise<WriteOperation[]> {
    const { latest } = document.value;
    if (!isUnsettled(latest.configuration)) return [];
    const settled = await this.#settled(latest);
    // The service, too, gives another revision when a change is settled (aws-sdk #377).
    const configuration = { ...settled, RevisionId: this.#random.uuid() };
    const value = { ...document.value, latest: { ...latest, configuration } };
    return [putDocument(document, value)];
  }

  /** A published version keeps its revision when it becomes active. */
  async #planVersion(document: StoredDocument<PublishedVersionRecord>): Promise<WriteOperation> {
    const configuration = await this.#settled(document.value);
    return putDocument(document, { ...document.value, configuration });
  }

  /**
   * A version is made unsettled only together with $LATEST, and settled together with it: so only
   * the last one can be. Versions with SnapStart wait for more, and are settled elsewhere
   * (settle-snapshots.ts).
   */
  async #unsettledVersion(
    functionName: string,
  ): Promise<StoredDocument<PublishedVersionRecord> | undefined> {
    const counter = await readVersionCounter(this.#store, functionName);
    if (counter === undefined) return undefined;
    const key = versionKey(functionName, String(counter.value.lastVersion));
    const version = await this.#store.get<PublishedVersionRecord>(key);
    if (version === undefined || isSnapStartVersion(version.value.configuration)) return undefined;
    return isUnsettled(version.value.configuration) ? version : undefined;
  }

  async #settled(version: VersionRecord): Promise<StoredConfiguration> {
    const { configuration } = version;
    const failure = await this.#unpackAll(archivesOf(version));
    const rest = withoutReasons(configuration);
    if (failure === undefined) {
      return { ...rest, State: 'Active', LastUpdateStatus: 'Successful' };
    }
    this.#log.error(
      { err: failure, arn: configuration.FunctionArn },
      'the code of a function is not usable',
    );
    return failed(rest, configuration.State === 'Pending');
  }

  /** Undefined once all trees are there, else what is wrong with the first that cannot be. */
  async #unpackAll(codes: readonly CodeReference[]): Promise<Error | undefined> {
    for (const code of codes) {
      const failure = await this.#unpack(code);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  /** Undefined once the code's tree is there; rejects for failures that may pass. */
  async #unpack({ hash }: CodeReference): Promise<Error | undefined> {
    try {
      await this.#codeTrees.ensure(hash, async () => {
        const archive = await this.#blobs.get(hash);
        if (archive === undefined) throw new ZipError('corrupt', 'the archive is gone');
        return archive;
      });
      return undefined;
    } catch (error) {
      if (isZipError(error) || isDamagedBlob(error)) return error;
      throw error;
    }
  }
}

function failed(configuration: StoredConfiguration, isNew: boolean): StoredConfiguration {
  const reason = 'The code package cannot be unpacked.';
  return {
    ...configuration,
    ...(isNew
      ? { State: 'Failed', StateReason: reason, StateReasonCode: 'InvalidZipFileException' }
      : {}),
    LastUpdateStatus: 'Failed',
    LastUpdateStatusReason: reason,
    LastUpdateStatusReasonCode: 'InvalidZipFileException',
  };
}

/** Compared by code: a blob whose bytes are not those of its name will not get better. */
function isDamagedBlob(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === 'BlobCorrupted';
}
