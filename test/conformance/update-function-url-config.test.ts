import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  UpdateFunctionUrlConfigCommand,
  type UpdateFunctionUrlConfigCommandInput,
} from '@aws-sdk/client-lambda';
import {
  createActive,
  createAliased,
  membersOf,
  refused,
  useServer,
  type ErrorName,
} from './server.ts';

const server = useServer();

function create(FunctionName: string, Qualifier?: string) {
  const input = { FunctionName, Qualifier, AuthType: 'NONE' } as const;
  return server.client.send(new CreateFunctionUrlConfigCommand(input));
}

function read(FunctionName: string, Qualifier?: string) {
  return server.client.send(new GetFunctionUrlConfigCommand({ FunctionName, Qualifier }));
}

async function update(
  FunctionName: string,
  changes: Partial<UpdateFunctionUrlConfigCommandInput> = {},
) {
  const input = { FunctionName, ...changes };
  const answer = await server.client.send(new UpdateFunctionUrlConfigCommand(input));
  const { $metadata, LastModifiedTime, ...rest } = answer;
  assert.equal($metadata.httpStatusCode, 200);
  assert.ok((LastModifiedTime ?? '') >= (rest.CreationTime ?? assert.fail()));
  return rest;
}

test('each setting by itself; the address stays', async () => {
  await createAliased(server.client, 'changed');
  for (const Qualifier of [undefined, 'live']) {
    const before = membersOf(await create('changed', Qualifier));
    assert.deepEqual(await update('changed', { Qualifier }), before);
    // The mode is shown to those who change it, and when the URL is read (radkawar/stackd).
    const changes: Partial<UpdateFunctionUrlConfigCommandInput>[] = [
      { AuthType: 'AWS_IAM' },
      { InvokeMode: 'RESPONSE_STREAM' },
      { Cors: { AllowOrigins: ['https://www.example.com'], MaxAge: 5 } },
      { Cors: { AllowOrigins: ['*'], AllowMethods: ['GET'] } },
    ];
    for (const change of changes) {
      const { InvokeMode, ...settings } = change;
      Object.assign(before, settings);
      const mode = InvokeMode === undefined ? {} : { InvokeMode };
      assert.deepEqual(await update('changed', { Qualifier, ...change }), { ...before, ...mode });
    }
    const withoutCors = await update('changed', { Qualifier, Cors: {} });
    assert.deepEqual(withoutCors, membersOf(before, 'Cors'));
    assert.equal((await read('changed', Qualifier)).InvokeMode, 'RESPONSE_STREAM');
  }
});

test('changes at the same time all count', async () => {
  await createActive(server.client, 'contended');
  await create('contended');
  await Promise.all([
    update('contended', { AuthType: 'AWS_IAM' }),
    update('contended', { InvokeMode: 'RESPONSE_STREAM' }),
    update('contended', { Cors: { AllowOrigins: ['*'] } }),
  ]);
  const { AuthType, InvokeMode, Cors } = await read('contended');
  assert.deepEqual([AuthType, InvokeMode], ['AWS_IAM', 'RESPONSE_STREAM']);
  assert.deepEqual(Cors, { AllowOrigins: ['*'] });
});

test('what is not there', async () => {
  await createAliased(server.client, 'bare');
  for (const [name, Qualifier] of [['absent'], ['bare', 'absent']] as const) {
    await assert.rejects(
      update(name, { Qualifier }),
      refused('ResourceNotFoundException', 'Function does not exist'),
    );
  }
  for (const Qualifier of [undefined, 'live']) {
    await assert.rejects(
      update('bare', { Qualifier }),
      refused('ResourceNotFoundException', 'The resource you requested does not exist.'),
    );
  }
});

test('a refused change changes nothing', async () => {
  await createActive(server.client, 'refused', { Publish: true });
  const created = membersOf(await create('refused'));
  const refusals: [Partial<UpdateFunctionUrlConfigCommandInput>, ErrorName][] = [
    [{ Cors: { MaxAge: 1 } }, 'InvalidParameterValueException'],
    [{ Cors: { AllowOrigins: ['*'], MaxAge: 86_401 } }, 'ValidationException'],
    [{ Cors: { AllowOrigins: ['*'], AllowMethods: ['OPTIONS'] } }, 'ValidationException'],
    [{ Qualifier: '1' }, 'ValidationException'],
    [{ Qualifier: '$LATEST' }, 'ValidationException'],
  ];
  for (const [change, name] of refusals) {
    await assert.rejects(update('refused', { AuthType: 'AWS_IAM', ...change }), refused(name));
  }
  assert.deepEqual(await update('refused'), created);
});
