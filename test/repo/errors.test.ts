/** docs/reference/errors.md, the error table and the AWS SDK agree. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import * as sdk from '@aws-sdk/client-lambda';
import { errorTable, type ErrorEntry } from '../../src/model/error-table.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface DocumentedError {
  readonly status: string;
  readonly fault: string;
  readonly messageMember: string;
  readonly hasType: string;
  readonly others: string;
  readonly origin: string;
}

const originNames = { model: 'service model', protocol: 'protocol', hearth: 'Hearth' } as const;

function documentedErrors(): Map<string, DocumentedError> {
  const text = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.map((row) => {
      const cells = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
      const [, code = '', status = '', fault = '', messageMember = ''] = cells;
      const [hasType = '', others = '', origin = ''] = cells.slice(5);
      return [code, { status, fault, messageMember, hasType, others, origin }];
    }),
  );
}

function expectedRow(entry: ErrorEntry): DocumentedError {
  const headers = [...entry.headerMembers.values()].map((name) => `header ${name}`);
  return {
    status: String(entry.httpStatus),
    fault: entry.fault,
    messageMember: entry.messageMember,
    hasType: entry.hasType ? 'yes' : 'no',
    others: [...entry.bodyMembers, ...headers].join(', ') || '-',
    origin: originNames[entry.origin],
  };
}

test('errors.md describes every code of the error table', () => {
  const documented = documentedErrors();
  for (const [code, entry] of errorTable) {
    assert.deepEqual(documented.get(code), expectedRow(entry), code);
  }
});

test('errors.md describes no code that the error table lacks', () => {
  for (const code of documentedErrors().keys()) assert.ok(errorTable.has(code), code);
});

/** `[kind, namespace, name, traits, member names, member traits]` in the SDK's schemas. */
type SdkSchema = [number, string, string, Record<string, unknown>, string[], unknown[]];

function sdkErrors(): SdkSchema[] {
  return Object.entries(sdk)
    .filter(([name, value]) => name.endsWith('Exception$') && Array.isArray(value))
    .map(([, value]) => value as unknown as SdkSchema)
    .filter(([, namespace]) => namespace === 'com.amazonaws.lambda');
}

test('modelled errors have the status, fault and casing of the AWS SDK', () => {
  const schemas = sdkErrors();
  assert.ok(schemas.length > 50, 'the SDK no longer exports its error schemas in this form');
  for (const [, , code, traits, members] of schemas) {
    const entry = errorTable.get(code);
    assert.ok(entry, `${code} is in the SDK and not in the error table`);
    assert.equal(entry.httpStatus, traits['httpError'], code);
    assert.equal(entry.fault, traits['error'] === 'client' ? 'User' : 'Service', code);
    assert.ok(members.includes(entry.messageMember), code);
    assert.equal(members.includes('Type'), entry.hasType, code);
  }
});

test('every modelled error is known to the AWS SDK', () => {
  const known = new Set(sdkErrors().map(([, , code]) => code));
  for (const { code, origin } of errorTable.values()) {
    assert.equal(known.has(code), origin === 'model', code);
  }
});

test('every code that the sources throw is in the error table', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => /(?<!\.test)\.ts$/.test(name))) {
    const text = readFileSync(join(root, 'src', file), 'utf8');
    for (const [, code = ''] of text.matchAll(/new ApiError\(\s*'(\w+)'/g)) {
      assert.ok(errorTable.has(code), `${code} in src/${file}`);
    }
  }
});
