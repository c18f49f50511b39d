/** UpdateFunctionConfiguration: other settings for $LATEST; what is left out stays as it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
  type FunctionConfiguration,
  type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda';
import { active, configurationOf, updating, withRuntimeVersion } from './configurations.ts';
import { invalid, nameForms, notFound, oneWins, onlyForLatest, refused, stale } from './expect.ts';
import {
  arnOf,
  createActive,
  perTenant,
  role,
  untilUpdated,
  useServer,
  waiting,
} from './server.ts';

const server = useServer();

type Settings = Omit<UpdateFunctionConfigurationCommandInput, 'FunctionName'>;

function update(FunctionName: string, settings: Settings = {}) {
  const request = { FunctionName, ...settings };
  return server.client.send(new UpdateFunctionConfigurationCommand(request));
}

/** Updates, waits, and says that answer and settled state have exactly these members changed. */
async function changes(
  name: string,
  settings: Settings,
  members: Partial<FunctionConfiguration>,
): Promise<void> {
  const { $metadata, ...updated } = await update(name, settings);
  assert.equal($metadata.httpStatusCode, 200);
  const answer = configurationOf(name, updated, { ...updating, ...members });
  assert.deepEqual(updated, withRuntimeVersion(answer, updated));
  const settled = await untilUpdated(server.client, name);
  assert.notEqual(settled.RevisionId, updated.RevisionId);
  const expected = configurationOf(name, settled, { ...active, ...members });
  assert.deepEqual(settled, withRuntimeVersion(expected, settled));
}

test('it changes every member that it takes, and an update of nothing keeps them', async () => {
  const FunctionName = 'changed';
  await createActive(server.client, FunctionName);
  const same = {
    Role: `${role}-other`,
    Runtime: 'python3.13',
    Handler: 'app.main',
    Description: 'another',
    Timeout: 900,
    MemorySize: 10_240,
    TracingConfig: { Mode: 'Active' },
    Environment: { Variables: { AA: '1' } },
    EphemeralStorage: { Size: 10_240 },
    DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
    KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/k',
  } satisfies Settings;
  const LoggingConfig = {
    LogFormat: 'JSON',
    LogGroup: '/other',
    ApplicationLogLevel: 'DEBUG',
    SystemLogLevel: 'WARN',
  } as const;
  const VpcConfig = { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] };
  const expected = {
    ...same,
    LoggingConfig,
    VpcConfig: { ...VpcConfig, VpcId: '', Ipv6AllowedForDualStack: false },
  };
  await changes(FunctionName, { ...same, LoggingConfig, VpcConfig }, expected);
  await changes(FunctionName, {}, expected);
  await changes(
    FunctionName,
    {
      Description: '',
      DeadLetterConfig: { TargetArn: '' },
      KMSKeyArn: '',
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/other' },
    },
    {
      Role: `${role}-other`,
      Runtime: 'python3.13',
      Handler: 'app.main',
      Timeout: 900,
      MemorySize: 10_240,
      TracingConfig: { Mode: 'Active' },
      Environment: { Variables: { AA: '1' } },
      EphemeralStorage: { Size: 10_240 },
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/other' },
      VpcConfig: expected.VpcConfig,
    },
  );
});

test('its waiter sees it end', async () => {
  const FunctionName = 'awaited';
  await createActive(server.client, FunctionName);
  await update(FunctionName, { Timeout: 5 });
  const waited = await waitUntilFunctionUpdatedV2(waiting(server.client), { FunctionName });
  assert.equal(waited.state, 'SUCCESS');
});

test('it takes all forms of a name, and $LATEST, but no other version', async () => {
  const name = 'formed';
  await createActive(server.client, name, { Publish: true });
  for (const [index, form] of [...nameForms(name), `${name}:$LATEST`].entries()) {
    const updated = await update(form, { Timeout: 10 + index });
    assert.equal(updated.Timeout, 10 + index);
    assert.equal(updated.FunctionArn, arnOf(name));
    await untilUpdated(server.client, name);
  }
  // appleboy/lambda-action #6
  await onlyForLatest(name, (form) => update(form, { Timeout: 5 }));
});

