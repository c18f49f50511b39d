/** AddPermission: statements in the service's form, one by one, on functions, versions and aliases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AddPermissionCommandInput } from '@aws-sdk/client-lambda';
import { addPermission, outcomes, policyOf, revisionOf } from './policies.ts';
import {
  arnOf,
  createActive,
  createAliased,
  refused,
  useServer,
  type ErrorName,
} from './server.ts';

const server = useServer();

/** What a request becomes: its members, and the statement's behind Sid and Effect. */
const statements: readonly (readonly [Partial<AddPermissionCommandInput>, string])[] = [
  [
    {
      Principal: 's3.amazonaws.com',
      SourceArn: 'arn:aws:s3:::my-bucket',
      SourceAccount: '123456789012',
    },
    '"Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"ARN",' +
      '"Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},' +
      '"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::my-bucket"}}',
  ],
  [
    { Principal: '223456789012' },
    '"Principal":{"AWS":"arn:aws:iam::223456789012:root"},"Action":"lambda:InvokeFunction","Resource":"ARN"',
  ],
  [
    { Principal: 'arn:aws:iam::444455556666:role/path/example', Action: 'lambda:GetFunction' },
    '"Principal":{"AWS":"arn:aws:iam::444455556666:role/path/example"},"Action":"lambda:GetFunction","Resource":"ARN"',
  ],
  [
    { Principal: '*', PrincipalOrgID: 'o-a1b2c3d4e5', Action: 'lambda:*' },
    '"Principal":"*","Action":"lambda:*","Resource":"ARN",' +
      '"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}',
  ],
  [
    { Principal: '*', Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' },
    '"Principal":"*","Action":"lambda:InvokeFunctionUrl","Resource":"ARN",' +
      '"Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}',
  ],
  [
    { Principal: '*', InvokedViaFunctionUrl: true },
    '"Principal":"*","Action":"lambda:InvokeFunction","Resource":"ARN",' +
      '"Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}',
  ],
  [
    // go-to-k/cdkd, lambda-permission-provider.ts: seen at the service's endpoint.
    { Principal: '*', InvokedViaFunctionUrl: false },
    '"Principal":"*","Action":"lambda:InvokeFunction","Resource":"ARN"',
  ],
  [
    { Principal: 'alexa-connectedhome.amazon.com', EventSourceToken: 'amzn1.ask.skill.8d72' },
    '"Principal":{"Service":"alexa-connectedhome.amazon.com"},"Action":"lambda:InvokeFunction",' +
      '"Resource":"ARN","Condition":{"StringEquals":{"lambda:EventSourceToken":"amzn1.ask.skill.8d72"}}',
  ],
];

test('a permission becomes a statement, with its elements in the service’s order', async () => {
  await createActive(server.client, 'stated');
  for (const [index, [members, wanted]] of statements.entries()) {
    const StatementId = `statement_${index}-x`;
    const added = await addPermission(server.client, 'stated', { StatementId, ...members });
    assert.equal(added.$metadata.httpStatusCode, 201);
    const rest = wanted.replace('ARN', arnOf('stated'));
    assert.equal(added.Statement, `{"Sid":"${StatementId}","Effect":"Allow",${rest}}`);
  }
  const { statements: found } = await policyOf(server.client, 'stated');
  assert.deepEqual(
    found.map(({ Sid }) => Sid),
    statements.map((_, index) => `statement_${index}-x`),
  );
});

test('function, version and alias each have a policy of their own', async () => {
  const name = 'apart';
  await createAliased(server.client, name);
  await addPermission(server.client, name);
  await addPermission(server.client, name, { Qualifier: '1' });
  await addPermission(server.client, `${arnOf(name)}:live`);
  for (const [qualifier, Resource] of [
    [undefined, arnOf(name)],
    ['1', `${arnOf(name)}:1`],
    ['live', `${arnOf(name)}:live`],
  ] as const) {
    const found = await policyOf(server.client, name, qualifier);
    assert.deepEqual(
      found.statements.map((statement) => [statement['Sid'], statement['Resource']]),
      [['s3', Resource]],
    );
  }
});

test('a permission is refused that is there already, or for what is not there', async () => {
  const name = 'refused';
  await createAliased(server.client, name);
  await addPermission(server.client, name);
  await assert.rejects(
    addPermission(server.client, name),
    refused(
      'ResourceConflictException',
      'The statement id (s3) provided already exists. Please provide a new statement id, or remove ' +
        'the existing statement.',
    ),
  );
  await assert.rejects(
    addPermission(server.client, 'nobody'),
    refused('ResourceNotFoundException', `Function not found: ${arnOf('nobody')}`),
  );
  await assert.rejects(
    addPermission(server.client, name, { Qualifier: '2' }),
    refused('ResourceNotFoundException', `Function not found: ${arnOf(name)}:2`),
  );
  await assert.rejects(
    addPermission(server.client, name, { Qualifier: 'none' }),
    refused('ResourceNotFoundException', `Cannot find alias arn: ${arnOf(name)}:none`),
  );
  await assert.rejects(
    addPermission(server.client, name, { Qualifier: '$LATEST' }),
    refused(
      'InvalidParameterValueException',
      'We currently do not support adding policies for $LATEST.',
    ),
  );
  assert.equal((await policyOf(server.client, name)).statements.length, 1);
});

/** A member that makes no sense, and what is said about it. */
const senseless: readonly (readonly [
  Partial<AddPermissionCommandInput>,
  ErrorName,
  string | RegExp,
])[] = [
  ...['amazonaws.com', 'someone', 'S3.amazonaws.com', '12345678901', 'AIDAEXAMPLE'].map(
    (Principal) =>
      [
        { Principal },
        'InvalidParameterValueException',
        'The provided principal was invalid. Please check the principal and try again.',
      ] as const,
  ),
  [
    { Principal: 'arn:aws:iam:000000000000:role/x' },
    'InvalidParameterValueException',
    "The provided input'arn:aws:iam:000000000000:role/x'was invalid. Member must satisfy " +
      'expression: [\\w+=,.@-]* Please check your input and try again.',
  ],
  [
    { FunctionUrlAuthType: 'AWS_IAM' },
    'InvalidParameterValueException',
    'FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action',
  ],
  [
    { InvokedViaFunctionUrl: true, Action: 'lambda:InvokeFunctionUrl' },
    'InvalidParameterValueException',
    'InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action',
  ],
  [{ Action: 's3:GetObject' }, 'ValidationException', /'action' failed to satisfy constraint/],
  [{ StatementId: 'a.b' }, 'ValidationException', /'statementId' failed to satisfy constraint/],
  [{ StatementId: 'x'.repeat(101) }, 'ValidationException', /less than or equal to 100/],
  [{ SourceAccount: '12' }, 'ValidationException', /'sourceAccount' failed to satisfy/],
  [{ SourceArn: 'bucket' }, 'ValidationException', /'sourceArn' failed to satisfy constraint/],
  [{ PrincipalOrgID: 'o-1' }, 'ValidationException', /'principalOrgID' failed to satisfy/],
  [{ EventSourceToken: 'a b' }, 'ValidationException', /'eventSourceToken' failed to satisfy/],
];

test('members that make no sense are refused', async () => {
  const name = 'senseless';
  await createActive(server.client, name);
  for (const [members, error, message] of senseless) {
    await assert.rejects(addPermission(server.client, name, members), refused(error, message));
  }
  await assert.rejects(policyOf(server.client, name), refused('ResourceNotFoundException'));
});

test('a principal is looked at once the rest is right', async () => {
  // As LocalStack has it; cloudformation-coverage-roadmap #1189 has principals of the whole policy looked at.
  const name = 'late';
  await createActive(server.client, name);
  const noPrincipal = { Principal: 'nobody' };
  await assert.rejects(
    addPermission(server.client, 'nothing', noPrincipal),
    refused('ResourceNotFoundException', `Function not found: ${arnOf('nothing')}`),
  );
  await assert.rejects(
    addPermission(server.client, name, { ...noPrincipal, RevisionId: 'stale' }),
    refused('PreconditionFailedException'),
  );
  await addPermission(server.client, name);
  for (const RevisionId of [undefined, 'stale']) {
    // That the id in use comes before the stale revision: radkawar/stackd's notes of the service.
    await assert.rejects(
      addPermission(server.client, name, { ...noPrincipal, RevisionId }),
      refused('ResourceConflictException'),
    );
  }
  await assert.rejects(
    addPermission(server.client, name, { ...noPrincipal, StatementId: 'other' }),
    refused('InvalidParameterValueException'),
  );
});

test('a policy has at most 20,480 bytes', async () => {
  const name = 'full';
  await createActive(server.client, name);
  const add = (StatementId: string, SourceArn: string) =>
    addPermission(server.client, name, { StatementId, SourceArn });
  const filler = 'arn:aws:s3:::';
  await add('first', filler + 'x'.repeat(9_000));
  await add('second', filler + 'x'.repeat(9_000));
  const { Statement = '' } = await add('third', filler);
  const size = await sizeOf(name);
  const left = 20_480 - size - Statement.length + '"third"'.length - '"edge"'.length - 1;
  await assert.rejects(
    add('edge', filler + 'x'.repeat(left + 1)),
    refused(
      'PolicyLengthExceededException',
      'The final policy size (20481) is bigger than the limit (20480).',
    ),
  );
  await add('edge', filler + 'x'.repeat(left));
  assert.equal(await sizeOf(name), 20_480);
});

async function sizeOf(name: string): Promise<number> {
  const { statements: found } = await policyOf(server.client, name);
  return JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: found }).length;
}

