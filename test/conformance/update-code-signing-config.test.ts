import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetCodeSigningConfigCommand,
  ListTagsCommand,
  UpdateCodeSigningConfigCommand,
  type UpdateCodeSigningConfigCommandInput,
} from '@aws-sdk/client-lambda';
import { configNotFound, createConfig, profileArn, unknownConfigArn } from './code-signing.ts';
import { useServer } from './server.ts';

const server = useServer();

function update(
  CodeSigningConfigArn: string,
  changes: Omit<UpdateCodeSigningConfigCommandInput, 'CodeSigningConfigArn'>,
) {
  const input = { CodeSigningConfigArn, ...changes };
  return server.client.send(new UpdateCodeSigningConfigCommand(input));
}

test('UpdateCodeSigningConfig changes what it is given and leaves the rest', async () => {
  const made = await createConfig(server.client, { Description: 'old', Tags: { team: 'a' } });
  const { CodeSigningConfigArn: arn } = made;
  const AllowedPublishers = { SigningProfileVersionArns: [profileArn('new'), profileArn('newer')] };
  const CodeSigningPolicies = { UntrustedArtifactOnDeployment: 'Enforce' as const };
  const steps = [{ Description: 'new' }, { AllowedPublishers }, { CodeSigningPolicies }, {}];
  let expected = made;
  for (const changes of steps) {
    const { CodeSigningConfig: changed, $metadata } = await update(arn, changes);
    assert.equal($metadata.httpStatusCode, 200);
    const { LastModified = '' } = changed ?? {};
    assert.ok(LastModified >= (expected.LastModified ?? ''));
    expected = { ...expected, ...changes, LastModified };
    assert.deepEqual(changed, expected);
  }
  const { CodeSigningConfig: found } = await server.client.send(
    new GetCodeSigningConfigCommand({ CodeSigningConfigArn: arn }),
  );
  assert.deepEqual(found, expected);
  const { Tags } = await server.client.send(new ListTagsCommand({ Resource: arn }));
  assert.deepEqual(Tags, { team: 'a' });
  const emptied = await update(arn, { Description: '' });
  assert.equal(emptied.CodeSigningConfig?.Description, '');
});

test('UpdateCodeSigningConfig refuses what is not there or not valid, and changes nothing', async () => {
  await assert.rejects(update(unknownConfigArn, { Description: 'x' }), configNotFound);
  const made = await createConfig(server.client);
  const { CodeSigningConfigArn } = made;
  for (const changes of [
    { AllowedPublishers: { SigningProfileVersionArns: [] } },
    { CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'enforce' as 'Enforce' } },
    { Description: 'd'.repeat(257) },
  ]) {
    await assert.rejects(update(CodeSigningConfigArn, changes), { name: 'ValidationException' });
  }
  const { CodeSigningConfig: found } = await server.client.send(
    new GetCodeSigningConfigCommand({ CodeSigningConfigArn }),
  );
  assert.deepEqual(found, made);
});

test('updates at once all count', async () => {
  const { CodeSigningConfigArn: arn } = await createConfig(server.client, { Description: 'old' });
  const AllowedPublishers = { SigningProfileVersionArns: [profileArn('other')] };
  const CodeSigningPolicies = { UntrustedArtifactOnDeployment: 'Enforce' as const };
  const changes = [{ Description: 'new' }, { AllowedPublishers }, { CodeSigningPolicies }];
  await Promise.all(changes.map((change) => update(arn, change)));
  const { CodeSigningConfig: found } = await server.client.send(
    new GetCodeSigningConfigCommand({ CodeSigningConfigArn: arn }),
  );
  assert.equal(found?.Description, 'new');
  assert.deepEqual(found.AllowedPublishers, AllowedPublishers);
  assert.deepEqual(found.CodeSigningPolicies, CodeSigningPolicies);
});
