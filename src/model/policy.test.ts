import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkPolicySize,
  emptyPolicy,
  renderPolicy,
  withoutStatement,
  withStatement,
} from './policy.ts';

const one = { Sid: 'one', Effect: 'Allow' };
const two = { Sid: 'two', Effect: 'Deny' };

test('withStatement adds behind what is there, and leaves the document that it was given', () => {
  const first = withStatement(emptyPolicy, one);
  const second = withStatement(first, two);
  assert.equal(
    renderPolicy(second),
    '{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"one","Effect":"Allow"},{"Sid":"two","Effect":"Deny"}]}',
  );
  assert.deepEqual(first.Statement, [one]);
  assert.deepEqual(emptyPolicy.Statement, []);
  assert.throws(() => withStatement(second, { ...one, Effect: 'Deny' }), {
    code: 'ResourceConflictException',
  });
});

test('withoutStatement keeps the rest of the document; nothing is left without statements', () => {
  const document = { Id: 'own', Statement: [one, { Effect: 'Allow' }, two] };
  assert.deepEqual(withoutStatement(document, 'one'), {
    Id: 'own',
    Statement: [{ Effect: 'Allow' }, two],
  });
  assert.equal(withoutStatement({ Statement: [two] }, 'two'), undefined);
  assert.throws(() => withoutStatement(document, 'three'), {
    code: 'ResourceNotFoundException',
    message: 'Statement three is not found in resource policy.',
  });
});

test('checkPolicySize counts the bytes of what is given back, 20,480 at most', () => {
  const bare = renderPolicy({ Id: '', Statement: [one] }).length;
  const withId = (Id: string) => ({ Id, Statement: [one] });
  checkPolicySize(withId('x'.repeat(20_480 - bare)));
  checkPolicySize(withId('é'.repeat(Math.floor((20_480 - bare) / 2))));
  for (const id of ['x'.repeat(20_481 - bare), `${'x'.repeat(20_479 - bare)}é`]) {
    assert.throws(() => checkPolicySize(withId(id)), {
      code: 'PolicyLengthExceededException',
      message: 'The final policy size (20481) is bigger than the limit (20480).',
    });
  }
});
