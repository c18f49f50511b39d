import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InitReplay, replayBytesMax, replayItemsMax } from './init-replay.ts';
import type { TelemetryEntry } from './telemetry-record.ts';

function line(bytes: number, timeMs = 1): TelemetryEntry {
  return { stream: 'function', timeMs, line: Buffer.alloc(bytes, 'x') };
}

test('a replay is what was told, in order', () => {
  const replay = new InitReplay();
  const entries = [line(1), line(2), line(3)];
  for (const entry of entries) replay.add(entry);
  assert.deepEqual(replay.entries(), entries);
});

test('what is over the bounds is counted and told', () => {
  const replay = new InitReplay();
  replay.add(line(replayBytesMax));
  replay.add(line(7));
  replay.add(line(9, 5));
  const [kept, told, ...rest] = replay.entries();
  assert.deepEqual(kept, line(replayBytesMax));
  assert(told?.stream === 'platform' && told.event.type === 'platform.logsDropped');
  assert.equal(told.timeMs, 5);
  assert.equal(told.event.record.droppedRecords, 2);
  assert.equal(told.event.record.droppedBytes, 16);
  assert.deepEqual(rest, []);
});

test('a replay has no more entries than its bound', () => {
  const replay = new InitReplay();
  for (let added = 0; added < replayItemsMax + 3; added += 1) replay.add(line(1));
  assert.equal(replay.entries().length, replayItemsMax + 1);
});
