import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicy } from './policy-grammar.ts';

const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f';

function statement(elements: object = {}): Record<string, unknown> {
  return {
    Effect: 'Allow',
    Principal: '*',
    Action: 'lambda:InvokeFunction',
    Resource: functionArn,
    ...elements,
  };
}

function parse(document: unknown) {
  return parsePolicy(JSON.stringify(document), functionArn);
}

/** A statement without one of its elements, and maybe with others. */
function lacking(name: string, elements: object = {}): Record<string, unknown> {
  const left = Object.entries(statement(elements)).filter(([element]) => element !== name);
  return Object.fromEntries(left);
}

test('parsePolicy keeps the document as it is, but for white space and a lone statement', () => {
  const document = { Version: '2008-10-17', Id: 'i', Statement: [statement({ Sid: 's' })] };
  assert.deepEqual(parse(document), document);
  assert.deepEqual(Object.keys(parse(document)), ['Version', 'Id', 'Statement']);
  assert.deepEqual(parse({ Statement: statement() }), { Statement: [statement()] });
});

const accepted: readonly (readonly [string, Record<string, unknown>])[] = [
  ['several actions', statement({ Action: ['lambda:Get*', 'LAMBDA:invokefunction', '*'] })],
  ['NotAction', lacking('Action', { NotAction: 'lambda:DeleteFunction' })],
  ['any resource', statement({ Resource: '*' })],
  ['versions and aliases', statement({ Resource: [`${functionArn}:*`, `${functionArn}:live`] })],
  ['function and all of it', statement({ Resource: `${functionArn}*` })],
  ['NotResource', lacking('Resource', { NotResource: `${functionArn}:1` })],
  ['NotPrincipal', lacking('Principal', { NotPrincipal: { AWS: '123456789012' } })],
  ['everybody', statement({ Principal: { AWS: '*' } })],
  ['other identities', statement({ Principal: { Federated: 'cognito', CanonicalUser: ['c'] } })],
  // radkawar/stackd's notes of the service.
  ['any federated identity', statement({ Principal: { Federated: ['', '*', 'anything at all'] } })],
  ['Deny', statement({ Effect: 'Deny' })],
  ['no condition', statement({ Condition: {} })],
  [
    'conditions',
    statement({
      Condition: {
        'ForAllValues:StringNotLike': { 'aws:PrincipalOrgPaths': ['o-1/*'] },
        NumericLessThanEquals: { 'aws:MultiFactorAuthAge': 300 },
        DateGreaterThanIfExists: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' },
        ArnNotEquals: { 'aws:SourceArn': functionArn },
        Null: { 'aws:SourceVpc': [true] },
        StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE', 'AWS:SourceAccount': '123456789012' },
      },
    }),
  ],
];

for (const [what, one] of accepted) {
  test(`parsePolicy accepts ${what}`, () => {
    assert.deepEqual(parse({ Statement: [one] }).Statement, [one]);
  });
}

test('parsePolicy accepts statements without ids, or with empty ones', () => {
  const Statement = [statement(), statement(), statement({ Sid: '' }), statement({ Sid: '' })];
  assert.equal(parse({ Statement }).Statement.length, 4);
});

const where = 'Statement 1';
const refused: readonly (readonly [string, unknown])[] = [
  ['It must be a JSON object.', []],
  ['It must be a JSON object.', null],
  ['The document must have a Statement.', { Version: '2012-10-17' }],
  ['The document must have a Statement.', { Statement: [] }],
  ['The document has an unknown element statement.', { statement: statement() }],
  [
    'Version must be one of 2008-10-17, 2012-10-17.',
    { Version: '2012-10-18', Statement: statement() },
  ],
  ['Id must be a string.', { Id: 1, Statement: statement() }],
  ['Statement 2 must be an object.', { Statement: [statement(), 'all'] }],
  [
    'More than one statement has the Sid a.',
    { Statement: [statement({ Sid: 'a' }), statement({ Sid: 'a' })] },
  ],
];

for (const [detail, document] of refused) {
  test(`parsePolicy refuses ${JSON.stringify(document)}`, () => {
    const message = `Policy has syntax errors. ${detail}`;
    assert.throws(() => parse(document), { code: 'InvalidParameterValueException', message });
  });
}

