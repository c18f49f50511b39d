/** UpdateAlias: another version, other weights, another description; what is left out stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  UpdateAliasCommand,
  type UpdateAliasCommandInput,
} from '@aws-sdk/client-lambda';
import { createVersioned } from './configurations.ts';
import { invalid, nameForms, notFound, oneWins, refused, stale } from './expect.ts';
import { arnOf, useServer } from './server.ts';

const shared = 'shared';

const server = useServer({}, (client) => createVersioned(client, shared, 3));

async function make(Name: string) {
  const alias = { FunctionName: shared, Name, FunctionVersion: '1', Description: 'first' };
  const { $metadata, ...made } = await server.client.send(new CreateAliasCommand(alias));
  assert.equal($metadata.httpStatusCode, 201);
  return made;
}

function update(Name: string, input: Partial<UpdateAliasCommandInput> = {}) {
  return server.client.send(new UpdateAliasCommand({ FunctionName: shared, Name, ...input }));
}

async function get(Name: string) {
  const reading = new GetAliasCommand({ FunctionName: shared, Name });
  const { $metadata, ...found } = await server.client.send(reading);
  assert.equal($metadata.httpStatusCode, 200);
  return found;
}

const weights = { AdditionalVersionWeights: { '3': 0.1 } };

test('it changes what is given, keeps the rest, and gives another revision each time', async () => {
  let expected = await make('changed');
  const steps: readonly [Partial<UpdateAliasCommandInput>, Record<string, unknown>][] = [
    [{ FunctionVersion: '2' }, { FunctionVersion: '2' }],
    [{ Description: 'second' }, { Description: 'second' }],
    [{ RoutingConfig: weights }, { RoutingConfig: weights }],
    [{ FunctionVersion: '1' }, { FunctionVersion: '1' }],
    [{}, {}],
    [{ Description: '' }, { Description: '' }],
  ];
  for (const [change, members] of steps) {
    const { $metadata, ...updated } = await update('changed', change);
    assert.equal($metadata.httpStatusCode, 200);
    assert.notEqual(updated.RevisionId, expected.RevisionId);
    expected = { ...expected, ...members, RevisionId: updated.RevisionId };
    assert.deepEqual(updated, expected);
    assert.deepEqual(await get('changed'), expected);
  }
});

// As the Terraform provider clears them: with a RoutingConfig that has none.
test('weights go with a RoutingConfig that has none', async () => {
  const made = await make('cleared');
  for (const RoutingConfig of [{}, { AdditionalVersionWeights: {} }]) {
    await update('cleared', { RoutingConfig: weights });
    const { $metadata, ...cleared } = await update('cleared', { RoutingConfig });
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(cleared, { ...made, RevisionId: cleared.RevisionId });
  }
});

test('who asks for the alias gets the new version', async () => {
  await make('moved');
  await update('moved', { FunctionVersion: '3' });
  const reading = { FunctionName: shared, Qualifier: 'moved' };
  const found = await server.client.send(new GetFunctionConfigurationCommand(reading));
  assert.equal(found.Version, '3');
  assert.equal(found.Timeout, 103);
});

test('of updates at once with one RevisionId exactly one wins', async () => {
  const { RevisionId } = await make('raced');
  const calls = Array.from({ length: 8 }, (_, index) =>
    update('raced', { Description: `${index}`, RevisionId }),
  );
  const { $metadata, ...won } = await oneWins(calls);
  assert.equal($metadata.httpStatusCode, 200);
  assert.deepEqual(await get('raced'), won);
  await stale(update('raced', { FunctionVersion: '2', RevisionId }));
  assert.deepEqual(await get('raced'), won);
  await update('raced', { FunctionVersion: '2', RevisionId: won.RevisionId });
});

test('updates at once without RevisionId are all done, one after the other', async () => {
  const made = await make('storm');
  const calls = Array.from({ length: 8 }, (_, index) =>
    update('storm', { Description: `${index}` }),
  );
  const answers = await Promise.all(calls);
  const revisions = new Set(answers.map(({ RevisionId }) => RevisionId));
  assert.equal(revisions.size, 8);
  const last = await get('storm');
  assert.ok(answers.some(({ RevisionId }) => RevisionId === last.RevisionId));
  assert.notEqual(last.RevisionId, made.RevisionId);
});

test('it takes all forms of a name, and $LATEST, but no other version', async () => {
  await make('formed');
  for (const [index, form] of [...nameForms(shared), `${shared}:$LATEST`].entries()) {
    const updated = await update('formed', { FunctionName: form, Description: `${index}` });
    assert.equal(updated.Description, `${index}`);
    assert.equal(updated.AliasArn, `${arnOf(shared)}:formed`);
  }
  await refused(
    update('formed', { FunctionName: `${shared}:1` }),
    'InvalidParameterValueException',
    'Current operation does not support versions other than $LATEST',
  );
});

test('it refuses what is not there, and targets that cannot be', async () => {
  const made = await make('refusing');
  // apex/up #606; localstack #11878
  await refused(
    update('absent'),
    'ResourceNotFoundException',
    `Alias not found: ${arnOf(shared)}:absent`,
  );
  await notFound(update('refusing', { FunctionName: 'unknown' }), 'unknown');
  await notFound(update('refusing', { FunctionVersion: '9' }), shared, '9');
  await update('refusing', { RoutingConfig: weights });
  // It keeps its weight for version 3.
  await refused(
    update('refusing', { FunctionVersion: '3' }),
    'InvalidParameterValueException',
    'Invalid function version 3. Function version 3 is already included in routing configuration.',
  );
  await refused(
    update('refusing', { FunctionVersion: '$LATEST' }),
    'InvalidParameterValueException',
    '$LATEST is not supported for an alias pointing to more than 1 version',
  );
  await refused(
    update('refusing', { RoutingConfig: { AdditionalVersionWeights: { '2': 0.1, '3': 0.1 } } }),
    'InvalidParameterValueException',
    'Number of items in AdditionalVersionWeights cannot be greater than 1',
  );
  const tooMuch = { AdditionalVersionWeights: { '2': 1.1 } };
  await invalid(
    update('refusing', { RoutingConfig: tooMuch }),
    'routingConfig.additionalVersionWeights',
  );
  await invalid(update('refusing', { Description: 'd'.repeat(257) }), 'description');
  const { RevisionId, ...kept } = await get('refusing');
  assert.notEqual(RevisionId, made.RevisionId);
  assert.equal(kept.FunctionVersion, '1');
  assert.deepEqual(kept.RoutingConfig, weights);
});
