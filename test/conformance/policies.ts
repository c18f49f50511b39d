/** What the tests of policies share: a function with a version and an alias, and ways to its permissions. */
import {
  AddPermissionCommand,
  CreateAliasCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  type AddPermissionCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { createActive } from './server.ts';

/** An active function with version 1, to which the alias 'live' points. */
export async function createAliased(client: LambdaClient, FunctionName: string): Promise<void> {
  await createActive(client, FunctionName, { Publish: true });
  await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
}

/** Lets S3 invoke the function, unless the test says otherwise. */
export function addPermission(
  client: LambdaClient,
  FunctionName: string,
  members: Partial<AddPermissionCommandInput> = {},
) {
  const permission = {
    StatementId: 's3',
    Action: 'lambda:InvokeFunction',
    Principal: 's3.amazonaws.com',
  };
  return client.send(new AddPermissionCommand({ FunctionName, ...permission, ...members }));
}

/** A function's statements and the revision they come with. */
export async function policyOf(client: LambdaClient, FunctionName: string, Qualifier?: string) {
  const answer = await client.send(new GetPolicyCommand({ FunctionName, Qualifier }));
  const document = JSON.parse(answer.Policy ?? '') as { Statement: Record<string, unknown>[] };
  return { statements: document.Statement, RevisionId: answer.RevisionId };
}

/** The RevisionId of $LATEST. */
export async function revisionOf(client: LambdaClient, FunctionName: string): Promise<string> {
  const read = new GetFunctionConfigurationCommand({ FunctionName });
  return (await client.send(read)).RevisionId ?? '';
}

/** How many of several calls at once succeeded, and the names of the errors of the others. */
export async function outcomes(calls: readonly Promise<unknown>[]) {
  const settled = await Promise.allSettled(calls);
  const refusals = settled.filter((call) => call.status === 'rejected');
  return {
    won: settled.length - refusals.length,
    lost: refusals.map(({ reason }) => (reason as Error).name),
  };
}
