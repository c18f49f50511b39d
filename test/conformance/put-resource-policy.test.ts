/** PutResourcePolicy: a whole document in place of what was there, in one store with AddPermission. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PutResourcePolicyCommand } from '@aws-sdk/client-lambda';
import { addPermission, outcomes, policyOf, revisionOf } from './policies.ts';
import {
  accountId,
  arnOf,
  createActive,
  createAliased,
  refused,
  region,
  useServer,
} from './server.ts';

const server = useServer();

function put(ResourceArn: string, policy: unknown, RevisionId?: string) {
  const Policy = typeof policy === 'string' ? policy : JSON.stringify(policy, null, 2);
  return server.client.send(new PutResourcePolicyCommand({ ResourceArn, Policy, RevisionId }));
}

/** A valid statement, with what the test cares about put over it. */
function statement(name: string, elements: object = {}) {
  return {
    Sid: 'allow',
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: 'lambda:InvokeFunction',
    Resource: arnOf(name),
    ...elements,
  };
}

/** As in the guide's examples: denials, several principals, conditions of every kind. */
function documentOf(name: string) {
  return {
    Version: '2012-10-17',
    Statement: [
      statement(name, { Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } } }),
      statement(name, {
        Sid: 'deny',
        Effect: 'Deny',
        Resource: [arnOf(name), `${arnOf(name)}:*`],
        Condition: { ArnLike: { 'aws:SourceArn': ['arn:aws:s3:::one', 'arn:aws:s3:::two'] } },
      }),
      statement(name, {
        Sid: 'roles',
        Principal: {
          AWS: ['arn:aws:iam::444455556666:role/a', '444455556666'],
          Service: ['sns.amazonaws.com'],
        },
        Action: ['lambda:CreateAlias', 'lambda:Get*'],
        Condition: {
          IpAddress: { 'aws:SourceIp': '192.0.2.0' },
          'ForAnyValue:StringLikeIfExists': { 'aws:PrincipalOrgPaths': ['o-a1/r-b2/*'] },
          Bool: { 'aws:SecureTransport': true },
        },
      }),
    ],
  };
}

test('PutResourcePolicy replaces what AddPermission made, and AddPermission adds to it', async () => {
  const name = 'replaced';
  await createAliased(server.client, name);
  await addPermission(server.client, name);
  const document = documentOf(name);
  const answer = await put(arnOf(name), document);
  assert.equal(answer.$metadata.httpStatusCode, 200);
  assert.equal(answer.Policy, JSON.stringify(document));
  assert.equal(answer.RevisionId, await revisionOf(server.client, name));
  const found = await policyOf(server.client, name);
  assert.deepEqual(found, { statements: document.Statement, RevisionId: answer.RevisionId });
  const { Statement = '' } = await addPermission(server.client, name);
  const { statements } = await policyOf(server.client, name);
  assert.deepEqual(statements, [...document.Statement, JSON.parse(Statement)]);
  await assert.rejects(
    addPermission(server.client, name, { StatementId: 'deny' }),
    refused('ResourceConflictException'),
  );

  for (const qualifier of ['1', 'live']) {
    const Resource = `${arnOf(name)}:${qualifier}`;
    await put(Resource, { Statement: statement(name, { Resource }) });
    const { statements: qualified } = await policyOf(server.client, name, qualifier);
    assert.deepEqual(qualified, [statement(name, { Resource })], 'a list, whatever was given');
  }
});

