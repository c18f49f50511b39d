/** What answers have of a function that was made with the least, and functions with versions. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  type FunctionConfiguration,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, handlerZip, role, untilUpdated } from './server.ts';

export const active = { State: 'Active', LastUpdateStatus: 'Successful' } as const;

export const creating = {
  State: 'Pending',
  StateReason: 'The function is being created.',
  StateReasonCode: 'Creating',
} as const;

/** States of a function that is being updated; all updates are reported so. */
export const updating = {
  State: 'Active',
  LastUpdateStatus: 'InProgress',
  LastUpdateStatusReason: 'The function is being created.',
  LastUpdateStatusReasonCode: 'Creating' as 'InternalError',
} as const;

export function sha256Of(archive: Uint8Array): string {
  return createHash('sha256').update(archive).digest('base64');
}

/**
 * Every member of the configuration of `functionInput(name)`, without its states, and `members` put over
 * them. What is new each time is taken from `found`, once its form is right.
 */
export function configurationOf(
  name: string,
  found: FunctionConfiguration,
  members: Partial<FunctionConfiguration> = {},
): FunctionConfiguration {
  const { LastModified, RevisionId } = found;
  assert.match(LastModified ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  assert.match(RevisionId ?? '', /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  return {
    FunctionName: name,
    FunctionArn: arnOf(name),
    Runtime: 'nodejs22.x',
    Role: role,
    Handler: 'index.handler',
    CodeSize: handlerZip.length,
    Description: '',
    Timeout: 3,
    MemorySize: 128,
    LastModified,
    CodeSha256: sha256Of(handlerZip),
    Version: '$LATEST',
    TracingConfig: { Mode: 'PassThrough' },
    RevisionId,
    PackageType: 'Zip',
    Architectures: ['x86_64'],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${name}` },
    ...members,
  };
}

/** Answers about one function have its runtime's version; lists leave it out. */
export function withRuntimeVersion(
  configuration: FunctionConfiguration,
  { RuntimeVersionConfig }: FunctionConfiguration,
): FunctionConfiguration {
  assert.match(
    RuntimeVersionConfig?.RuntimeVersionArn ?? '',
    /^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/,
  );
  return { ...configuration, RuntimeVersionConfig };
}

/** A function with the published versions 1 to `last`, told apart by their timeouts: 101, 102, ... */
export async function createVersioned(
  client: LambdaClient,
  FunctionName: string,
  last = 2,
): Promise<void> {
  await createActive(client, FunctionName, { Timeout: 101 });
  for (let version = 1; version <= last; version += 1) {
    if (version > 1) await publishChanged(client, FunctionName, 100 + version);
    else await client.send(new PublishVersionCommand({ FunctionName }));
  }
}

/** Changes the timeout and publishes. */
export async function publishChanged(
  client: LambdaClient,
  FunctionName: string,
  Timeout: number,
): Promise<FunctionConfiguration> {
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout }));
  await untilUpdated(client, FunctionName);
  return client.send(new PublishVersionCommand({ FunctionName }));
}