test('of updates at once with one RevisionId exactly one wins', async () => {
  const FunctionName = 'race';
  await createActive(server.client, FunctionName);
  const { RevisionId } = await untilUpdated(server.client, FunctionName);
  const timeouts = Array.from({ length: 8 }, (_, index) => index + 10);
  const won = await oneWins(
    timeouts.map((Timeout) => update(FunctionName, { Timeout, RevisionId })),
  );
  assert.equal((await untilUpdated(server.client, FunctionName)).Timeout, won.Timeout);
  await stale(update(FunctionName, { Timeout: 9, RevisionId }));
});

test('updates at once without RevisionId answer 200 or 409, and the last state is whole', async () => {
  const FunctionName = 'storm';
  await createActive(server.client, FunctionName);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) =>
      update(FunctionName, { Timeout: index + 10, Description: `${index + 10}` }),
    ),
  );
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') {
      await refused(
        Promise.reject(outcome.reason as Error),
        'ResourceConflictException',
        'The operation cannot be performed at this time. An update is in progress for resource: ' +
          arnOf(FunctionName),
      );
    }
  }
  const settled = await untilUpdated(server.client, FunctionName);
  assert.equal(settled.Description, String(settled.Timeout));
});

test('tenant isolation stays, and excludes SnapStart', async () => {
  const FunctionName = 'tenants';
  await createActive(server.client, FunctionName, { ...perTenant, Runtime: 'python3.13' });
  await refused(
    update(FunctionName, { SnapStart: { ApplyOn: 'PublishedVersions' } }),
    'InvalidParameterValueException',
    'SnapStart is not supported for functions with tenant isolation mode.',
  );
  const { TenancyConfig } = await update(FunctionName, { Timeout: 7 });
  assert.deepEqual(TenancyConfig, perTenant.TenancyConfig);
});

test('it refuses what is not there, and values out of bounds, and changes nothing', async () => {
  const FunctionName = 'refusing';
  await createActive(server.client, FunctionName);
  const before = await untilUpdated(server.client, FunctionName);
  await notFound(update('unknown', { Timeout: 5 }), 'unknown');
  const bad: readonly [Settings, string, RegExp?][] = [
    [{ Timeout: 0 }, 'timeout', /or equal to 1$/],
    [{ Timeout: 901 }, 'timeout', /or equal to 900$/],
    [{ MemorySize: 127 }, 'memorySize', /or equal to 128$/],
    [{ MemorySize: 10_241 }, 'memorySize', /or equal to 10240$/],
    [{ EphemeralStorage: { Size: 511 } }, 'ephemeralStorage.size', /or equal to 512$/],
    [{ EphemeralStorage: { Size: 10_241 } }, 'ephemeralStorage.size', /or equal to 10240$/],
    [{ Description: 'd'.repeat(257) }, 'description', /or equal to 256$/],
    [{ Handler: 'a b' }, 'handler'],
    [{ Role: 'admin' }, 'role'],
    [{ TracingConfig: { Mode: 'On' as 'Active' } }, 'tracingConfig.mode'],
  ];
  for (const [settings, member, rest] of bad) {
    await invalid(update(FunctionName, settings), member, rest);
  }
  await refused(
    update(FunctionName, { Runtime: 'nodejs99.x' as 'nodejs' }),
    'InvalidParameterValueException',
    /nodejs99/,
  );
  await refused(
    update(FunctionName, { Environment: { Variables: { AWS_REGION: 'x' } } }),
    'InvalidParameterValueException',
    /Reserved keys used in this request: AWS_REGION$/,
  );
  await refused(
    update(FunctionName, { LoggingConfig: { ApplicationLogLevel: 'DEBUG' } }),
    'InvalidParameterValueException',
    /^LogLevel is not supported when LogFormat is set to "Text"/,
  );
  assert.deepEqual(await untilUpdated(server.client, FunctionName), before);
});
