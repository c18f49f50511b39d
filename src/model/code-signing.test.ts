import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeSigningConfigArn, parseCodeSigningConfigArn } from './code-signing.ts';

const identity = { accountId: '000000000000', region: 'us-east-1' };
const id = 'csc-0123456789abcdef0';
const arn = `arn:aws:lambda:us-east-1:000000000000:code-signing-config:${id}`;

test('an ARN names a configuration of this account and region', () => {
  assert.equal(codeSigningConfigArn(identity, id), arn);
  assert.equal(
    codeSigningConfigArn({ ...identity, partition: 'aws-cn' }, id),
    arn.replace('arn:aws:', 'arn:aws-cn:'),
  );
  assert.equal(parseCodeSigningConfigArn(arn, identity), id);
});

test('other ARNs name none', () => {
  for (const other of [
    arn.replace('us-east-1', 'us-east-2'),
    arn.replace('000000000000', '123456789012'),
    arn.replace('arn:aws:', 'arn:aws-cn:'),
    arn.replace('code-signing-config', 'function'),
    `${arn}0`,
    arn.slice(0, -1),
    id,
    '',
  ]) {
    assert.equal(parseCodeSigningConfigArn(other, identity), undefined);
  }
});
