/** GetFunction: the configuration with its code to download, the function's tags and its reserve. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAliasCommand,
  GetFunctionCommand,
  PutFunctionConcurrencyCommand,
  UpdateFunctionCodeCommand,
  type GetFunctionCommandInput,
} from '@aws-sdk/client-lambda';
import { active, configurationOf, withRuntimeVersion } from './configurations.ts';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { arnOf, createActive, handlerZip, otherZip, untilUpdated, useServer } from './server.ts';

const server = useServer();

function get(FunctionName: string, input: Partial<GetFunctionCommandInput> = {}) {
  return server.client.send(new GetFunctionCommand({ FunctionName, ...input }));
}

async function download(Location: string | undefined): Promise<Buffer> {
  const response = await fetch(Location ?? '');
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}

test('it answers with configuration and code; no tags and no reserve are no members', async () => {
  const name = 'plain';
  await createActive(server.client, name);
  const { $metadata, ...found } = await get(name);
  assert.equal($metadata.httpStatusCode, 200);
  const { Configuration = {}, Code } = found;
  assert.deepEqual(found, {
    Configuration: withRuntimeVersion(configurationOf(name, Configuration, active), Configuration),
    Code: { RepositoryType: 'S3', Location: Code?.Location },
  });
  assert.ok((await download(Code?.Location)).equals(handlerZip));
});

test('it answers with tags and reserve', async () => {
  const FunctionName = 'with-all';
  await createActive(server.client, FunctionName, { Tags: { team: 'a', empty: '' } });
  const reserve = { FunctionName, ReservedConcurrentExecutions: 0 };
  await server.client.send(new PutFunctionConcurrencyCommand(reserve));
  const found = await get(FunctionName);
  assert.deepEqual(found.Tags, { team: 'a', empty: '' });
  assert.deepEqual(found.Concurrency, { ReservedConcurrentExecutions: 0 });
});

test('a version has its own code, and neither the function’s tags nor its reserve', async () => {
  const FunctionName = 'versioned';
  await createActive(server.client, FunctionName, { Publish: true, Tags: { team: 'a' } });
  const reserve = { FunctionName, ReservedConcurrentExecutions: 5 };
  await server.client.send(new PutFunctionConcurrencyCommand(reserve));
  await server.client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: otherZip }));
  await untilUpdated(server.client, FunctionName);
  const alias = { FunctionName, Name: 'live', FunctionVersion: '1' };
  await server.client.send(new CreateAliasCommand(alias));
  for (const [Qualifier, Version, archive] of [
    ['1', '1', handlerZip],
    ['live', '1', handlerZip],
    ['$LATEST', '$LATEST', otherZip],
  ] as const) {
    const found = await get(FunctionName, { Qualifier });
    assert.equal(found.Configuration?.Version, Version);
    assert.equal(found.Configuration.FunctionArn, `${arnOf(FunctionName)}:${Qualifier}`);
    assert.ok((await download(found.Code?.Location)).equals(archive));
    // radkawar/stackd docs/lambda.md, terraform-provider-aws #31497 (tags), #43711 and #43753 (reserve)
    assert.equal(found.Tags, undefined);
    assert.equal(found.Concurrency, undefined);
  }
  const whole = await get(FunctionName);
  assert.deepEqual(whole.Tags, { team: 'a' });
  assert.deepEqual(whole.Concurrency, { ReservedConcurrentExecutions: 5 });
});

test('it takes all forms of a name, with the qualifier in it or beside it', async () => {
  const name = 'formed';
  await createActive(server.client, name, { Publish: true });
  for (const form of nameForms(name)) {
    assert.equal((await get(form)).Configuration?.FunctionArn, arnOf(name));
    for (const input of [{ FunctionName: `${form}:1` }, { FunctionName: form, Qualifier: '1' }]) {
      const { Configuration } = await get(form, input);
      assert.equal(Configuration?.FunctionArn, `${arnOf(name)}:1`);
    }
  }
});

// floci #2821: measured on the real service.
test('it refuses what is not there, and qualifiers that differ or are none', async () => {
  const name = 'known';
  await createActive(server.client, name, { Publish: true });
  await notFound(get('unknown'), 'unknown');
  await notFound(get('unknown', { Qualifier: '1' }), 'unknown', '1');
  await notFound(get(name, { Qualifier: '99' }), name, '99');
  await notFound(get(name, { Qualifier: 'notaversion' }), name, 'notaversion');
  await notFound(get(`${arnOf(name)}:2`), name, '2');
  await refused(
    get(`${name}:1`, { Qualifier: '2' }),
    'InvalidParameterValueException',
    'The derived qualifier from the function name does not match the specified qualifier.',
  );
  await invalid(get(name, { Qualifier: 'a b' }), 'qualifier');
  await invalid(get(name, { Qualifier: 'q'.repeat(129) }), 'qualifier');
});
