/** Randomness as a passed interface (ADR 0009): the only file that may draw random values. */
import { randomBytes, randomFillSync, randomUUID } from 'node:crypto';

export interface Random {
  /** A version 4 UUID, lower case, with hyphens. */
  uuid(): string;
  /** `byteCount` random bytes as lower-case hexadecimal. */
  hex(byteCount: number): string;
  /** A number in [0, 1). */
  fraction(): number;
}

/** Random bytes are drawn in blocks: a block costs little more than a few bytes of it. */
const blockBytes = 8 * 1024;
const block = Buffer.alloc(blockBytes);
let blockUsed = blockBytes;

function hex(byteCount: number): string {
  if (byteCount > blockBytes) return randomBytes(byteCount).toString('hex');
  if (blockUsed + byteCount > blockBytes) {
    randomFillSync(block);
    blockUsed = 0;
  }
  blockUsed += byteCount;
  return block.toString('hex', blockUsed - byteCount, blockUsed);
}

export const systemRandom: Random = {
  uuid: () => randomUUID(),
  hex,
  fraction: () => Math.random(),
};
