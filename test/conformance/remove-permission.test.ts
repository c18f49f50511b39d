/** RemovePermission: statements go one by one, the policy with the last of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PutResourcePolicyCommand, RemovePermissionCommand } from '@aws-sdk/client-lambda';
import { addPermission, outcomes, policyOf, revisionOf } from './policies.ts';
import { arnOf, createActive, createAliased, refused, useServer } from './server.ts';

const server = useServer();

function remove(
  FunctionName: string,
  StatementId: string,
  members: { Qualifier?: string; RevisionId?: string | undefined } = {},
) {
  return server.client.send(new RemovePermissionCommand({ FunctionName, StatementId, ...members }));
}

test('RemovePermission removes one statement; without statements there is no policy', async () => {
  const name = 'removed';
  await createAliased(server.client, name);
  for (const Qualifier of [undefined, '1', 'live']) {
    await addPermission(server.client, name, { StatementId: 'one', Qualifier });
    await addPermission(server.client, name, { StatementId: 'two', Qualifier });
  }
  const { RevisionId } = await policyOf(server.client, name);
  assert.equal((await remove(name, 'one')).$metadata.httpStatusCode, 204);
  const left = await policyOf(server.client, name);
  assert.deepEqual(
    left.statements.map(({ Sid }) => Sid),
    ['two'],
  );
  assert.notEqual(left.RevisionId, RevisionId);
  await remove(name, 'two');
  assert.notEqual(await revisionOf(server.client, name), left.RevisionId);
  await assert.rejects(
    policyOf(server.client, name),
    refused('ResourceNotFoundException', 'The resource you requested does not exist.'),
  );
  await remove(name, 'one', { Qualifier: '1' });
  await remove(`${name}:live`, 'two');
  assert.equal((await policyOf(server.client, name, '1')).statements.length, 1);
  assert.equal((await policyOf(server.client, name, 'live')).statements.length, 1);
});

test('RemovePermission finds statements of whole policies, too, with dots in their ids', async () => {
  const name = 'whole';
  await createActive(server.client, name);
  const statement = (Sid?: string) => ({
    ...(Sid === undefined ? {} : { Sid }),
    Effect: 'Deny',
    Principal: '*',
    Action: 'lambda:InvokeFunction',
    Resource: arnOf(name),
  });
  const Policy = JSON.stringify({ Statement: [statement('a.b'), statement()] });
  await server.client.send(new PutResourcePolicyCommand({ ResourceArn: arnOf(name), Policy }));
  await remove(name, 'a.b');
  assert.deepEqual((await policyOf(server.client, name)).statements, [statement()]);
});

test('RemovePermission says what is missing', async () => {
  const name = 'missing';
  await createAliased(server.client, name);
  const missing = (message: string) => refused('ResourceNotFoundException', message);
  await assert.rejects(
    remove('nobody', 's3', { Qualifier: 'live' }),
    missing(`No policy found for: ${arnOf('nobody')}`),
  );
  const none = missing('No policy is associated with the given resource.');
  await assert.rejects(remove(name, 's3'), none);
  await addPermission(server.client, name);
  await assert.rejects(remove(name, 's3', { Qualifier: '1' }), none);
  await assert.rejects(remove(name, 's3', { Qualifier: '$LATEST' }), none);
  await assert.rejects(
    remove(name, 'other'),
    missing('Statement other is not found in resource policy.'),
  );
  await assert.rejects(
    remove(name, 's3', { Qualifier: 'none' }),
    missing(`Cannot find alias arn: ${arnOf(name)}:none`),
  );
  await assert.rejects(remove(name, 'a b'), refused('ValidationException'));
  assert.equal((await policyOf(server.client, name)).statements.length, 1);
});

test('of concurrent writers with the same RevisionId exactly one wins', async () => {
  const name = 'contended';
  await createActive(server.client, name);
  const ids = ['a', 'b', 'c', 'd'];
  for (const StatementId of ids) await addPermission(server.client, name, { StatementId });
  const { RevisionId } = await policyOf(server.client, name);
  const race = await outcomes(ids.map((id) => remove(name, id, { RevisionId })));
  assert.deepEqual(race, { won: 1, lost: Array(3).fill('PreconditionFailedException') });
  const { statements } = await policyOf(server.client, name);
  assert.equal(statements.length, 3);
  await assert.rejects(
    remove(name, String(statements[0]?.['Sid']), { RevisionId }),
    refused(
      'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the ' +
        'GetFunction/GetAlias API to retrieve the latest Revision Id',
    ),
  );
});
