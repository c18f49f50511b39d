/**
 * The embedded store: SQLite in a worker thread, so that waiting for the device never holds up the
 * event loop that serves invokes. Calls that arrive while a batch is under way go into the next one
 * together (docs/internals/storage.md).
 */
import { Worker } from 'node:worker_threads';
import { deferred, type Deferred } from '../../base/deferred.ts';
import type { Log } from '../../base/log.ts';
import { MIB } from '../../model/limits.ts';
import {
  ChangeFeed,
  deliverPresent,
  type ChangeListener,
  type EncodedChange,
} from '../change-feed.ts';
import { StoreError } from '../store-error.ts';
import {
  checkCollections,
  checkKey,
  checkList,
  decodeDocument,
  encodeCommit,
  storeBounds,
  type EncodedCommit,
  type EncodedDocument,
} from '../store-input.ts';
import type {
  CommitResult,
  DocumentKey,
  ListOptions,
  Store,
  StoredDocument,
  Subscription,
  WriteOperation,
} from '../store.ts';
import type { CommitOutcome, FromWorker, ReadRequest, ToWorker } from './sqlite-protocol.ts';

export const sqliteStoreBounds = {
  /** Calls waiting for their batch. At some thousand commits a second, a few seconds of work. */
  queuedCallsMax: 16_384,
  /** Bytes of the commits waiting for their batch. */
  queuedBytesMax: 64 * MIB,
  /** One batch: keeps the time to the answer, and the transaction, small. */
  batchCallsMax: 1_024,
  batchBytesMax: storeBounds.commitBytesMax,
} as const;

/** `settle` does all that its answer asks for, listeners included, before it returns. */
type Call =
  | {
      readonly type: 'read';
      readonly request: ReadRequest;
      readonly sizeBytes: 0;
      /** A snapshot's documents come in parts, before it is settled. */
      receivePart?(documents: readonly EncodedDocument[]): void;
      settle(documents: readonly EncodedDocument[]): void;
      reject(error: Error): void;
    }
  | {
      readonly type: 'commit';
      readonly operations: EncodedCommit['operations'];
      readonly sizeBytes: number;
      settle(outcome: CommitOutcome): void;
      reject(error: Error): void;
    };

export interface SqliteStoreOptions {
  /** The database file; created, with its folder, when there is none. */
  readonly path: string;
  /** Called once when the engine fails: the store is of no more use and must be opened again. */
  readonly onFailure?: (error: StoreError) => void;
}

/** Opens or creates a store. Rejects with a StoreError `SchemaTooNew`, `NotAStore` or `Failed`. */
export async function openSqliteStore(log: Log, options: SqliteStoreOptions): Promise<Store> {
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
    name: 'store',
    workerData: { path: options.path },
    execArgv: [],
  });
  return openStoreOfWorker(log, worker, options);
}

/** For tests that end the worker thread themselves. */
export async function openStoreOfWorker(
  log: Log,
  worker: Worker,
  { path, onFailure }: SqliteStoreOptions,
): Promise<Store> {
  const first = await firstMessage(worker).catch((error: Error) => {
    const message = `cannot open the store ${path}: ${error.message}`;
    throw new StoreError('Failed', message, { cause: error });
  });
  if (first.type === 'openFailed') throw new StoreError(first.code, first.message);
  log.debug({ path }, 'store opened');
  return new SqliteStore(log, worker, onFailure);
}

async function firstMessage(worker: Worker): Promise<FromWorker> {
  const { promise, resolve, reject } = deferred<FromWorker>();
  const onExit = (): void => reject(new Error('its thread ended'));
  worker.once('message', resolve).once('error', reject).once('exit', onExit);
  try {
    return await promise;
  } finally {
    worker.off('message', resolve).off('error', reject).off('exit', onExit);
  }
}

class SqliteStore implements Store {
  readonly #log: Log;
  readonly #worker: Worker;
  readonly #onFailure: ((error: StoreError) => void) | undefined;
  readonly #feed = new ChangeFeed();
  readonly #exited: Deferred<void> = deferred();
  #queued: Call[] = [];
  #queuedBytes = 0;
  #underWay: readonly Call[] = [];
  #flushScheduled = false;
  #isClosing = false;
  /** Why no further call is accepted. */
  #ended: StoreError | undefined;

  constructor(log: Log, worker: Worker, onFailure: ((error: StoreError) => void) | undefined) {
    this.#log = log;
    this.#worker = worker;
    this.#onFailure = onFailure;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('messageerror', (error) => this.#fail('an answer could not be read', error));
    worker.on('error', (error) => this.#fail('the engine failed', error));
    worker.on('exit', () => this.#exit());
    // Only work under way keeps the process alive.
    worker.unref();
  }

  async get<Value>(key: DocumentKey): Promise<StoredDocument<Value> | undefined> {
    checkKey(key);
    const { collection, partition, id } = key;
    const request: ReadRequest = { type: 'get', key: { collection, partition, id } };
    const [document] = await this.#read(request);
    return document && decodeDocument<Value>(document);
  }

  async list<Value>(collection: string, options: ListOptions): Promise<StoredDocument<Value>[]> {
    checkList(collection, options);
    const documents = await this.#read({ type: 'list', collection, options });
    return documents.map((document) => decodeDocument<Value>(document));
  }

  async commit(operations: readonly WriteOperation[]): Promise<CommitResult> {
    const encoded = encodeCommit(operations);
    return new Promise((resolve, reject) => {
      this.#enqueue({
        type: 'commit',
        ...encoded,
        settle: (outcome) => this.#settleCommit(encoded, outcome, resolve, reject),
        reject,
      });
    });
  }

