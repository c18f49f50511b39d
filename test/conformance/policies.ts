/** What the tests of policies share: ways to a function's permissions, and what becomes of rival changes. */
import {
  AddPermissionCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  type AddPermissionCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';

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