const refusedStatements: readonly (readonly [string, Record<string, unknown>])[] = [
  [`${where} has an unknown element Actions.`, statement({ Actions: [] })],
  [`${where}: Sid must be a string.`, statement({ Sid: 7 })],
  [`${where}: Effect must be Allow or Deny.`, lacking('Effect')],
  [`${where}: Effect must be Allow or Deny.`, statement({ Effect: 'ALLOW' })],
  [`${where} must have either Principal or NotPrincipal.`, lacking('Principal')],
  [`${where} must have either Principal or NotPrincipal.`, statement({ NotPrincipal: '*' })],
  [`${where}: Principal must be * or an object.`, statement({ Principal: '123456789012' })],
  [`${where}: Principal must be * or an object.`, statement({ Principal: {} })],
  [`${where}: Principal has an unknown element Aws.`, statement({ Principal: { Aws: '*' } })],
  [
    `${where}: Principal AWS must be a string or a list of strings.`,
    statement({ Principal: { AWS: [] } }),
  ],
  [`${where} must have either Action or NotAction.`, lacking('Action')],
  [`${where}: s3:GetObject is not an action of Lambda.`, statement({ Action: 's3:GetObject' })],
  [`${where}: Action must be a string or a list of strings.`, statement({ Action: [1] })],
  [`${where} must have either Resource or NotResource.`, lacking('Resource')],
  [`${where}: Resource must not be empty.`, statement({ Resource: '' })],
  [
    `${where}: the resource ${functionArn}2 does not belong to the function.`,
    statement({ Resource: [functionArn, `${functionArn}2`] }),
  ],
  [`${where}: Condition must be an object.`, statement({ Condition: [] })],
  [
    `${where}: StringEqual is not a condition operator.`,
    statement({ Condition: { StringEqual: {} } }),
  ],
  // radkawar/stackd.
  [
    `${where}: s3:prefix is not a condition key of IAM or Lambda.`,
    statement({ Condition: { StringEquals: { 's3:prefix': 'a' } } }),
  ],
  [`${where}: Bool must be an object.`, statement({ Condition: { Bool: true } })],
  [
    `${where}: Bool of aws:x must be a value or a list of values.`,
    statement({ Condition: { Bool: { 'aws:x': [[true]] } } }),
  ],
];

for (const [detail, one] of refusedStatements) {
  test(`parsePolicy refuses the statement ${JSON.stringify(one)}`, () => {
    const message = `Policy has syntax errors. ${detail}`;
    const error = { code: 'InvalidParameterValueException', message };
    assert.throws(() => parse({ Statement: [one] }), error);
  });
}

test('parsePolicy refuses principals of the wrong kind', () => {
  for (const Principal of [{ AWS: 's3.amazonaws.com' }, { Service: ['s3.amazonaws.com', '*'] }]) {
    assert.throws(() => parse({ Statement: statement({ Principal }) }), {
      message: 'The provided principal was invalid. Please check the principal and try again.',
    });
  }
});

test('parsePolicy refuses text that is not JSON, or nested deeply', () => {
  const invalid = { message: 'Policy has syntax errors. It is not valid JSON.' };
  for (const text of ['', '{', '{"Statement":[}', "{'Statement':1}"]) {
    assert.throws(() => parsePolicy(text, functionArn), invalid);
  }
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  assert.throws(() => parsePolicy(`{"Statement":${deep}}`, functionArn), {
    message: 'Policy has syntax errors. Statement 1 must be an object.',
  });
  const hidden = JSON.stringify(statement()).replace(
    '}',
    `,"Condition":{"Bool":{"aws:x":${deep}}}}`,
  );
  assert.throws(() => parsePolicy(`{"Statement":${hidden}}`, functionArn), {
    code: 'InvalidParameterValueException',
  });
});

test('parsePolicy does not mistake names of objects for elements', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const text = JSON.stringify(statement()).replace('{', `{"${name}":{},`);
    assert.throws(() => parsePolicy(`{"Statement":${text}}`, functionArn), {
      message: `Policy has syntax errors. Statement 1 has an unknown element ${name}.`,
    });
  }
});
