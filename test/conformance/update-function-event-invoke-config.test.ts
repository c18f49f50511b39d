import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
  type UpdateFunctionEventInvokeConfigCommandInput,
} from '@aws-sdk/client-lambda';
import { accountId, arnOf, createAliased, refused, region, useServer } from './server.ts';

const server = useServer();
const queue = `arn:aws:sqs:${region}:${accountId}:queue`;
const topic = `arn:aws:sns:${region}:${accountId}:topic`;

function put(FunctionName: string, Qualifier?: string) {
  const input = { FunctionName, Qualifier, MaximumRetryAttempts: 1 };
  return server.client.send(new PutFunctionEventInvokeConfigCommand(input));
}

async function update(
  FunctionName: string,
  settings: Partial<UpdateFunctionEventInvokeConfigCommandInput>,
) {
  const input = { FunctionName, ...settings };
  const answer = await server.client.send(new UpdateFunctionEventInvokeConfigCommand(input));
  const { $metadata, LastModified, FunctionArn, ...rest } = answer;
  assert.equal($metadata.httpStatusCode, 200);
  assert.ok(LastModified instanceof Date);
  assert.equal(FunctionArn, `${arnOf(FunctionName)}:${settings.Qualifier ?? '$LATEST'}`);
  return rest;
}

test('what is left out stays, each destination by itself', async () => {
  await createAliased(server.client, 'merged');
  for (const Qualifier of [undefined, '1', 'live']) {
    await put('merged', Qualifier);
    const settings = { MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 60 };
    const none = { OnSuccess: {}, OnFailure: {} };
    const aged = await update('merged', { Qualifier, MaximumEventAgeInSeconds: 60 });
    assert.deepEqual(aged, { ...settings, DestinationConfig: none });
    const success = { OnSuccess: { Destination: queue } };
    const failure = { OnFailure: { Destination: topic } };
    await update('merged', { Qualifier, DestinationConfig: success });
    const both = await update('merged', { Qualifier, DestinationConfig: failure });
    assert.deepEqual(both, { ...settings, DestinationConfig: { ...success, ...failure } });
    const retried = await update('merged', { Qualifier, MaximumRetryAttempts: 0 });
    assert.deepEqual(retried, { ...both, MaximumRetryAttempts: 0 });
    const cleared = { OnSuccess: { Destination: '' } };
    const { DestinationConfig } = await update('merged', {
      Qualifier,
      DestinationConfig: cleared,
    });
    assert.deepEqual(DestinationConfig, { OnSuccess: {}, ...failure });
  }
});

test('changes at the same time all count', async () => {
  await createAliased(server.client, 'contended');
  await put('contended');
  await Promise.all([
    update('contended', { MaximumRetryAttempts: 2 }),
    update('contended', { MaximumEventAgeInSeconds: 90 }),
  ]);
  const last = await update('contended', { DestinationConfig: { OnSuccess: {} } });
  assert.equal(last.MaximumRetryAttempts, 2);
  assert.equal(last.MaximumEventAgeInSeconds, 90);
});

test('what is not there', async () => {
  await createAliased(server.client, 'bare');
  const change = { MaximumRetryAttempts: 1 };
  for (const Qualifier of [undefined, '1', 'live']) {
    await assert.rejects(
      update('bare', { ...change, Qualifier }),
      refused(
        'ResourceNotFoundException',
        `The function ${arnOf('bare')}:${Qualifier ?? '$LATEST'} doesn't have an EventInvokeConfig`,
      ),
    );
  }
  for (const [name, Qualifier] of [['absent'], ['bare', '2'], ['bare', 'absent']] as const) {
    await assert.rejects(
      update(name, { ...change, Qualifier }),
      refused('ResourceNotFoundException', "The function doesn't exist."),
    );
  }
});

test('a refused change changes nothing', async () => {
  await createAliased(server.client, 'refused');
  await put('refused');
  for (const [settings, name] of [
    [{}, 'InvalidParameterValueException'],
    [{ DestinationConfig: {} }, 'InvalidParameterValueException'],
    [{ MaximumRetryAttempts: 3 }, 'ValidationException'],
    [{ MaximumEventAgeInSeconds: 59 }, 'ValidationException'],
    [
      {
        MaximumRetryAttempts: 2,
        DestinationConfig: { OnSuccess: { Destination: `${queue}.fifo` } },
      },
      'InvalidParameterValueException',
    ],
  ] as const) {
    await assert.rejects(update('refused', settings), refused(name));
  }
  assert.deepEqual(await update('refused', { DestinationConfig: { OnFailure: {} } }), {
    MaximumRetryAttempts: 1,
    DestinationConfig: { OnSuccess: {}, OnFailure: {} },
  });
});
