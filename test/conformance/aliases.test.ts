/** CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases, and aliases where others name a version. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  ListAliasesCommand,
  paginateListAliases,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
  type CreateAliasCommandInput,
} from '@aws-sdk/client-lambda';
import { arnOf, createActive, untilUpdated, useServer } from './server.ts';

const server = useServer();

/** A function with versions 1 and 2. */
async function createVersioned(FunctionName: string): Promise<void> {
  await createActive(server.client, FunctionName, { Publish: true });
  const change = { FunctionName, Timeout: 9 };
  await server.client.send(new UpdateFunctionConfigurationCommand(change));
  await untilUpdated(server.client, FunctionName);
  await server.client.send(new PublishVersionCommand({ FunctionName }));
}

function create(FunctionName: string, members: Partial<CreateAliasCommandInput> = {}) {
  const input = { FunctionName, Name: 'live', FunctionVersion: '1', ...members };
  return server.client.send(new CreateAliasCommand(input));
}

test('CreateAlias, GetAlias and UpdateAlias agree; DeleteAlias ends it', async () => {
  const FunctionName = 'aliased';
  await createVersioned(FunctionName);
  const { $metadata, ...made } = await create(FunctionName, { Description: 'd' });
  assert.equal($metadata.httpStatusCode, 201);
  assert.deepEqual(made, {
    AliasArn: `${arnOf(FunctionName)}:live`,
    Name: 'live',
    FunctionVersion: '1',
    Description: 'd',
    RevisionId: made.RevisionId,
  });
  const alias = { FunctionName: arnOf(FunctionName), Name: 'live' };
  const RoutingConfig = { AdditionalVersionWeights: { '1': 0.05 } };
  const { RevisionId } = made;
  const update = { ...alias, FunctionVersion: '2', RoutingConfig, RevisionId };
  const updated = await server.client.send(new UpdateAliasCommand(update));
  assert.equal(updated.$metadata.httpStatusCode, 200);
  const { $metadata: read, ...found } = await server.client.send(new GetAliasCommand(alias));
  assert.equal(read.httpStatusCode, 200);
  assert.deepEqual(found, {
    ...made,
    FunctionVersion: '2',
    RoutingConfig,
    RevisionId: updated.RevisionId,
  });
  await assert.rejects(server.client.send(new UpdateAliasCommand(update)), {
    name: 'PreconditionFailedException',
  });
  for (let time = 0; time < 2; time += 1) {
    const deleted = await server.client.send(new DeleteAliasCommand(alias));
    assert.equal(deleted.$metadata.httpStatusCode, 204);
  }
  await assert.rejects(server.client.send(new GetAliasCommand(alias)), {
    name: 'ResourceNotFoundException',
    // As the Terraform provider looks for it (resource_aws_lambda_alias).
    message: `Cannot find alias arn: ${arnOf(FunctionName)}:live`,
  });
  await assert.rejects(server.client.send(new UpdateAliasCommand(alias)), {
    name: 'ResourceNotFoundException',
    // apex/up #606
    message: `Alias not found: ${arnOf(FunctionName)}:live`,
  });
});

test('CreateAlias refuses in the words of the service', async () => {
  const FunctionName = 'aliases-refused';
  await createVersioned(FunctionName);
  await create(FunctionName);
  await assert.rejects(create(FunctionName), {
    name: 'ResourceConflictException',
    // HumanCellAtlas/data-store #929
    message: `Alias already exists: ${arnOf(FunctionName)}:live`,
  });
  await assert.rejects(create(FunctionName, { Name: 'x', FunctionVersion: '7' }), {
    name: 'ResourceNotFoundException',
    // aws-cloudformation/rain #175
    message: `Function not found: ${arnOf(FunctionName)}:7`,
  });
  const weighted = (AdditionalVersionWeights: Record<string, number>) =>
    create(FunctionName, { Name: 'x', RoutingConfig: { AdditionalVersionWeights } });
  await assert.rejects(weighted({ '1': 0.5 }), {
    name: 'InvalidParameterValueException',
    // serverless #7250
    message:
      'Invalid function version 1. Function version 1 is already included in routing configuration.',
  });
  for (const [version, weight] of [
    ['2', 1.01],
    ['2', -0.1],
    ['$LATEST', 0.5],
  ] as const) {
    await assert.rejects(weighted({ [version]: weight }), { name: 'ValidationException' });
  }
  for (const Name of ['12', 'with space', '$LATEST', 'x'.repeat(129)]) {
    await assert.rejects(create(FunctionName, { Name }), { name: 'ValidationException' });
  }
  const { Aliases } = await server.client.send(new ListAliasesCommand({ FunctionName }));
  assert.deepEqual(
    Aliases?.map(({ Name }) => Name),
    ['live'],
  );
});

test('ListAliases pages to the end, and can list those of one version', async () => {
  const FunctionName = 'aliases-listed';
  await createVersioned(FunctionName);
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const Name of names) {
    await create(FunctionName, { Name, FunctionVersion: Name === 'c' ? '2' : '1' });
  }
  const list = async (pageSize: number, FunctionVersion?: string) => {
    const found: (string | undefined)[] = [];
    const pages = paginateListAliases(
      { client: server.client, pageSize },
      { FunctionName, FunctionVersion },
    );
    for await (const { Aliases = [] } of pages) {
      assert.ok(Aliases.length <= pageSize);
      found.push(...Aliases.map(({ Name }) => Name));
    }
    return found;
  };
  for (const pageSize of [1, 2, 5, 50]) assert.deepEqual(await list(pageSize), names);
  assert.deepEqual(await list(2, '1'), ['a', 'b', 'd', 'e']);
  assert.deepEqual(await list(2, '2'), ['c']);
});

test('GetFunction and GetFunctionConfiguration take an alias as qualifier or in the name', async () => {
  const FunctionName = 'aliases-read';
  await createVersioned(FunctionName);
  await create(FunctionName);
  for (const input of [
    { FunctionName, Qualifier: 'live' },
    { FunctionName: `${FunctionName}:live` },
    { FunctionName: `${arnOf(FunctionName)}:live` },
  ]) {
    const found = await server.client.send(new GetFunctionConfigurationCommand(input));
    assert.equal(found.FunctionArn, `${arnOf(FunctionName)}:live`);
    assert.equal(found.Version, '1');
    const { Configuration } = await server.client.send(new GetFunctionCommand(input));
    assert.equal(Configuration?.FunctionArn, found.FunctionArn);
    assert.equal(Configuration?.Version, '1');
  }
});

test('DeleteFunction keeps a version that an alias references', async () => {
  const FunctionName = 'aliases-referenced';
  await createVersioned(FunctionName);
  await create(FunctionName);
  await create(FunctionName, { Name: 'old' });
  const deletion = new DeleteFunctionCommand({ FunctionName, Qualifier: '1' });
  await assert.rejects(server.client.send(deletion), {
    name: 'ResourceConflictException',
    // go-lambda-cleanup #45
    message: 'Unable to delete version because the following aliases reference it: [live, old]',
  });
  await server.client.send(new DeleteFunctionCommand({ FunctionName }));
  await assert.rejects(server.client.send(new GetAliasCommand({ FunctionName, Name: 'live' })), {
    name: 'ResourceNotFoundException',
  });
});
