/** Code signing configurations, for the conformance tests that need some. */
import assert from 'node:assert/strict';
import {
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  PutFunctionCodeSigningConfigCommand,
  type CodeSigningConfig,
  type CreateCodeSigningConfigCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { accountId, functionInput, region } from './server.ts';

/** Of a signing profile, as AWS Signer gives it. */
export function profileArn(name: string): string {
  return `arn:aws:signer:${region}:${accountId}:/signing-profiles/${name}/0123456789`;
}

/** Of the right form, but of no configuration. */
export const unknownConfigArn = `arn:aws:lambda:${region}:${accountId}:code-signing-config:csc-0123456789abcdef0`;

/** What every operation on a configuration says of one that is not there. */
export const configNotFound = {
  name: 'ResourceNotFoundException',
  message: `The Lambda code signing configuration ${unknownConfigArn} can not be found.`,
};

/** What every operation on a function says of one that is not there. */
export const configMissing = {
  name: 'CodeSigningConfigNotFoundException',
  message:
    'The code signing configuration cannot be found. Check that the provided configuration is ' +
    `not deleted: ${unknownConfigArn}.`,
};

type StoredConfig = CodeSigningConfig & { CodeSigningConfigArn: string };

export async function createConfig(
  client: LambdaClient,
  overrides: Partial<CreateCodeSigningConfigCommandInput> = {},
): Promise<StoredConfig> {
  const input = {
    AllowedPublishers: { SigningProfileVersionArns: [profileArn('first')] },
    ...overrides,
  };
  const { CodeSigningConfig: made } = await client.send(new CreateCodeSigningConfigCommand(input));
  assert.ok(made?.CodeSigningConfigArn !== undefined);
  return made as StoredConfig;
}

/** A function that has the configuration; not waited for. */
export async function createAttached(
  client: LambdaClient,
  FunctionName: string,
  CodeSigningConfigArn: string,
): Promise<void> {
  await client.send(new CreateFunctionCommand(functionInput(FunctionName)));
  const input = { FunctionName, CodeSigningConfigArn };
  await client.send(new PutFunctionCodeSigningConfigCommand(input));
}
