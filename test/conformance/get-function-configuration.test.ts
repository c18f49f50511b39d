/** GetFunctionConfiguration: $LATEST, a version, or what an alias points to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  waitUntilFunctionActive,
  waitUntilFunctionUpdated,
} from '@aws-sdk/client-lambda';
import {
  active,
  configurationOf,
  createVersioned,
  creating,
  withRuntimeVersion,
} from './configurations.ts';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { arnOf, createActive, functionInput, useServer, waiting } from './server.ts';

const server = useServer();

function get(FunctionName: string, Qualifier?: string) {
  return server.client.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }));
}

test('it answers with every member, of $LATEST and of a version', async () => {
  const name = 'whole';
  await createActive(server.client, name, { Publish: true });
  for (const [Qualifier, Version] of [
    [undefined, '$LATEST'],
    ['$LATEST', '$LATEST'],
    ['1', '1'],
  ] as const) {
    const { $metadata, ...found } = await get(name, Qualifier);
    assert.equal($metadata.httpStatusCode, 200);
    const FunctionArn = Qualifier === undefined ? arnOf(name) : `${arnOf(name)}:${Qualifier}`;
    const expected = configurationOf(name, found, { ...active, FunctionArn, Version });
    assert.deepEqual(found, withRuntimeVersion(expected, found));
  }
});

test('a version stays as it was; an alias gives the version it points to', async () => {
  const FunctionName = 'frozen';
  await createVersioned(server.client, FunctionName, 2);
  const alias = { FunctionName, Name: 'live', FunctionVersion: '1' };
  await server.client.send(new CreateAliasCommand(alias));
  const expected: readonly [string | undefined, number, string][] = [
    [undefined, 102, '$LATEST'],
    ['1', 101, '1'],
    ['2', 102, '2'],
    ['live', 101, '1'],
  ];
  for (const [Qualifier, timeout, version] of expected) {
    const found = await get(FunctionName, Qualifier);
    assert.equal(found.Timeout, timeout);
    assert.equal(found.Version, version);
  }
  const head = { FunctionName, Name: 'head', FunctionVersion: '$LATEST' };
  await server.client.send(new CreateAliasCommand(head));
  const latest = await get(FunctionName, 'head');
  assert.equal(latest.Version, '$LATEST');
  assert.equal(latest.FunctionArn, `${arnOf(FunctionName)}:head`);
  const [byAlias, byNumber] = [await get(`${FunctionName}:live`), await get(FunctionName, '1')];
  assert.equal(byAlias.FunctionArn, `${arnOf(FunctionName)}:live`);
  assert.equal(byAlias.RevisionId, byNumber.RevisionId);
});

test('it takes all forms of a name, with the qualifier in it, beside it, or both', async () => {
  const name = 'formed';
  await createActive(server.client, name, { Publish: true });
  for (const form of nameForms(name)) {
    assert.equal((await get(form)).FunctionArn, arnOf(name));
    for (const qualifier of ['1', '$LATEST']) {
      const arn = `${arnOf(name)}:${qualifier}`;
      assert.equal((await get(form, qualifier)).FunctionArn, arn);
      assert.equal((await get(`${form}:${qualifier}`)).FunctionArn, arn);
      assert.equal((await get(`${form}:${qualifier}`, qualifier)).FunctionArn, arn);
    }
  }
});

test('its waiters see a new function become active', async () => {
  const FunctionName = 'awaited';
  const created = await server.client.send(new CreateFunctionCommand(functionInput(FunctionName)));
  assert.equal(created.State, creating.State);
  await waitUntilFunctionActive(waiting(server.client), { FunctionName });
  await waitUntilFunctionUpdated(waiting(server.client), { FunctionName });
});

test('it refuses what is not there, and qualifiers that differ or are none', async () => {
  const name = 'known';
  await createActive(server.client, name);
  await notFound(get('unknown'), 'unknown');
  await notFound(get(name, '3'), name, '3');
  await notFound(get(name, '01'), name, '01');
  await notFound(get(name, 'live'), name, 'live');
  await refused(
    get(`${name}:1`, '2'),
    'InvalidParameterValueException',
    'The derived qualifier from the function name does not match the specified qualifier.',
  );
  await invalid(get(name, 'a b'), 'qualifier');
});
