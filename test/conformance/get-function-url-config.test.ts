import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda';
import { createActive, createAliased, membersOf, refused, useServer } from './server.ts';

const server = useServer();

function get(FunctionName: string, Qualifier?: string) {
  return server.client.send(new GetFunctionUrlConfigCommand({ FunctionName, Qualifier }));
}

test('what was created, with the time of the last change', async () => {
  await createAliased(server.client, 'read');
  for (const Qualifier of [undefined, 'live']) {
    const creating = new CreateFunctionUrlConfigCommand({
      ...{ FunctionName: 'read', Qualifier, AuthType: 'AWS_IAM' },
      Cors: { AllowOrigins: ['*'], AllowCredentials: false, MaxAge: 5 },
      InvokeMode: 'RESPONSE_STREAM',
    });
    const created = membersOf(await server.client.send(creating));
    const { $metadata, ...found } = await get('read', Qualifier);
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(found, { ...created, LastModifiedTime: created.CreationTime });
    if (Qualifier === undefined) continue;
    assert.deepEqual(membersOf(await get(`read:${Qualifier}`)), found);
  }
});

test('no URL, no alias and no function are told in the same words', async () => {
  await createAliased(server.client, 'without');
  const absent = [['without'], ['without', 'live'], ['without', 'absent'], ['absent']] as const;
  for (const [name, qualifier] of absent) {
    await assert.rejects(
      get(name, qualifier),
      refused('ResourceNotFoundException', 'The resource you requested does not exist.'),
    );
  }
});

test('versions and $LATEST cannot be named', async () => {
  await createActive(server.client, 'numbered', { Publish: true });
  for (const qualifier of ['1', '$LATEST']) {
    await assert.rejects(get('numbered', qualifier), refused('ValidationException'));
  }
});
