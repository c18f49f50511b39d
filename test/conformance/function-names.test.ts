/** How operations on functions take a function's name, and what they say of wrong ones. */
import { test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteFunctionEventInvokeConfigCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetFunctionEventInvokeConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  GetRuntimeManagementConfigCommand,
  ListAliasesCommand,
  ListProvisionedConcurrencyConfigsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  RemovePermissionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { nameForms, notFound, refused } from './expect.ts';
import { accountId, arnOf, functionInput, otherZip, region, useServer } from './server.ts';

const server = useServer();

type Call = (client: LambdaClient, FunctionName: string) => Promise<unknown>;

const Name = 'live';
const Qualifier = '1';

/** With the qualifier in the refusal, if it has one: what is looked for is a version then. */
const calls: readonly [string, Call, string?][] = [
  [
    'CreateAlias',
    (client, FunctionName) =>
      client.send(new CreateAliasCommand({ FunctionName, Name, FunctionVersion: '1' })),
    '1',
  ],
  [
    'DeleteAlias',
    (client, FunctionName) => client.send(new DeleteAliasCommand({ FunctionName, Name })),
  ],
  [
    'DeleteFunction',
    (client, FunctionName) => client.send(new DeleteFunctionCommand({ FunctionName })),
  ],
  [
    'DeleteFunctionConcurrency',
    (client, FunctionName) => client.send(new DeleteFunctionConcurrencyCommand({ FunctionName })),
  ],
  [
    'DeleteProvisionedConcurrencyConfig',
    (client, FunctionName) =>
      client.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier })),
    Qualifier,
  ],
  ['GetAlias', (client, FunctionName) => client.send(new GetAliasCommand({ FunctionName, Name }))],
  ['GetFunction', (client, FunctionName) => client.send(new GetFunctionCommand({ FunctionName }))],
  [
    'GetFunctionConcurrency',
    (client, FunctionName) => client.send(new GetFunctionConcurrencyCommand({ FunctionName })),
  ],
  [
    'GetFunctionConfiguration',
    (client, FunctionName) => client.send(new GetFunctionConfigurationCommand({ FunctionName })),
  ],
  [
    'GetProvisionedConcurrencyConfig',
    (client, FunctionName) =>
      client.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier })),
    Qualifier,
  ],
  ['ListAliases', (client, FunctionName) => client.send(new ListAliasesCommand({ FunctionName }))],
  [
    'ListProvisionedConcurrencyConfigs',
    (client, FunctionName) =>
      client.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName })),
  ],
  [
    'ListVersionsByFunction',
    (client, FunctionName) => client.send(new ListVersionsByFunctionCommand({ FunctionName })),
  ],
  [
    'PublishVersion',
    (client, FunctionName) => client.send(new PublishVersionCommand({ FunctionName })),
  ],
  [
    'PutFunctionConcurrency',
    (client, FunctionName) =>
      client.send(
        new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 }),
      ),
    '$LATEST',
  ],
  [
    'PutProvisionedConcurrencyConfig',
    (client, FunctionName) =>
      client.send(
        new PutProvisionedConcurrencyConfigCommand({
          ...{ FunctionName, Qualifier },
          ProvisionedConcurrentExecutions: 1,
        }),
      ),
    Qualifier,
  ],
  [
    'UpdateAlias',
    (client, FunctionName) => client.send(new UpdateAliasCommand({ FunctionName, Name })),
  ],
  [
    'UpdateFunctionCode',
    (client, FunctionName) =>
      client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip })),
  ],
  [
    'UpdateFunctionConfiguration',
    (client, FunctionName) => client.send(new UpdateFunctionConfigurationCommand({ FunctionName })),
  ],
];

const create: Call = (client, name) => client.send(new CreateFunctionCommand(functionInput(name)));

for (const [operation, call, qualifier] of calls) {
  test(`${operation} names what it does not find, in whichever form, however long`, async () => {
    for (const name of ['nothing', 'x'.repeat(65)]) {
      for (const form of nameForms(name)) {
        await notFound(call(server.client, form), name, qualifier);
      }
    }
  });
}

for (const [operation, call] of [['CreateFunction', create] as const, ...calls]) {
  test(`${operation} refuses other regions and accounts, and what is no name`, async () => {
    // aws-lambda-power-tuning #18
    await refused(
      call(server.client, arnOf('f').replace(region, 'eu-west-1')),
      'ResourceNotFoundException',
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    );
    await refused(
      call(server.client, arnOf('f').replace(accountId, '123456789012')),
      'AccessDeniedException',
      /^User: arn:aws:iam::000000000000:root is not authorized to perform/,
    );
    // The model's bound is 140 or, where versions can be named, 256.
    await refused(
      call(server.client, 'x'.repeat(257)),
      'ValidationException',
      /'functionName' failed to satisfy constraint: .*length less than or equal to (140|256)/,
    );
    for (const wrong of ['a b', 'invalid:function:name', 'arn:aws:s3:::bucket']) {
      await refused(
        call(server.client, wrong),
        'ValidationException',
        new RegExp(
          `^1 validation error detected: Value '${wrong}' at 'functionName' failed to satisfy ` +
            'constraint: Member must satisfy regular expression pattern: \\(arn:\\(aws',
        ),
      );
    }
  });
}

test('CreateFunction takes no name of over 64 characters', async () => {
  const name = 'x'.repeat(65);
  for (const form of nameForms(name)) {
    // aws-cdk #13264
    await refused(
      create(server.client, form),
      'InvalidParameterValueException',
      `1 validation error detected: Value '${name}' at 'functionName' failed to satisfy ` +
        'constraint: Member must have length less than or equal to 64',
    );
  }
});

test('a qualifier that is not the one in the name is refused', async () => {
  const named = { FunctionName: 'named:1', Qualifier: 'live' };
  const { client } = server;
  for (const call of [
    client.send(new DeleteFunctionEventInvokeConfigCommand(named)),
    client.send(new GetFunctionEventInvokeConfigCommand(named)),
    client.send(new GetRuntimeManagementConfigCommand(named)),
    client.send(new RemovePermissionCommand({ ...named, StatementId: 'any' })),
  ]) {
    await refused(
      call,
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  }
});
