import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter } from './line-splitter.ts';

function split(lineBytesMax: number, ...chunks: string[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(lineBytesMax, (line) => lines.push(line.toString()));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  lines.push('|');
  splitter.flush();
  return lines;
}

test('lines are given with their ends, in order, as soon as they are whole', () => {
  assert.deepEqual(split(100, 'a\nb\n'), ['a\n', 'b\n', '|']);
  assert.deepEqual(split(100, 'a', 'b', 'c\nd'), ['abc\n', '|', 'd']);
  assert.deepEqual(split(100, '\n\n'), ['\n', '\n', '|']);
  assert.deepEqual(split(100), ['|']);
});

test('a line over the bound is cut there', () => {
  assert.deepEqual(split(4, 'abcdefghi\n'), ['abcd', 'efgh', 'i\n', '|']);
  assert.deepEqual(split(4, 'ab', 'cd', 'ef\n'), ['abcd', 'ef\n', '|']);
  assert.deepEqual(split(4, 'abc\n'), ['abc\n', '|']);
});

test('what is held does not change with the chunk that it came in', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter(100, (line) => lines.push(line.toString()));
  const chunk = Buffer.from('held');
  splitter.push(chunk);
  chunk.fill('x');
  splitter.flush();
  splitter.flush();
  assert.deepEqual(lines, ['held']);
});
