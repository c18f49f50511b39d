/** GetResourcePolicy: what GetPolicy gives, found by an ARN. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetPolicyCommand, GetResourcePolicyCommand } from '@aws-sdk/client-lambda';
import { addPermission } from './policies.ts';
import { arnOf, createAliased, refused, useServer } from './server.ts';

const server = useServer();

function get(ResourceArn: string) {
  return server.client.send(new GetResourcePolicyCommand({ ResourceArn }));
}

test('GetResourcePolicy and GetPolicy give the same policy and revision', async () => {
  const name = 'seen';
  await createAliased(server.client, name);
  for (const Qualifier of [undefined, '1', 'live']) {
    const arn = Qualifier === undefined ? arnOf(name) : `${arnOf(name)}:${Qualifier}`;
    await assert.rejects(
      get(arn),
      refused('ResourceNotFoundException', 'The resource you requested does not exist.'),
    );
    await addPermission(server.client, name, { Qualifier });
    const found = await get(arn);
    assert.equal(found.$metadata.httpStatusCode, 200);
    const other = await server.client.send(new GetPolicyCommand({ FunctionName: name, Qualifier }));
    assert.deepEqual([found.Policy, found.RevisionId], [other.Policy, other.RevisionId]);
  }
});

test('GetResourcePolicy says what is not there', async () => {
  const name = 'unseen';
  await createAliased(server.client, name);
  await addPermission(server.client, name);
  const missing = (message: string) => refused('ResourceNotFoundException', message);
  await assert.rejects(get(arnOf('nobody')), missing(`Function not found: ${arnOf('nobody')}`));
  await assert.rejects(get(`${arnOf(name)}:5`), missing(`Function not found: ${arnOf(name)}:5`));
  await assert.rejects(
    get(`${arnOf(name)}:none`),
    missing(`Cannot find alias arn: ${arnOf(name)}:none`),
  );
  await assert.rejects(
    get(`${arnOf(name)}:$LATEST`),
    missing('The resource you requested does not exist.'),
  );
  await assert.rejects(get(name), refused('ValidationException'));
});
