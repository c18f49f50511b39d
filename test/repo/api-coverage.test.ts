/** docs/reference/api-coverage.md says what the handler registry says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { implementedOperations } from '../../src/api/operations/implemented.ts';
import { operations } from '../../src/model/service-model.ts';
import { coverageUrl, renderCoverage } from '../../tools/generate-api-coverage.ts';

test('api-coverage.md is up to date (make generate)', () => {
  const isCurrent = readFileSync(coverageUrl, 'utf8') === renderCoverage();
  assert.ok(isCurrent, 'docs/reference/api-coverage.md is out of date: run make generate');
});

test('api-coverage.md names all 88 operations', () => {
  assert.equal(operations.size, 88);
  for (const name of operations.keys()) assert.match(renderCoverage(), new RegExp(`\\| ${name} `));
});

test('implementedOperations names each operation once', () => {
  assert.equal(new Set(implementedOperations).size, implementedOperations.length);
  for (const name of implementedOperations) assert.ok(operations.has(name), name);
});
