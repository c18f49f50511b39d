import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkNewFunctionName, functionArn, parseFunctionReference } from './arn.ts';
import { isApiError } from './errors.ts';

const identity = { accountId: '000000000000', region: 'us-east-1' };
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:my-function';

function refusal(input: string, qualifier?: string): { code: string; message: string } {
  try {
    parseFunctionReference(input, qualifier, identity);
  } catch (error) {
    if (isApiError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  assert.fail(`${input} was accepted`);
}

describe('parseFunctionReference', () => {
  for (const form of [
    'my-function',
    'function:my-function',
    '000000000000:function:my-function',
    '000000000000:my-function',
    'us-east-1:000000000000:function:my-function',
    arn,
  ]) {
    test(`takes ${form}`, () => {
      const functionName = 'my-function';
      const parse = (input: string, qualifier?: string) =>
        parseFunctionReference(input, qualifier, identity);
      assert.deepEqual(parse(form), { functionName, qualifier: undefined });
      assert.deepEqual(parse(form, '7'), { functionName, qualifier: '7' });
      assert.deepEqual(parse(`${form}:7`), { functionName, qualifier: '7' });
      assert.deepEqual(parse(`${form}:live`, 'live'), { functionName, qualifier: 'live' });
      assert.deepEqual(parse(`${form}:$LATEST`), { functionName, qualifier: '$LATEST' });
      assert.deepEqual(parse(form, ''), { functionName, qualifier: undefined });
    });
  }

  test('refuses two qualifiers that differ', () => {
    assert.deepEqual(refusal(`${arn}:1`, '2'), {
      code: 'InvalidParameterValueException',
      message:
        'The derived qualifier from the function name does not match the specified qualifier.',
    });
  });

  test('refuses another region', () => {
    assert.deepEqual(refusal(arn.replace('us-east-1', 'eu-west-1')), {
      code: 'ResourceNotFoundException',
      message: "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    });
  });

  test('refuses another account', () => {
    const { code, message } = refusal(arn.replace('000000000000', '123456789012'));
    assert.equal(code, 'AccessDeniedException');
    assert.match(message, /resource: arn:aws:lambda:us-east-1:123456789012:function:my-function$/);
  });

  test('takes a name that is too long for a function: none has it', () => {
    const functionName = 'x'.repeat(65);
    for (const input of [functionName, arn.replace('my-function', functionName)]) {
      const parsed = parseFunctionReference(input, undefined, identity);
      assert.deepEqual(parsed, { functionName, qualifier: undefined });
    }
  });

  test('refuses what is no name at all, and quickly', () => {
    const inputs = ['', ':', 'a b', 'a:b:c:d', 'arn:aws:s3:::bucket', `${'a:'.repeat(50_000)}`];
    for (const input of inputs) {
      assert.equal(refusal(input).code, 'InvalidParameterValueException', input.slice(0, 20));
    }
  });

  test('undoes functionArn', () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9-_]{1,64}$/);
    const qualifier = fc.option(fc.stringMatching(/^[a-zA-Z0-9-_]{1,20}$/), { nil: undefined });
    fc.assert(
      fc.property(name, qualifier, (functionName, version) => {
        const input = functionArn(identity, functionName, version);
        const parsed = parseFunctionReference(input, undefined, identity);
        assert.deepEqual(parsed, { functionName, qualifier: version });
      }),
    );
  });
});

test('checkNewFunctionName takes 64 characters and refuses 65', () => {
  const name = 'x'.repeat(64);
  checkNewFunctionName(name);
  assert.throws(() => checkNewFunctionName(`${name}x`), {
    code: 'InvalidParameterValueException',
    message:
      `1 validation error detected: Value '${name}x' at 'functionName' failed to satisfy ` +
      'constraint: Member must have length less than or equal to 64',
  });
});

test('functionArn names partition and qualifier', () => {
  assert.equal(functionArn(identity, 'my-function'), arn);
  assert.equal(functionArn(identity, 'my-function', '3'), `${arn}:3`);
  assert.equal(
    functionArn({ ...identity, partition: 'aws-cn' }, 'f'),
    'arn:aws-cn:lambda:us-east-1:000000000000:function:f',
  );
});
