/** CreateAlias: a name for a version, or for two by weight. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  ListAliasesCommand,
  UpdateFunctionConfigurationCommand,
  PublishVersionCommand,
  type CreateAliasCommandInput,
} from '@aws-sdk/client-lambda';
import { createVersioned } from './configurations.ts';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { arnOf, createActive, role, untilUpdated, useServer } from './server.ts';

const shared = 'shared';

const server = useServer({}, (client) => createVersioned(client, shared, 3));

function create(Name: string, input: Partial<CreateAliasCommandInput> = {}) {
  const request = { FunctionName: shared, Name, FunctionVersion: '1', ...input };
  return server.client.send(new CreateAliasCommand(request));
}

function weighted(Name: string, weights: Record<string, number>, FunctionVersion = '1') {
  const RoutingConfig = { AdditionalVersionWeights: weights };
  return create(Name, { FunctionVersion, RoutingConfig });
}

async function namesOf(FunctionName: string): Promise<(string | undefined)[]> {
  const { Aliases = [] } = await server.client.send(new ListAliasesCommand({ FunctionName }));
  return Aliases.map(({ Name }) => Name);
}

test('it answers 201 with every member; without weights there is no RoutingConfig', async () => {
  const { $metadata, ...made } = await create('least');
  assert.equal($metadata.httpStatusCode, 201);
  assert.match(made.RevisionId ?? '', /^[0-9a-f-]{36}$/);
  assert.deepEqual(made, {
    AliasArn: `${arnOf(shared)}:least`,
    Name: 'least',
    FunctionVersion: '1',
    Description: '',
    RevisionId: made.RevisionId,
  });
  const reading = new GetAliasCommand({ FunctionName: shared, Name: 'least' });
  const { $metadata: read, ...found } = await server.client.send(reading);
  assert.equal(read.httpStatusCode, 200);
  assert.deepEqual(found, made);
});

test('it answers with description and weights', async () => {
  const RoutingConfig = { AdditionalVersionWeights: { '2': 0.05 } };
  const { $metadata, ...made } = await create('most', { Description: 'd', RoutingConfig });
  assert.equal($metadata.httpStatusCode, 201);
  assert.deepEqual(made, {
    AliasArn: `${arnOf(shared)}:most`,
    Name: 'most',
    FunctionVersion: '1',
    Description: 'd',
    RoutingConfig,
    RevisionId: made.RevisionId,
  });
  const empty = await create('empty', { RoutingConfig: { AdditionalVersionWeights: {} } });
  assert.equal(empty.RoutingConfig, undefined);
});

test('weights are from 0 to 1', async () => {
  for (const weight of [0, 0.001, 1]) {
    const made = await weighted(`weight-${weight * 1000}`, { '2': weight });
    assert.deepEqual(made.RoutingConfig, { AdditionalVersionWeights: { '2': weight } });
  }
  for (const weight of [-0.1, 1.01]) {
    await invalid(weighted('x', { '2': weight }), 'routingConfig.additionalVersionWeights');
  }
});

test('names and descriptions at their bounds are taken', async () => {
  const Name = 'n'.repeat(128);
  const Description = 'd'.repeat(256);
  assert.equal((await create(Name, { Description })).Name, Name);
  assert.equal((await create('_-9')).Name, '_-9');
  await invalid(create('x', { Description: `${Description}d` }), 'description');
  for (const name of ['12', 'with space', '$LATEST', 'n'.repeat(129)]) {
    await invalid(create(name), 'name');
  }
});

test('it can point to $LATEST, alone', async () => {
  assert.equal((await create('head', { FunctionVersion: '$LATEST' })).FunctionVersion, '$LATEST');
  await refused(
    weighted('x', { '1': 0.5 }, '$LATEST'),
    'InvalidParameterValueException',
    '$LATEST is not supported for an alias pointing to more than 1 version',
  );
  await invalid(weighted('x', { $LATEST: 0.5 }), 'routingConfig.additionalVersionWeights');
});

test('it takes all forms of a name, and $LATEST, but no other version', async () => {
  for (const [index, form] of [...nameForms(shared), `${shared}:$LATEST`].entries()) {
    const made = await create(`form-${index}`, { FunctionName: form });
    assert.equal(made.AliasArn, `${arnOf(shared)}:form-${index}`);
  }
  await refused(
    create('x', { FunctionName: `${shared}:1` }),
    'InvalidParameterValueException',
    'Current operation does not support versions other than $LATEST',
  );
});

test('of creations at once one is done; the name is taken then', async () => {
  await createVersioned(server.client, 'raced', 1);
  const calls = Array.from({ length: 8 }, (_, index) =>
    create('live', { FunctionName: 'raced', Description: `${index}` }),
  );
  let made = 0;
  for (const outcome of await Promise.allSettled(calls)) {
    if (outcome.status === 'fulfilled') {
      made += 1;
      continue;
    }
    // HumanCellAtlas/data-store #929
    await refused(
      Promise.reject(outcome.reason as Error),
      'ResourceConflictException',
      `Alias already exists: ${arnOf('raced')}:live`,
    );
  }
  assert.equal(made, 1);
});

test('a version is deleted, or an alias made for it at the same time, never both', async () => {
  const FunctionName = 'crossed';
  await createVersioned(server.client, FunctionName, 6);
  for (let version = 1; version <= 6; version += 1) {
    const deleting = { FunctionName, Qualifier: String(version) };
    const [deletion, creation] = await Promise.allSettled([
      server.client.send(new DeleteFunctionCommand(deleting)),
      create(`v${version}`, { FunctionName, FunctionVersion: String(version) }),
    ]);
    assert.notEqual(deletion.status, creation.status);
    if (creation.status === 'rejected') {
      await notFound(Promise.reject<void>(creation.reason), FunctionName, String(version));
    }
  }
});

test('it refuses functions and versions that are not there', async () => {
  const FunctionName = 'refusing';
  await createActive(server.client, FunctionName, { Publish: true });
  // aws-cloudformation/rain #175
  await notFound(create('x', { FunctionName, FunctionVersion: '7' }), FunctionName, '7');
  await notFound(create('x', { FunctionName: 'unknown' }), 'unknown', '1');
  const RoutingConfig = { AdditionalVersionWeights: { '8': 0.5 } };
  await notFound(create('x', { FunctionName, RoutingConfig }), FunctionName, '8');
  await invalid(create('x', { FunctionName, FunctionVersion: 'live' }), 'functionVersion');
  assert.deepEqual(await namesOf(FunctionName), []);
});

test('it refuses versions that do not go together', async () => {
  // serverless #7250
  await refused(
    weighted('x', { '1': 0.5 }),
    'InvalidParameterValueException',
    'Invalid function version 1. Function version 1 is already included in routing configuration.',
  );
  // terraform-provider-aws #44171
  await refused(
    weighted('x', { '2': 0.1, '3': 0.1 }),
    'InvalidParameterValueException',
    'Number of items in AdditionalVersionWeights cannot be greater than 1',
  );
  const FunctionName = 'unlike';
  const { client } = server;
  await createVersioned(client, FunctionName, 1);
  const changes = [
    { Role: `${role}-other` },
    { Role: role, DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' } },
  ];
  for (const change of changes) {
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...change }));
    await untilUpdated(client, FunctionName);
    await client.send(new PublishVersionCommand({ FunctionName }));
  }
  for (const [version, what] of [
    ['2', 'execution role'],
    ['3', 'dead-letter queue'],
  ] as const) {
    const RoutingConfig = { AdditionalVersionWeights: { [version]: 0.5 } };
    // serverless-aws-alias #64
    await refused(
      create('x', { FunctionName, RoutingConfig }),
      'InvalidParameterValueException',
      `Specified versions must be associated with the same ${what}`,
    );
  }
  assert.deepEqual(await namesOf(FunctionName), []);
});
