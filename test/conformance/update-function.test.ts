import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetFunctionConfigurationCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, otherZip, untilUpdated, useServer } from './server.ts';

const server = useServer();

test('UpdateFunctionCode is InProgress, then Successful', async () => {
  const FunctionName = 'code';
  const created = await createActive(server.client, FunctionName);
  const updated = await server.client.send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip }),
  );
  assert.equal(updated.LastUpdateStatus, 'InProgress');
  assert.notEqual(updated.CodeSha256, created.CodeSha256);
  await untilUpdated(server.client, FunctionName);
});

test('UpdateFunctionCode with DryRun and Publish', async () => {
  const FunctionName = 'dry';
  const created = await createActive(server.client, FunctionName);
  const input = { FunctionName, ZipFile: otherZip };
  await server.client.send(new UpdateFunctionCodeCommand({ ...input, DryRun: true }));
  const read = new GetFunctionConfigurationCommand({ FunctionName });
  assert.equal((await server.client.send(read)).CodeSha256, created.CodeSha256);
  const published = await server.client.send(
    new UpdateFunctionCodeCommand({ ...input, Publish: true }),
  );
  assert.equal(published.Version, '1');
  assert.equal(published.FunctionArn, `${arnOf(FunctionName)}:1`);
});

test('UpdateFunctionConfiguration by name, partial ARN and ARN', async () => {
  const name = 'settings';
  await createActive(server.client, name);
  for (const FunctionName of [name, `000000000000:function:${name}`, arnOf(name)]) {
    const Timeout = FunctionName.length;
    const updated = await server.client.send(
      new UpdateFunctionConfigurationCommand({ FunctionName, Timeout }),
    );
    assert.equal(updated.Timeout, Timeout);
    assert.equal(updated.$metadata.httpStatusCode, 200);
    await untilUpdated(server.client, name);
  }
});

test('UpdateFunctionConfiguration with a stale RevisionId answers 412', async () => {
  const FunctionName = 'stale';
  const created = await createActive(server.client, FunctionName);
  await assert.rejects(
    server.client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName,
        Timeout: 9,
        RevisionId: created.RevisionId,
      }),
    ),
    (error: Error & { $metadata: { httpStatusCode: number } }) => {
      assert.equal(error.name, 'PreconditionFailedException');
      assert.equal(error.$metadata.httpStatusCode, 412);
      return true;
    },
  );
});

test('of updates at once with one RevisionId exactly one wins', async () => {
  const FunctionName = 'race';
  await createActive(server.client, FunctionName);
  const read = new GetFunctionConfigurationCommand({ FunctionName });
  const { RevisionId } = await server.client.send(read);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) =>
      server.client.send(
        new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: index + 10, RevisionId }),
      ),
    ),
  );
  const won = outcomes.filter(({ status }) => status === 'fulfilled');
  const lost = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason.name] : [],
  );
  assert.equal(won.length, 1);
  assert.deepEqual(new Set(lost), new Set(['PreconditionFailedException']));
});

test('updates at once without RevisionId answer 200 or 409, and the last state is whole', async () => {
  const FunctionName = 'storm';
  await createActive(server.client, FunctionName);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) =>
      server.client.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName,
          Timeout: index + 10,
          Description: `${index + 10}`,
        }),
      ),
    ),
  );
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') {
      assert.equal(outcome.reason.name, 'ResourceConflictException');
    }
  }
  await untilUpdated(server.client, FunctionName);
  const settled = await server.client.send(new GetFunctionConfigurationCommand({ FunctionName }));
  assert.equal(settled.Description, String(settled.Timeout));
});

test('updates of what is not there answer 404, of a version 400', async () => {
  const input = { FunctionName: 'nothing', Timeout: 5 };
  await assert.rejects(server.client.send(new UpdateFunctionConfigurationCommand(input)), {
    name: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('nothing')}`,
  });
  await createActive(server.client, 'frozen', { Publish: true });
  await assert.rejects(
    server.client.send(
      new UpdateFunctionCodeCommand({ FunctionName: 'frozen:1', ZipFile: otherZip }),
    ),
    { name: 'InvalidParameterValueException' },
  );
});
