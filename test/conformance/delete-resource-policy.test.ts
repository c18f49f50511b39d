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

const stale = refused(
  'PreconditionFailedException',
  'The Revision Id provided does not match the latest Revision Id. Call the GetResourcePolicy API ' +
    'to retrieve the latest Revision Id',
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

test('DeleteResourcePolicy has nothing to do where nothing is (radkawar/stackd)', async () => {
  const name = 'absent';
  await createAliased(server.client, name);
  const absent = [
    arnOf(name),
    ...['1', 'live', '$LATEST', '3', 'none'].map((qualifier) => `${arnOf(name)}:${qualifier}`),
    arnOf('nobody'),
  ];
  const revision = await revisionOf(server.client, name);
  for (const arn of absent) {
    assert.equal((await remove(arn)).$metadata.httpStatusCode, 204);
    await assert.rejects(remove(arn, revision), stale);
  }
  assert.equal(await revisionOf(server.client, name), revision);
  await addPermission(server.client, name);
  for (const arn of absent.slice(1)) await remove(arn);
  await assert.rejects(remove(name), refused('ValidationException'));
  assert.equal((await policyOf(server.client, name)).statements.length, 1);
});

test('DeleteResourcePolicy checks the RevisionId: of writers with the same one wins', async () => {
  const name = 'contended';
  await createActive(server.client, name);
  const before = await revisionOf(server.client, name);
  await addPermission(server.client, name);
  await assert.rejects(remove(arnOf(name), before), stale);
  const { RevisionId } = await policyOf(server.client, name);
  const race = await outcomes([
    remove(arnOf(name), RevisionId),
    addPermission(server.client, name, { StatementId: 'meanwhile', RevisionId }),
  ]);
  assert.equal(race.won, 1);
});

test('DeleteResourcePolicy refuses functions of another region', async () => {
  const foreign = arnOf('deleted').replace('us-east-1', 'eu-west-1');
  await assert.rejects(
    remove(foreign),
    refused(
      'ResourceNotFoundException',
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    ),
  );
});