test('of concurrent writers with the same RevisionId exactly one wins', async () => {
  const name = 'contended';
  await createAliased(server.client, name);
  const RevisionId = await revisionOf(server.client, name);
  const ids = ['a', 'b', 'c', 'd'];
  const stale = refused(
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to ' +
      'retrieve the latest Revision Id',
  );
  const { won, lost } = await outcomes(
    ids.map((StatementId) => addPermission(server.client, name, { StatementId, RevisionId })),
  );
  assert.equal(won, 1);
  assert.deepEqual(lost, Array(3).fill('PreconditionFailedException'));
  const late = { StatementId: 'late', RevisionId };
  await assert.rejects(addPermission(server.client, name, late), stale);
  const present = await policyOf(server.client, name);
  assert.equal(present.statements.length, 1);
  const next = { StatementId: 'next', RevisionId: present.RevisionId };
  await addPermission(server.client, name, next);

  for (const Qualifier of ['1', 'live']) {
    await addPermission(server.client, name, { Qualifier });
    const { RevisionId: first } = await policyOf(server.client, name, Qualifier);
    const race = await outcomes(
      ids.map((StatementId) =>
        addPermission(server.client, name, { StatementId, Qualifier, RevisionId: first }),
      ),
    );
    assert.deepEqual(race, { won: 1, lost: Array(3).fill('PreconditionFailedException') });
  }
});

test('concurrent writers without a RevisionId all succeed', async () => {
  const name = 'crowded';
  await createActive(server.client, name);
  const ids = ['a', 'b', 'c', 'd', 'e'];
  await Promise.all(ids.map((StatementId) => addPermission(server.client, name, { StatementId })));
  const { statements: found } = await policyOf(server.client, name);
  assert.deepEqual(found.map(({ Sid }) => Sid).toSorted(), ids);
});
