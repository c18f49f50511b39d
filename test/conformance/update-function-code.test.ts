/** UpdateFunctionCode: another package for $LATEST, published with it, or only tried. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetFunctionCommand,
  ListVersionsByFunctionCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
  type UpdateFunctionCodeCommandInput,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../../src/testing/zip-builder.ts';
import {
  active,
  configurationOf,
  creating,
  sha256Of,
  updating,
  withRuntimeVersion,
} from './configurations.ts';
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

function update(FunctionName: string, input: Partial<UpdateFunctionCodeCommandInput> = {}) {
  const request = { FunctionName, ZipFile: otherZip, ...input };
  return server.client.send(new UpdateFunctionCodeCommand(request));
}

const otherCode = { CodeSize: otherZip.length, CodeSha256: sha256Of(otherZip) };

test('it answers in progress with the new code, then it is Successful', async () => {
  const FunctionName = 'updated';
  const before = await createUpdated(server.client, FunctionName);
  const { $metadata, ...updated } = await update(FunctionName, { Architectures: ['arm64'] });
  assert.equal($metadata.httpStatusCode, 200);
  const members = { ...otherCode, Architectures: ['arm64' as const] };
  const expected = configurationOf(FunctionName, updated, { ...updating, ...members });
  assert.deepEqual(updated, withRuntimeVersion(expected, updated));
  assert.notEqual(updated.RevisionId, before.RevisionId);
  await waitUntilFunctionUpdatedV2(waiting(server.client), { FunctionName });
  const { Configuration = {}, Code } = await server.client.send(
    new GetFunctionCommand({ FunctionName }),
  );
  const settled = configurationOf(FunctionName, Configuration, { ...active, ...members });
  assert.deepEqual(Configuration, withRuntimeVersion(settled, Configuration));
  const response = await fetch(Code?.Location ?? '');
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(otherZip));
});

// floci #2820, #2825: measured on the real service.
test('with Publish it answers as the new version, with its number in the ARN', async () => {
  const FunctionName = 'published';
  await createActive(server.client, FunctionName, { Publish: true, Description: 'described' });
  const { $metadata, ...published } = await update(FunctionName, { Publish: true });
  assert.equal($metadata.httpStatusCode, 200);
  const expected = configurationOf(FunctionName, published, {
    ...creating,
    ...otherCode,
    Description: 'described',
    FunctionArn: `${arnOf(FunctionName)}:2`,
    Version: '2',
  });
  assert.deepEqual(published, withRuntimeVersion(expected, published));
  const version = await untilUpdated(server.client, FunctionName, '2');
  assert.equal(version.State, 'Active');
  assert.equal(version.RevisionId, published.RevisionId);
  const latest = await untilUpdated(server.client, FunctionName);
  assert.equal(latest.CodeSha256, otherCode.CodeSha256);
  const { Versions } = await server.client.send(
    new ListVersionsByFunctionCommand({ FunctionName }),
  );
  assert.deepEqual(
    Versions?.map(({ Version }) => Version),
    ['$LATEST', '1', '2'],
  );
  // moto #8337: the same code again makes a version, too.
  const again = await update(FunctionName, { Publish: true });
  assert.equal(again.Version, '3');
});

test('a dry run answers as the update would, checks all, and changes nothing', async () => {
  const FunctionName = 'dry';
  const before = await createUpdated(server.client, FunctionName);
  const { $metadata, ...tried } = await update(FunctionName, { DryRun: true, Publish: true });
  assert.equal($metadata.httpStatusCode, 200);
  assert.deepEqual(tried, { ...before, ...otherCode });
  assert.deepEqual(await untilUpdated(server.client, FunctionName), before);
  const broken = { DryRun: true, ZipFile: Buffer.from('no archive') };
  await refused(update(FunctionName, broken), 'InvalidParameterValueException', /^Could not unzip/);
  await stale(update(FunctionName, { DryRun: true, RevisionId: 'stale' }));
});

test('the same code again is an update, too', async () => {
  const FunctionName = 'same';
  const before = await createUpdated(server.client, FunctionName);
  const updated = await update(FunctionName, { ZipFile: handlerZip });
  assert.equal(updated.LastUpdateStatus, 'InProgress');
  assert.equal(updated.CodeSha256, before.CodeSha256);
  assert.notEqual(updated.RevisionId, before.RevisionId);
});

test('it takes all forms of a name, and $LATEST, but no other version', async () => {
  const name = 'formed';
  await createActive(server.client, name, { Publish: true });
  for (const form of [...nameForms(name), `${name}:$LATEST`]) {
    const updated = await update(form);
    assert.equal(updated.FunctionArn, arnOf(name));
    await untilUpdated(server.client, name);
  }
  await onlyForLatest(name, update);
});

test('of updates at once with one RevisionId exactly one wins', async () => {
  const FunctionName = 'raced';
  const { RevisionId } = await createUpdated(server.client, FunctionName);
  const archives = Array.from({ length: 8 }, (_, index) => zipOf({ 'index.js': `// ${index}` }));
  const won = await oneWins(
    archives.map((ZipFile) => update(FunctionName, { ZipFile, RevisionId })),
  );
  const settled = await untilUpdated(server.client, FunctionName);
  assert.equal(settled.CodeSha256, won.CodeSha256);
  await stale(update(FunctionName, { RevisionId }));
});

test('it refuses what is not there, no code, and code that is not right', async () => {
  const FunctionName = 'refusing';
  const before = await createUpdated(server.client, FunctionName);
  await notFound(update('unknown'), 'unknown');
  await refused(
    update(FunctionName, { ZipFile: undefined }),
    'InvalidParameterValueException',
    'Please provide a source for function code.',
  );
  await refused(
    update(FunctionName, { ZipFile: undefined, ImageUri: 'registry/image:1' }),
    'InvalidParameterValueException',
    "Please don't provide ImageUri when updating a function with packageType Zip.",
  );
  await refused(
    update(FunctionName, { S3Bucket: 'bucket', S3Key: 'key' }),
    'InvalidParameterValueException',
    'Please do not provide other FunctionCode parameters when providing a ZipFile.',
  );
  await refused(
    update(FunctionName, { ZipFile: Buffer.from('no archive') }),
    'InvalidParameterValueException',
    'Could not unzip uploaded file. Please check your file, then try to upload again.',
  );
  await refused(
    update(FunctionName, { ZipFile: Buffer.alloc(50 * 1024 * 1024 + 1) }),
    'RequestEntityTooLargeException',
    'Zipped size must be smaller than 52428800 bytes',
  );
  await invalid(update(FunctionName, { Architectures: ['x86_64', 'arm64'] }), 'architectures');
  await invalid(update(FunctionName, { Architectures: ['mips' as 'arm64'] }), 'architectures');
  assert.deepEqual(await untilUpdated(server.client, FunctionName), before);
});
