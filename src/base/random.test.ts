import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from './random.ts';

test('hex gives as many bytes as asked for, never the same ones twice', () => {
  const seen = new Set<string>();
  for (let i = 0; i < 5_000; i += 1) {
    const text = systemRandom.hex(8);
    assert.match(text, /^[0-9a-f]{16}$/);
    seen.add(text);
  }
  assert.equal(seen.size, 5_000);
  assert.equal(systemRandom.hex(20_000).length, 40_000);
  assert.match(
    systemRandom.uuid(),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert(systemRandom.fraction() < 1);
});
