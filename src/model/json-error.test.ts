import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeJsonError } from './json-error.ts';

const value = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/** Source, complaint, column of line 1; the first ones as public reports quote them. */
const complaints: readonly [string, string, number][] = [
  ["'test'", `Unexpected character (''' (code 39)): expected a valid value ${value}`, 2],
  ['STRING_VALUE', `Unrecognized token 'STRING_VALUE': was expecting ${value}`, 13],
  ['0D', "Unexpected character ('D' (code 68)): Expected space separating root-level values", 3],
  ['not json', `Unrecognized token 'not': was expecting ${value}`, 5],
  ['tru', `Unrecognized token 'tru': was expecting ${value}`, 4],
  [
    '{a:1}',
    "Unexpected character ('a' (code 97)): was expecting double-quote to start field name",
    3,
  ],
  [
    '{"a" 1}',
    "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
    7,
  ],
  [
    '{"a":1 "b":2}',
    `Unexpected character ('"' (code 34)): was expecting comma to separate Object entries`,
    9,
  ],
  [
    '[1 2]',
    "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries",
    5,
  ],
  ['[1,]', `Unexpected character (']' (code 93)): expected a valid value ${value}`, 5],
  ['"open', 'Unexpected end-of-input: was expecting closing quote for a string value', 6],
  [
    '{"a":1',
    'Unexpected end-of-input: expected close marker for Object (start marker at ' +
      '[Source: (byte[])"{"a":1"; line: 1, column: 1])',
    7,
  ],
  ['{"a', 'Unexpected end-of-input in field name', 4],
  ['"\\x"', "Unrecognized character escape 'x' (code 120)", 4],
  ['01', 'Invalid numeric value: Leading zeroes not allowed', 3],
  [
    '\v1',
    'Illegal character ((CTRL-CHAR, code 11)): only regular white space (\\r, \\n, \\t) is allowed between tokens',
    2,
  ],
];

for (const [source, text, column] of complaints) {
  test(`describeJsonError of ${JSON.stringify(source)}`, () => {
    assert.throws(() => JSON.parse(source));
    const expected = `${text}\n at [Source: (byte[])"${source}"; line: 1, column: ${column}]`;
    assert.equal(describeJsonError(Buffer.from(source)), expected);
  });
}

test('describeJsonError counts lines', () => {
  const text = describeJsonError(Buffer.from('{\n"a": 1\n"b": 2}'));
  assert.match(text, /separate Object entries\n at .*; line: 3, column: 2\]$/s);
});

test('describeJsonError cuts long tokens and long sources', () => {
  const text = describeJsonError(Buffer.from('x'.repeat(2_000)));
  const source = `[Source: (byte[])"${'x'.repeat(500)}"[truncated 1500 bytes]; line: 1, column: 257]`;
  assert.equal(
    text,
    `Unrecognized token '${'x'.repeat(256)}...': was expecting ${value}\n at ${source}`,
  );
});

test('describeJsonError knows bytes that are no UTF-8', () => {
  const text = describeJsonError(Buffer.from([0x97, 0x6a, 0x62]));
  assert.match(text, /^Invalid UTF-8 start byte 0x97\n at .*; line: 1, column: 2\]$/s);
});

test('describeJsonError stands deep nesting', () => {
  for (const open of ['[', '{"a":']) {
    const text = describeJsonError(Buffer.from(open.repeat(200_000)));
    assert.match(text, /^Document nesting is too deep\n/);
  }
});

test('describeJsonError finds something in everything that JSON.parse refuses', () => {
  const fragments = fc.constantFrom(
    ...'{}[],:"\\'.split(''),
    ...['1', '-', '.', 'e', 'true', 'nul', ' ', '\n', 'ü', '"a"', '\u0001', '\\u12'],
  );
  const sources = fc.array(fragments, { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(sources, (source) => {
      try {
        JSON.parse(source);
        return;
      } catch {
        assert.match(describeJsonError(Buffer.from(source)), /^.+\n at \[Source: \(byte\[\]\)"/s);
      }
    }),
  );
});
