import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateCodeSigningConfigCommand, ListTagsCommand } from '@aws-sdk/client-lambda';
import { createConfig, profileArn } from './code-signing.ts';
import { accountId, region, useServer } from './server.ts';

const server = useServer();

test('CreateCodeSigningConfig answers 201 with the configuration', async () => {
  const input = {
    Description: 'only ours',
    AllowedPublishers: { SigningProfileVersionArns: [profileArn('one'), profileArn('two')] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' },
    Tags: { team: 'a' },
  } as const;
  const { CodeSigningConfig: made, $metadata } = await server.client.send(
    new CreateCodeSigningConfigCommand({
      ...input,
      AllowedPublishers: {
        SigningProfileVersionArns: [...input.AllowedPublishers.SigningProfileVersionArns],
      },
    }),
  );
  assert.equal($metadata.httpStatusCode, 201);
  const { CodeSigningConfigId: id = '', LastModified = '', ...rest } = made ?? {};
  assert.match(id, /^csc-[0-9a-f]{17}$/);
  assert.match(LastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  const arn = `arn:aws:lambda:${region}:${accountId}:code-signing-config:${id}`;
  assert.deepEqual(rest, {
    CodeSigningConfigArn: arn,
    Description: 'only ours',
    AllowedPublishers: input.AllowedPublishers,
    CodeSigningPolicies: input.CodeSigningPolicies,
  });
  const { Tags } = await server.client.send(new ListTagsCommand({ Resource: arn }));
  assert.deepEqual(Tags, { team: 'a' });
});

test('CreateCodeSigningConfig warns by default, and makes another each time', async () => {
  const first = await createConfig(server.client);
  assert.deepEqual(first.CodeSigningPolicies, { UntrustedArtifactOnDeployment: 'Warn' });
  assert.equal(first.Description, undefined);
  const second = await createConfig(server.client);
  assert.notEqual(second.CodeSigningConfigArn, first.CodeSigningConfigArn);
});

test('CreateCodeSigningConfig takes 1 to 20 profiles and 256 characters of description', async () => {
  const profiles = (count: number) => ({
    SigningProfileVersionArns: Array.from({ length: count }, (_, index) => profileArn(`p${index}`)),
  });
  const { AllowedPublishers } = await createConfig(server.client, {
    AllowedPublishers: profiles(20),
    Description: 'd'.repeat(256),
  });
  assert.deepEqual(AllowedPublishers, profiles(20));
  for (const refused of [
    { AllowedPublishers: profiles(0) },
    { AllowedPublishers: profiles(21) },
    { AllowedPublishers: { SigningProfileVersionArns: ['a profile'] } },
    { AllowedPublishers: undefined as never },
    { Description: 'd'.repeat(257) },
    { CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Refuse' as 'Warn' } },
  ]) {
    await assert.rejects(createConfig(server.client, refused), { name: 'ValidationException' });
  }
});

test('CreateCodeSigningConfig refuses tags that no resource may have', async () => {
  const tagged = (count: number) =>
    createConfig(server.client, {
      Tags: Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v'])),
    });
  await tagged(50);
  await assert.rejects(tagged(51), { name: 'InvalidParameterValueException' });
  await assert.rejects(createConfig(server.client, { Tags: { 'aws:mine': '' } }), {
    name: 'InvalidParameterValueException',
  });
});
