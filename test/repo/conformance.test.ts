/** Every operation that Hearth has is held to the service by a conformance test of its own. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { implementedOperations } from '../../src/api/operations/implemented.ts';

const folder = fileURLToPath(new URL('../conformance', import.meta.url));

/** 'GetFunctionConcurrency' is tested by get-function-concurrency.test.ts. */
function fileOf(operation: string): string {
  const words = operation.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  return `${words}.test.ts`;
}

test('test/conformance has a file for each operation', () => {
  const files = new Set(readdirSync(folder));
  const missing = implementedOperations.map(fileOf).filter((file) => !files.has(file));
  assert.deepEqual(missing, []);
});