test('PutResourcePolicy takes only ARNs of functions, versions and aliases that are there', async () => {
  const name = 'targeted';
  await createActive(server.client, name);
  const policy = { Statement: [statement(name)] };
  await assert.rejects(
    put(arnOf('nobody'), { Statement: [statement('nobody')] }),
    refused('ResourceNotFoundException', `Function not found: ${arnOf('nobody')}`),
  );
  await assert.rejects(
    put(`${arnOf(name)}:7`, policy),
    refused('ResourceNotFoundException', `Function not found: ${arnOf(name)}:7`),
  );
  await assert.rejects(
    put(`${arnOf(name)}:none`, policy),
    refused('ResourceNotFoundException', `Cannot find alias arn: ${arnOf(name)}:none`),
  );
  await assert.rejects(
    put(`${arnOf(name)}:$LATEST`, policy),
    refused(
      'InvalidParameterValueException',
      'We currently do not support adding policies for $LATEST.',
    ),
  );
  await assert.rejects(
    put(arnOf(name).replace(accountId, '111122223333'), policy),
    refused('AccessDeniedException'),
  );
  await assert.rejects(
    put(arnOf(name).replace(region, 'eu-west-1'), policy),
    refused('ResourceNotFoundException'),
  );
  await assert.rejects(put(name, policy), refused('ValidationException'));
  await assert.rejects(put(`${arnOf(name)}:*`, policy), refused('ValidationException'));
});

test('PutResourcePolicy refuses what is no policy, and changes nothing', async () => {
  const name = 'refused';
  await createActive(server.client, name);
  await addPermission(server.client, name);
  const before = await policyOf(server.client, name);
  const policies: readonly (readonly [unknown, string])[] = [
    ['{"Statement":', 'Policy has syntax errors. It is not valid JSON.'],
    [{}, 'Policy has syntax errors. The document must have a Statement.'],
    [
      { Statement: [statement(name, { Effect: 'allow' })] },
      'Policy has syntax errors. Statement 1: Effect must be Allow or Deny.',
    ],
    [
      { Statement: [statement(name), statement(name)] },
      'Policy has syntax errors. More than one statement has the Sid allow.',
    ],
    [
      { Statement: statement(name, { Resource: arnOf('other') }) },
      `Policy has syntax errors. Statement 1: the resource ${arnOf('other')} does not belong to the function.`,
    ],
    [
      { Statement: statement(name, { Principal: { Service: 'nobody' } }) },
      'The provided principal was invalid. Please check the principal and try again.',
    ],
  ];
  for (const [policy, message] of policies) {
    const error = refused('InvalidParameterValueException', message);
    await assert.rejects(put(arnOf(name), policy), error);
  }
  await assert.rejects(put(arnOf(name), ''), refused('ValidationException'));
  const revisionId = put(arnOf(name), { Statement: statement(name) }, 'stale');
  await assert.rejects(revisionId, refused('ValidationException', /'revisionId' failed/));
  assert.deepEqual(await policyOf(server.client, name), before);
});

test('a policy has at most 20,480 characters as it is sent, and bytes as it is kept', async () => {
  const name = 'sized';
  await createActive(server.client, name);
  const withId = (Id: string) => JSON.stringify({ Id, Statement: [statement(name)] });
  const room = 20_480 - withId('').length;
  await put(arnOf(name), withId('x'.repeat(room)));
  await assert.rejects(
    put(arnOf(name), withId('x'.repeat(room + 1))),
    refused(
      'ValidationException',
      /'policy' failed to satisfy constraint: Member must have length less than .* 20480$/,
    ),
  );
  await assert.rejects(
    put(arnOf(name), withId(`${'x'.repeat(room - 1)}é`)),
    refused(
      'PolicyLengthExceededException',
      'The final policy size (20481) is bigger than the limit (20480).',
    ),
  );
  const spaced = `${' '.repeat(10_000)}${withId('x'.repeat(room - 10_000))}`;
  assert.equal((await put(arnOf(name), spaced)).Policy?.length, 10_480);
});

test('of concurrent writers with the same RevisionId exactly one wins', async () => {
  const name = 'contended';
  await createActive(server.client, name);
  const revision = await revisionOf(server.client, name);
  const policies = ['a', 'b', 'c', 'd'].map((Sid) => ({ Statement: statement(name, { Sid }) }));
  const race = await outcomes(policies.map((policy) => put(arnOf(name), policy, revision)));
  assert.deepEqual(race, { won: 1, lost: Array(3).fill('PreconditionFailedException') });
  await assert.rejects(
    put(arnOf(name), policies[0], revision),
    refused(
      'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the GetResourcePolicy ' +
        'API to retrieve the latest Revision Id',
    ),
  );
  const { RevisionId } = await policyOf(server.client, name);
  await put(arnOf(name), policies[0], RevisionId);
});
