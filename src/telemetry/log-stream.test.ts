import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogStream } from './log-stream.ts';

const name = { logGroup: '/aws/lambda/one', logStream: '2030/01/01/[$LATEST]00' };

test('all bytes go to the sink in order, with the stream’s name', () => {
  const seen: string[] = [];
  const stream = new LogStream(
    name,
    (to, bytes) => {
      assert.deepEqual(to, name);
      seen.push(bytes.toString());
    },
    { bytesMax: 16, isOfRecords: false },
  );
  stream.write('START\n');
  stream.write(Buffer.from('grüße\n'));
  stream.write('x'.repeat(100));
  assert.deepEqual(seen, ['START\n', 'grüße\n', 'x'.repeat(100)]);
});

test('the tail is the last bytes since the last tail, at most its bound', () => {
  const stream = new LogStream(name, () => undefined, { bytesMax: 8, isOfRecords: false });
  assert.equal(stream.takeTail().toString(), '');
  stream.write('abc');
  stream.write('def');
  assert.equal(stream.takeTail().toString(), 'abcdef');
  assert.equal(stream.takeTail().toString(), '');
  stream.write('0123456789');
  assert.equal(stream.takeTail().toString(), '23456789');
  for (const byte of 'the quick brown fox jumps over the lazy dog') stream.write(byte);
  assert.equal(stream.takeTail().toString(), 'lazy dog');
});

// radkawar/stackd docs/lambda.md
test('the tail of a log of records has whole ones only', () => {
  const tailOf = (...writes: string[]): string => {
    const stream = new LogStream(name, () => undefined, { bytesMax: 8, isOfRecords: true });
    for (const text of writes) stream.write(text);
    return stream.takeTail().toString();
  };
  assert.equal(tailOf('{1}\n', '{2}\n'), '{1}\n{2}\n');
  assert.equal(tailOf('{0}\n', '{1}\n', '{2}\n'), '{1}\n{2}\n');
  assert.equal(tailOf('{0}\n', '{12}\n', '{3}\n'), '{3}\n');
  assert.equal(tailOf('{0}\n', '{12345678}\n', '{3}\n'), '{3}\n');
  assert.equal(tailOf('{0}\n', '{12345678}\n'), '');
  // Also when it was cut before all of a record was written.
  assert.equal(tailOf('{0}\n', ...'{'.repeat(50), '}\n', '{3}\n'), '{3}\n');
  assert.equal(tailOf(...'{1}\n'.repeat(20)), '{1}\n{1}\n');
});

test('a tail that was taken does not change with what is written later', () => {
  const stream = new LogStream(name, () => undefined, { bytesMax: 8, isOfRecords: false });
  const bytes = Buffer.from('first');
  stream.write(bytes);
  const tail = stream.takeTail();
  stream.write('second');
  stream.takeTail();
  assert.equal(tail.toString(), 'first');
});
