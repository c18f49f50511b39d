/** Provisioned concurrency for the conformance tests. Nothing runs functions there, so none gets ready. */
import assert from 'node:assert/strict';
import {
  CreateAliasCommand,
  PutProvisionedConcurrencyConfigCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';

export function putProvisioned(
  client: LambdaClient,
  FunctionName: string,
  Qualifier: string,
  ProvisionedConcurrentExecutions = 1,
) {
  const input = { FunctionName, Qualifier, ProvisionedConcurrentExecutions };
  return client.send(new PutProvisionedConcurrencyConfigCommand(input));
}

export async function createAlias(
  client: LambdaClient,
  FunctionName: string,
  Name: string,
  FunctionVersion = '1',
): Promise<void> {
  await client.send(new CreateAliasCommand({ FunctionName, Name, FunctionVersion }));
}

/** '2023-01-21T11:30:00+0000': whole seconds. */
export function assertWholeSeconds(lastModified: string | undefined): void {
  assert.match(lastModified ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/);
}
