/** Randomness as a passed interface (ADR 0009): the only file that may draw random values. */
import { randomBytes, randomUUID } from 'node:crypto';

export interface Random {
  /** A version 4 UUID, lower case, with hyphens. */
  uuid(): string;
  /** `byteCount` random bytes as lower-case hexadecimal. */
  hex(byteCount: number): string;
  /** A number in [0, 1). */
  fraction(): number;
}

export const systemRandom: Random = {
  uuid: () => randomUUID(),
  hex: (byteCount) => randomBytes(byteCount).toString('hex'),
  fraction: () => Math.random(),
};
