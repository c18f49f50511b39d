/**
 * What the crash test's two programs share: the lines that the writer prints, one before each action
 * and one when it is acknowledged, and the values and bytes that both can make from a name.
 */
import type { Expectation, Revision } from '../../src/store/store.ts';

export const writerCount = 6;
export const collections = ['one', 'two'] as const;
/** Where all writers compete: one counter, and a tally of each writer's own share in it. */
export const sharedPartition = 'shared';
export const counterId = 'counter';

export function partitionOf(writer: number): string {
  return `writer-${writer}`;
}

export function tallyIdOf(writer: number): string {
  return `tally-${writer}`;
}

/** One operation on a document of the writer's own partition. */
export interface OwnWrite {
  readonly type: 'put' | 'delete';
  readonly collection: string;
  readonly id: string;
  /** Names the value of a put; no two puts have the same. */
  readonly stamp: string;
  readonly fillBytes: number;
  readonly expect: Expectation;
}

export type Action =
  /** `mustConflict`: one expectation is wrong on purpose. */
  | {
      readonly type: 'commit';
      readonly writes: readonly OwnWrite[];
      readonly mustConflict: boolean;
    }
  | { readonly type: 'increment' }
  | { readonly type: 'put-blob'; readonly stamp: string; readonly sizeBytes: number }
  | { readonly type: 'delete-blob'; readonly hash: string };

export type Line =
  | { readonly type: 'ready' }
  | { readonly type: 'begin'; readonly writer: number; readonly action: Action }
  | {
      readonly type: 'acknowledge';
      readonly writer: number;
      /** False: the commit was refused for a conflict. */
      readonly isDone: boolean;
      readonly revisions: readonly Revision[];
    };

export interface StampedValue {
  readonly stamp: string;
  readonly fill: string;
}

export function valueOf({ stamp, fillBytes }: OwnWrite): StampedValue {
  return { stamp, fill: stamp.padEnd(fillBytes, stamp) };
}

export function blobOf(stamp: string, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, stamp);
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function seededFraction(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
