import assert from 'node:assert/strict';
import { closeSync, writeSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { SimClock } from '../testing/sim-clock.ts';
import { createPipe, readableBytes } from './native.ts';
import { OUTPUT_BURST_BYTES, OUTPUT_BYTES_PER_SECOND, OutputPipe } from './output-pipe.ts';

const block = Buffer.alloc(64 * 1024, 'x');

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** A pipe of 64 KiB that is never full for long: what is read from it is counted. */
function flood(clock: SimClock): {
  readonly pipe: OutputPipe;
  readBytes(): number;
  /** Writes until nothing is read any more. */
  untilPaused(): Promise<void>;
  end(): void;
} {
  const { readFd, writeFd } = createPipe();
  const pipe = new OutputPipe(clock, readFd);
  let bytes = 0;
  pipe.on('data', (chunk: Buffer) => (bytes += chunk.length));
  return {
    pipe,
    readBytes: () => bytes,
    async untilPaused() {
      for (;;) {
        if (readableBytes(readFd) === 0) writeSync(writeFd, block);
        await turns(4);
        if (readableBytes(readFd) === block.length) return;
      }
    },
    end: () => closeSync(writeFd),
  };
}

test('output is read at once up to the burst, then at its rate', async () => {
  const clock = new SimClock(0);
  const { pipe, readBytes, untilPaused, end } = flood(clock);
  await untilPaused();
  assert.equal(readBytes(), OUTPUT_BURST_BYTES);
  clock.advance(9);
  await turns(4);
  assert.equal(readBytes(), OUTPUT_BURST_BYTES, 'it waits');
  for (let step = 0; step < 10; step += 1) {
    clock.advance(100);
    await untilPaused();
  }
  const rate = readBytes() - OUTPUT_BURST_BYTES;
  assert.ok(
    rate > 0.9 * OUTPUT_BYTES_PER_SECOND && rate < 1.1 * OUTPUT_BYTES_PER_SECOND,
    `${rate}`,
  );
  end();
  pipe.destroy();
});

test('drain reads what the pipe holds, pause or not, in its order', async () => {
  const clock = new SimClock(0);
  const { pipe, readBytes, untilPaused, end } = flood(clock);
  await untilPaused();
  const before = readBytes();
  pipe.drain();
  assert.equal(readBytes(), before + block.length);
  pipe.drain();
  assert.equal(readBytes(), before + block.length);
  end();
  pipe.destroy();
  pipe.drain();
  assert.equal(readBytes(), before + block.length, 'after its end there is nothing');
});

test('output that nobody reads stays in order and ends with the pipe', async () => {
  const { readFd, writeFd } = createPipe();
  const pipe = new OutputPipe(new SimClock(0), readFd);
  writeSync(writeFd, 'one ');
  await turns(4);
  writeSync(writeFd, 'two ');
  pipe.drain();
  writeSync(writeFd, 'three');
  closeSync(writeFd);
  assert.equal(await text(pipe), 'one two three');
});
