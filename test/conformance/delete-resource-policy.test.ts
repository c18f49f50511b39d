/** DeleteResourcePolicy: the whole policy of a function, a version or an alias goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeleteResourcePolicyCommand } from '@aws-sdk/client-lambda';
import { addPermission, outcomes, policyOf, revisionOf } from './policies.ts';
import { arnOf, createActive, createAliased, refused, useServer } from './server.ts';

const server = useServer();

function remove(ResourceArn: string, RevisionId?: string) {
  return server.client.send(new DeleteResourcePolicyCommand({ ResourceArn, RevisionId }));
}

const none = refused(
  'ResourceNotFoundException',
  'No policy is associated with the given resource.',
);

test('DeleteResourcePolicy deletes all statements of one policy, and of no other', async () => {
  const name = 'deleted';
  await createAliased(server.client, name);
  for (const Qualifier of [undefined, '1', 'live']) {
    await addPermission(server.client, name, { StatementId: 'one', Qualifier });
    await addPermission(server.client, name, { StatementId: 'two', Qualifier });
  }
  const before = await revisionOf(server.client, name);
  assert.equal((await remove(arnOf(name))).$metadata.httpStatusCode, 204);
  assert.notEqual(await revisionOf(server.client, name), before);
  await assert.rejects(policyOf(server.client, name), refused('ResourceNotFoundException'));
  assert.equal((await policyOf(server.client, name, '1')).statements.length, 2);
  await remove(`${arnOf(name)}:1`);
  assert.equal((await policyOf(server.client, name, 'live')).statements.length, 2);
  await remove(`${arnOf(name)}:live`);
  await addPermission(server.client, name, { StatementId: 'one' });
});

test('DeleteResourcePolicy says what is not there', async () => {
  const name = 'absent';
  await createAliased(server.client, name);
  await assert.rejects(remove(arnOf(name)), none);
  await addPermission(server.client, name);
  for (const qualifier of ['1', 'live', '$LATEST']) {
    await assert.rejects(remove(`${arnOf(name)}:${qualifier}`), none);
  }
  await assert.rejects(
    remove(arnOf('nobody')),
    refused('ResourceNotFoundException', `Function not found: ${arnOf('nobody')}`),
  );
  await assert.rejects(
    remove(`${arnOf(name)}:3`),
    refused('ResourceNotFoundException', `Function not found: ${arnOf(name)}:3`),
  );
  await assert.rejects(
    remove(`${arnOf(name)}:none`),
    refused('ResourceNotFoundException', `Cannot find alias arn: ${arnOf(name)}:none`),
  );
  await assert.rejects(remove(name), refused('ValidationException'));
  assert.equal((await policyOf(server.client, name)).statements.length, 1);
});

test('DeleteResourcePolicy checks the RevisionId: of writers with the same one wins', async () => {
  const name = 'contended';
  await createActive(server.client, name);
  const stale = await revisionOf(server.client, name);
  await addPermission(server.client, name);
  await assert.rejects(
    remove(arnOf(name), stale),
    refused(
      'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the GetResourcePolicy ' +
        'API to retrieve the latest Revision Id',
    ),
  );
  const { RevisionId } = await policyOf(server.client, name);
  const race = await outcomes([
    remove(arnOf(name), RevisionId),
    addPermission(server.client, name, { StatementId: 'meanwhile', RevisionId }),
  ]);
  assert.equal(race.won, 1);
});
