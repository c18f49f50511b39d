/**
 * The store's worker thread: owns the database, answers one batch at a time. It catches nothing that
 * it has no answer for: an exception ends the thread, and the store takes that as its failure.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { StoreError } from '../store-error.ts';
import { SqliteEngine } from './sqlite-engine.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './sqlite-protocol.ts';

assert(parentPort, 'runs in a worker thread');
const port = parentPort;

function open({ path }: WorkerOptions): SqliteEngine | undefined {
  try {
    return new SqliteEngine(path);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    send({ type: 'openFailed', code: error.code, message: error.message });
    return undefined;
  }
}

function answer(engine: SqliteEngine, message: ToWorker): void {
  if (message.type === 'close') {
    engine.close();
    port.close();
    return;
  }
  const reads = message.reads.map((request, read) => {
    if (request.type !== 'snapshot') return engine.read(request);
    for (const documents of engine.snapshot(request.collections)) {
      send({ type: 'part', read, documents });
    }
    return [];
  });
  const commits = engine.commit(message.commits);
  send({ type: 'done', reads, commits });
}

function send(message: FromWorker): void {
  port.postMessage(message);
}

const engine = open(workerData as WorkerOptions);
if (engine) {
  port.on('message', (message: ToWorker) => answer(engine, message));
  send({ type: 'opened' });
}
