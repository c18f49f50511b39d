/** The forms in which operations take a function's name, and what they say of wrong ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { arnOf, functionInput, useServer } from './server.ts';

const server = useServer();

type Call = (client: LambdaClient, FunctionName: string) => Promise<unknown>;

const calls: readonly [string, Call][] = [
  ['GetFunction', (client, FunctionName) => client.send(new GetFunctionCommand({ FunctionName }))],
  [
    'GetFunctionConfiguration',
    (client, FunctionName) => client.send(new GetFunctionConfigurationCommand({ FunctionName })),
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
    'UpdateFunctionConfiguration',
    (client, FunctionName) => client.send(new UpdateFunctionConfigurationCommand({ FunctionName })),
  ],
];

for (const [operation, call] of calls) {
  test(`${operation} names what it does not find, however long, and other regions`, async () => {
    for (const name of ['nothing', 'x'.repeat(65)]) {
      for (const form of [name, `000000000000:function:${name}`, arnOf(name)]) {
        await assert.rejects(call(server.client, form), {
          name: 'ResourceNotFoundException',
          message: `Function not found: ${arnOf(name)}`,
        });
      }
    }
    await assert.rejects(call(server.client, arnOf('f').replace('us-east-1', 'eu-west-1')), {
      name: 'ResourceNotFoundException',
      message: "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    });
    for (const wrong of ['a b', 'invalid:function:name', 'arn:aws:s3:::bucket']) {
      await assert.rejects(call(server.client, wrong), (error: Error) => {
        assert.equal(error.name, 'ValidationException');
        assert.ok(
          error.message.startsWith(
            `1 validation error detected: Value '${wrong}' at 'functionName' failed to satisfy ` +
              'constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?',
          ),
        );
        return true;
      });
    }
  });
}

test('CreateFunction takes no name of over 64 characters', async () => {
  const name = 'x'.repeat(65);
  for (const form of [name, arnOf(name)]) {
    await assert.rejects(server.client.send(new CreateFunctionCommand(functionInput(form))), {
      name: 'InvalidParameterValueException',
      message:
        `1 validation error detected: Value '${name}' at 'functionName' failed to satisfy ` +
        'constraint: Member must have length less than or equal to 64',
    });
  }
});
