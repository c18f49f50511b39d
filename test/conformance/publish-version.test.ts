/** PublishVersion: $LATEST as it is, under the next number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteFunctionCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  TagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilPublishedVersionActive,
  type PublishVersionCommandInput,
} from '@aws-sdk/client-lambda';
import { active, configurationOf, withRuntimeVersion } from './configurations.ts';
import { invalid, nameForms, notFound, oneWins, onlyForLatest, refused, stale } from './expect.ts';
import {
  arnOf,
  createActive,
  createUpdated,
  handlerZip,
  otherZip,
  untilUpdated,
  useServer,
  waiting,
} from './server.ts';

const server = useServer();

function publish(FunctionName: string, input: Partial<PublishVersionCommandInput> = {}) {
  return server.client.send(new PublishVersionCommand({ FunctionName, ...input }));
}

async function versionsOf(FunctionName: string): Promise<(string | undefined)[]> {
  const listing = new ListVersionsByFunctionCommand({ FunctionName });
  const { Versions = [] } = await server.client.send(listing);
  return Versions.map(({ Version }) => Version);
}

test('it answers 201 with every member, the description its own', async () => {
  const FunctionName = 'first';
  const before = await createUpdated(server.client, FunctionName, { Description: 'of $LATEST' });
  const { $metadata, ...published } = await publish(FunctionName, { Description: 'of 1' });
  assert.equal($metadata.httpStatusCode, 201);
  const expected = configurationOf(FunctionName, published, {
    ...active,
    Description: 'of 1',
    FunctionArn: `${arnOf(FunctionName)}:1`,
    Version: '1',
  });
  assert.deepEqual(published, withRuntimeVersion(expected, published));
  assert.equal(published.LastModified, before.LastModified);
  const name = { FunctionName, Qualifier: '1' };
  await waitUntilPublishedVersionActive(waiting(server.client), name);
  assert.deepEqual(await untilUpdated(server.client, FunctionName, '1'), published);
  // Publishing gives $LATEST another revision, and changes nothing else of it.
  const { RevisionId, ...latest } = await untilUpdated(server.client, FunctionName);
  assert.notEqual(RevisionId, before.RevisionId);
  assert.deepEqual({ ...latest, RevisionId: before.RevisionId }, before);
});

test('without a description it is that of $LATEST', async () => {
  await createActive(server.client, 'described', { Description: 'of $LATEST' });
  assert.equal((await publish('described')).Description, 'of $LATEST');
  await createActive(server.client, 'undescribed', { Description: 'of $LATEST' });
  assert.equal((await publish('undescribed', { Description: '' })).Description, '');
});

// floci #2822 and radkawar/stackd docs/lambda.md: measured on the real service.
test('without an update since the last version it gives that version again', async () => {
  const FunctionName = 'unchanged';
  const { client } = server;
  await createActive(client, FunctionName);
  const { $metadata, ...first } = await publish(FunctionName, { Description: 'first' });
  await client.send(new TagResourceCommand({ Resource: arnOf(FunctionName), Tags: { a: '1' } }));
  const reserve = { FunctionName, ReservedConcurrentExecutions: 1 };
  await client.send(new PutFunctionConcurrencyCommand(reserve));
  for (const Description of [undefined, 'first', 'second']) {
    const { $metadata: metadata, ...again } = await publish(FunctionName, { Description });
    assert.equal(metadata.httpStatusCode, $metadata.httpStatusCode);
    assert.deepEqual(again, first);
  }
  assert.deepEqual(await versionsOf(FunctionName), ['$LATEST', '1']);
});

// moto #8379 and radkawar/stackd docs/lambda.md: measured on the real service.
test('an update that brings what is there already makes another version', async () => {
  const FunctionName = 'same';
  const { client } = server;
  await createActive(client, FunctionName, { Publish: true });
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: handlerZip }));
  await untilUpdated(client, FunctionName);
  assert.equal((await publish(FunctionName)).Version, '2');
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 3 }));
  await untilUpdated(client, FunctionName);
  assert.equal((await publish(FunctionName)).Version, '3');
});

test('another setting or other code makes another version; the old ones stay', async () => {
  const FunctionName = 'changed';
  const { client } = server;
  await createActive(client, FunctionName);
  await publish(FunctionName);
  const first = await untilUpdated(client, FunctionName, '1');
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 }));
  await untilUpdated(client, FunctionName);
  assert.equal((await publish(FunctionName)).Version, '2');
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip }));
  await untilUpdated(client, FunctionName);
  assert.equal((await publish(FunctionName)).Version, '3');
  assert.deepEqual(await versionsOf(FunctionName), ['$LATEST', '1', '2', '3']);
  assert.deepEqual(await untilUpdated(client, FunctionName, '1'), first);
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 3 }));
  await client.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '3' }));
  await untilUpdated(client, FunctionName);
  assert.equal((await publish(FunctionName)).Version, '4');
});

test('it can be made to depend on code and revision', async () => {
  const FunctionName = 'preconditions';
  const { CodeSha256, RevisionId } = await createUpdated(server.client, FunctionName);
  const other = 'A'.repeat(43) + '=';
  await refused(
    publish(FunctionName, { CodeSha256: other }),
    'InvalidParameterValueException',
    `CodeSHA256 (${other}) is different from current CodeSHA256 in $LATEST (${CodeSha256}). ` +
      'Please try again with the CodeSHA256 in $LATEST.',
  );
  await stale(publish(FunctionName, { RevisionId: 'another' }));
  assert.deepEqual(await versionsOf(FunctionName), ['$LATEST']);
  const published = await publish(FunctionName, { CodeSha256, RevisionId });
  assert.equal(published.Version, '1');
  await stale(publish(FunctionName, { RevisionId: published.RevisionId }));
});

test('of publications at once all give one version; with one RevisionId exactly one is done', async () => {
  await createActive(server.client, 'together');
  const versions = await Promise.all(Array.from({ length: 8 }, () => publish('together')));
  assert.deepEqual(new Set(versions.map(({ Version }) => Version)), new Set(['1']));
  const { RevisionId } = await createUpdated(server.client, 'raced');
  const won = await oneWins(Array.from({ length: 8 }, () => publish('raced', { RevisionId })));
  assert.equal(won.Version, '1');
  assert.deepEqual(await versionsOf('raced'), ['$LATEST', '1']);
});

test('it takes all forms of a name, and $LATEST, but no other version', async () => {
  const name = 'formed';
  await createActive(server.client, name);
  for (const form of [...nameForms(name), `${name}:$LATEST`]) {
    assert.equal((await publish(form)).FunctionArn, `${arnOf(name)}:1`);
  }
  await onlyForLatest(name, publish);
});

test('it refuses what is not there, and long descriptions', async () => {
  await notFound(publish('unknown'), 'unknown');
  const FunctionName = 'refusing';
  await createActive(server.client, FunctionName);
  await invalid(publish(FunctionName, { Description: 'd'.repeat(257) }), 'description');
  assert.equal((await publish(FunctionName, { Description: 'd'.repeat(256) })).Version, '1');
});
