import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddLayerVersionPermissionCommand,
  GetLayerVersionPolicyCommand,
  RemoveLayerVersionPermissionCommand,
  type AddLayerVersionPermissionCommandInput,
} from '@aws-sdk/client-lambda';
import { layerArnOf, publishLayer } from './layers.ts';
import { useServer } from './server.ts';

const server = useServer();
const LayerName = 'shared';
const VersionNumber = 1;
const Resource = `${layerArnOf(LayerName)}:1`;

function add(StatementId: string, overrides: Partial<AddLayerVersionPermissionCommandInput> = {}) {
  const input = { LayerName, VersionNumber, StatementId, Principal: '123456789012', ...overrides };
  return server.client.send(
    new AddLayerVersionPermissionCommand({ Action: 'lambda:GetLayerVersion', ...input }),
  );
}

function remove(StatementId: string, RevisionId?: string) {
  const input = { LayerName, VersionNumber, StatementId, RevisionId };
  return server.client.send(new RemoveLayerVersionPermissionCommand(input));
}

function policy() {
  return server.client.send(new GetLayerVersionPolicyCommand({ LayerName, VersionNumber }));
}

const none = {
  name: 'ResourceNotFoundException',
  message: 'No policy is associated with the given resource.',
};

test('a layer version’s policy: statements are added, given back and removed', async () => {
  await publishLayer(server.client, LayerName);
  await assert.rejects(policy(), none);
  const account = {
    Sid: 'account',
    Effect: 'Allow',
    Principal: { AWS: 'arn:aws:iam::123456789012:root' },
    Action: 'lambda:GetLayerVersion',
    Resource,
  };
  const added = await add('account');
  assert.equal(added.$metadata.httpStatusCode, 201);
  assert.deepEqual(JSON.parse(added.Statement ?? ''), account);
  const everyone = { ...account, Sid: 'all', Principal: '*' };
  const organization = {
    ...everyone,
    Sid: 'org',
    Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-0123456789' } },
  };
  await add('all', { Principal: '*' });
  const last = await add('org', { Principal: '*', OrganizationId: 'o-0123456789' });
  assert.deepEqual(JSON.parse(last.Statement ?? ''), organization);
  const found = await policy();
  assert.equal(found.RevisionId, last.RevisionId);
  assert.notEqual(found.RevisionId, added.RevisionId);
  assert.deepEqual(JSON.parse(found.Policy ?? ''), {
    Version: '2012-10-17',
    Id: 'default',
    Statement: [account, everyone, organization],
  });
  assert.equal((await remove('all')).$metadata.httpStatusCode, 204);
  const left = JSON.parse((await policy()).Policy ?? '') as { Statement: unknown };
  assert.deepEqual(left.Statement, [account, organization]);
  await remove('account');
  await remove('org');
  await assert.rejects(policy(), none);
});

test('changes of a policy check the RevisionId', async () => {
  const rejectsStale = (call: Promise<unknown>): Promise<void> =>
    assert.rejects(call, {
      name: 'PreconditionFailedException',
      message:
        'The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy ' +
        'API to retrieve the latest Revision Id',
    });
  await rejectsStale(add('early', { RevisionId: 'none yet' }));
  const first = await add('first');
  const second = await add('second', { RevisionId: first.RevisionId });
  await rejectsStale(add('third', { RevisionId: first.RevisionId }));
  await rejectsStale(remove('first', first.RevisionId));
  await remove('first', second.RevisionId);
  await remove('second', (await policy()).RevisionId);
});

test('permissions are refused that are there, are not, or make no sense', async () => {
  await add('once');
  await assert.rejects(add('once'), {
    name: 'ResourceConflictException',
    message:
      'The statement id (once) provided already exists. Please provide a new statement id, or ' +
      'remove the existing statement.',
  });
  await assert.rejects(remove('never'), {
    name: 'ResourceNotFoundException',
    message: 'Statement never is not found in resource policy.',
  });
  await assert.rejects(add('org', { OrganizationId: 'o-0123456789' }), {
    name: 'InvalidParameterValueException',
  });
  await assert.rejects(add('action', { Action: 'lambda:*' }), {
    name: 'ValidationException',
    message: /'action' failed to satisfy constraint/,
  });
  await assert.rejects(add('principal', { Principal: 'someone' }), { name: 'ValidationException' });
  await assert.rejects(add('missing', { VersionNumber: 2 }), {
    name: 'ResourceNotFoundException',
    message: `Layer version ${layerArnOf(LayerName)}:2 does not exist.`,
  });
  await assert.rejects(add('zero', { VersionNumber: 0 }), {
    name: 'InvalidParameterValueException',
  });
});
