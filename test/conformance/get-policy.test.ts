/** GetPolicy: the document of a function, a version or an alias, and the revision that guards it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
} from '@aws-sdk/client-lambda';
import { addPermission } from './policies.ts';
import { accountId, arnOf, createActive, createAliased, refused, useServer } from './server.ts';

const server = useServer();

function get(FunctionName: string, Qualifier?: string) {
  return server.client.send(new GetPolicyCommand({ FunctionName, Qualifier }));
}

const none = refused('ResourceNotFoundException', 'The resource you requested does not exist.');

test('GetPolicy gives the document as one line of JSON, under every name of the function', async () => {
  await createActive(server.client, 'named');
  const { Statement } = await addPermission(server.client, 'named');
  const Policy = `{"Version":"2012-10-17","Id":"default","Statement":[${Statement ?? ''}]}`;
  for (const name of ['named', `${accountId}:function:named`, arnOf('named')]) {
    const found = await get(name);
    assert.equal(found.$metadata.httpStatusCode, 200);
    assert.equal(found.Policy, Policy);
  }
});

test('the revision of a policy is that of what it is attached to, and changes with it', async () => {
  const name = 'revised';
  await createAliased(server.client, name);
  const read = {
    function: () => server.client.send(new GetFunctionConfigurationCommand({ FunctionName: name })),
    version: () =>
      server.client.send(
        new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: '1' }),
      ),
    alias: () => server.client.send(new GetAliasCommand({ FunctionName: name, Name: 'live' })),
  };
  const revisions = async () => ({
    function: (await read.function()).RevisionId,
    version: (await read.version()).RevisionId,
    alias: (await read.alias()).RevisionId,
  });
  for (const [kind, qualifier] of [
    ['function', undefined],
    ['version', '1'],
    ['alias', 'live'],
  ] as const) {
    const before = await revisions();
    await addPermission(server.client, name, { Qualifier: qualifier });
    const after = await revisions();
    assert.notEqual(after[kind], before[kind]);
    assert.deepEqual({ ...after, [kind]: before[kind] }, before, 'only its own');
    assert.equal((await get(name, qualifier)).RevisionId, after[kind]);
  }
});

test('GetPolicy finds nothing where there is nothing', async () => {
  const name = 'bare';
  await createAliased(server.client, name);
  for (const qualifier of [undefined, '1', 'live', '$LATEST']) {
    await assert.rejects(get(name, qualifier), none);
  }
  await addPermission(server.client, name);
  for (const qualifier of ['1', 'live', '$LATEST']) {
    await assert.rejects(get(name, qualifier), none, qualifier);
  }
  await assert.rejects(
    get(name, '9'),
    refused('ResourceNotFoundException', `Function not found: ${arnOf(name)}:9`),
  );
  await assert.rejects(
    get(name, 'other'),
    refused('ResourceNotFoundException', `Cannot find alias arn: ${arnOf(name)}:other`),
  );
  await assert.rejects(
    get('nobody'),
    refused('ResourceNotFoundException', `Function not found: ${arnOf('nobody')}`),
  );
  await assert.rejects(get(`${name}:1`, 'live'), refused('InvalidParameterValueException'));
  await assert.rejects(get('no name'), refused('ValidationException'));
});
