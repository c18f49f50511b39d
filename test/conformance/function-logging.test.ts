/** LoggingConfig: defaults, both formats, levels only with JSON, and updates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionConfigurationCommand,
  type LoggingConfig,
} from '@aws-sdk/client-lambda';
import { createActive, functionInput, untilUpdated, useServer } from './server.ts';

const server = useServer();

async function update(
  FunctionName: string,
  LoggingConfig: LoggingConfig | undefined,
): Promise<LoggingConfig | undefined> {
  const command = new UpdateFunctionConfigurationCommand({ FunctionName, LoggingConfig });
  await server.client.send(command);
  await untilUpdated(server.client, FunctionName);
  const found = new GetFunctionConfigurationCommand({ FunctionName });
  return (await server.client.send(found)).LoggingConfig;
}

const created: readonly [string, LoggingConfig | undefined, LoggingConfig][] = [
  ['nothing', undefined, { LogFormat: 'Text', LogGroup: '/aws/lambda/log-0' }],
  ['no member', {}, { LogFormat: 'Text', LogGroup: '/aws/lambda/log-1' }],
  ['a group', { LogGroup: '/mine/a.b-c_d#1' }, { LogFormat: 'Text', LogGroup: '/mine/a.b-c_d#1' }],
  [
    'JSON',
    { LogFormat: 'JSON' },
    {
      LogFormat: 'JSON',
      ApplicationLogLevel: 'INFO',
      SystemLogLevel: 'INFO',
      LogGroup: '/aws/lambda/log-3',
    },
  ],
  [
    'everything',
    {
      LogFormat: 'JSON',
      ApplicationLogLevel: 'TRACE',
      SystemLogLevel: 'WARN',
      LogGroup: 'x'.repeat(512),
    },
    {
      LogFormat: 'JSON',
      ApplicationLogLevel: 'TRACE',
      SystemLogLevel: 'WARN',
      LogGroup: 'x'.repeat(512),
    },
  ],
];

for (const [index, [what, LoggingConfig, expected]] of created.entries()) {
  test(`CreateFunction with ${what} for logging`, async () => {
    const input = functionInput(`log-${index}`, { LoggingConfig });
    const answer = await server.client.send(new CreateFunctionCommand(input));
    assert.deepEqual(answer.LoggingConfig, expected);
  });
}

// radkawar/stackd docs/lambda.md
test('an update brings all of it anew; without it everything stays', async () => {
  const name = 'changing';
  const LogGroup = 'mine';
  await createActive(server.client, name, { LoggingConfig: { LogGroup } });
  const defaults = { LogFormat: 'Text', LogGroup: `/aws/lambda/${name}` };
  const levels = { ApplicationLogLevel: 'INFO', SystemLogLevel: 'INFO' };
  const json = { ...defaults, ...levels, LogFormat: 'JSON' };
  assert.deepEqual(await update(name, { LogFormat: 'JSON' }), json);
  const SystemLogLevel = 'DEBUG';
  const debug = { ...json, SystemLogLevel, LogGroup };
  assert.deepEqual(await update(name, { LogFormat: 'JSON', SystemLogLevel, LogGroup }), debug);
  assert.deepEqual(await update(name, undefined), debug);
  assert.deepEqual(await update(name, { LogFormat: 'JSON' }), json, 'levels begin anew');
  assert.deepEqual(await update(name, { LogGroup }), { LogFormat: 'Text', LogGroup });
  assert.deepEqual(await update(name, {}), defaults);
});

test('levels without the JSON format are refused', async () => {
  const error = {
    name: 'InvalidParameterValueException',
    message:
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your ' +
      'request or change the LogFormat to "JSON" and try again.',
  };
  await createActive(server.client, 'text');
  for (const levels of [{ ApplicationLogLevel: 'WARN' }, { SystemLogLevel: 'WARN' }] as const) {
    const input = functionInput('refused', { LoggingConfig: levels });
    await assert.rejects(server.client.send(new CreateFunctionCommand(input)), error);
    await assert.rejects(update('text', levels), error);
    await assert.rejects(update('text', { LogFormat: 'Text', ...levels }), error);
  }
});

const bad: readonly [string, LoggingConfig, RegExp][] = [
  ['an unknown format', { LogFormat: 'XML' as 'JSON' }, /enum value set/],
  ['an unknown level', { LogFormat: 'JSON', SystemLogLevel: 'ERROR' as 'WARN' }, /enum value set/],
  ['an empty group', { LogGroup: '' }, /length greater than or equal to 1/],
  ['too long a group', { LogGroup: 'x'.repeat(513) }, /length less than or equal to 512/],
  ['a group with a space', { LogGroup: 'a b' }, /regular expression pattern/],
];

for (const [what, LoggingConfig, message] of bad) {
  test(`logging with ${what} is refused`, async () => {
    const input = functionInput('bad', { LoggingConfig });
    await assert.rejects(server.client.send(new CreateFunctionCommand(input)), {
      name: 'ValidationException',
      message,
    });
  });
}
