import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  type Cors,
  type CreateFunctionUrlConfigCommandInput,
} from '@aws-sdk/client-lambda';
import {
  arnOf,
  createAliased,
  createActive,
  membersOf,
  perTenant,
  refused,
  region,
  useServer,
} from './server.ts';

const server = useServer();

function create(FunctionName: string, input: Partial<CreateFunctionUrlConfigCommandInput> = {}) {
  return server.client.send(
    new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE', ...input }),
  );
}

test('a URL for $LATEST: 201, without LastModifiedTime and the mode that was not asked for', async () => {
  await createActive(server.client, 'plain');
  const { $metadata, FunctionUrl, CreationTime, ...rest } = await create('plain');
  assert.equal($metadata.httpStatusCode, 201);
  assert.deepEqual(rest, {
    FunctionArn: arnOf('plain'),
    AuthType: 'NONE',
  });
  // LocalStack, radkawar/stackd: reading the URL shows its mode.
  const found = await server.client.send(
    new GetFunctionUrlConfigCommand({ FunctionName: 'plain' }),
  );
  assert.equal(found.InvokeMode, 'BUFFERED');
  const url = new URL(FunctionUrl ?? '');
  assert.equal(FunctionUrl, `${url.origin}/`);
  assert.match(url.hostname, new RegExp(`^[a-z0-9]{32}\\.lambda-url\\.${region}\\.localhost$`));
  assert.equal(url.port, new URL(server.url).port);
  assert.match(CreationTime ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('a URL for an alias, with every setting; the name may be an ARN', async () => {
  await createAliased(server.client, 'full');
  const Cors: Cors = {
    AllowCredentials: true,
    AllowHeaders: ['Date', 'X-Custom-Header', '*'],
    AllowMethods: ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH'],
    AllowOrigins: ['https://www.example.com', 'http://localhost:60905'],
    ExposeHeaders: ['Keep-Alive'],
    MaxAge: 86_400,
  };
  const settings = { AuthType: 'AWS_IAM', Cors, InvokeMode: 'RESPONSE_STREAM' } as const;
  const created = await create(arnOf('full'), { ...settings, Qualifier: 'live' });
  assert.deepEqual(membersOf(created, 'FunctionUrl', 'CreationTime'), {
    FunctionArn: `${arnOf('full')}:live`,
    ...settings,
  });
  const ofLatest = await create('full');
  assert.notEqual(ofLatest.FunctionUrl, created.FunctionUrl);
});

test('one URL for each', async () => {
  await createAliased(server.client, 'twice');
  for (const [Qualifier, arn] of [
    [undefined, arnOf('twice')],
    ['live', `${arnOf('twice')}:live`],
  ]) {
    await create('twice', { Qualifier });
    await assert.rejects(
      create('twice', { Qualifier }),
      refused(
        'ResourceConflictException',
        // psoxy's troubleshooting guide
        `Failed to create function url config for [functionArn = ${arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
      ),
    );
  }
});

test('no such function, no such alias', async () => {
  await createActive(server.client, 'unaliased');
  for (const [name, Qualifier] of [['absent'], ['unaliased', 'absent']] as const) {
    await assert.rejects(
      create(name, { Qualifier }),
      refused('ResourceNotFoundException', 'Function does not exist'),
    );
  }
});

test('a function with tenant isolation has none', async () => {
  await createActive(server.client, 'tenants', perTenant);
  await assert.rejects(
    create('tenants'),
    refused(
      'InvalidParameterValueException',
      'Function URL is not supported for functions with tenant isolation mode.',
    ),
  );
});

test('versions and $LATEST cannot be named', async () => {
  await createActive(server.client, 'versioned', { Publish: true });
  for (const Qualifier of ['1', '$LATEST']) {
    await assert.rejects(
      create('versioned', { Qualifier }),
      refused(
        'ValidationException',
        `1 validation error detected: Value '${Qualifier}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)`,
      ),
    );
    await assert.rejects(create(`versioned:${Qualifier}`), refused('ValidationException'));
  }
  await create('versioned');
});

test('bounds of the settings, at their edges', async () => {
  await createActive(server.client, 'edges');
  const AllowOrigins = ['*'];
  const origin = (length: number): string => `https://${'a'.repeat(length - 8)}`;
  for (const Cors of [
    { AllowOrigins, MaxAge: -1 },
    { AllowOrigins, MaxAge: 86_401 },
    { AllowOrigins: Array.from({ length: 101 }, () => '*') },
    { AllowOrigins: [origin(254)] },
    { AllowOrigins: [''] },
    { AllowOrigins, AllowMethods: Array.from({ length: 7 }, () => 'GET') },
    { AllowOrigins, AllowMethods: ['OPTIONS'] },
    { AllowOrigins, AllowHeaders: Array.from({ length: 101 }, () => 'a') },
    { AllowOrigins, ExposeHeaders: ['a'.repeat(1025)] },
  ]) {
    await assert.rejects(create('edges', { Cors }), refused('ValidationException'));
  }
  const wrongMode = { InvokeMode: 'STREAM' as 'BUFFERED' };
  await assert.rejects(create('edges', wrongMode), refused('ValidationException'));
  const wrongType = { AuthType: 'none' as 'NONE' };
  await assert.rejects(create('edges', wrongType), refused('ValidationException'));
  const Cors: Cors = {
    AllowOrigins: [origin(253), ...Array.from({ length: 99 }, () => '*')],
    AllowMethods: Array.from({ length: 6 }, () => '*'),
    AllowHeaders: Array.from({ length: 100 }, () => 'a'),
    ExposeHeaders: ['a'.repeat(1024)],
    MaxAge: 0,
  };
  assert.deepEqual((await create('edges', { Cors })).Cors, Cors);
});

test('CORS settings need origins, and methods that can be listed', async () => {
  await createActive(server.client, 'cors');
  for (const [Cors, message] of [
    // sst/ion #229
    [{ AllowCredentials: false }, "You can't leave AllowOrigins as empty when Cors is enabled."],
    [
      { AllowOrigins: ['*'], AllowMethods: ['TRACE'] },
      // psoxy #911
      'You can use GET, PUT, POST, DELETE, HEAD, PATCH, and the wildcard character (*).',
    ],
  ] as [Cors, string][]) {
    const refusal = refused('InvalidParameterValueException', message);
    await assert.rejects(create('cors', { Cors }), refusal);
  }
  assert.equal((await create('cors', { Cors: {} })).Cors, undefined);
});
