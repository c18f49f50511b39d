/** Quotas as settings: GetAccountSettings shows them, and every operation keeps to them at the edge. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetAccountSettingsCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { buildZip } from '../../src/testing/zip-builder.ts';
import { createActive, functionInput, untilUpdated, useServer } from './server.ts';

const documented = useServer();
/** An archive of exactly so many bytes. */
function archiveOf(bytes: number): Buffer {
  const entry = { name: 'index.js', stored: true };
  const overhead = buildZip([{ ...entry, content: '' }]).length;
  return buildZip([{ ...entry, content: 'x'.repeat(bytes - overhead) }]);
}

const codeStorageBytesMax = 4000;
const small = useServer({
  codeStorageBytesMax,
  codeZippedBytesMax: 2000,
  codeUnzippedBytesMax: 3000,
  environmentBytesMax: 2048,
  layersPerFunctionMax: 1,
});
const exceeded = {
  name: 'CodeStorageExceededException',
  message: 'Code storage limit exceeded.',
};

test('GetAccountSettings shows the documented quotas', async () => {
  const { AccountLimit, AccountUsage } = await documented.client.send(
    new GetAccountSettingsCommand({}),
  );
  assert.deepEqual(AccountLimit, {
    TotalCodeSize: 80_530_636_800,
    CodeSizeUnzipped: 262_144_000,
    CodeSizeZipped: 52_428_800,
    ConcurrentExecutions: 1000,
    UnreservedConcurrentExecutions: 1000,
  });
  assert.deepEqual(AccountUsage, { TotalCodeSize: 0, FunctionCount: 0 });
});

test('GetAccountSettings shows the quotas of the settings', async () => {
  const { AccountLimit } = await small.client.send(new GetAccountSettingsCommand({}));
  assert.equal(AccountLimit?.TotalCodeSize, 4000);
  assert.equal(AccountLimit?.CodeSizeUnzipped, 3000);
  assert.equal(AccountLimit?.CodeSizeZipped, 2000);
});

async function usage(): Promise<number | undefined> {
  const { AccountUsage } = await small.client.send(new GetAccountSettingsCommand({}));
  return AccountUsage?.TotalCodeSize;
}

test('every version and layer version counts, what is replaced or deleted does not', async () => {
  const { client } = small;
  const FunctionName = 'counted';
  const LayerName = 'counted';
  const layer = (bytes: number) =>
    client.send(
      new PublishLayerVersionCommand({ LayerName, Content: { ZipFile: archiveOf(bytes) } }),
    );
  const update = (bytes: number, Publish = false) =>
    client.send(
      new UpdateFunctionCodeCommand({ FunctionName, ZipFile: archiveOf(bytes), Publish }),
    );
  await createActive(client, FunctionName, { Code: { ZipFile: archiveOf(1000) } });
  assert.equal(await usage(), 1000);
  await client.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(await usage(), 2000, '$LATEST and version 1');
  await layer(500);
  assert.equal(await usage(), 2500);

  // 1500 are left. The code that an update replaces makes room for it.
  await assert.rejects(layer(1501), exceeded);
  await assert.rejects(update(1251, true), exceeded);
  await update(1250, true);
  await untilUpdated(client, FunctionName);
  assert.equal(await usage(), 4000);

  await assert.rejects(layer(200), exceeded);
  await assert.rejects(update(1251), exceeded);
  const another = functionInput('another', { Code: { ZipFile: archiveOf(200) } });
  await assert.rejects(client.send(new CreateFunctionCommand(another)), exceeded);
  await update(750);
  await untilUpdated(client, FunctionName);
  assert.equal(await usage(), 3500);
  await assert.rejects(client.send(new PublishVersionCommand({ FunctionName })), exceeded);

  await client.send(new DeleteLayerVersionCommand({ LayerName, VersionNumber: 1 }));
  await client.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '1' }));
  assert.equal(await usage(), 2000);
  await client.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(await usage(), 2750);
  await client.send(new DeleteFunctionCommand({ FunctionName }));
  assert.equal(await usage(), 0);
});

test('a function created with its first version needs the room twice', async () => {
  const { client } = small;
  const create = (FunctionName: string, bytes: number, Publish: boolean) =>
    client.send(
      new CreateFunctionCommand(
        functionInput(FunctionName, { Code: { ZipFile: archiveOf(bytes) }, Publish }),
      ),
    );
  await create('filler', 1000, false);
  await assert.rejects(create('twice', 1501, true), exceeded);
  await create('twice', 1500, true);
  assert.equal(await usage(), codeStorageBytesMax);
  for (const FunctionName of ['filler', 'twice']) {
    await client.send(new DeleteFunctionCommand({ FunctionName }));
  }
});

test('requests at once do not go past the quota together', async () => {
  const { client } = small;
  const names = Array.from({ length: 8 }, (_, index) => `at-once-${index}`);
  const outcomes = await Promise.allSettled(
    names.map((name) =>
      client.send(
        new CreateFunctionCommand(functionInput(name, { Code: { ZipFile: archiveOf(1000) } })),
      ),
    ),
  );
  const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.name] : []));
  // A request may meet another's code twice, as stored and as taken, for the moment between the two.
  assert.ok(refused.length >= 4, `${refused.length} of 8 were refused`);
  assert.deepEqual(new Set(refused), new Set([exceeded.name]));
  assert.equal(await usage(), (8 - refused.length) * 1000);
  for (const [index, FunctionName] of names.entries()) {
    if (outcomes[index]?.status !== 'fulfilled') continue;
    await client.send(new DeleteFunctionCommand({ FunctionName }));
  }
});

test('archives, unpacked code, variables and layers have the quotas of the settings', async () => {
  const { client } = small;
  const create = (overrides: Parameters<typeof functionInput>[1]) =>
    client.send(new CreateFunctionCommand(functionInput('bounded', overrides)));
  // The body of such a request is too large already, and says so in its own words.
  await assert.rejects(create({ Code: { ZipFile: archiveOf(2001) } }), {
    name: 'RequestEntityTooLargeException',
  });
  const unzipped = buildZip([{ name: 'index.js', content: 'x'.repeat(3001) }]);
  await assert.rejects(create({ Code: { ZipFile: unzipped } }), {
    name: 'InvalidParameterValueException',
    message: 'Unzipped size must be smaller than 3000 bytes',
  });
  const overhead = JSON.stringify({ KEY: '' }).length;
  const environment = (bytes: number) => ({
    Environment: { Variables: { KEY: 'x'.repeat(bytes - overhead) } },
  });
  const code = { Code: { ZipFile: archiveOf(200) } };
  await assert.rejects(create({ ...code, ...environment(2049) }), {
    name: 'InvalidParameterValueException',
    message: /exceeded the 2KB limit/,
  });
  const Layers = [1, 2].map(
    (version) => `arn:aws:lambda:us-east-1:000000000000:layer:l:${version}`,
  );
  await assert.rejects(create({ ...code, Layers }), {
    name: 'InvalidParameterValueException',
    message: 'Cannot reference more than 1 layers.',
  });
  await createActive(client, 'bounded', { Code: { ZipFile: archiveOf(1200) } });
  const larger = { FunctionName: 'bounded', ...environment(2049) };
  await assert.rejects(client.send(new UpdateFunctionConfigurationCommand(larger)), /2KB limit/);
  const fits = { FunctionName: 'bounded', ...environment(2048) };
  await client.send(new UpdateFunctionConfigurationCommand(fits)).catch((error: Error) => {
    assert.fail(error.message);
  });
});
