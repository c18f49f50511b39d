/** Whatever document PutResourcePolicy gets: a refusal in the API's words, or a policy that is stable. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isApiError } from '../../src/model/errors.ts';
import { parsePolicy } from '../../src/model/policy-grammar.ts';
import { renderPolicy } from '../../src/model/policy.ts';

const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f';
const budgetMs = 2_000;

/** Mostly what belongs there, sometimes anything. */
function oftenOf(...values: unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  );
}

const statement = fc.record(
  {
    Sid: fc.oneof(fc.string(), fc.constantFrom('a', 'b')),
    Effect: oftenOf('Allow', 'Deny'),
    Principal: oftenOf('*', { AWS: '123456789012' }, { Service: ['s3.amazonaws.com'] }),
    NotPrincipal: oftenOf({ AWS: ['arn:aws:iam::123456789012:root'] }),
    Action: oftenOf('lambda:InvokeFunction', ['lambda:*', '*']),
    Resource: oftenOf(functionArn, `${functionArn}:*`, ['*', functionArn]),
    Condition: oftenOf({ Bool: { 'aws:SecureTransport': true } }, { ArnLike: { k: ['a', 'b'] } }),
  },
  { requiredKeys: ['Effect', 'Principal', 'Action', 'Resource'], noNullPrototype: true },
);

const document = fc.record(
  {
    Version: oftenOf('2012-10-17', '2008-10-17'),
    Id: oftenOf('default'),
    Statement: fc.oneof(fc.array(statement, { maxLength: 4 }), statement, fc.jsonValue()),
  },
  { requiredKeys: ['Statement'], noNullPrototype: true },
);

const text = fc.oneof(
  { weight: 10, arbitrary: document.map((value) => JSON.stringify(value, null, 1)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

test('parsePolicy gives a policy that it takes again as it is, or a refusal', () => {
  const seen = { accepted: 0, refused: 0 };
  const property = fc.property(text, (given) => {
    let policy;
    try {
      policy = parsePolicy(given, functionArn);
    } catch (error) {
      assert.ok(isApiError(error), String(error));
      assert.equal(error.code, 'InvalidParameterValueException');
      seen.refused += 1;
      return;
    }
    assert.deepEqual(parsePolicy(renderPolicy(policy), functionArn), policy);
    seen.accepted += 1;
  });
  fc.assert(property, { numRuns: 20_000, interruptAfterTimeLimit: budgetMs });
  assert.ok(seen.accepted > 50 && seen.refused > 50, JSON.stringify(seen));
});