  async watch(collections: readonly string[], listener: ChangeListener): Promise<Subscription> {
    checkCollections(collections);
    const names = [...collections];
    return new Promise((resolve, reject) => {
      this.#enqueue({
        type: 'read',
        request: { type: 'snapshot', collections: names },
        sizeBytes: 0,
        receivePart: (documents) => deliverPresent(listener, documents),
        settle: () => resolve(this.#feed.subscribe(names, listener)),
        reject,
      });
    });
  }

  async close(): Promise<void> {
    this.#ended ??= new StoreError('Closed', 'the store is closed');
    this.#worker.ref();
    if (this.#underWay.length === 0) this.#flush();
    await this.#exited.promise;
  }

  #read(request: ReadRequest): Promise<readonly EncodedDocument[]> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ type: 'read', request, sizeBytes: 0, settle: resolve, reject });
    });
  }

  #settleCommit(
    { operations }: EncodedCommit,
    outcome: CommitOutcome,
    resolve: (result: CommitResult) => void,
    reject: (error: Error) => void,
  ): void {
    if (outcome.type === 'failed') return reject(new StoreError(outcome.code, outcome.message));
    if (outcome.type === 'conflict') {
      const { key } = operations[outcome.index]!;
      return resolve({ ok: false, conflict: { ...key } });
    }
    this.#feed.publish(changesOf(operations, outcome));
    resolve({ ok: true, revisions: outcome.revisions });
  }

  #enqueue(call: Call): void {
    if (this.#ended) return call.reject(this.#ended);
    const { queuedCallsMax, queuedBytesMax } = sqliteStoreBounds;
    const isFull =
      this.#queued.length >= queuedCallsMax || this.#queuedBytes + call.sizeBytes > queuedBytesMax;
    if (isFull) {
      const depth = `${this.#queued.length} calls of ${this.#queuedBytes} bytes are waiting`;
      return call.reject(new StoreError('Overloaded', `the store is overloaded: ${depth}`));
    }
    this.#queued.push(call);
    this.#queuedBytes += call.sizeBytes;
    this.#scheduleFlush();
  }

  /**
   * Waits until no promise callback is left to run: the writers that one batch's answer woke up then
   * find room in the same next batch, instead of the first going alone and the rest waiting for it.
   */
  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#underWay.length > 0) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      process.nextTick(() => {
        this.#flushScheduled = false;
        if (this.#underWay.length === 0) this.#flush();
      });
    });
  }

  #flush(): void {
    const batch = this.#takeBatch();
    if (batch.length === 0) {
      if (this.#ended && !this.#isClosing) this.#send({ type: 'close' });
      this.#isClosing = this.#ended !== undefined;
      return;
    }
    this.#underWay = batch;
    this.#worker.ref();
    this.#send({
      type: 'batch',
      reads: batch.flatMap((call) => (call.type === 'read' ? [call.request] : [])),
      commits: batch.flatMap((call) => (call.type === 'commit' ? [call.operations] : [])),
    });
  }

  #takeBatch(): Call[] {
    const { batchCallsMax, batchBytesMax } = sqliteStoreBounds;
    let sizeBytes = 0;
    let end = 0;
    while (end < this.#queued.length && end < batchCallsMax) {
      sizeBytes += this.#queued[end]!.sizeBytes;
      if (end > 0 && sizeBytes > batchBytesMax) break;
      end++;
    }
    const batch = this.#queued.slice(0, end);
    this.#queued = this.#queued.slice(end);
    for (const call of batch) this.#queuedBytes -= call.sizeBytes;
    return batch;
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    const calls = this.#underWay;
    if (message.type === 'part') {
      const call = calls.filter(({ type }) => type === 'read')[message.read];
      if (call?.type === 'read') call.receivePart?.(message.documents);
      return;
    }
    if (message.type !== 'done') return;
    this.#underWay = [];
    this.#worker.unref();
    // Reads first, as the worker made them: a snapshot is of the state before the batch's commits.
    let reads = 0;
    for (const call of calls) if (call.type === 'read') call.settle(message.reads[reads++]!);
    let commits = 0;
    for (const call of calls) if (call.type === 'commit') call.settle(message.commits[commits++]!);
    if (this.#queued.length > 0 || this.#ended) this.#scheduleFlush();
  }

  #fail(what: string, cause: unknown): void {
    const wasFailed = this.#ended?.code === 'Failed';
    if (wasFailed) return;
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    const error = new StoreError('Failed', `the store cannot go on, ${what}${reason}`, { cause });
    this.#ended = error;
    this.#log.error({ err: error }, 'store failed');
    const calls = [...this.#underWay, ...this.#queued];
    this.#underWay = [];
    this.#queued = [];
    this.#queuedBytes = 0;
    this.#feed.close();
    for (const call of calls) call.reject(error);
    void this.#worker.terminate();
    this.#onFailure?.(error);
  }

  #exit(): void {
    const isExpected =
      this.#ended !== undefined && this.#underWay.length + this.#queued.length === 0;
    if (!isExpected) this.#fail('its thread ended', undefined);
    this.#feed.close();
    this.#exited.resolve();
  }
}

function changesOf(
  operations: EncodedCommit['operations'],
  outcome: Extract<CommitOutcome, { type: 'committed' }>,
): EncodedChange[] {
  const absent = new Set(outcome.absent);
  return operations.flatMap((operation, index): EncodedChange[] => {
    const revision = outcome.revisions[index]!;
    const { key } = operation;
    if (operation.type === 'put') {
      return [{ type: 'put', document: { ...key, revision, json: operation.json } }];
    }
    return absent.has(index) ? [] : [{ type: 'delete', key, revision }];
  });
}
